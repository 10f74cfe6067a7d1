import rhea, { type Message } from "rhea";
import { BusError, type BusMessage, type PeekedMessage, type ReceivedMessage } from "./api.ts";

/**
 * AMQP messages on one side, messages as the rules keep them on the other. The names of annotations and the mapping are
 * those of the Service Bus "AMQP 1.0 protocol guide".
 */

/** Message format of a batch: an outer message with one encoded message per data section. */
export const BATCH_FORMAT = 0x80013700;
const DATA_SECTION = 0x75;

/** Properties that travel as they are. `ttl` and `message_id` have places of their own. */
const CARRIED = [
  "user_id",
  "to",
  "subject",
  "reply_to",
  "correlation_id",
  "content_type",
  "content_encoding",
  "absolute_expiry_time",
  "creation_time",
  "group_id",
  "reply_to_group_id",
] as const;
const SCHEDULED = "x-opt-scheduled-enqueue-time";
const PARTITION_KEY = "x-opt-partition-key";
/** In `envelope`: the body is not data but an encoded AMQP message with a value or sequence body. */
const ENCODED_BODY = "encodedBody";

const STATES = { active: 0, deferred: 1, scheduled: 2 } as const;

/** One encoded message; without an id it gets one, as the client's lock renewal needs it. */
export function decodeMessage(raw: Buffer, uuid: () => string): BusMessage {
  return keptMessage(
    readable(() => rhea.message.decode(raw)),
    uuid,
  );
}

function keptMessage(message: Readonly<Record<string, unknown>>, uuid: () => string): BusMessage {
  const annotations = fields(message.message_annotations);
  const envelope: Record<string, unknown> = {};
  for (const name of CARRIED) if (message[name] !== undefined) envelope[name] = message[name];
  if (annotations[PARTITION_KEY] !== undefined) envelope[PARTITION_KEY] = annotations[PARTITION_KEY];
  const body = dataOf(message.body);
  if (!body) envelope[ENCODED_BODY] = true;
  const scheduled = annotations[SCHEDULED];
  return {
    messageId: message.message_id === undefined ? uuid() : String(message.message_id),
    body: body ?? rhea.message.encode({ body: message.body }),
    properties: fields(message.application_properties),
    envelope,
    ...(scheduled !== undefined && scheduled !== null && { scheduledEnqueueTime: Number(scheduled) }),
    ...(typeof message.ttl === "number" && { timeToLiveMs: message.ttl }),
  };
}

/** The messages of one transfer: `rhea` decodes a single one itself and leaves a batch as it came. */
export function decodeTransfer(transfer: Message | Buffer, format: number, uuid: () => string): BusMessage[] {
  if (!Buffer.isBuffer(transfer)) return [keptMessage({ ...transfer }, uuid)];
  if (format !== BATCH_FORMAT) throw new BusError("amqp:not-implemented", `Message format ${format} is not known.`);
  const section = sectionOf(readable(() => rhea.message.decode(transfer)).body);
  if (!section) throw new BusError("amqp:decode-error", "A batch has one data section per message.");
  return [section.content].flat().map((item) => decodeMessage(item, uuid));
}

/** As it goes out on a receiver, or in the answer to a peek. */
export function encodeMessage(message: ReceivedMessage | PeekedMessage): Buffer {
  const { envelope = {}, deadLetterReason, deadLetterErrorDescription } = message;
  const annotations: Record<string, unknown> = {
    "x-opt-sequence-number": rhea.types.wrap_long(message.sequenceNumber),
    "x-opt-enqueue-sequence-number": rhea.types.wrap_long(message.sequenceNumber),
    "x-opt-enqueued-time": rhea.types.wrap_timestamp(message.enqueuedTime),
    "x-opt-message-state": rhea.types.wrap_int("state" in message ? STATES[message.state] : STATES.active),
  };
  if ("lockedUntil" in message) annotations["x-opt-locked-until"] = rhea.types.wrap_timestamp(message.lockedUntil);
  if (message.scheduledEnqueueTime !== undefined) {
    annotations[SCHEDULED] = rhea.types.wrap_timestamp(message.scheduledEnqueueTime);
  }
  const out: Message = {
    message_id: message.messageId,
    body: envelope[ENCODED_BODY]
      ? rhea.message.decode(Buffer.from(message.body)).body
      : dataSection(Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength)),
    delivery_count: message.deliveryCount,
    message_annotations: annotations,
    application_properties: {
      ...message.properties,
      ...(deadLetterReason !== undefined && { DeadLetterReason: deadLetterReason }),
      ...(deadLetterErrorDescription !== undefined && { DeadLetterErrorDescription: deadLetterErrorDescription }),
    },
    ...(message.timeToLiveMs !== undefined && { ttl: message.timeToLiveMs }),
  };
  for (const [name, value] of Object.entries(envelope)) {
    if (name === PARTITION_KEY) annotations[PARTITION_KEY] = value;
    else if (name !== ENCODED_BODY) Object.assign(out, { [name]: value });
  }
  return rhea.message.encode(out);
}

/** The lock token on the wire: the bytes of a .NET Guid, whose first three groups are reversed against its text. */
export function tagOfToken(token: string): Buffer {
  return reordered(uuidBytes(token));
}

export function tokenOfTag(tag: Buffer | string): string {
  return uuidText(reordered(typeof tag === "string" ? Buffer.from(tag) : tag));
}

/** In `$management` bodies the same token is an AMQP uuid, in the order of its text. */
export const uuidBytes = (text: string): Buffer => Buffer.from(text.replaceAll("-", ""), "hex");

export const uuidText = (bytes: Buffer): string =>
  bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

function reordered(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  out.subarray(0, 4).reverse();
  out.subarray(4, 6).reverse();
  out.subarray(6, 8).reverse();
  return out;
}

const fields = (section: unknown): Record<string, unknown> =>
  section && typeof section === "object" ? { ...section } : {};

interface Section {
  typecode: number;
  content: Buffer | Buffer[];
}

/** What `rhea` makes of a data section; its declarations name neither the type nor the maker. */
function sectionOf(body: unknown): Section | undefined {
  const section = body as Partial<Section> | undefined | null;
  return section && typeof section === "object" && section.typecode === DATA_SECTION && section.content !== undefined
    ? { typecode: section.typecode, content: section.content }
    : undefined;
}

function dataOf(body: unknown): Buffer | undefined {
  const section = sectionOf(body);
  return section && (Array.isArray(section.content) ? Buffer.concat(section.content) : section.content);
}

export const dataSection = (bytes: Buffer): unknown =>
  (rhea.message as typeof rhea.message & { data_section(bytes: Buffer): unknown }).data_section(bytes);

/** Bytes that are no AMQP message are the sender's mistake, not a failure of ours. */
function readable<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new BusError("amqp:decode-error", `The message cannot be decoded: ${String(cause)}`);
  }
}
