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
  /** All or nothing. Messages with an id seen within the window are accepted and dropped. */
  send(queue: string, messages: readonly BusMessage[]): void;
  /** The next free message, locked; `undefined` when there is none now. */
  receive(queue: string): ReceivedMessage | undefined;
  /** Called whenever a message of the queue may have become free. Returns the function that ends it. */
  onAvailable(queue: string, listener: () => void): () => void;
  complete(queue: string, lockToken: string): void;
  abandon(queue: string, lockToken: string, properties?: Readonly<Record<string, unknown>>): void;
  deadLetter(queue: string, lockToken: string, reason?: string, description?: string): void;
  /** The new end of the lock. */
  renew(queue: string, lockToken: string): number;
  /** Counts by queue. */
  statistics(): Record<
    string,
    { active: number; scheduled: number; locked: number; deadLettered: number; duplicates: number }
  >;
  peek(queue: string, limit: number): readonly (BusMessage & { deliveryCount: number; sequenceNumber: number })[];
  /** Removes everything: what an operator's mistake does. */
  purge(queue: string): void;
  close(): void;
}
