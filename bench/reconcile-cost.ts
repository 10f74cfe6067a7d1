import type { TenantTruth } from "../sandbox/graph/api.ts";
import type { Reason } from "../shared/messages/hint.ts";
import { hintInBulk, hintSingly } from "../shared/pipeline/hints.ts";
import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { profiled } from "./profile.ts";
import { type SmallWorld, type SmallWorldOptions, smallWorld } from "./small-world.ts";

/** People of each kind; removals stay below the number at which the pair's removals would stop. */
const SAMPLE = 100;
const REMOVALS = 20;
/** One change follows the other as they do in life. */
const BETWEEN_MS = 200;
/** After the last change: whatever it caused has been done. */
const AFTERWARDS_MS = 10_000;
const NO_OP_USERS = 2_000;
const NO_OP_ROUNDS = 15;
const GOALS = { unchanged: 1, updated: 5, created: 10, removed: 8 };
const RATE_GOAL = 2_000;

/** Read or written once in so many seconds for everybody together: they grow with the time that passes, not with people. */
const TIMED_TABLES = new Set(["deployment", "pace", "jobs"]);
/** The row of the limits is read when nobody here has written it for a minute, or another instance has; each person writes it. */
const isTimed = (table: string, operation: string): boolean =>
  TIMED_TABLES.has(table) || (table === "limits" && operation === "read");

interface Cost {
  /** On a person's own rows, the kill switch, and the limits. */
  tableOperations: number;
  /** For everybody together, by the time that passed: fewer a person the more people there are. */
  timedOperations: number;
  graphRequests: number;
}

/** Nothing happens by itself: no timers, no subscriptions; every hint is the bench's. */
async function quietWorld(seed: number, users: number, pair: SmallWorldOptions["pair"]) {
  const small = smallWorld({ seed, users, pair, timerMs: 0, knobs: { quotas: false } });
  small.world.store.hooks.before = (_operation, _table, partition) => {
    if (partition === "mark") marks++;
  };
  const ids = [...small.world.graph.truth(small.source.name).users()].map(({ id }) => id);
  return { small, ids };
}

/** Heads first, so that managers are there before their reports. */
async function linked({ world, source }: SmallWorld, ids: readonly string[]): Promise<void> {
  const [instance] = world.instances;
  if (!instance) throw new Error("no instance lives");
  await hintInBulk(instance.world, world.random.uuid(), source.id, ids, "sweep");
  const done = () =>
    Object.values(world.broker.statistics()).every(
      ({ active, locked, scheduled }) => active + locked + scheduled === 0,
    );
  await world.clock.runFor(1_000);
  await world.clock.runUntil(done, 3_600_000);
  await world.clock.runFor(AFTERWARDS_MS);
}

/** What looking at these people costs each, one after the other, after `change` was made to them. */
async function costOf(
  { world, source }: SmallWorld,
  ids: readonly string[],
  reason: Reason,
  change: (id: string) => void,
): Promise<Cost> {
  const [instance] = world.instances;
  if (!instance) throw new Error("no instance lives");
  marks = 0;
  const before = totals(world);
  for (const id of ids) {
    change(id);
    await hintSingly(instance.world, world.random.uuid(), source.id, [id], reason);
    await world.clock.runFor(BETWEEN_MS);
  }
  await world.clock.runFor(AFTERWARDS_MS);
  const after = totals(world);
  return {
    tableOperations: (after.tableOperations - before.tableOperations) / ids.length,
    timedOperations: (after.timedOperations - before.timedOperations) / ids.length,
    graphRequests: (after.graphRequests - before.graphRequests) / ids.length,
  };
}

/** Reads of the marks that tell lost tables: once in ten seconds, whoever is looked at. */
let marks = 0;

function totals({ store, graph }: SmallWorld["world"]): Cost {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const operations = (timed: boolean) =>
    Object.entries(store.operations).flatMap(([table, byKind]) =>
      Object.entries(byKind).flatMap(([operation, count]) => (isTimed(table, operation) === timed ? count : [])),
    );
  return {
    tableOperations: sum(operations(false)) - marks,
    timedOperations: sum(operations(true)) + marks,
    graphRequests: sum(Object.values(graph.statistics()).map(({ requests }) => requests)),
  };
}

async function costs(seed: number, pair: SmallWorldOptions["pair"]): Promise<Record<keyof typeof GOALS, Cost>> {
  const { small, ids } = await quietWorld(seed, 4 * SAMPLE, pair);
  try {
    const truth = small.world.graph.truth(small.source.name);
    const part = (index: number) => ids.slice(index * SAMPLE, (index + 1) * SAMPLE);
    await linked(small, ids);
    return {
      unchanged: await costOf(small, part(1), "trailing", () => {}),
      updated: await costOf(small, part(2), "notification", (id) => truth.updateUser(id, { department: "Poetry" })),
      created: await costOf(small, newcomers(truth, part(0)), "notification", () => {}),
      removed: await costOf(small, part(3).slice(0, REMOVALS), "notification", (id) => truth.deleteUser(id)),
    };
  } finally {
    small.world.close();
  }
}

/** People who came today, each with a manager who is there. */
function newcomers(truth: TenantTruth, managers: readonly string[]): string[] {
  return managers.map((manager, index) => {
    const userPrincipalName = `newcomer.${index}@northwind.com`;
    const names = { displayName: `Newcomer ${index}`, userPrincipalName, mail: userPrincipalName };
    return truth.createUser({ ...names, accountEnabled: true, userType: "Member", department: "Sales", manager });
  });
}

/** Looks at unchanged people a second of this machine's time: everything runs in this one thread. */
async function noOpRate(seed: number, profile: string | undefined): Promise<number> {
  const { small, ids } = await quietWorld(seed, NO_OP_USERS, "across");
  const { world, source } = small;
  const [instance] = world.instances;
  if (!instance) throw new Error("no instance lives");
  try {
    await linked(small, ids);
    const done = () => Object.values(world.broker.statistics()).every(({ active, locked }) => active + locked === 0);
    const round = async () => {
      await hintInBulk(instance.world, world.random.uuid(), source.id, ids, "sweep");
      await world.clock.runFor(1);
      await world.clock.runUntil(done, 3_600_000);
    };
    await round(); // code that has run before is what an app consists of
    const before = totals(world);
    const startedAt = performance.now();
    await profiled(profile, async () => {
      for (let i = 0; i < NO_OP_ROUNDS; i++) await round();
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const looks = NO_OP_ROUNDS * ids.length;
    const after = totals(world);
    const [operations, requests] = [
      after.tableOperations - before.tableOperations,
      after.graphRequests - before.graphRequests,
    ];
    if (operations !== looks || requests !== looks) {
      throw new Error(`${looks} looks at unchanged people took ${operations} table operations, ${requests} requests`);
    }
    return looks / seconds;
  } finally {
    world.close();
  }
}

async function run({ seed, profile }: BenchOptions): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const pair of ["across", "within"] as const) {
    const where = pair === "across" ? "across clouds" : "within a cloud, with managers";
    for (const [kind, cost] of Object.entries(await costs(seed, pair)) as [keyof typeof GOALS, Cost][]) {
      measurements.push({
        bench: "reconcile-cost",
        work: `one ${kind} person, ${where}, ${1_000 / BETWEEN_MS} a second; timed: for everybody together, by the time that passes`,
        unit: "a person",
        figures: { ...cost },
        bounds: { tableOperations: { most: GOALS[kind] } },
      });
    }
  }
  measurements.push({
    bench: "reconcile-cost",
    work: `looks at unchanged people (${NO_OP_USERS}, ${NO_OP_ROUNDS} times, bundles of 20), simulated world, one core`,
    unit: "a second",
    figures: { rate: await noOpRate(seed, profile) },
    bounds: { rate: { least: RATE_GOAL } },
  });
  return measurements;
}

export const reconcileCost: Bench = { name: "reconcile-cost", run };
