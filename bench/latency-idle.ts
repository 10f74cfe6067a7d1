import { DEFAULT_KNOBS } from "../sandbox/graph/index.ts";
import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { CHANGES, endLatencyCloud, figuresOf, latencyCloud, PER_SECOND, play } from "./latency-cloud.ts";

const LAGGED_CHANGES = 200;
const PATIENCE_MS = 30_000;
/** Longer than the longest notification and every replica take. */
const LAGGED_PATIENCE_MS = 90_000;
/** Delays and lags as documented; what is lost besides is for the sweep to find, and no latency. */
const LAGGED_KNOBS = { ...DEFAULT_KNOBS, latencyMs: [100, 100], notificationLost: 0 } as const;

async function run(options: BenchOptions): Promise<readonly Measurement[]> {
  const bench = await latencyCloud(options);
  const { seed } = options;
  const plain = await play(bench, { seed, count: CHANGES, play: "plain", patienceMs: PATIENCE_MS });
  const ours = figuresOf(plain);
  await bench.setKnobs(LAGGED_KNOBS);
  const lagged = { seed, count: LAGGED_CHANGES, play: "lagged", patienceMs: LAGGED_PATIENCE_MS };
  const all = figuresOf(await play(bench, lagged));
  return [
    {
      bench: "latency-idle",
      work: `source commit to target write, ${CHANGES} people, ${PER_SECOND} changes a second, no delays and no lags`,
      unit: "ms",
      figures: ours,
      bounds: { p99: { most: 3_000 }, p50: { most: 1_000 }, lost: { most: 0 } },
    },
    {
      bench: "latency-idle",
      work: `the same for ${LAGGED_CHANGES} people with the default delays and lags; theirs: what they add to the line above`,
      unit: "ms",
      figures: { ...all, theirsP50: all.p50 - ours.p50, theirsP99: all.p99 - ours.p99 },
      bounds: { lost: { most: 0 } },
    },
  ];
}

export const latencyIdle: Bench = { name: "latency-idle", run, end: endLatencyCloud };
