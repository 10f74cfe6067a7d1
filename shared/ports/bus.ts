import type { QueueName } from "../messages/queues.ts";

/** Puts messages into our queues. What `send` has acknowledged is kept by the service. */
export interface Bus {
  /** Sends all or throws; messages that were already accepted are recognized by their id when sent again. */
  send(queue: QueueName, messages: readonly OutgoingMessage[]): Promise<void>;
}

export interface OutgoingMessage {
  /** For duplicate detection: a message with an id that the queue saw in the last ten minutes is dropped. At most 128 characters. */
  id: string;
  /** Everything that matters, as JSON. No personal data: ids only. */
  body: unknown;
  /** Not delivered before this time (ms since 1970). */
  notBefore?: number;
}

/** The bus gave no answer: the messages may or may not have been accepted. */
export class BusUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "BusUnavailable";
  }
}
