import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { profiled } from "./profile.ts";
import { type SmallWorld, smallWorld } from "./small-world.ts";

const USERS = 5_000;
/** Documented: writes of an app in a tenant, and the seconds in which they come back. */
export const QUOTA = { writes: 3_000, perSeconds: 150 };
const LIMIT_MS = 4 * 3_600_000;
/** The invitation, and everything else in one PATCH. */
export const WRITES_PER_USER = 2;

export interface FirstCycle {
  /** When each write took effect, ms since the first. */
  writes: readonly number[];
  calls: number;
  throttled: number;
  beforeRetryAfter: number;
}

/** Everybody is invited and written: an initial cycle in simulated time, at documented quotas. */
export async function simulatedFirstCycle(seed: number, users: number): Promise<FirstCycle> {
  const small = smallWorld({ seed, users, pair: "across" });
  const { world, target } = small;
  const at: number[] = [];
  const end = world.graph.truth(target.name).onCommit((commit) => {
    if (commit.by === target.clientId && commit.object === "user") at.push(commit.at);
  });
  try {
    await world.clock.runUntil(() => at.length >= WRITES_PER_USER * users, LIMIT_MS);
    return { writes: at.map((time) => time - (at[0] ?? 0)), ...callsOf(small) };
  } finally {
    end();
    world.close();
  }
}

function callsOf({ world }: SmallWorld) {
  const all = Object.values(world.graph.statistics());
  const sum = (count: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + count(one), 0);
  return {
    calls: sum(({ requests }) => requests),
    throttled: sum(({ throttled }) => throttled),
    beforeRetryAfter: sum(({ beforeRetryAfter }) => beforeRetryAfter),
  };
}

/** Writes a second after the first 3,000, until the last of them. */
export function flowAfterBurst(writes: readonly number[]): number {
  const burst = writes[QUOTA.writes - 1];
  const last = writes.at(-1);
  if (burst === undefined || last === undefined || last === burst) return Number.NaN;
  return ((writes.length - QUOTA.writes) * 1000) / (last - burst);
}

/** The burst is over where the next thousand writes take as long as the quota lets them flow. */
const AFTER_BURST = { writes: 1_000, ms: (1_000 * QUOTA.perSeconds * 1_000) / QUOTA.writes };

/** Share of what the quota lets flow, from the end of the first burst until the last write. */
function shareUsed(writes: readonly number[]): number {
  const at = (index: number) => writes[index] ?? Number.NaN;
  const end = writes.findIndex((_, index) => at(index + AFTER_BURST.writes) - at(index) >= AFTER_BURST.ms);
  const flow = ((writes.length - 1 - end) * 1000) / (at(writes.length - 1) - at(end));
  return end < 0 ? Number.NaN : flow / (QUOTA.writes / QUOTA.perSeconds);
}

async function run({ seed, profile }: BenchOptions): Promise<readonly Measurement[]> {
  const cycle = await profiled(profile, () => simulatedFirstCycle(seed, USERS));
  return [
    {
      bench: "first-cycle",
      work: `initial cycle of ${USERS} users across clouds at documented quotas, simulated world`,
      unit: "share of the write quota after the first burst",
      figures: {
        used: shareUsed(cycle.writes),
        throttledShare: cycle.throttled / cycle.calls,
        beforeRetryAfter: cycle.beforeRetryAfter,
        seconds: (cycle.writes.at(-1) ?? Number.NaN) / 1000,
      },
      bounds: { used: { least: 0.95 }, throttledShare: { most: 0.01 }, beforeRetryAfter: { most: 0 } },
    },
  ];
}

export const firstCycle: Bench = { name: "first-cycle", run };
