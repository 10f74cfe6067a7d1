import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { SyncConfig } from "../shared/config/schema.ts";
import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { linkedPeople, playChanges } from "./changes.ts";
import { type BenchCloud, benchCloud, until } from "./cloud.ts";
import { CHANGES, figuresOf, PER_SECOND, settled } from "./latency-idle.ts";

/** Without those of the tenant whose initial cycle runs. */
const PEOPLE = 1_750;
const CYCLE = 5_000;
const CYCLE_SOURCE = "contoso-us";
const CYCLE_TARGET = "contoso";
const PATIENCE_MS = 60_000;
const RESTART_MS = 60_000;
/** The cycle is well under way, and its first burst of writes over, when the changes begin. */
const WRITES_BEFORE = 500;
const WRITES_BEFORE_MS = 3 * 60_000;

const withCycle = (config: SyncConfig, state: "on" | "off"): SyncConfig => ({
  ...config,
  jobs: config.jobs.map((job) => (job.source === CYCLE_SOURCE ? { ...job, state } : job)),
});

/** A job is turned on as a roll-out does it: another configuration, and the app starts again. */
async function startCycle({ cloud }: BenchCloud): Promise<void> {
  await writeFile(cloud.endpoints.configFile, JSON.stringify(withCycle(cloud.config, "on")));
  const app = cloud.supervisor.processes().find(({ name }) => name === "app-1");
  if (!app) throw new Error("the app does not run");
  process.kill(app.pid, "SIGKILL");
  await until("the app is back", RESTART_MS, () =>
    cloud.supervisor.processes().some(({ name, pid }) => name === app.name && pid !== app.pid),
  );
}

async function run({ seed, profile, say }: BenchOptions): Promise<readonly Measurement[]> {
  const bench = await benchCloud({
    seed,
    people: PEOPLE,
    computedUsers: { [CYCLE_SOURCE]: CYCLE },
    profile,
    jobs: (config) => withCycle(config, "off"),
  });
  try {
    await settled(bench);
    const people = await linkedPeople(bench);
    say(`  ${people.length} people have a user in a target`);
    const writes = async () => (await bench.statistics())[CYCLE_TARGET]?.writes ?? 0;
    const before = await writes();
    await startCycle(bench);
    await until("the initial cycle writes", WRITES_BEFORE_MS, async () => (await writes()) > before + WRITES_BEFORE);
    const cycleFrom = await writes();
    const played = await playChanges(bench, people, {
      seed,
      count: CHANGES,
      perSecond: PER_SECOND,
      play: "busy",
      patienceMs: PATIENCE_MS,
    });
    const cycleTo = await writes();
    await sleep(2_000);
    return [
      {
        bench: "latency-busy",
        work: `the same while an initial cycle of ${CYCLE} users writes to the same target`,
        unit: "ms",
        figures: {
          ...figuresOf(played),
          writesMeanwhile: cycleTo - cycleFrom,
          cycleWentOn: Number((await writes()) > cycleTo),
        },
        bounds: { p99: { most: 6_000 }, lost: { most: 0 }, cycleWentOn: { least: 1 } },
      },
    ];
  } finally {
    await bench.stop();
  }
}

export const latencyBusy: Bench = { name: "latency-busy", run };
