import type { DecisionLog } from "../ports/decision-log.ts";
import type { NotificationDesk } from "./accept-notification.ts";
import { readUpTo } from "./bounded-body.ts";

export const BODY_MAX_BYTES = 1_048_576;
const TOKEN_MAX = 4_096;
/** What Graph sends is a sentence with ids in it. Nothing that a browser could take for markup is said back. */
const TOKEN = /^[\x20-\x3b\x3d\x3f-\x7e]+$/;
const COME_AGAIN_S = 10;

/** What we use of an HTTP request, and what we answer. */
export interface WebhookRequest {
  query: { get(name: string): string | null };
  /** `tenantId` and `secret`. */
  params: Readonly<Record<string, string | undefined>>;
  headers: { get(name: string): string | null };
  body: ReadableStream<Uint8Array> | null;
}
export interface WebhookAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * The answer to a webhook call: 404 for whoever does not know the path, before anything of the body is read; Graph's
 * validation; 202 for whatever has the form of notifications. It tells nobody what was believed.
 * Source: Graph `change-notifications-delivery-webhooks.md`.
 */
export async function notificationAnswer(
  desk: NotificationDesk,
  request: WebhookRequest,
  log: DecisionLog,
): Promise<WebhookAnswer> {
  const token = request.query.get("validationToken");
  const { tenantId = "", secret = "" } = request.params;
  const admitted = await desk.admit(tenantId.toLowerCase(), secret, token !== null, log);
  if (!admitted) return { status: 404 };
  if (token !== null) return validation(token);
  if (!desk.mayPost(admitted)) return { status: 429, headers: { "Retry-After": String(COME_AGAIN_S) } };
  if (Number(request.headers.get("content-length") ?? 0) > BODY_MAX_BYTES) return { status: 413 };
  const bytes = await readUpTo(request.body, BODY_MAX_BYTES);
  if (bytes.byteLength > BODY_MAX_BYTES) return { status: 413 };
  const body = parse(bytes);
  if (body === undefined) return { status: 400 };
  const answer = await desk.accept(admitted, body, log);
  switch (answer.kind) {
    case "accepted":
      return { status: 202 };
    case "notNotifications":
      return { status: 400 };
    case "tooMany":
      return { status: 413 };
  }
}

/** As plain text that no browser takes for a page. */
function validation(token: string): WebhookAnswer {
  if (token.length > TOKEN_MAX || !TOKEN.test(token)) return { status: 400 };
  const headers = {
    "Content-Type": "text/plain",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
  };
  return { status: 200, headers, body: token };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
