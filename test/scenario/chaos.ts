import type { Random } from "../../sandbox/random.ts";
import type { SimulatedWorld } from "../../sandbox/world.ts";
import { BusUnavailable } from "../../shared/ports/bus.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { MINUTE, SECOND } from "./contoso.ts";

/** Notes that something has happened, so that a scenario can prove that what it names did. */
export type Count = (name: string, more?: number) => void;

/** Small things that go wrong with any call, any row and any message. */
export function breakThings({ graph, store, bus }: SimulatedWorld, chance: Random, count: Count): void {
  graph.addFault({ on: "any", kind: "status", status: 503, probability: 0.02 });
  graph.addFault({ on: "any", kind: "status", status: 429, retryAfterSeconds: 5, probability: 0.01 });
  graph.addFault({ on: "batchItem", kind: "status", status: 429, retryAfterSeconds: 3, probability: 0.01 });
  graph.addFault({ on: "write", kind: "timeoutAfterEffect", probability: 0.03 });
  graph.addFault({ on: "any", kind: "timeout", probability: 0.01 });
  graph.addFault({ on: "any", kind: "refuse", probability: 0.01 });
  graph.addFault({ on: "read", kind: "truncate", probability: 0.01 });
  graph.addFault({ on: "delta", kind: "resync", probability: 0.03 });
  store.hooks = {
    before: () =>
      sometimes(count, chance, 0.005, "storage down", () => new StorageUnavailable("the table did not answer")),
    after: (operation) => {
      if (operation !== "list")
        sometimes(count, chance, 0.005, "storage answer lost", () => new StorageUnavailable("the answer was lost"));
    },
  };
  bus.hooks = {
    before: () => sometimes(count, chance, 0.005, "bus down", () => new BusUnavailable("the bus did not answer")),
    after: () => sometimes(count, chance, 0.005, "bus answer lost", () => new BusUnavailable("the answer was lost")),
  };
}

function sometimes(count: Count, chance: Random, probability: number, name: string, error: () => Error): void {
  if (!chance.chance(probability)) return;
  count(name);
  throw error();
}

/** Ten minutes without a tenant, the storage or the bus. */
export function outage({ graph, store, bus, clock }: SimulatedWorld, what: Outage, count: Count): void {
  const until = clock.now() + OUTAGE_MS;
  const isOut = () => clock.now() < until;
  const { before: rows } = store.hooks;
  const { before: sends } = bus.hooks;
  const refuse = async (name: string, error: Error) => {
    if (!isOut()) return;
    count(name);
    await clock.sleep(TIMES_OUT_MS);
    throw error;
  };
  if (what === "storage") {
    store.hooks.before = async (...call) => {
      await rows?.(...call);
      await refuse("storage out", new StorageUnavailable("the storage is out"));
    };
  } else if (what === "bus") {
    bus.hooks.before = async (...call) => {
      await sends?.(...call);
      await refuse("bus out", new BusUnavailable("the bus is out"));
    };
  } else {
    const tenant = what === "source" ? "home" : "hub";
    graph.addFault({ tenant, on: "any", kind: "status", status: 500, forMs: OUTAGE_MS });
    count(`${what} out`);
  }
}
/** A call that nobody answers fails after this. */
const TIMES_OUT_MS = 5_000;
export const OUTAGES = ["source", "target", "storage", "bus"] as const;
export type Outage = (typeof OUTAGES)[number];
const OUTAGE_MS = 10 * MINUTE;

/** One instance stands still, or dies and another one starts. */
export function crash(world: SimulatedWorld, chance: Random, count: Count): void {
  const victim = chance.pick(world.instances);
  if (chance.chance(0.3)) {
    victim.freeze(chance.between(10 * SECOND, 3 * MINUTE));
    count("frozen");
    return;
  }
  victim.kill();
  world.start();
  count("crashed");
}

/** Everything works from now on. */
export function mend({ graph, store, bus }: SimulatedWorld): void {
  graph.clearFaults();
  store.hooks = {};
  bus.hooks = {};
}

/** What the tenants and the queues say has happened to them. */
export function countFaults({ graph, broker }: SimulatedWorld, count: Count): void {
  for (const statistics of Object.values(graph.statistics())) {
    for (const [kind, times] of Object.entries(statistics.faults)) count(kind, times);
    count("lost", statistics.notificationsLost);
    count("doubled", statistics.notificationsDoubled);
    count("late", statistics.notificationsLate);
    count("reordered", statistics.notificationsReordered);
    count("replica lagged", statistics.staleReads);
    count("search index lagged", statistics.staleSearches);
    count("delta lagged", statistics.staleDeltas);
    count("throttled", statistics.throttled);
  }
  for (const { duplicates } of Object.values(broker.statistics())) count("duplicates dropped", duplicates);
}
