import { type Broker, type BrokerOptions, BusError, type BusMessage } from "./api.ts";
import { Queue } from "./queue.ts";

/** A message, or a whole batch, on Standard: 256 KB with its properties. Source: Service Bus quotas. */
export const MESSAGE_BYTES_MAX = 262_144;
const MESSAGE_ID_LENGTH_MAX = 128;
const DEAD_LETTER_SUFFIX = "/$deadletterqueue";

/** The queues of a namespace, in memory: what was acknowledged is kept as long as the process lives. */
export function broker(options: BrokerOptions): Broker {
  const bytesMax = options.maxMessageBytes ?? MESSAGE_BYTES_MAX;
  const queues = new Map<string, Queue>();
  for (const [name, rules] of Object.entries(options.queues)) {
    const common = { clock: options.clock, uuid: options.uuid };
    const dead = new Queue({
      ...common,
      name: `${name}${DEAD_LETTER_SUFFIX}`,
      rules: { ...rules, duplicateDetectionSeconds: 0 },
      deadLetter: undefined,
    });
    const queue = new Queue({ ...common, name, rules, deadLetter: (message) => dead.takeDead(message) });
    queues.set(name.toLowerCase(), queue).set(`${name.toLowerCase()}${DEAD_LETTER_SUFFIX}`, dead);
  }

  const find = (name: string): Queue => {
    const queue = queues.get(name.toLowerCase());
    if (queue) return queue;
    throw new BusError("amqp:not-found", `The messaging entity '${name}' could not be found.`);
  };

  return {
    send: (name, messages) => {
      const queue = find(name);
      if (name.toLowerCase().endsWith(DEAD_LETTER_SUFFIX)) {
        throw new BusError("amqp:not-allowed", `Nothing can be sent to the dead-letter queue '${name}'.`);
      }
      refuseUnfit(messages, bytesMax);
      return queue.send(messages);
    },
    cancelScheduled: (name, sequenceNumbers) => find(name).cancelScheduled(sequenceNumbers),
    receive: (name) => find(name).receive(),
    onAvailable: (name, listener) => find(name).onAvailable(listener),
    complete: (name, lockToken) => find(name).complete(lockToken),
    abandon: (name, lockToken, properties) => find(name).abandon(lockToken, properties),
    deadLetter: (name, lockToken, reason, description, properties) =>
      find(name).deadLetter(lockToken, reason, description, properties),
    defer: (name, lockToken, properties) => find(name).defer(lockToken, properties),
    receiveDeferred: (name, sequenceNumbers) => find(name).receiveDeferred(sequenceNumbers),
    release: (name, lockToken) => find(name).release(lockToken),
    renew: (name, lockToken) => find(name).renew(lockToken),
    statistics: () =>
      Object.fromEntries(
        Object.keys(options.queues).map((name) => {
          const { active, scheduled, locked, duplicates } = find(name).counts;
          const deadLettered = find(`${name}${DEAD_LETTER_SUFFIX}`).counts.kept;
          return [name, { active, scheduled, locked, deadLettered, duplicates }];
        }),
      ),
    peek: (name, limit, from) => find(name).peek(limit, from),
    purge: (name) => find(name).purge(),
    close: () => {
      for (const queue of queues.values()) queue.close();
    },
  };
}

function refuseUnfit(messages: readonly BusMessage[], bytesMax: number): void {
  let bytes = 0;
  for (const message of messages) {
    if (message.messageId.length > MESSAGE_ID_LENGTH_MAX) {
      throw new BusError("amqp:invalid-field", `A message id has at most ${MESSAGE_ID_LENGTH_MAX} characters.`);
    }
    bytes += message.body.length + JSON.stringify(message.properties).length;
  }
  if (bytes > bytesMax) {
    throw new BusError(
      "amqp:link:message-size-exceeded",
      `The received message (size: ${bytes} bytes) exceeds the limit (${bytesMax} bytes) currently allowed on the link.`,
    );
  }
}
