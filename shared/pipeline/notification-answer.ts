import type { DecisionLog } from "../ports/decision-log.ts";
import type { NotificationDesk } from "./accept-notification.ts";

const BODY_MAX_BYTES = 1_048_576;
const TOKEN_MAX = 4_096;

/** What we use of an HTTP request, and what we answer. */
export interface WebhookRequest {
  query: { get(name: string): string | null };
  params: Readonly<Record<string, string | undefined>>;
  headers: { get(name: string): string | null };
  text(): Promise<string>;
}
export interface WebhookAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * The answer to a webhook call: Graph's validation, or 202 for whatever has the form of notifications. It tells nobody
 * what was believed. Source: Graph `change-notifications-delivery-webhooks.md`.
 */
export async function notificationAnswer(
  desk: NotificationDesk,
  request: WebhookRequest,
  log: DecisionLog,
): Promise<WebhookAnswer> {
  const token = request.query.get("validationToken");
  if (token !== null) return validation(token);
  if (Number(request.headers.get("content-length") ?? 0) > BODY_MAX_BYTES) return { status: 413 };
  const text = await request.text();
  if (Buffer.byteLength(text) > BODY_MAX_BYTES) return { status: 413 };
  const body = parse(text);
  if (body === undefined) return { status: 400 };
  const answer = await desk.accept(request.params.tenantId?.toLowerCase() ?? "", body, log);
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
  if (token.length === 0 || token.length > TOKEN_MAX) return { status: 400 };
  return { status: 200, headers: { "Content-Type": "text/plain", "X-Content-Type-Options": "nosniff" }, body: token };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
