import { afterAll, expect, test } from "vitest";
import type { Random } from "../../sandbox/random.ts";
import { breakThings, countFaults, crash, mend, OUTAGES, outage } from "./chaos.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { type TwoTenants, twoTenants } from "./two-tenants.ts";

/** Some hundred small worlds, each with everything that goes wrong in large ones and an outage of ten minutes besides. */
const SEEDS = Array.from(
  { length: Number(process.env.SEEDS ?? 240) },
  (_, index) => Number(process.env.SEED ?? 5000) + index,
);
const met: Record<string, number> = {};
const count = (name: string, more = 1) => {
  met[name] = (met[name] ?? 0) + more;
};

test.each(SEEDS)("small worlds come right after every outage (seed %i)", async (seed) => {
  const c = twoTenants({
    seed,
    instances: 2,
    timerMs: 10_000,
    knobs: {
      notificationLost: 0.3,
      notificationDoubled: 0.2,
      notificationReordered: true,
      notificationDelayMs: [200, 60_000],
      replicationLagMs: 4_000,
    },
  });
  await c.world.clock.runFor(10 * SECOND);
  const chance = c.world.random.fork("chaos");
  const deliveries = watchDeliveries(c);
  breakThings(c.world, chance, count);
  const ids: string[] = [];
  const steps = 12;
  const outAt = chance.below(steps);
  for (let i = 0; i < steps; i++) {
    if (i === outAt) outage(c.world, chance.pick(OUTAGES), count);
    await c.world.clock.runFor(chance.between(0, i === outAt + 1 ? 10 * MINUTE : 40 * SECOND));
    changeSomething(c, ids, chance);
    if (chance.chance(0.15)) crash(c.world, chance, count);
  }
  await c.world.clock.runFor(10 * MINUTE); // the outage is over
  mend(c.world);
  await c.untilSettled(40 * MINUTE); // who has failed is tried again at growing distance
  countFaults(c.world, count);
  count("delivered again", deliveries());
  expect({ faults: c.faults(), crimes: c.crimes() }).toEqual({ faults: [], crimes: [] });
  expect([c.watch.foreignWrites, c.watch.blocksLifted]).toEqual([[], []]);
  c.world.close();
});

afterAll(() => {
  const names = [
    "bus answer lost",
    "bus out",
    "crashed",
    "delivered again",
    "delta lagged",
    "doubled",
    "duplicates dropped",
    "frozen",
    "late",
    "lost",
    "refuse",
    "reordered",
    "replica lagged",
    "search index lagged",
    "source out",
    "status",
    "storage answer lost",
    "storage out",
    "target out",
    "throttled",
    "timeout",
    "timeoutAfterEffect",
    "truncate",
  ];
  const never = names.filter((name) => !met[name]);
  expect(never, `faults that never happened, among ${JSON.stringify(met)}`).toEqual([]);
});

/** Messages that were received a second time. */
function watchDeliveries({ world }: TwoTenants): () => number {
  let again = 0;
  const receive = world.broker.receive.bind(world.broker);
  Object.assign(world.broker, {
    receive: (queue: string) => {
      const message = receive(queue);
      if (message && message.deliveryCount > 0) again++;
      return message;
    },
  });
  return () => again;
}

function changeSomething(c: TwoTenants, ids: string[], chance: Random): void {
  const action = chance.below(9);
  if (ids.length < 2 || (action === 0 && ids.length < 5)) {
    ids.push(c.hire(`person${ids.length}`, [chance.pick([c.groupA, c.groupB])]));
    return;
  }
  const id = chance.pick(ids);
  const user = c.source.user(id);
  if (!user) return;
  if (user.deletedAt !== undefined) c.source.restoreUser(id);
  else if (action < 4) c.source.updateUser(id, { department: String(chance.below(1000)) });
  else if (action < 6) c.source.updateUser(id, { accountEnabled: !user.accountEnabled });
  else if (action === 6) c.source.deleteUser(id);
  else changeMembership(c, id, chance);
}

function changeMembership(c: TwoTenants, id: string, chance: Random): void {
  const groupId = chance.pick([c.groupA, c.groupB]);
  const group = [...c.source.groups()].find((one) => one.id === groupId);
  if (group?.memberIds.includes(id)) c.source.removeMember(groupId, id);
  else c.source.addMember(groupId, id);
}
