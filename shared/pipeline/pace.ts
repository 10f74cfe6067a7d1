import { type Grant, obeyRetryAfter, type PaceLimits, type PaceState, paceLimits, takeWrites } from "../domain/pace.ts";
import type { Lane } from "../ports/source-tenant.ts";
import type { World } from "./world.ts";

const ROW = "writes";
/** Writes taken ahead for people while the bucket is more than half full: they then cost no table operation each. */
const AHEAD = 40;
const AHEAD_LIFE_MS = 10_000;

interface Waiting {
  writes: number;
  lane: Lane;
  waited: boolean;
  resolve: (grant: Grant) => void;
  reject: (error: unknown) => void;
}

/**
 * The writes of this app to one target, shared with the other instances through one row. Everybody who asks at the same
 * moment is served by one change of the row.
 */
export class Pace {
  private readonly world: World;
  private readonly targetTenantId: string;
  private readonly limits: PaceLimits;
  private waiting: Waiting[] = [];
  private serving = false;
  private ahead = { writes: 0, until: 0 };
  private blockedUntil = 0;

  constructor(world: World, targetTenantId: string) {
    this.world = world;
    this.targetTenantId = targetTenantId;
    this.limits = paceLimits(world.settings.quota);
  }

  /** `waited`: the hint comes back for the slot that it was given. */
  take(writes: number, lane: Lane, waited: boolean): Promise<Grant> {
    const now = this.world.clock.now();
    if (this.blockedUntil > now) return Promise.resolve({ kind: "blocked", afterMs: this.blockedUntil - now });
    if (lane === "changes" && this.ahead.until > now && this.ahead.writes >= writes) {
      this.ahead.writes -= writes;
      return Promise.resolve({ kind: "granted" });
    }
    const granted = new Promise<Grant>((resolve, reject) =>
      this.waiting.push({ writes, lane, waited, resolve, reject }),
    );
    if (!this.serving) void this.serve();
    return granted;
  }

  /** Graph has asked to wait: everybody does. */
  async throttled(retryAfterMs: number): Promise<void> {
    const now = this.world.clock.now();
    this.blockedUntil = Math.max(this.blockedUntil, now + retryAfterMs);
    this.ahead = { writes: 0, until: 0 };
    await this.change((state) => obeyRetryAfter(state, now, retryAfterMs, this.limits));
  }

  private async serve(): Promise<void> {
    this.serving = true;
    while (this.waiting.length > 0) {
      const asked = this.waiting;
      this.waiting = [];
      try {
        const grants = await this.serveTogether(asked);
        for (const [index, grant] of grants.entries()) asked[index]?.resolve(grant);
      } catch (error) {
        for (const one of asked) one.reject(error);
      }
    }
    this.serving = false;
  }

  private async serveTogether(asked: readonly Waiting[]): Promise<Grant[]> {
    let grants: Grant[] = [];
    let ahead = 0;
    const state = await this.change((before) => {
      grants = [];
      let current = before;
      for (const { writes, lane, waited } of asked) {
        const taken = takeWrites(current, writes, lane, this.world.clock.now(), this.limits, waited);
        grants.push(taken.grant);
        current = taken.state;
      }
      ahead = 0;
      if (current && current.tokens > this.limits.capacity / 2 && asked.some(({ lane }) => lane === "changes")) {
        ahead = AHEAD;
        current = { ...current, tokens: current.tokens - AHEAD };
      }
      return current as PaceState;
    });
    if (ahead > 0) this.ahead = { writes: this.ahead.writes + ahead, until: this.world.clock.now() + AHEAD_LIFE_MS };
    this.blockedUntil = Math.max(this.blockedUntil, state.blockedUntil);
    return grants;
  }

  private async change(next: (before: PaceState | undefined) => PaceState): Promise<PaceState> {
    for (;;) {
      const stored = await this.world.tables.pace.read(this.targetTenantId, ROW);
      const state = next(stored?.value);
      const written = await this.world.tables.pace.write(this.targetTenantId, ROW, state, stored?.etag);
      if (written.kind === "written") return state;
    }
  }
}
