import { timingSafeEqual } from "node:crypto";
import { Notification, NotificationBody } from "../messages/notification.ts";
import type { OutgoingMessage } from "../ports/bus.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { hintMessage } from "./hints.ts";
import { sweepAfterGap } from "./keep-subscriptions.ts";
import { Repeats } from "./repeats.ts";
import { sendSweeps } from "./start-sweeps.ts";
import { isGroupStream } from "./streams.ts";
import type { SubscriptionRow, World } from "./world.ts";

/**
 * Trailing looks fall into slots, one a person and slot: at most this long, or a third of the replication allowance. Those
 * of a slot are spread over the next, so that they neither come at once nor use up what people who wait may read.
 */
const TRAILING_SLOT_MS_MAX = 30_000;
/** A group's delta lags behind its notification: it is read at once, after this time, and when every replica has seen it. */
const DELTA_LAG_MS = 10_000;
const ROWS_BELIEVED_MS = 30_000;
/** An unknown secret makes the rows be read again at most this often. */
const ROWS_REFRESHED_MS = 1_000;
export const ITEMS_MAX = 1_000;
/** POSTs of one subscription that an instance takes at once, and how many a second come back. Graph sends the others again. */
const POSTS_BURST = 2_000;
const POSTS_PER_SECOND = 500;
/** Calls of strangers are told in the log at most this often, however many come. */
const STRANGERS_TOLD_MS = 60_000;

/** What became of the items of a body, by kind. Everything but `accepted` is a security event. */
export interface Accepted {
  accepted: number;
  malformed: number;
  wrongTenant: number;
  wrongSecret: number;
  lifecycle: number;
}

export type Answer = { kind: "accepted"; counts: Accepted } | { kind: "notNotifications" } | { kind: "tooMany" };

/** The subscription whose path secret a caller knows. */
export interface Admitted {
  tenantId: string;
  /** `users` or `groups`. */
  stream: string;
  subscription: SubscriptionRow;
}

type Rows = readonly { row: string; value: SubscriptionRow }[];

/**
 * Turns change notifications into hints. Two secrets are asked for, both on record before Graph was asked for the
 * subscription: the one in the path lets a caller speak at all, `clientState` is asked of every notification. The answer
 * tells the sender nothing about what was believed.
 */
export class NotificationDesk {
  private readonly world: World;
  private readonly repeats = new Repeats();
  private readonly rows = new Map<string, { at: number; rows: Promise<Rows> }>();
  private readonly next = new Map<string, Promise<Rows>>();
  private readonly posts = new Map<string, { left: number; at: number }>();
  private strangers = 0;
  private strangersToldAt = Number.NEGATIVE_INFINITY;

  constructor(world: World) {
    this.world = world;
  }

  /**
   * Whoever knows a path secret of a tenant that is ours; nobody else is told anything. `validates`: Graph asks before it has
   * answered us, so that the row may be younger than what is remembered here.
   */
  async admit(tenantId: string, secret: string, validates: boolean, log: DecisionLog): Promise<Admitted | undefined> {
    const known = this.world.rules.tenants.some(({ id }) => id.toLowerCase() === tenantId);
    const find = (rows: Rows) => rows.find(({ value }) => sameSecret(value.pathSecret, secret));
    const found = known
      ? (find(await this.rowsOf(tenantId, ROWS_BELIEVED_MS)) ??
        find(await (validates ? this.newRowsOf(tenantId) : this.rowsOf(tenantId, ROWS_REFRESHED_MS))))
      : undefined;
    if (found) return { tenantId, stream: found.row, subscription: found.value };
    this.countStranger(log);
    return undefined;
  }

  /** False: too many at once; Graph comes again. */
  mayPost({ tenantId, stream }: Admitted): boolean {
    const key = `${tenantId}/${stream}`;
    const now = this.world.clock.now();
    const before = this.posts.get(key) ?? { left: POSTS_BURST, at: now };
    const left = Math.min(POSTS_BURST, before.left + ((now - before.at) / 1000) * POSTS_PER_SECOND);
    this.posts.set(key, { left: Math.max(0, left - 1), at: now });
    return left >= 1;
  }

  async accept(admitted: Admitted, body: unknown, log: DecisionLog): Promise<Answer> {
    const { tenantId, stream } = admitted;
    const parsed = NotificationBody.safeParse(body);
    if (!parsed.success) return { kind: "notNotifications" };
    if (parsed.data.value.length > ITEMS_MAX) return { kind: "tooMany" };
    const counts: Accepted = { accepted: 0, malformed: 0, wrongTenant: 0, wrongSecret: 0, lifecycle: 0 };
    const users = new Set<string>();
    const members = new Set<string>();
    const groups = new Set<string>();
    let renew = false;
    let gap = false;
    for (const item of parsed.data.value) {
      const notification = believe(admitted, item, counts);
      if (!notification) continue;
      const { lifecycleEvent, subscriptionId, resourceData } = notification;
      if (!renew) renew = lifecycleEvent !== undefined || (await this.isUnrecorded(admitted, subscriptionId));
      if (lifecycleEvent === "missed" || lifecycleEvent === "subscriptionRemoved") gap = true;
      if (stream === "users" && resourceData) users.add(resourceData.id);
      if (stream === "groups" && resourceData) {
        groups.add(resourceData.id);
        for (const member of resourceData["members@delta"] ?? []) members.add(member.id);
      }
    }
    await this.hintUsers(tenantId, [...users], "notification");
    await this.hintUsers(
      tenantId,
      [...members].filter((id) => !users.has(id)),
      "membership",
    );
    if (groups.size > 0) await this.sweepGroups(tenantId, groups);
    if (renew) await this.renew(tenantId);
    if (gap) await sweepAfterGap(this.world, tenantId, stream);
    const suspicious = counts.malformed + counts.wrongTenant + counts.wrongSecret > 0;
    if (suspicious) log.warn("notifications dropped", { tenantId, ...counts });
    return { kind: "accepted", counts };
  }

  /** We asked for this subscription and did not hear the answer: it is looked up then, and recorded. */
  private async isUnrecorded({ tenantId, stream, subscription }: Admitted, id: string): Promise<boolean> {
    if (subscription.subscriptionId === id) return false;
    const rows = await this.rowsOf(tenantId, ROWS_REFRESHED_MS);
    return rows.find(({ row }) => row === stream)?.value.subscriptionId !== id;
  }

  private rowsOf(tenantId: string, believedMs: number): Promise<Rows> {
    const now = this.world.clock.now();
    const known = this.rows.get(tenantId);
    if (known && now - known.at < believedMs) return known.rows;
    return this.readRows(tenantId);
  }

  /** What a reading shows that began after this call: one at a time, shared by all who wait for it. */
  private newRowsOf(tenantId: string): Promise<Rows> {
    const waiting = this.next.get(tenantId);
    if (waiting !== undefined) return waiting;
    const before = this.rows.get(tenantId)?.rows ?? Promise.resolve([]);
    const read = () => {
      this.next.delete(tenantId);
      return this.readRows(tenantId);
    };
    const next = before.then(read, read);
    this.next.set(tenantId, next);
    return next;
  }

  private readRows(tenantId: string): Promise<Rows> {
    const rows = Array.fromAsync(this.world.tables.subscriptions.list(tenantId));
    this.rows.set(tenantId, { at: this.world.clock.now(), rows });
    rows.catch(() => this.rows.delete(tenantId));
    return rows;
  }

  private countStranger(log: DecisionLog): void {
    this.strangers++;
    const now = this.world.clock.now();
    if (now - this.strangersToldAt < STRANGERS_TOLD_MS) return;
    log.warn("webhook called by strangers", { calls: this.strangers });
    this.strangers = 0;
    this.strangersToldAt = now;
  }

  private async hintUsers(
    tenantId: string,
    userIds: readonly string[],
    reason: "notification" | "membership",
  ): Promise<void> {
    const now = this.world.clock.now();
    const messages: OutgoingMessage[] = [];
    const { replicationAllowanceMs } = this.world.settings;
    const slotMs = Math.max(1_000, Math.min(TRAILING_SLOT_MS_MAX, replicationAllowanceMs / 3));
    const slot = Math.floor(now / slotMs);
    const trailingAt = (slot + 1) * slotMs + replicationAllowanceMs - now;
    for (const userId of userIds) {
      const content = { lane: "changes", sourceTenantId: tenantId, userIds: [userId], noticedAt: now } as const;
      const delay = this.repeats.delay(`${tenantId}/${userId}`, now);
      if (delay !== undefined) {
        messages.push(hintMessage(this.world, this.world.chance.uuid(), { ...content, reason }, delay));
      }
      messages.push(
        hintMessage(
          this.world,
          `trailing:${tenantId}:${userId}:${slot}`,
          { ...content, reason: "trailing" },
          trailingAt + this.world.chance.between(0, slotMs),
        ),
      );
    }
    if (messages.length > 0) await this.world.bus.send("changes", messages);
  }

  private async sweepGroups(tenantId: string, groupIds: ReadonlySet<string>): Promise<void> {
    const streams: string[] = [];
    for await (const { row, value } of this.world.tables.checkpoints.list(tenantId)) {
      if (isGroupStream(row) && [...groupIds].some((id) => value.tracks.includes(id))) streams.push(row);
    }
    for (const afterMs of [0, DELTA_LAG_MS, this.world.settings.replicationAllowanceMs]) {
      await sendSweeps(this.world, tenantId, streams, afterMs === 0 ? "notification" : "trailing", afterMs);
    }
  }

  private async renew(tenantId: string): Promise<void> {
    const body = { version: 1, kind: "subscriptions", tenantId } as const;
    const minute = Math.floor(this.world.clock.now() / 60_000);
    await this.world.bus.send("pages", [{ id: `subscriptions:${tenantId}:${minute}`, body }]);
  }
}

/** A notification of this tenant that knows the secret of this subscription. */
function believe({ tenantId, subscription }: Admitted, item: unknown, counts: Accepted): Notification | undefined {
  const parsed = Notification.safeParse(item);
  if (!parsed.success) counts.malformed++;
  else if (parsed.data.tenantId.toLowerCase() !== tenantId) counts.wrongTenant++;
  else if (!sameSecret(subscription.clientState, parsed.data.clientState)) counts.wrongSecret++;
  else {
    counts[parsed.data.lifecycleEvent ? "lifecycle" : "accepted"]++;
    return parsed.data;
  }
  return undefined;
}

/** In constant time. `undefined`: a row of an earlier version, which lets nobody in. */
function sameSecret(expected: string | undefined, given: string): boolean {
  if (expected === undefined) return false;
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}
