import { afterEach, expect, test } from "vitest";
import type { Instance } from "../../sandbox/world.ts";
import { decideHeld, listHeld } from "../../shared/pipeline/held.ts";
import { askToTurnOff, turnOn } from "../../shared/pipeline/kill-switch.ts";
import { decideRequest } from "../../shared/pipeline/requests.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { type Rules, type TwoTenants, twoTenants } from "./two-tenants.ts";

/** Ways to have more done than somebody has agreed to. */

const open: TwoTenants[] = [];
afterEach(() => {
  for (const c of open.splice(0)) c.world.close();
});

const rules = (group: string, more: Rules = {}): Rules => ({ scope: { groups: [{ id: group }] }, limits: {}, ...more });

async function populated(people: number) {
  const c = twoTenants({ seed: 71, jobs: (a) => [rules(a)] });
  open.push(c);
  const ids = Array.from({ length: people }, (_, index) => c.hire(`user${index}`, [c.groupA]));
  await c.untilSettled(20 * MINUTE);
  await c.world.clock.runFor(MINUTE);
  return { c, ids };
}
const worldOf = (c: TwoTenants) => (c.world.instances.at(-1) as Instance).world;
const removed = (c: TwoTenants, ids: readonly string[]): number =>
  ids.filter((id) => c.guestsOf(id)[0]?.deletedAt !== undefined).length;

test("an approval cannot be used twice: restored and deleted again, the same people are asked about anew", async () => {
  const { c, ids } = await populated(30);
  for (const id of ids) c.source.deleteUser(id);
  await c.world.clock.runFor(10 * MINUTE);
  const [set] = await listHeld(worldOf(c));
  if (!set) throw new Error("nothing is held");
  expect(await decideHeld(worldOf(c), { ...set, verdict: "approve", by: "hub/bob" })).toMatchObject({
    kind: "decided",
  });
  await c.world.clock.runFor(5 * MINUTE);
  expect(removed(c, ids)).toBe(30);
  for (const id of ids) c.source.restoreUser(id);
  for (const id of ids) c.source.addMember(c.groupA, id);
  await c.world.clock.runFor(10 * MINUTE);
  expect(removed(c, ids)).toBe(0);
  for (const id of ids) c.source.deleteUser(id);
  await c.world.clock.runFor(20 * MINUTE);
  // The five of the first time are still within their hour: they are nobody beyond the few.
  expect(removed(c, ids)).toBe(5);
});

test("a job by another name, or two jobs instead of one, remove nobody beyond what the one job might", async () => {
  const { c, ids } = await populated(30);
  for (const id of ids.slice(0, 10)) c.source.deleteUser(id);
  await c.world.clock.runFor(2 * MINUTE);
  const few = removed(c, ids);
  expect(few).toBe(5);
  await c.change([rules(c.groupA, { id: "renamed" }), rules(c.groupB, { id: "half" })], 10 * SECOND);
  await c.world.clock.runFor(2 * MINUTE);
  for (const id of ids.slice(10, 30)) c.source.deleteUser(id);
  await c.world.clock.runFor(2 * MINUTE);
  expect(removed(c, ids)).toBe(5); // the few of this hour are used up
  await c.world.clock.runFor(20 * MINUTE);
  expect(removed(c, ids)).toBe(5); // 25 more would be more than twenty in an hour
  expect((await listHeld(worldOf(c))).map(({ jobId, state }) => [jobId, state])).toContainEqual(["renamed", "held"]);
});

test("a worker that stands still between the kill switch and its claim writes nothing when it wakes", async () => {
  const { c, ids } = await populated(4);
  const [first = ""] = ids;
  const { world } = c;
  let stood = false;
  world.hooks.after = ({ what, instance }) => {
    if (what !== "read switches" || stood) return;
    stood = true;
    world.start();
    instance.freeze(3 * MINUTE);
  };
  c.source.updateUser(first, { department: "Written Late" });
  for (let waited = 0; waited < MINUTE && !stood; waited += 100) await world.clock.runFor(100);
  expect(stood).toBe(true);
  world.hooks.after = undefined;
  await turnOn(worldOf(c), "hub/alice", "drill");
  await world.clock.runFor(10 * MINUTE);
  expect(c.guestsOf(first)[0]?.properties.department).toBe("0");
  const asked = await askToTurnOff(worldOf(c), "hub/alice", "over");
  await decideRequest(worldOf(c), asked?.id ?? "", "hub/bob", "approved");
  await world.clock.runFor(5 * MINUTE);
  expect(c.guestsOf(first)[0]?.properties.department).toBe("Written Late");
});
