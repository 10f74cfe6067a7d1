import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { type BenchCloud, restartApp, until } from "./cloud.ts";
import { CHANGES, CYCLE, endLatencyCloud, figuresOf, latencyCloud, play, withCycle } from "./latency-cloud.ts";

const PATIENCE_MS = 60_000;
/** The cycle is well under way when the changes begin. */
const WRITES_BEFORE = 500;
const WRITES_BEFORE_MS = 3 * 60_000;
const WENT_ON_MS = 10_000;

const writesOf = async (bench: BenchCloud) => (await bench.statistics())[CYCLE.target]?.writes ?? 0;

/** A job is turned on as a roll-out does it, and its initial cycle has begun to write. */
async function startCycle(bench: BenchCloud): Promise<void> {
  const before = await writesOf(bench);
  await restartApp(bench, withCycle(bench.cloud.config, "on"));
  await until(
    "the initial cycle writes",
    WRITES_BEFORE_MS,
    async () => (await writesOf(bench)) > before + WRITES_BEFORE,
  );
}

async function run(options: BenchOptions): Promise<readonly Measurement[]> {
  const bench = await latencyCloud(options);
  await startCycle(bench);
  const from = await writesOf(bench);
  const played = await play(bench, { seed: options.seed, count: CHANGES, play: "busy", patienceMs: PATIENCE_MS });
  const to = await writesOf(bench);
  await until("the cycle still goes on", WENT_ON_MS, async () => (await writesOf(bench)) > to);
  return [
    {
      bench: "latency-busy",
      work: `the same while an initial cycle of ${CYCLE.users} users writes to the same target`,
      unit: "ms",
      figures: { ...figuresOf(played), targetWritesMeanwhile: to - from },
      bounds: { p99: { most: 6_000 }, lost: { most: 0 } },
    },
  ];
}

export const latencyBusy: Bench = { name: "latency-busy", run, end: endLatencyCloud };
