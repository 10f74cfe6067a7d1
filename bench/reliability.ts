import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CONVERGENCE_MS, chaos, WAIT_MS_MAX } from "../sandbox/local/chaos.ts";
import { CHANGES, FAULTS, type Trial, trial } from "../test/scenario/trial.ts";
import { buildApp } from "../tools/build.ts";
import { type Bench, type BenchOptions, type Measurement, percentile } from "./bench.ts";

const WORLDS = 300;
const CHAOS_MINUTES = 2;
const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const NONE = { most: 0 } as const;

/** What the promises of `docs/reliability.md` come to in figures. */
export const reliability: Bench = {
  name: "reliability",
  run: async (options) => [...(await worlds(options)), await onWires(options), await hostile(options)],
};

async function worlds({ seed, say }: BenchOptions): Promise<readonly Measurement[]> {
  const trials: Trial[] = [];
  for (let index = 0; index < WORLDS; index++) trials.push(await trial(seed * 1_000 + index));
  for (const { seed: failed, wrong } of trials.filter((one) => one.wrong.length > 0)) {
    say(`  seed ${failed}: ${wrong[0]}; npm run soak -- --seed ${failed} --worlds 1`);
  }
  const sum = (of: (one: Trial) => number) => trials.reduce((total, one) => total + of(one), 0);
  const times = (name: string) => sum(({ met }) => met[name] ?? 0);
  const converged = trials.map(({ convergedMs }) => convergedMs / 1000);
  const bench = "reliability";
  return [
    {
      bench,
      work: "simulated worlds with every fault at once, compared with the oracle",
      unit: "count",
      figures: {
        failed: trials.filter(({ wrong }) => wrong.length > 0).length,
        seeds: trials.length,
        users: sum(({ users }) => users),
        "second users": sum(({ secondUsers }) => secondUsers),
        "lost changes": sum(({ lostChanges }) => lostChanges),
        "unproved removals": sum(({ unprovedRemovals }) => unprovedRemovals),
        "older values": sum(({ olderValues }) => olderValues),
        "overshoot of limits": sum(({ overshoot }) => overshoot),
        kills: times("crashed") + times("crashed after an effect"),
        "kinds of faults never met": FAULTS.filter((name) => times(name) === 0).length,
      },
      bounds: {
        failed: NONE,
        "second users": NONE,
        "lost changes": NONE,
        "unproved removals": NONE,
        "older values": NONE,
        "overshoot of limits": NONE,
        "kinds of faults never met": NONE,
      },
    },
    {
      bench,
      work: "faults and changes in these worlds, by kind",
      unit: "count",
      figures: Object.fromEntries([...FAULTS, ...CHANGES].map((name) => [name, times(name)])),
      bounds: {},
    },
    {
      bench,
      work: "time to converge after the last fault, simulated",
      unit: "s",
      figures: { p50: percentile(converged, 0.5), p99: percentile(converged, 0.99), most: Math.max(...converged) },
      bounds: {},
    },
  ];
}

async function onWires({ seed, say }: BenchOptions): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "reliability-"));
  try {
    await buildApp(join(CHECKOUT, "functions"), join(folder, "dist"));
    const at = { folder: join(folder, "sandbox"), appFolder: join(folder, "dist") };
    const report = await chaos({ ...at, seed, minutes: CHAOS_MINUTES, instances: 3, say: (text) => say(`  ${text}`) });
    for (const difference of report.differences) say(`  ${difference}`);
    return {
      bench: "reliability",
      work: "real processes: instances killed, services frozen, cut off or refusing",
      unit: "count, s",
      figures: {
        differences: report.differences.length,
        kills: report.kills,
        ...report.faults,
        changes: report.changes,
        "waited for recovery": report.waits,
        "longest wait": report.longestWaitMs / 1000,
        converged: (report.convergedMs ?? Number.POSITIVE_INFINITY) / 1000,
      },
      bounds: {
        differences: NONE,
        "longest wait": { most: WAIT_MS_MAX / 1000 },
        converged: { most: CONVERGENCE_MS / 1000 },
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** No input may take longer. */
const SECOND_MS = 1_000;

/** The fuzz suite counts what it tries, by kind. */
async function hostile({ seed }: BenchOptions): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "hostile-"));
  try {
    const counts = join(folder, "counts.json");
    const vitest = join(CHECKOUT, "node_modules/vitest/vitest.mjs");
    const env = { ...process.env, HOSTILE_COUNTS: counts, FC_SEED: String(seed) };
    const failed = await promisify(execFile)(process.execPath, [vitest, "run", "test/fuzz"], {
      cwd: CHECKOUT,
      env,
    }).then(
      () => 0,
      () => 1,
    );
    const { tried, slowestMs } = JSON.parse(await readFile(counts, "utf8")) as {
      tried: Record<string, number>;
      slowestMs: number;
    };
    return {
      bench: "reliability",
      work: "hostile inputs tried, by kind",
      unit: "count; ms of the processor",
      figures: { failed, slowestMs, ...tried },
      bounds: { failed: NONE, slowestMs: { most: SECOND_MS } },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
