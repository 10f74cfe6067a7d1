import { afterAll, expect, test } from "vitest";
import type { Random } from "../../sandbox/random.ts";
import { BusUnavailable } from "../../shared/ports/bus.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { type Contoso, contoso, HOUR, MINUTE, SECOND } from "./contoso.ts";

/** How many worlds; the soak runs on with others. */
const SEEDS = Array.from(
  { length: Number(process.env.SEEDS ?? 60) },
  (_, index) => Number(process.env.SEED ?? 1000) + index,
);
const met: Record<string, number> = {};
const count = (name: string, more = 1) => {
  met[name] = (met[name] ?? 0) + more;
};

test.each(SEEDS)("the targets catch up whatever goes wrong (seed %i)", async (seed) => {
  const c = contoso({
    seed,
    people: 14,
    instances: 2,
    knobs: {
      notificationLost: 0.3,
      notificationDoubled: 0.2,
      notificationReordered: true,
      notificationDelayMs: [200, 20_000],
      replicationLagMs: 3_000,
    },
  });
  const chance = c.world.random.fork("chaos");
  breakThings(c, chance);
  for (let i = 0; i < 25; i++) {
    await c.world.clock.runFor(chance.between(SECOND, 40 * SECOND));
    changeSomething(c, chance);
    if (chance.chance(0.2)) crash(c, chance);
  }
  c.graph.clearFaults();
  c.world.store.hooks = {};
  c.world.bus.hooks = {};
  await c.untilRight(3 * HOUR);
  for (const statistics of Object.values(c.graph.statistics())) {
    for (const [kind, times] of Object.entries(statistics.faults)) count(kind, times);
    count("lost", statistics.notificationsLost);
    count("doubled", statistics.notificationsDoubled);
  }
  expect(c.watch.foreignWrites).toEqual([]);
  expect(c.watch.blocksLifted).toEqual([]);
  c.world.close();
});

test("nobody calls before Retry-After, however often it is said, and everything arrives", async () => {
  const c = contoso({ seed: 7, people: 60 });
  c.graph.addFault({ on: "any", kind: "status", status: 429, retryAfterSeconds: 7, probability: 0.02 });
  c.graph.addFault({ on: "batchItem", kind: "status", status: 429, retryAfterSeconds: 3, probability: 0.02 });
  await c.world.clock.runFor(10 * MINUTE);
  const statistics = Object.values(c.graph.statistics());
  expect(statistics.reduce((sum, { throttled }) => sum + throttled, 0)).toBeGreaterThan(20);
  expect(statistics.map(({ beforeRetryAfter }) => beforeRetryAfter)).toEqual(statistics.map(() => 0));
  c.graph.clearFaults();
  await c.untilRight(10 * MINUTE);
  c.world.close();
});

afterAll(() => {
  const names = [
    "blocked",
    "bus answer lost",
    "bus down",
    "changed",
    "crashed",
    "doubled",
    "frozen",
    "hired",
    "left",
    "lost",
    "refuse",
    "resync",
    "returned",
    "status",
    "storage answer lost",
    "storage down",
    "timeout",
    "timeoutAfterEffect",
    "truncate",
  ];
  expect(
    names.filter((name) => !met[name]),
    `faults that never happened, among ${JSON.stringify(met)}`,
  ).toEqual([]);
});

function breakThings(c: Contoso, chance: Random): void {
  c.graph.addFault({ on: "any", kind: "status", status: 503, probability: 0.02 });
  c.graph.addFault({ on: "any", kind: "status", status: 429, retryAfterSeconds: 5, probability: 0.01 });
  c.graph.addFault({ on: "batchItem", kind: "status", status: 429, retryAfterSeconds: 3, probability: 0.01 });
  c.graph.addFault({ on: "write", kind: "timeoutAfterEffect", probability: 0.03 });
  c.graph.addFault({ on: "any", kind: "timeout", probability: 0.01 });
  c.graph.addFault({ on: "any", kind: "refuse", probability: 0.01 });
  c.graph.addFault({ on: "read", kind: "truncate", probability: 0.01 });
  c.graph.addFault({ on: "delta", kind: "resync", probability: 0.03 });
  c.world.store.hooks = {
    before: () => sometimes(chance, 0.005, "storage down", () => new StorageUnavailable("the table did not answer")),
    after: (operation) => {
      if (operation !== "list")
        sometimes(chance, 0.005, "storage answer lost", () => new StorageUnavailable("the answer was lost"));
    },
  };
  c.world.bus.hooks = {
    before: () => sometimes(chance, 0.005, "bus down", () => new BusUnavailable("the bus did not answer")),
    after: () => sometimes(chance, 0.005, "bus answer lost", () => new BusUnavailable("the answer was lost")),
  };
}

function sometimes(chance: Random, probability: number, name: string, error: () => Error): void {
  if (!chance.chance(probability)) return;
  count(name);
  throw error();
}

/** People change between deliveries, and not before them all. */
function changeSomething(c: Contoso, chance: Random): void {
  const tenant = chance.pick(["contoso-emea", "contoso-us", "contoso", "contoso-gov"]);
  const truth = c.graph.truth(tenant);
  const people = [...truth.users()].filter(
    ({ creationType, deletedAt }) => creationType === null && deletedAt === undefined,
  );
  const gone = [...truth.users()].filter(
    ({ creationType, deletedAt }) => creationType === null && deletedAt !== undefined,
  );
  const somebody = chance.pick(people);
  const action = chance.below(10);
  if (action < 4) {
    truth.updateUser(somebody.id, { department: `D${chance.below(1000)}`, jobTitle: `J${chance.below(1000)}` });
    count("changed");
  } else if (action === 4) {
    truth.updateUser(somebody.id, { accountEnabled: !somebody.accountEnabled });
    count("blocked");
  } else if (action === 5) {
    truth.deleteUser(somebody.id);
    count("left");
  } else if (action === 6 && gone.length > 0) {
    truth.restoreUser(chance.pick(gone).id);
    count("returned");
  } else if (action === 7) {
    const name = `new${chance.below(1_000_000)}@${c.organization.tenants.find((spec) => spec.name === tenant)?.domain}`;
    truth.createUser({
      displayName: "New",
      userPrincipalName: name,
      mail: name,
      accountEnabled: true,
      userType: "Member",
    });
    count("hired");
  } else {
    const group = chance.pick([...truth.groups()].filter(({ deletedAt }) => deletedAt === undefined));
    if (group.memberIds.includes(somebody.id)) truth.removeMember(group.id, somebody.id);
    else truth.addMember(group.id, somebody.id);
  }
}

function crash(c: Contoso, chance: Random): void {
  const victim = chance.pick(c.world.instances);
  if (chance.chance(0.3)) {
    victim.freeze(chance.between(10 * SECOND, 3 * MINUTE));
    count("frozen");
    return;
  }
  victim.kill();
  c.world.start();
  count("crashed");
}
