import { expect, test } from "vitest";
import type { Random } from "../../sandbox/random.ts";
import { breakThings, crash, mend } from "./chaos.ts";
import { type Contoso, contoso, HOUR, MINUTE, SECOND } from "./contoso.ts";

/** Few worlds, but each with five tenants in three clouds. Hundreds of small ones with more that goes wrong: `trial.ts`. */
const SEEDS = Array.from({ length: 8 }, (_, index) => 1000 + index);
/** What is met is counted there. */
const count = () => {};

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
  breakThings(c.world, chance, count);
  for (let i = 0; i < 25; i++) {
    await c.world.clock.runFor(chance.between(SECOND, 40 * SECOND));
    changeSomething(c, chance);
    if (chance.chance(0.2)) crash(c.world, chance, count);
  }
  mend(c.world);
  await c.untilRight(3 * HOUR);
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
  } else if (action === 4) {
    truth.updateUser(somebody.id, { accountEnabled: !somebody.accountEnabled });
  } else if (action === 5) {
    truth.deleteUser(somebody.id);
  } else if (action === 6 && gone.length > 0) {
    truth.restoreUser(chance.pick(gone).id);
  } else if (action === 7) {
    const name = `new${chance.below(1_000_000)}@${c.organization.tenants.find((spec) => spec.name === tenant)?.domain}`;
    truth.createUser({
      displayName: "New",
      userPrincipalName: name,
      mail: name,
      accountEnabled: true,
      userType: "Member",
    });
  } else {
    const group = chance.pick([...truth.groups()].filter(({ deletedAt }) => deletedAt === undefined));
    if (group.memberIds.includes(somebody.id)) truth.removeMember(group.id, somebody.id);
    else truth.addMember(group.id, somebody.id);
  }
}
