/** Webhook calls over real wires. */
import { request as httpsRequest } from "node:https";
import type { WebhookCall } from "./api.ts";
import type { Recorder } from "./recorder.ts";

const BODY_BYTES_MAX = 64 * 1024;

/** Delivers over HTTPS, trusting this process's authorities; rejects when the connection does. */
export function httpsDelivery(
  recorder?: Recorder,
): (call: WebhookCall) => Promise<{ status: number; contentType: string; body: string }> {
  return async (call) => {
    const startedAt = Date.now();
    const { origin, pathname, search } = new URL(call.url);
    const request = {
      method: call.method,
      url: pathname + search,
      headers: call.headers,
      ...(call.body === "" ? {} : { body: call.body }),
    };
    try {
      const answer = await send(call);
      const response = { status: answer.status, headers: { "content-type": answer.contentType }, body: answer.body };
      recorder?.record({ root: origin, request, response, startedAt, endedAt: Date.now() });
      return answer;
    } catch (error) {
      recorder?.record({ root: origin, request, response: undefined, startedAt, endedAt: Date.now() });
      throw error;
    }
  };
}

function send(call: WebhookCall): Promise<{ status: number; contentType: string; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { ...call.headers, "content-length": String(Buffer.byteLength(call.body)) };
    const request = httpsRequest(call.url, { method: call.method, headers }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= BODY_BYTES_MAX) chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers["content-type"] ?? "",
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.on("error", reject);
    request.end(call.body);
  });
}
