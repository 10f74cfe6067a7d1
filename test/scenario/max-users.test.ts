import { afterEach, expect, test } from "vitest";
import type { Instance } from "../../sandbox/world.ts";
import type { Link } from "../../shared/domain/link.ts";
import { pairKey } from "../../shared/pipeline/world.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { type TwoTenants, twoTenants } from "./two-tenants.ts";

/** The target's administrators say how many: nobody comes beyond them, and who left makes room. */
let c: TwoTenants;
afterEach(() => c.world.close());

const LIMIT = 6;
const guests = () =>
  [...c.target.users()].filter(({ home, deletedAt }) => home !== undefined && deletedAt === undefined);
const waiting = () => c.world.store.dump("links").filter(({ value }) => (value as Link).because === "TARGET_FULL");

/** The anchor of the group takes the first seat. */
function crowd(people: number, instances = 1): string[] {
  c = twoTenants({ seed: 62, instances, tenantSettings: { hub: { inbound: { maxUsers: LIMIT } } } });
  return Array.from({ length: people }, (_, index) => c.hire(`person${index}`, [c.groupA]));
}

test("three instances at once let nobody in beyond the limit, and whoever waits is told so", async () => {
  crowd(30, 3);
  await c.world.clock.runFor(5 * MINUTE);
  expect(guests()).toHaveLength(LIMIT);
  expect(waiting()).toHaveLength(31 - LIMIT);
  expect(c.crimes()).toEqual([]);
});

test("who leaves makes room for the next", async () => {
  const people = crowd(LIMIT);
  await c.world.clock.runFor(3 * MINUTE);
  expect(guests()).toHaveLength(LIMIT);
  const inside = people.find((id) => c.guestsOf(id).length > 0) ?? "";
  c.source.removeMember(c.groupA, inside);
  await c.world.clock.runFor(30 * MINUTE); // when the escrow of who waits is due
  expect(guests()).toHaveLength(LIMIT);
  expect(waiting()).toHaveLength(0);
});

test("people of a source that is not in the file any more still have their seats", async () => {
  crowd(0);
  const { tables } = (c.world.instances[0] as Instance).world;
  const gone = { sourceTenantId: "99999999-0000-4000-8000-000000000000", targetTenantId: c.targetId };
  const partition = pairKey(gone.sourceTenantId, c.targetId);
  await tables.jobs.put("jobs", "gone", { jobId: "gone", ...gone, health: "healthy" });
  for (const userId of ["one", "two"]) await tables.links.put(partition, userId, { state: "linked", userId });
  for (let index = 0; index < LIMIT; index++) c.hire(`person${index}`, [c.groupA]);
  await c.world.clock.runFor(5 * MINUTE);
  expect(guests()).toHaveLength(LIMIT - 2);
});

test("nobody waits where there is room, and a returning person takes a seat like anybody", async () => {
  const people = crowd(LIMIT - 1);
  await c.untilSettled(5 * MINUTE);
  expect(c.faults()).toEqual([]);
  const [first = ""] = people;
  c.source.removeMember(c.groupA, first);
  await c.world.clock.runFor(2 * MINUTE);
  c.hire("another", [c.groupA]);
  await c.world.clock.runFor(3 * MINUTE);
  c.source.addMember(c.groupA, first);
  await c.world.clock.runFor(30 * SECOND);
  expect(waiting()).toHaveLength(1);
});
