import { DEFAULT_KNOBS } from "../sandbox/graph/index.ts";
import { type Bench, type BenchOptions, type Measurement, percentile } from "./bench.ts";
import { linkedPeople, type Played, playChanges } from "./changes.ts";
import { type BenchCloud, benchCloud, until } from "./cloud.ts";

export const CHANGES = 1_000;
export const PER_SECOND = 5;
const LAGGED_CHANGES = 300;
/** Enough for so many changes at different people, with some in two targets and some in none. */
const PEOPLE = 1_450;
const SETTLED_MS = 6 * 60_000;
const PATIENCE_MS = 30_000;
/** Longer than the longest notification and every replica take. */
const LAGGED_PATIENCE_MS = 90_000;

/** The first cycle is over and every queue is empty. */
export async function settled(bench: BenchCloud): Promise<void> {
  await until("everybody is right and nothing waits", SETTLED_MS, async () => {
    const queues = Object.values(await bench.queues());
    if (queues.some(({ active, locked }) => active + locked > 0)) return false;
    return (await bench.differences()).length === 0;
  });
}

export const figuresOf = ({ latencies, lost }: Played) => ({
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  max: Math.max(...latencies),
  lost,
});

async function run({ seed, profile, say }: BenchOptions): Promise<readonly Measurement[]> {
  const bench = await benchCloud({ seed, people: PEOPLE, profile });
  try {
    await settled(bench);
    const people = await linkedPeople(bench);
    say(`  ${people.length} people have a user in a target`);
    const plain = await playChanges(bench, people, {
      seed,
      count: CHANGES,
      perSecond: PER_SECOND,
      play: "plain",
      patienceMs: PATIENCE_MS,
    });
    const ours = figuresOf(plain);
    await bench.setKnobs({ ...DEFAULT_KNOBS, latencyMs: [100, 100], notificationLost: 0 });
    const lagged = await playChanges(bench, await linkedPeople(bench), {
      seed,
      count: LAGGED_CHANGES,
      perSecond: PER_SECOND,
      play: "lagged",
      patienceMs: LAGGED_PATIENCE_MS,
    });
    const all = figuresOf(lagged);
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
        bounds: {},
      },
    ];
  } finally {
    await bench.stop();
  }
}

export const latencyIdle: Bench = { name: "latency-idle", run };
