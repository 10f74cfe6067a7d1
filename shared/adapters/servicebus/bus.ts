import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import {
  ServiceBusClient,
  type ServiceBusClientOptions,
  type ServiceBusMessage,
  type ServiceBusMessageBatch,
  type ServiceBusSender,
} from "@azure/service-bus";
import type { QueueName } from "../../messages/queues.ts";
import { type Bus, BusUnavailable, type OutgoingMessage } from "../../ports/bus.ts";
import { gather } from "./gather.ts";

export type BusSettings =
  | { connectionString: string }
  /** `{namespace}.servicebus.windows.net`; `clientId` names a user-assigned managed identity. */
  | { fullyQualifiedNamespace: string; clientId?: string };

/** One call, with opening what it needs: beyond it the connection is given up. A connection that hangs raises nothing. */
const CALL_TIMEOUT_MS = 10_000;
const FLIGHTS_PER_QUEUE_MAX = 8;
/** Short: whoever sends comes again with the same message ids, which the queue recognizes. */
const RETRIES: NonNullable<ServiceBusClientOptions["retryOptions"]> = {
  maxRetries: 1,
  retryDelayInMs: 250,
  timeoutInMs: 4_000,
};

/**
 * Service Bus behind the port. `send` throws `BusUnavailable` when the bus cannot be reached, is busy or full, or does
 * not answer within 10 s (the messages may have been accepted); what sending again cannot mend is thrown as it is.
 */
export function serviceBus(settings: BusSettings): Bus & { close(): Promise<void> } {
  const connection = reconnecting(settings);
  const queues = new Map<QueueName, (messages: readonly ServiceBusMessage[]) => Promise<void>>();

  const queue = (name: QueueName) => {
    let send = queues.get(name);
    if (!send) {
      send = gather<ServiceBusMessage, ServiceBusMessageBatch>(
        {
          open: () =>
            connection.call(name, async (sender, abortSignal) => {
              const batch = await sender.createMessageBatch({ abortSignal });
              return { batch, add: (message) => batch.tryAddMessage(message) };
            }),
          send: (batch) => connection.call(name, (sender, abortSignal) => sender.sendMessages(batch, { abortSignal })),
        },
        (message) => new RangeError(`message ${message.messageId} is too large for queue ${name}`),
        FLIGHTS_PER_QUEUE_MAX,
      );
      queues.set(name, send);
    }
    return send;
  };

  return {
    send: async (name, messages) => queue(name)(messages.map(toServiceBus)),
    close: () => connection.close(),
  };
}

function toServiceBus({ id, body, notBefore }: OutgoingMessage): ServiceBusMessage {
  return {
    messageId: id,
    body,
    contentType: "application/json",
    ...(notBefore === undefined ? {} : { scheduledEnqueueTimeUtc: new Date(notBefore) }),
  };
}

/** A client that is replaced once its connection has failed: one that hangs would hang for every later call. */
function reconnecting(settings: BusSettings) {
  const connect = connector(settings);
  let current: { client: ServiceBusClient; senders: Map<string, ServiceBusSender> } | undefined;
  let closed = false;

  const senderOf = (queue: string) => {
    if (closed) throw new Error("the bus was closed");
    current ??= { client: connect(), senders: new Map() };
    const sender = current.senders.get(queue) ?? current.client.createSender(queue);
    current.senders.set(queue, sender);
    return { sender, of: current };
  };
  const giveUp = (failed: typeof current) => {
    if (!failed || failed !== current) return;
    current = undefined;
    // Nobody waits for it: it is gone, or closing it hangs as the rest does.
    failed.client.close().catch(() => {});
  };

  return {
    async call<R>(queue: string, action: (sender: ServiceBusSender, signal: AbortSignal) => Promise<R>): Promise<R> {
      const { sender, of } = senderOf(queue);
      try {
        return await action(sender, AbortSignal.timeout(CALL_TIMEOUT_MS));
      } catch (error) {
        const failure = busFailure(error);
        if (failure === "permanent") throw error;
        if (failure === "connection") giveUp(of);
        throw new BusUnavailable(`queue ${queue}: ${error instanceof Error ? error.message : String(error)}`, error);
      }
    },
    async close() {
      closed = true;
      const last = current;
      current = undefined;
      await last?.client.close();
    },
  };
}

function connector(settings: BusSettings): () => ServiceBusClient {
  const options: ServiceBusClientOptions = { retryOptions: RETRIES };
  if ("connectionString" in settings) return () => new ServiceBusClient(settings.connectionString, options);
  const credential =
    settings.clientId === undefined
      ? new DefaultAzureCredential()
      : new ManagedIdentityCredential({ clientId: settings.clientId });
  return () => new ServiceBusClient(settings.fullyQualifiedNamespace, credential, options);
}

/** Answers of the service that sending again later can mend, on the connection that is there. */
const BUSY = new Set(["ServiceBusy", "QuotaExceeded"]);
/** Answers that stay the same however often we send. */
const PERMANENT = new Set([
  "MessagingEntityNotFound",
  "MessagingEntityDisabled",
  "MessageSizeExceeded",
  "UnauthorizedAccess",
]);
/** What the client itself says of a wrong call of ours. */
const DEFECTS = new Set(["TypeError", "RangeError", "SyntaxError", "ReferenceError"]);

function busFailure(error: unknown): "permanent" | "busy" | "connection" {
  if (!(error instanceof Error) || DEFECTS.has(error.name)) return "permanent";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (BUSY.has(code)) return "busy";
  return PERMANENT.has(code) ? "permanent" : "connection";
}
