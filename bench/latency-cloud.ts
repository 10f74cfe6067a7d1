import type { SyncConfig } from "../shared/config/schema.ts";
import { type BenchOptions, percentile } from "./bench.ts";
import { type ChangeOptions, linkedPeople, type Played, playChanges } from "./changes.ts";
import { type BenchCloud, benchCloud, until } from "./cloud.ts";
import { PLAIN_KNOBS } from "./small-world.ts";

/** The tenant whose initial cycle is still to come, its people, and where they go. */
export const CYCLE = { source: "contoso-us", target: "contoso", users: 5_000 };
export const CHANGES = 1_000;
export const PER_SECOND = 5;

/** Enough for a thousand changes at different people without those of the cycle; some have two targets, some none. */
const PEOPLE = 1_750;
const SETTLED_MS = 6 * 60_000;

export const withCycle = (config: SyncConfig, state: "on" | "off"): SyncConfig => ({
  ...config,
  jobs: config.jobs.map((job) => (job.source === CYCLE.source ? { ...job, state } : job)),
});

let running: Promise<BenchCloud> | undefined;

/** One cloud serves both measurements of latency: its first cycle takes a minute and a half. */
export async function latencyCloud({ seed, profile, say }: BenchOptions): Promise<BenchCloud> {
  running ??= start(seed, profile, say);
  const bench = await running;
  await bench.setKnobs(PLAIN_KNOBS);
  return bench;
}

async function start(seed: number, profile: string | undefined, say: BenchOptions["say"]): Promise<BenchCloud> {
  const bench = await benchCloud({
    seed,
    people: PEOPLE,
    computedUsers: { [CYCLE.source]: CYCLE.users },
    profile,
    jobs: (config) => withCycle(config, "off"),
  });
  await settled(bench).catch(async (error: unknown) => {
    await bench.stop();
    throw error;
  });
  say(`  ${(await linkedPeople(bench)).length} people have a user in a target`);
  return bench;
}

export async function endLatencyCloud(): Promise<void> {
  const bench = await running;
  running = undefined;
  await bench?.stop();
}

/** The first cycle is over and every queue is empty. */
async function settled(bench: BenchCloud): Promise<void> {
  await until("everybody is right and nothing waits", SETTLED_MS, async () => {
    const queues = Object.values(await bench.queues());
    if (queues.some(({ active, locked }) => active + locked > 0)) return false;
    return (await bench.differences()).length === 0;
  });
}

/** Changes at people who have a user in a target now. */
export async function play(bench: BenchCloud, options: Omit<ChangeOptions, "perSecond">): Promise<Played> {
  return playChanges(bench, await linkedPeople(bench), { ...options, perSecond: PER_SECOND });
}

export const figuresOf = ({ latencies, lost }: Played) => ({
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  max: Math.max(...latencies),
  lost,
});
