import { type Link, linkName } from "../domain/link.ts";
import type { Plan } from "../domain/plan.ts";
import { readJobs } from "./job-state.ts";
import type { Person } from "./look.ts";
import { pairKey, type World } from "./world.ts";

/** How many users this deployment has in a target: counted once in a while, and everybody since then by name. */
export interface SeatsRow {
  counted: number;
  countedAt: number;
  /** Links that took a seat and were not counted: `{sourceTenant}/{userId}` and when. */
  taken: Readonly<Record<string, number>>;
}

/** Where nobody more fits, people who left meanwhile are noticed after this time. */
const COUNT_BELIEVED_MS = 60_000;
const TAKEN_MAX = 500;
/** Whoever took a seat and has no link after this time has died over it. */
const TAKEN_KEPT_MS = 600_000;
const ROW = "head";

/**
 * The target's `maxUsers`. A seat is on record before anything is written to the target, under the row's ETag: however many
 * workers let nobody in beyond the limit. Taking one twice takes one.
 */
export class SeatDesk {
  private readonly world: World;
  private readonly lines = new Map<string, Promise<unknown>>();

  constructor(world: World) {
    this.world = world;
  }

  /** `undefined`: the seat is taken, or none is needed. One at a time in this instance: its own workers do not fight for the row. */
  async refusal(person: Person, plan: Plan, link: Link | undefined): Promise<"TARGET_FULL" | undefined> {
    const { id, maxUsers } = person.pair.target;
    if (maxUsers === undefined || !entersWith(plan) || isInside(link)) return undefined;
    const ask = () => this.ask(id, maxUsers, linkName(person.pair.source.id, person.userId));
    const before = this.lines.get(id) ?? Promise.resolve();
    const answer = before.then(ask, ask);
    this.lines.set(id, answer);
    return (await answer) ? undefined : "TARGET_FULL";
  }

  private async ask(targetTenantId: string, maxUsers: number, name: string): Promise<boolean> {
    const { seats } = this.world.tables;
    for (;;) {
      const stored = await seats.read(partitionOf(targetTenantId), ROW);
      if (stored && Object.hasOwn(stored.value.taken, name)) return true;
      const now = this.world.clock.now();
      const believed = stored && isBelieved(stored.value, maxUsers, now);
      const seen = believed ? stored.value : await this.count(targetTenantId, stored?.value.taken ?? {});
      const full = numberOf(seen) >= maxUsers;
      if (full && believed) return false;
      const row = full ? seen : { ...seen, taken: { ...seen.taken, [name]: now } };
      const written = await seats.write(partitionOf(targetTenantId), ROW, row, stored?.etag);
      if (written.kind === "written") return !full;
    }
  }

  /** Everybody whose link is in the target or on the way there, also people of sources that are not in the file any more. */
  private async count(targetTenantId: string, taken: SeatsRow["taken"]): Promise<SeatsRow> {
    const countedAt = this.world.clock.now();
    const uncounted = new Map(Object.entries(taken).filter(([, at]) => countedAt - at < TAKEN_KEPT_MS));
    const before = (await readJobs(this.world)).filter((job) => job.targetTenantId === targetTenantId);
    const sources = [...this.world.rules.tenants.map(({ id }) => id), ...before.map((job) => job.sourceTenantId)];
    let counted = 0;
    for (const id of new Set(sources)) {
      for await (const { row, value } of this.world.tables.links.list(pairKey(id, targetTenantId))) {
        if (!isInside(value)) continue;
        counted++;
        uncounted.delete(linkName(id, row));
      }
    }
    return { counted, countedAt, taken: Object.fromEntries(uncounted) };
  }
}

const partitionOf = (targetTenantId: string): string => `users_${targetTenantId}`;
const numberOf = ({ counted, taken }: SeatsRow): number => counted + Object.keys(taken).length;
const isBelieved = (row: SeatsRow, maxUsers: number, now: number): boolean =>
  Object.keys(row.taken).length < TAKEN_MAX && (numberOf(row) < maxUsers || now - row.countedAt < COUNT_BELIEVED_MS);
const isInside = (link: Link | undefined): boolean =>
  link !== undefined && (link.state === "inviting" || link.state === "invited" || link.state === "linked");
const entersWith = (plan: Plan): boolean =>
  plan.kind === "create" || plan.kind === "restore" || (plan.kind === "update" && plan.effect === "adopt");
