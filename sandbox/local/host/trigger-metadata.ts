import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { ServiceBusReceivedMessage } from "@azure/service-bus";
import type { TypedData } from "./core-api.ts";
import type { Trigger } from "./invoke.ts";

/**
 * What the host hands over with a Service Bus message. Keys and forms as `ServiceBusTriggerBindingStrategy` makes them; the
 * library then lower-cases the first letter of every key at every depth, and parses texts that look like JSON.
 */
export function triggerOf(message: ServiceBusReceivedMessage): Trigger {
  const traceParent = message.applicationProperties?.["Diagnostic-Id"];
  return {
    data: bodyOf(message.body),
    metadata: metadataOf(message),
    ...(typeof traceParent === "string" && { traceParent }),
  };
}

/** Text goes as text, which the library parses when it is JSON; what is no UTF-8 goes as bytes. */
function bodyOf(body: unknown): TypedData {
  if (typeof body === "string") return { string: body };
  if (body instanceof Uint8Array) return isUtf8(body) ? { string: Buffer.from(body).toString() } : { bytes: body };
  return { json: JSON.stringify(body ?? null) };
}

/** What .NET shows for a message that never expires. */
const NEVER_EXPIRES = "9999-12-31T23:59:59.9999999Z";

function metadataOf(message: ServiceBusReceivedMessage): Record<string, TypedData> {
  const texts: Record<string, unknown> = {
    MessageId: message.messageId,
    SessionId: message.sessionId,
    LockToken: message.lockToken,
    CorrelationId: message.correlationId,
    Subject: message.subject,
    Label: message.subject,
    ContentType: message.contentType,
    To: message.to,
    ReplyTo: message.replyTo,
    ReplyToSessionId: message.replyToSessionId,
    PartitionKey: message.partitionKey,
    DeadLetterSource: message.deadLetterSource,
  };
  const found: Record<string, TypedData> = {};
  for (const [name, value] of Object.entries(texts)) {
    if (value !== undefined && value !== null && value !== "") found[name] = { string: String(value) };
  }
  const json = (name: string, value: unknown) => {
    found[name] = { json: JSON.stringify(value) };
  };
  // On the wire 0 is the first delivery; the trigger, on .NET, counts from 1.
  json("DeliveryCount", (message.deliveryCount ?? 0) + 1);
  json("SequenceNumber", Number(message.sequenceNumber ?? 0));
  const enqueued = message.enqueuedTimeUtc?.toISOString();
  json("EnqueuedTimeUtc", enqueued);
  json("EnqueuedTime", enqueued);
  const expires = message.timeToLive === undefined ? undefined : message.expiresAtUtc?.toISOString();
  json("ExpiresAtUtc", expires ?? NEVER_EXPIRES);
  json("ExpiresAt", expires ?? NEVER_EXPIRES);
  json("ApplicationProperties", message.applicationProperties ?? {});
  json("UserProperties", message.applicationProperties ?? {});
  if (message.deadLetterReason) found.DeadLetterReason = { string: message.deadLetterReason };
  if (message.deadLetterErrorDescription) {
    found.DeadLetterErrorDescription = { string: message.deadLetterErrorDescription };
  }
  json("sys", { MethodName: "", UtcNow: new Date().toISOString(), RandGuid: randomUUID() });
  return found;
}
