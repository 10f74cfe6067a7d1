/** All traffic with the tenants as HAR 1.2, without tokens and secrets. Source: the HAR 1.2 specification. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { GraphRequest, GraphResponse } from "./api.ts";

export interface Exchange {
  /** `https://127.0.0.1:PORT`. */
  root: string;
  request: GraphRequest;
  /** Undefined: the connection broke. */
  response: GraphResponse | undefined;
  /** ms since 1970. */
  startedAt: number;
  endedAt: number;
}

export interface Recorder {
  record(exchange: Exchange): void;
  close(): void;
}

const REMOVED = "(removed)";
const SECRET_HEADERS = ["authorization", "cookie", "set-cookie"];
const SECRET_NAMES = [
  "access_token",
  "client_assertion",
  "client_secret",
  "clientstate",
  "lifecyclenotificationurl",
  "notificationurl",
  "password",
  "refresh_token",
  "id_token",
];
const HEAD = '{"log":{"version":"1.2","creator":{"name":"cross-cloud-sync sandbox","version":"1"},"entries":[\n';
const TAIL = "\n]}}\n";

/** Writes each exchange as it happens; the file is whole after every one of them. */
export function harRecorder(file: string): Recorder {
  const handle = openSync(file, "w", 0o600);
  let at = writeSync(handle, HEAD, 0);
  writeSync(handle, TAIL, at);
  let first = true;
  return {
    record(exchange) {
      const text = `${first ? "" : ",\n"}${JSON.stringify(entryOf(exchange))}`;
      first = false;
      const end = at + Buffer.byteLength(text);
      writeSync(handle, text + TAIL, at);
      at = end;
    },
    close: () => closeSync(handle),
  };
}

function entryOf({ root, request, response, startedAt, endedAt }: Exchange): unknown {
  const { body: posted } = request;
  const type = request.headers["content-type"] ?? "";
  const time = endedAt - startedAt;
  const url = new URL(request.url, root);
  const content = response?.body ?? "";
  const contentType = response?.headers["content-type"] ?? "";
  return {
    startedDateTime: new Date(startedAt).toISOString(),
    time,
    request: {
      method: request.method,
      url: url.href,
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: headersOf(request.headers),
      queryString: [...url.searchParams].map(([name, value]) => ({ name, value })),
      ...(posted === undefined ? {} : { postData: { mimeType: type, text: scrub(posted, type) } }),
      headersSize: -1,
      bodySize: posted === undefined ? 0 : Buffer.byteLength(posted),
    },
    response: {
      status: response?.status ?? 0,
      statusText: response ? "" : "connection lost",
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: headersOf(response?.headers ?? {}),
      content: { size: Buffer.byteLength(content), mimeType: contentType, text: scrub(content, contentType) },
      redirectURL: "",
      headersSize: -1,
      bodySize: Buffer.byteLength(content),
    },
    cache: {},
    timings: { send: 0, wait: time, receive: 0 },
  };
}

const isSecret = (name: string) => SECRET_NAMES.includes(name.toLowerCase());

const headersOf = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers).map(([name, value]) => ({ name, value: SECRET_HEADERS.includes(name) ? REMOVED : value }));

/** What is neither JSON nor a form keeps nothing that could be a secret: it is left out. */
export function scrub(text: string, contentType: string): string {
  if (text === "" || contentType.startsWith("text/plain")) return text;
  if (contentType.includes("form-urlencoded")) {
    const form = new URLSearchParams(text);
    for (const name of [...form.keys()]) if (isSecret(name)) form.set(name, REMOVED);
    return form.toString();
  }
  try {
    return JSON.stringify(scrubValue(JSON.parse(text)));
  } catch {
    return `(${Buffer.byteLength(text)} bytes that are not JSON)`;
  }
}

function scrubValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrubValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      item !== null && (isSecret(name) || name.toLowerCase() === "authorization") ? REMOVED : scrubValue(item),
    ]),
  );
}
