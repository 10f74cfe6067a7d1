import { timingSafeEqual } from "node:crypto";
import { Notification, NotificationBody } from "../messages/notification.ts";
import type { OutgoingMessage } from "../ports/bus.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { hintMessage } from "./hints.ts";
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
/** An unknown subscription makes the rows be read again at most this often. */
const ROWS_REFRESHED_MS = 1_000;
export const ITEMS_MAX = 1_000;

/** What became of the items of a body, by kind. Everything but `accepted` is a security event. */
export interface Accepted {
  accepted: number;
  malformed: number;
  wrongTenant: number;
  wrongSecret: number;
  lifecycle: number;
}

export type Answer = { kind: "accepted"; counts: Accepted } | { kind: "notNotifications" } | { kind: "tooMany" };

type Rows = readonly { row: string; value: SubscriptionRow }[];

/** Turns change notifications into hints. The answer tells the sender nothing about what was believed. */
export class NotificationDesk {
  private readonly world: World;
  private readonly repeats = new Repeats();
  private readonly rows = new Map<string, { at: number; rows: Promise<Rows> }>();

  constructor(world: World) {
    this.world = world;
  }

  async accept(tenantId: string, body: unknown, log: DecisionLog): Promise<Answer> {
    const parsed = NotificationBody.safeParse(body);
    if (!parsed.success) return { kind: "notNotifications" };
    if (parsed.data.value.length > ITEMS_MAX) return { kind: "tooMany" };
    const counts: Accepted = { accepted: 0, malformed: 0, wrongTenant: 0, wrongSecret: 0, lifecycle: 0 };
    const users = new Set<string>();
    const members = new Set<string>();
    const groups = new Set<string>();
    let renew = false;
    for (const item of parsed.data.value) {
      const believed = await this.believe(tenantId, item, counts);
      if (!believed) continue;
      const { notification, stream } = believed;
      if (notification.lifecycleEvent) renew = true;
      const { resourceData } = notification;
      if (stream === "users" && resourceData) users.add(resourceData.id);
      if (stream === "groups" && resourceData) {
        groups.add(resourceData.id);
        for (const member of resourceData["members@delta"] ?? []) members.add(member.id);
      }
    }
    if (renew) await this.renew(tenantId);
    await this.hintUsers(tenantId, [...users], "notification");
    await this.hintUsers(
      tenantId,
      [...members].filter((id) => !users.has(id)),
      "membership",
    );
    if (groups.size > 0) await this.sweepGroups(tenantId, groups);
    const suspicious = counts.malformed + counts.wrongTenant + counts.wrongSecret > 0;
    if (suspicious) log.warn("notifications dropped", { tenantId, ...counts });
    return { kind: "accepted", counts };
  }

  private async believe(tenantId: string, item: unknown, counts: Accepted) {
    const parsed = Notification.safeParse(item);
    if (!parsed.success) {
      counts.malformed++;
      return undefined;
    }
    const notification = parsed.data;
    if (notification.tenantId.toLowerCase() !== tenantId) {
      counts.wrongTenant++;
      return undefined;
    }
    const found = await this.rowFor(tenantId, notification);
    if (!found) {
      counts.wrongSecret++;
      return undefined;
    }
    if (notification.lifecycleEvent) counts.lifecycle++;
    else counts.accepted++;
    return { notification, stream: found.row };
  }

  /** The row whose secret the notification knows. Its id need not be recorded yet: the secret was, before Graph was asked. */
  private async rowFor(tenantId: string, notification: Notification) {
    const find = (rows: Rows) => rows.find(({ value }) => sameSecret(value.clientState, notification.clientState));
    const found = find(await this.rowsOf(tenantId, ROWS_BELIEVED_MS));
    return found ?? find(await this.rowsOf(tenantId, ROWS_REFRESHED_MS));
  }

  private rowsOf(tenantId: string, believedMs: number): Promise<Rows> {
    const now = this.world.clock.now();
    const known = this.rows.get(tenantId);
    if (known && now - known.at < believedMs) return known.rows;
    const rows = Array.fromAsync(this.world.tables.subscriptions.list(tenantId));
    this.rows.set(tenantId, { at: now, rows });
    rows.catch(() => this.rows.delete(tenantId));
    return rows;
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

/** In constant time, whatever the lengths. */
function sameSecret(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}
