/**
 * Sends notifications: batches for one address, retries, the slow and drop states of an address. Source: Graph
 * `change-notifications-delivery-webhooks.md`.
 */
import { type Heap, heap } from "../bus/heap.ts";
import type { SandboxClock } from "../clock.ts";
import type { WebhookCall } from "./api.ts";
import type { Statistics } from "./statistics.ts";

export interface Notification {
  url: string;
  dueAt: number;
  lifecycle: boolean;
  /** Not to be sent at the moment. */
  paused: () => boolean;
  /** The subscription does not exist any more. */
  gone: () => boolean;
  /** As it is when it is sent. */
  item: () => unknown;
  /** It has been accepted. */
  arrived: () => void;
  statistics: Statistics;
}

interface Waiting {
  notification: Notification;
  /** When it is tried next. */
  at: number;
  attempts: number;
  order: number;
}

const ITEMS_PER_POST = 100;
/** An answer has to come within this. */
const BUDGET_MS = 10_000;
const BACKOFF_MS = 10_000;
const BACKOFF_MAX_MS = 600_000;
const GIVE_UP_MS = 4 * 3600_000;
const WINDOW_MS = 600_000;
const SLOW_SHARE = 0.1;
const DROP_SHARE = 0.15;
const SLOW_DELAY_MS = 10_000;
/** Answers in a window before its share counts: Microsoft does not say how many; one slow answer is no state. */
const ANSWERS_MIN = 10;

type State = "good" | "slow" | "drop";

/** One address: the state is that of the endpoint, whatever the query. */
class Endpoint {
  /** The earliest first; of one time in the order in which they came. */
  readonly waiting: Heap<Waiting> = heap((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  cancelTimer: (() => void) | undefined;
  timerAt = Number.POSITIVE_INFINITY;
  private answers: { at: number; slow: boolean }[] = [];

  answered(at: number, slow: boolean): void {
    this.answers.push({ at, slow });
  }

  state(now: number): State {
    this.answers = this.answers.filter((answer) => answer.at > now - WINDOW_MS);
    if (this.answers.length < ANSWERS_MIN) return "good";
    const share = this.answers.filter((answer) => answer.slow).length / this.answers.length;
    return share > DROP_SHARE ? "drop" : share > SLOW_SHARE ? "slow" : "good";
  }
}

export class Deliveries {
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly clock: SandboxClock;
  private readonly deliver: (call: WebhookCall) => Promise<{ status: number }>;
  private closed = false;
  private order = 0;

  constructor(clock: SandboxClock, deliver: (call: WebhookCall) => Promise<{ status: number }>) {
    this.clock = clock;
    this.deliver = deliver;
  }

  close(): void {
    this.closed = true;
    for (const endpoint of this.endpoints.values()) endpoint.cancelTimer?.();
  }

  /** The state of each address. */
  states(): Record<string, State> {
    const now = this.clock.now();
    return Object.fromEntries([...this.endpoints].map(([url, endpoint]) => [url, endpoint.state(now)]));
  }

  enqueue(notification: Notification): void {
    const endpoint = this.endpoints.get(notification.url) ?? new Endpoint();
    this.endpoints.set(notification.url, endpoint);
    const state = endpoint.state(this.clock.now());
    if (state === "drop") {
      notification.statistics.notificationsLost++;
      return;
    }
    const at = notification.dueAt + (state === "slow" ? SLOW_DELAY_MS : 0);
    endpoint.waiting.push({ notification, at, attempts: 0, order: this.order++ });
    this.arm(endpoint);
  }

  private arm(endpoint: Endpoint): void {
    const next = endpoint.waiting.first();
    if (this.closed || !next || next.at >= endpoint.timerAt) return;
    endpoint.cancelTimer?.();
    endpoint.timerAt = next.at;
    endpoint.cancelTimer = this.clock.after(Math.max(0, next.at - this.clock.now()), () => {
      endpoint.timerAt = Number.POSITIVE_INFINITY;
      this.send(endpoint);
    });
  }

  private send(endpoint: Endpoint): void {
    const now = this.clock.now();
    const ready: Waiting[] = [];
    for (let first = endpoint.waiting.first(); first && first.at <= now; first = endpoint.waiting.first()) {
      endpoint.waiting.pop();
      if (first.notification.gone()) continue;
      if (first.notification.paused()) this.later(endpoint, first);
      else ready.push(first);
    }
    for (let i = 0; i < ready.length; i += ITEMS_PER_POST) {
      void this.post(endpoint, ready.slice(i, i + ITEMS_PER_POST));
    }
    this.arm(endpoint);
  }

  private async post(endpoint: Endpoint, batch: readonly Waiting[]): Promise<void> {
    const first = batch[0];
    if (!first) return;
    const body = JSON.stringify({ value: batch.map(({ notification }) => notification.item()) });
    const started = this.clock.now();
    const accepted = await this.call({
      url: first.notification.url,
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8" },
      body,
    });
    if (this.closed) return;
    endpoint.answered(this.clock.now(), this.clock.now() - started >= BUDGET_MS);
    for (const waiting of batch) {
      if (accepted) {
        waiting.notification.statistics.notificationsSent++;
        waiting.notification.arrived();
      } else this.later(endpoint, waiting);
    }
    this.arm(endpoint);
  }

  /** Whether a 2xx came within the budget. */
  private call(call: WebhookCall): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(BUDGET_MS, () => resolve(false));
      this.deliver(call).then(
        ({ status }) => {
          cancel();
          resolve(status >= 200 && status < 300);
        },
        () => {
          cancel();
          resolve(false);
        },
      );
    });
  }

  private later(endpoint: Endpoint, waiting: Waiting): void {
    const now = this.clock.now();
    if (now - waiting.notification.dueAt >= GIVE_UP_MS || waiting.notification.gone()) {
      waiting.notification.statistics.notificationsLost++;
      return;
    }
    const wait = Math.min(BACKOFF_MS * 2 ** waiting.attempts, BACKOFF_MAX_MS);
    endpoint.waiting.push({ ...waiting, at: now + wait, attempts: waiting.attempts + 1 });
    this.arm(endpoint);
  }
}
