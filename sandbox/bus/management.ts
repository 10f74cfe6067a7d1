import rhea, { type Message } from "rhea";
import { type Broker, BusError } from "./api.ts";
import { decodeMessage, encodeMessage, uuidBytes, uuidText } from "./codec.ts";

/** Operations of `<queue>/$management`. Source: Service Bus "AMQP 1.0 request-response based operations". */
const LONG = 0x81;
const TIMESTAMP = 0x83;
const STATUS: Readonly<Record<string, number>> = {
  "com.microsoft:message-lock-lost": 410,
  "com.microsoft:message-not-found": 404,
  "amqp:not-found": 404,
  "amqp:link:message-size-exceeded": 400,
};

type Body = Readonly<Record<string, unknown>>;
type Answer = Pick<Message, "application_properties" | "body">;
type Operation = (at: { broker: Broker; queue: string; uuid: () => string; body: Body }) => object | undefined;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "com.microsoft:peek-message": ({ broker, queue, body }) => {
    const found = broker.peek(queue, Number(body["message-count"]), number(body["from-sequence-number"]));
    return found.length === 0 ? undefined : { messages: found.map((message) => ({ message: encodeMessage(message) })) };
  },
  "com.microsoft:renew-lock": ({ broker, queue, body }) => ({
    expirations: rhea.types.wrap_array(
      tokens(body).map((token) => broker.renew(queue, token)),
      TIMESTAMP,
      undefined,
    ),
  }),
  "com.microsoft:schedule-message": ({ broker, queue, uuid, body }) => {
    const items = list<{ message: Buffer }>(body.messages);
    const sequenceNumbers = broker.send(
      queue,
      items.map((item) => decodeMessage(item.message, uuid)),
    );
    return { "sequence-numbers": rhea.types.wrap_array(sequenceNumbers, LONG, undefined) };
  },
  "com.microsoft:cancel-scheduled-message": ({ broker, queue, body }) => {
    broker.cancelScheduled(queue, numbers(body));
    return {};
  },
  "com.microsoft:receive-by-sequence-number": ({ broker, queue, body }) => {
    const received = broker.receiveDeferred(queue, numbers(body));
    // 0 is receive-and-delete, 1 is peek-lock.
    if (body["receiver-settle-mode"] === 0) for (const { lockToken } of received) broker.complete(queue, lockToken);
    return {
      messages: received.map((message) => ({
        message: encodeMessage(message),
        "lock-token": rhea.types.wrap_uuid(uuidBytes(message.lockToken)),
      })),
    };
  },
  "com.microsoft:update-disposition": ({ broker, queue, body }) => {
    const properties = (body["properties-to-modify"] ?? {}) as Record<string, unknown>;
    for (const token of tokens(body)) {
      switch (body["disposition-status"]) {
        case "completed":
          broker.complete(queue, token);
          break;
        case "abandoned":
          broker.abandon(queue, token, properties);
          break;
        case "defered":
          broker.defer(queue, token, properties);
          break;
        case "suspended":
          broker.deadLetter(
            queue,
            token,
            text(body["deadletter-reason"]),
            text(body["deadletter-description"]),
            properties,
          );
          break;
        default:
          throw new BusError("amqp:invalid-field", `No such disposition: ${String(body["disposition-status"])}`);
      }
    }
    return {};
  },
};

export function answerManagement(broker: Broker, uuid: () => string, queue: string, request: Message): Answer {
  const name = String(request.application_properties?.operation);
  const operation = OPERATIONS[name];
  if (!operation) return refusal(501, "amqp:not-implemented", `The sandbox has no operation '${name}'.`);
  try {
    const body = operation({ broker, queue, uuid, body: (request.body ?? {}) as Body });
    return body
      ? { application_properties: { statusCode: 200, statusDescription: "OK" }, body }
      : { application_properties: { statusCode: 204, statusDescription: "No content" }, body: {} };
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return refusal(STATUS[error.condition] ?? 400, error.condition, error.message);
  }
}

function refusal(statusCode: number, errorCondition: string, statusDescription: string): Answer {
  return { application_properties: { statusCode, statusDescription, errorCondition }, body: {} };
}

const list = <T>(value: unknown): T[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const tokens = (body: Body): string[] => list<Buffer>(body["lock-tokens"]).map(uuidText);
const numbers = (body: Body): number[] => list<unknown>(body["sequence-numbers"]).map(number);

/** Longs arrive as numbers, or as eight bytes when they need more than 53 bits. */
function number(value: unknown): number {
  return Buffer.isBuffer(value) ? Number(value.readBigInt64BE()) : Number(value);
}
