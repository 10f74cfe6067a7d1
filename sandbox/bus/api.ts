import type { SandboxClock } from "../clock.ts";

/** The rules of Service Bus queues without a wire: the AMQP broker and the simulated world both stand on it. */
export interface QueueRules {
  lockSeconds: number;
  maxDeliveryCount: number;
  duplicateDetectionSeconds: number;
}

export interface BrokerOptions {
  clock: SandboxClock;
  queues: Readonly<Record<string, QueueRules>>;
  /** Bytes; 262,144 as on Standard unless said. */
  maxMessageBytes?: number;
  uuid: () => string;
}

/** A message as it is kept. `body` and `properties` are opaque to the rules. */
export interface BusMessage {
  messageId: string;
  body: Uint8Array;
  properties: Readonly<Record<string, unknown>>;
  scheduledEnqueueTime?: number;
  /** What the wire carries beside body and application properties (subject, content type, …); opaque to the rules. */
  envelope?: Readonly<Record<string, unknown>>;
  /** The message vanishes when it was not taken this long after it was enqueued; absent: never. */
  timeToLiveMs?: number;
}

/** A message as it lies in a queue. */
export interface PeekedMessage extends BusMessage {
  deliveryCount: number;
  sequenceNumber: number;
  enqueuedTime: number;
  state: "active" | "deferred" | "scheduled";
  deadLetterReason?: string;
  deadLetterErrorDescription?: string;
}

export interface ReceivedMessage extends BusMessage {
  lockToken: string;
  lockedUntil: number;
  /** Earlier failed deliveries: 0 on the first. */
  deliveryCount: number;
  sequenceNumber: number;
  enqueuedTime: number;
  deadLetterReason?: string;
  deadLetterErrorDescription?: string;
}

/** Thrown by settling and sending; `condition` as on the wire (`com.microsoft:message-lock-lost`). */
export class BusError extends Error {
  readonly condition: string;
  constructor(condition: string, message: string) {
    super(message);
    this.condition = condition;
  }
}

/** `queue` is a name of the list or `<name>/$deadletterqueue`. Everything acknowledged is kept. */
export interface Broker {
  /**
   * All or nothing. Messages with an id seen within the window are accepted and dropped. Answers the sequence numbers,
   * in the order of the messages; a dropped one has one too, under which nothing can be found.
   */
  send(queue: string, messages: readonly BusMessage[]): readonly number[];
  /** Removes messages that are still scheduled; all or nothing. */
  cancelScheduled(queue: string, sequenceNumbers: readonly number[]): void;
  /** The next free message, locked; `undefined` when there is none now. */
  receive(queue: string): ReceivedMessage | undefined;
  /** Called whenever a message of the queue may have become free. Returns the function that ends it. */
  onAvailable(queue: string, listener: () => void): () => void;
  complete(queue: string, lockToken: string): void;
  abandon(queue: string, lockToken: string, properties?: Readonly<Record<string, unknown>>): void;
  deadLetter(
    queue: string,
    lockToken: string,
    reason?: string,
    description?: string,
    properties?: Readonly<Record<string, unknown>>,
  ): void;
  /** Sets the message aside: it comes back only by its sequence number. */
  defer(queue: string, lockToken: string, properties?: Readonly<Record<string, unknown>>): void;
  /** Locks messages that were deferred; all or nothing. */
  receiveDeferred(queue: string, sequenceNumbers: readonly number[]): readonly ReceivedMessage[];
  /** Gives the message back without counting a failed delivery. */
  release(queue: string, lockToken: string): void;
  /** The new end of the lock. */
  renew(queue: string, lockToken: string): number;
  /** Counts by queue. */
  statistics(): Record<
    string,
    { active: number; scheduled: number; locked: number; deadLettered: number; duplicates: number }
  >;
  /** In the order of their sequence numbers, from this one on; locks nothing. Scheduled and deferred ones too. */
  peek(queue: string, limit: number, fromSequenceNumber?: number): readonly PeekedMessage[];
  /** Removes everything: what an operator's mistake does. */
  purge(queue: string): void;
  close(): void;
}
