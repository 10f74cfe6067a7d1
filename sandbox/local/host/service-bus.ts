import {
  RetryMode,
  ServiceBusClient,
  type ServiceBusClientOptions,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from "@azure/service-bus";
import type { AppFunction } from "./core-api.ts";
import { type HostSettings, type Settings, substitute } from "./host-settings.ts";
import type { Invoker, LogLine } from "./invoke.ts";
import { slots } from "./slots.ts";
import { triggerOf } from "./trigger-metadata.ts";

/**
 * Service Bus queue triggers, one message a call. Source: "Azure Service Bus trigger for Azure Functions" and the extension
 * `Microsoft.Azure.WebJobs.Extensions.ServiceBus` 5.x: the handler resolves and the message is completed, it throws and the
 * message is abandoned; locks are renewed while it runs. The real `@azure/service-bus` receives.
 *
 * Not here, and refused: batches (`cardinality: "many"`), sessions, topics, connections by identity.
 */
export interface BusTriggerParts {
  functions: readonly AppFunction[];
  invoker: Invoker;
  host: HostSettings;
  settings: Settings;
  log: (line: LogLine) => void;
}

export interface BusTriggers {
  readonly queues: readonly { name: string; queue: string }[];
  /** Takes no more messages; what runs can still be settled. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** A receiver that reports an error is replaced after this, and after twice as long each time it happens again. */
const REPLACE_MS = 500;
const REPLACE_MS_MAX = 5_000;
const STABLE_MS = 30_000;

export function startBusTriggers(parts: BusTriggerParts): BusTriggers {
  const triggers = parts.functions
    .filter((fn) => fn.trigger.type === "serviceBusTrigger")
    .map((fn) => ({ fn, ...readTrigger(fn, parts.settings) }));
  const listeners = triggers.map((trigger) => listen(trigger, parts));
  return {
    queues: triggers.map(({ fn, queue }) => ({ name: fn.metadata.name, queue })),
    stop: async () => void (await Promise.all(listeners.map((listener) => listener.stop()))),
    close: async () => void (await Promise.all(listeners.map((listener) => listener.close()))),
  };
}

interface BusTrigger {
  fn: AppFunction;
  queue: string;
  connectionString: string;
  autoComplete: boolean | undefined;
}

function readTrigger({ metadata, trigger }: AppFunction, settings: Settings): Omit<BusTrigger, "fn"> {
  const where = `Function '${metadata.name}'`;
  const { connection, queueName, cardinality, isSessionsEnabled, autoCompleteMessages } = trigger;
  if (typeof queueName !== "string") throw new Error(`${where}: this host has queue triggers only, no topics.`);
  if (cardinality === "many") throw new Error(`${where}: this host gives one message a call; use cardinality "one".`);
  if (isSessionsEnabled === true) throw new Error(`${where}: this host has no sessions.`);
  const setting = String(connection ?? "AzureWebJobsServiceBus");
  const connectionString = settings[setting] ?? settings[`AzureWebJobs${setting}`];
  if (!connectionString) {
    throw new Error(`${where}: Service Bus connection string '${setting}' is missing or empty. Add the app setting.`);
  }
  return {
    queue: substitute(queueName, settings, `${where}, queueName`),
    connectionString,
    autoComplete: typeof autoCompleteMessages === "boolean" ? autoCompleteMessages : undefined,
  };
}

interface Listening {
  client: ServiceBusClient;
  subscription: { close(): Promise<void> };
  running: ReadonlySet<Promise<void>>;
  /** Takes nothing more, lets what runs be settled, then lets go. */
  end(): Promise<void>;
}

function listen(trigger: BusTrigger, { invoker, host, log }: BusTriggerParts) {
  const { fn, queue } = trigger;
  const { maxConcurrentCalls, prefetchCount, maxAutoLockRenewalMs, autoCompleteMessages } = host.serviceBus;
  const autoComplete = trigger.autoComplete ?? autoCompleteMessages;
  const calls = slots(maxConcurrentCalls);
  const say = (level: LogLine["level"], message: string) => log({ level, message, function: fn.metadata.name });
  let stopped = false;
  let failures = 0;
  let replacing: NodeJS.Timeout | undefined;
  let current = start();

  function start(): Listening {
    const client = new ServiceBusClient(trigger.connectionString, clientOptions(host));
    const receiver = client.createReceiver(queue, {
      maxAutoLockRenewalDurationInMs: maxAutoLockRenewalMs,
      skipParsingBodyAsJson: true,
    });
    const running = new Set<Promise<void>>();
    let ended = false;
    const startedAt = Date.now();
    const subscription = receiver.subscribe(
      {
        processMessage: async (message) => {
          const work = handle(receiver, message).finally(() => running.delete(work));
          running.add(work);
          await work;
        },
        processError: async ({ error, errorSource }) => {
          if (ended) return; // it has been replaced, and says so
          say("warning", `Message processing error (Action=${errorSource}, EntityPath=${queue}): ${error.message}`);
          if (errorSource === "receive") replaceLater(Date.now() - startedAt);
        },
      },
      // What is prefetched waits here for a free call, locked, as it does in the real host.
      { maxConcurrentCalls: maxConcurrentCalls + prefetchCount, autoCompleteMessages: false },
    );
    const end = async () => {
      ended = true;
      await quietly(subscription.close(), "The subscription");
      await Promise.allSettled(running);
      await quietly(client.close(), "The connection");
    };
    return { client, subscription, running, end };
  }

  /**
   * The client goes on trying by itself, but ever more slowly, and after some errors not at all: a fresh one in its place
   * is back soon after the service is.
   */
  function replaceLater(livedMs: number): void {
    if (stopped || replacing) return;
    failures = livedMs > STABLE_MS ? 1 : failures + 1;
    replacing = setTimeout(
      () => {
        replacing = undefined;
        if (stopped) return;
        const old = current;
        current = start();
        void old.end();
      },
      Math.min(REPLACE_MS * 2 ** (failures - 1), REPLACE_MS_MAX),
    );
  }

  async function handle(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage): Promise<void> {
    await calls.take();
    if (stopped) {
      calls.give();
      await settle(receiver.abandonMessage(message), "Abandon");
      return;
    }
    try {
      await invoker.invoke(fn, triggerOf(message));
    } catch {
      // The invoker has logged it; the message comes again at once, until the queue's limit.
      await settle(receiver.abandonMessage(message), "Abandon");
      return;
    } finally {
      calls.give();
    }
    if (autoComplete) await settle(receiver.completeMessage(message), "Complete");
  }

  /** A settlement that fails (the lock is lost, the bus is away) leads to another delivery: no loss. */
  const settle = (settlement: Promise<void>, action: string) =>
    settlement.catch((error: unknown) =>
      say("warning", `Message processing error (Action=${action}, EntityPath=${queue}): ${String(error)}`),
    );

  const quietly = (closing: Promise<void>, what: string) =>
    closing.catch((error: unknown) => say("debug", `${what} of ${queue} could not be closed: ${String(error)}`));

  return {
    stop: () => {
      stopped = true;
      clearTimeout(replacing);
      return quietly(current.subscription.close(), "The subscription");
    },
    close: async () => {
      await Promise.allSettled(current.running);
      await quietly(current.client.close(), "The connection");
    },
  };
}

function clientOptions({ serviceBus: { retry } }: HostSettings): ServiceBusClientOptions {
  return {
    retryOptions: {
      mode: retry.mode === "fixed" ? RetryMode.Fixed : RetryMode.Exponential,
      maxRetries: retry.maxRetries,
      retryDelayInMs: retry.delayMs,
      maxRetryDelayInMs: retry.maxDelayMs,
      timeoutInMs: retry.tryTimeoutMs,
    },
  };
}
