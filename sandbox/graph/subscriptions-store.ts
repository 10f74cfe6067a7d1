/** The subscriptions of one tenant and which of them a commit concerns. Source: Graph `change-notifications-overview.md`. */
import type { SandboxClock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { Knobs, TenantSpec } from "./api.ts";
import type { LogEntry } from "./commit-log.ts";
import type { Deliveries, Notification } from "./deliveries.ts";
import type { Directory } from "./directory.ts";
import type { Statistics } from "./statistics.ts";

export interface Subscription {
  readonly id: string;
  readonly appId: string;
  readonly creatorId: string;
  /** As given. */
  readonly resource: string;
  readonly target: Target;
  readonly changeType: string;
  readonly changeTypes: ReadonlySet<string>;
  notificationUrl: string;
  readonly lifecycleNotificationUrl: string | undefined;
  readonly clientState: string | undefined;
  readonly latestSupportedTlsVersion: string;
  expiresAt: number;
  /** The access token behind it lives until then. */
  authorizedUntil: number;
}

/** `users`, `users/{id}`, `groups`, `groups/{id}`, `groups/{id}/members`. */
export interface Target {
  object: "user" | "group";
  id: string | undefined;
  /** Only changes of this relation. */
  relation: "members" | "owners" | undefined;
}

/** `reauthorizationRequired` comes from this long before the token or the subscription ends, and again after as long. */
export const REAUTHORIZE_MS = 15 * 60_000;
/** What the statistics count as late. */
const LATE_MS = 10_000;

export class Subscriptions {
  private readonly byId = new Map<string, Subscription>();
  private readonly timers = new Map<string, () => void>();
  private readonly spec: TenantSpec;
  private readonly clock: SandboxClock;
  private readonly knobs: () => Knobs;
  private readonly chance: Random;
  private readonly statistics: Statistics;
  private readonly deliveries: Deliveries;
  private readonly directory: Directory;
  /** Keeps the order of notifications where it is to be kept. */
  private readonly lastDue = new Map<string, number>();
  /** By subscription: the latest change that it was told of. */
  private readonly lastTold = new Map<string, number>();

  constructor(parts: {
    spec: TenantSpec;
    clock: SandboxClock;
    knobs: () => Knobs;
    chance: Random;
    statistics: Statistics;
    deliveries: Deliveries;
    directory: Directory;
  }) {
    this.spec = parts.spec;
    this.clock = parts.clock;
    this.knobs = parts.knobs;
    this.chance = parts.chance;
    this.statistics = parts.statistics;
    this.deliveries = parts.deliveries;
    this.directory = parts.directory;
    this.directory.log.listen((entry) => this.notice(entry));
  }

  add(subscription: Subscription): void {
    this.byId.set(subscription.id, subscription);
    this.watch(subscription);
  }

  /** Those that have not expired. */
  all(): Subscription[] {
    const now = this.clock.now();
    for (const subscription of this.byId.values()) if (subscription.expiresAt <= now) this.remove(subscription.id);
    return [...this.byId.values()];
  }

  get(id: string): Subscription | undefined {
    return this.all().find((subscription) => subscription.id === id.toLowerCase());
  }

  remove(id: string): void {
    this.byId.delete(id);
    this.lastDue.delete(id);
    this.lastTold.delete(id);
    this.timers.get(id)?.();
    this.timers.delete(id);
  }

  /** All of them vanish without a word. */
  clear(): void {
    for (const id of [...this.byId.keys()]) this.remove(id);
  }

  /** Created, renewed or reauthorized: the token is taken anew. */
  authorize(subscription: Subscription): void {
    subscription.authorizedUntil = this.clock.now() + this.knobs().subscriptionTokenMs;
    this.watch(subscription);
  }

  private watch(subscription: Subscription): void {
    this.timers.get(subscription.id)?.();
    const due = Math.min(subscription.authorizedUntil, subscription.expiresAt) - REAUTHORIZE_MS;
    const wait = Math.max(due - this.clock.now(), 0);
    this.timers.set(
      subscription.id,
      this.clock.after(wait, () => this.remind(subscription)),
    );
  }

  private remind(subscription: Subscription): void {
    const now = this.clock.now();
    if (this.byId.get(subscription.id) !== subscription) return;
    if (subscription.expiresAt <= now) {
      this.remove(subscription.id);
      return;
    }
    if (subscription.lifecycleNotificationUrl !== undefined) {
      this.deliveries.enqueue({
        url: subscription.lifecycleNotificationUrl,
        dueAt: now,
        lifecycle: true,
        paused: () => false,
        gone: () => this.byId.get(subscription.id) !== subscription,
        item: () => ({ ...this.common(subscription), lifecycleEvent: "reauthorizationRequired" }),
        arrived: () => {},
        statistics: this.statistics,
      });
    }
    const again = Math.min(REAUTHORIZE_MS, subscription.expiresAt - now);
    this.timers.set(
      subscription.id,
      this.clock.after(again, () => this.remind(subscription)),
    );
  }

  private notice(entry: LogEntry): void {
    if (this.byId.size === 0 || entry.object === "contact") return;
    const changeType = entry.kind === "purged" ? "deleted" : "updated";
    for (const subscription of this.all()) {
      const { target } = subscription;
      if (target.object !== entry.object || (target.id !== undefined && target.id !== entry.id)) continue;
      if (target.relation !== undefined && !entry.properties.includes(target.relation)) continue;
      if (subscription.changeTypes.has(changeType)) this.schedule(subscription, entry, changeType);
    }
  }

  private schedule(subscription: Subscription, entry: LogEntry, changeType: string): void {
    const knobs = this.knobs();
    if (this.chance.chance(knobs.notificationLost)) {
      this.statistics.notificationsLost++;
      return;
    }
    const [min, max] = knobs.notificationDelayMs;
    const delay = () => (max > min ? Math.round(this.chance.between(min, max)) : min);
    this.enqueue(subscription, entry, changeType, this.ordered(subscription, entry.at + delay()));
    if (this.chance.chance(knobs.notificationDoubled)) {
      this.statistics.notificationsDoubled++;
      this.enqueue(subscription, entry, changeType, this.ordered(subscription, entry.at + delay()));
    }
  }

  private ordered(subscription: Subscription, dueAt: number): number {
    if (this.knobs().notificationReordered) return dueAt;
    const due = Math.max(dueAt, this.lastDue.get(subscription.id) ?? 0);
    this.lastDue.set(subscription.id, due);
    return due;
  }

  private enqueue(subscription: Subscription, entry: LogEntry, changeType: string, dueAt: number): void {
    const notification: Notification = {
      url: subscription.notificationUrl,
      dueAt,
      lifecycle: false,
      // The token behind the subscription has died: nothing is sent until somebody reauthorizes.
      paused: () => subscription.authorizedUntil <= this.clock.now(),
      gone: () => this.byId.get(subscription.id) !== subscription,
      item: () => ({
        ...this.common(subscription),
        changeType,
        resource: `${entry.object === "user" ? "Users" : "Groups"}/${entry.id}`,
        resourceData: this.resourceData(entry),
      }),
      arrived: () => this.told(subscription.id, entry),
      statistics: this.statistics,
    };
    this.deliveries.enqueue(notification);
  }

  private told(subscriptionId: string, entry: LogEntry): void {
    const last = this.lastTold.get(subscriptionId) ?? 0;
    if (this.clock.now() - entry.at > LATE_MS) this.statistics.notificationsLate++;
    if (entry.seq < last) this.statistics.notificationsReordered++;
    else this.lastTold.set(subscriptionId, entry.seq);
  }

  private common(subscription: Subscription) {
    return {
      subscriptionId: subscription.id,
      subscriptionExpirationDateTime: new Date(subscription.expiresAt).toISOString(),
      ...(subscription.clientState === undefined ? {} : { clientState: subscription.clientState }),
      tenantId: this.spec.id,
    };
  }

  private resourceData(entry: LogEntry) {
    const [type, collection] = entry.object === "user" ? ["User", "Users"] : ["Group", "Groups"];
    return {
      "@odata.type": `#Microsoft.Graph.${type}`,
      "@odata.id": `${collection}/${entry.id}`,
      id: entry.id,
      organizationId: this.spec.id,
      eventTime: new Date(entry.at).toISOString(),
      // Ticks since the year 1, a little more for each commit: too large for an exact number, as Graph's own.
      sequenceNumber: (entry.at + 62_135_596_800_000) * 10_000 + entry.seq,
      ...(entry.memberId === undefined
        ? {}
        : {
            "members@delta": [entry.removed ? { id: entry.memberId, "@removed": "deleted" } : { id: entry.memberId }],
          }),
    };
  }
}
