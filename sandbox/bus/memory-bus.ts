import { type Bus, BusUnavailable, type OutgoingMessage } from "../../shared/ports/bus.ts";
import { type Broker, BusError, type BusMessage } from "./api.ts";
import { MESSAGE_BYTES_MAX } from "./broker.ts";

/** Called around every send; what they throw, the sender gets. */
export interface BusHooks {
  /** Nothing was accepted yet: what is thrown here is a send that never arrived. */
  before?: ((queue: string, messages: readonly OutgoingMessage[]) => void | Promise<void>) | undefined;
  /** All was accepted: what is thrown here is an answer that was lost. */
  after?: ((queue: string, messages: readonly OutgoingMessage[]) => void | Promise<void>) | undefined;
}

export interface MemoryBus extends Bus {
  /** May be exchanged while the world runs. */
  hooks: BusHooks;
  /** Messages handed to `send` so far, by queue. */
  readonly sent: Readonly<Record<string, number>>;
}

/** The sending side of the queues without a wire, for the simulated world. */
export function memoryBus(broker: Broker, options: { hooks?: BusHooks; maxMessageBytes?: number } = {}): MemoryBus {
  const bytesMax = options.maxMessageBytes ?? MESSAGE_BYTES_MAX;
  const sent: Record<string, number> = {};
  const bus: MemoryBus = {
    hooks: options.hooks ?? {},
    sent,
    async send(queue, messages) {
      if (bus.hooks.before) await bus.hooks.before(queue, messages);
      for (const batch of batches(queue, messages, bytesMax)) {
        try {
          broker.send(queue, batch);
        } catch (error) {
          if (error instanceof BusError && BUSY.has(error.condition)) {
            throw new BusUnavailable(`queue ${queue}: ${error.message}`, error);
          }
          throw error;
        }
        sent[queue] = (sent[queue] ?? 0) + batch.length;
      }
      if (bus.hooks.after) await bus.hooks.after(queue, messages);
    },
  };
  return bus;
}

const BUSY = new Set(["com.microsoft:server-busy", "amqp:resource-limit-exceeded"]);

/** As many messages at once as one batch holds: the broker takes a batch wholly or not at all. */
function* batches(queue: string, messages: readonly OutgoingMessage[], bytesMax: number): Iterable<BusMessage[]> {
  let batch: BusMessage[] = [];
  let bytes = 0;
  for (const { id, body, notBefore } of messages) {
    const message: BusMessage = {
      messageId: id,
      body: Buffer.from(JSON.stringify(body)),
      properties: {},
      ...(notBefore === undefined ? {} : { scheduledEnqueueTime: notBefore }),
    };
    const size = message.body.length + JSON.stringify(message.properties).length;
    if (size > bytesMax) throw new RangeError(`message ${id} is too large for queue ${queue}`);
    if (bytes + size > bytesMax) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
