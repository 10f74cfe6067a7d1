import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { benchCloud, until } from "./cloud.ts";
import { flowAfterBurst, simulatedFirstCycle, WRITES_PER_USER } from "./first-cycle.ts";

const USERS = 3_000;
const LIMIT_MS = 8 * 60_000;
const SOURCE = "contoso-us";
const TARGET = "contoso-gov";
/** The flow on real wires may differ from the simulated one by this much. */
const DIFFERENCE = 0.1;

/** When each write took effect, ms since the first. */
async function wiredFirstCycle({ seed, profile }: BenchOptions): Promise<readonly number[]> {
  const bench = await benchCloud({
    seed,
    people: 10,
    computedUsers: { [SOURCE]: USERS },
    profile,
    jobs: (config) => ({
      ...config,
      jobs: config.jobs
        .filter(({ source }) => source === SOURCE)
        .map((job) => ({ ...job, target: TARGET, id: "first-cycle", userType: "guest" as const, manager: undefined })),
    }),
  });
  try {
    const client = bench.cloud.organization.clients[TARGET]?.app;
    const ours = () =>
      bench.feed.commits.filter(({ by, object, tenant }) => by === client && object === "user" && tenant === TARGET);
    await until("everybody is invited and written", LIMIT_MS, () => ours().length >= WRITES_PER_USER * USERS);
    const at = ours().map((commit) => commit.at);
    return at.map((time) => time - (at[0] ?? 0));
  } finally {
    await bench.stop();
  }
}

async function run(options: BenchOptions): Promise<readonly Measurement[]> {
  const { writes: simulated } = await simulatedFirstCycle(options.seed, USERS);
  const wired = await wiredFirstCycle(options);
  const [expected, flow] = [flowAfterBurst(simulated), flowAfterBurst(wired)];
  return [
    {
      bench: "first-cycle-wires",
      work: `initial cycle of ${USERS} users across clouds on real wires; compared after the first 3,000 writes`,
      unit: "writes a second",
      figures: {
        flow,
        simulated: expected,
        difference: Math.abs(flow / expected - 1),
        burstSeconds: (wired[2_999] ?? Number.NaN) / 1000,
        seconds: (wired.at(-1) ?? Number.NaN) / 1000,
      },
      bounds: { difference: { most: DIFFERENCE } },
    },
  ];
}

export const firstCycleWires: Bench = { name: "first-cycle-wires", run };
