/**
 * The queues of the app: the one list that the code, the sandbox and the infrastructure share.
 * Durations in seconds. Limits: Service Bus quotas (lock at most 300 s, 256 KB a message on Standard).
 */
export interface QueueSettings {
  lockSeconds: number;
  /** Deliveries before the service moves a message to the dead-letter queue. */
  maxDeliveryCount: number;
  duplicateDetectionSeconds: number;
}

export const QUEUES = {
  /** Hints about people who are waiting: notifications, trailing looks, operators, proofs. */
  changes: { lockSeconds: 60, maxDeliveryCount: 10, duplicateDetectionSeconds: 600 },
  /** Hints in bulk, from delta pages and full passes. */
  sweep: { lockSeconds: 60, maxDeliveryCount: 10, duplicateDetectionSeconds: 600 },
  /** Work on a source tenant: read one page, look after its subscriptions. */
  pages: { lockSeconds: 60, maxDeliveryCount: 10, duplicateDetectionSeconds: 600 },
} as const satisfies Record<string, QueueSettings>;

export type QueueName = keyof typeof QUEUES;
/** The dead-letter queue of a queue, as Service Bus names it. */
export const deadLetterQueue = (queue: QueueName): string => `${queue}/$deadletterqueue`;
