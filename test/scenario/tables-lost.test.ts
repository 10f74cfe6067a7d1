import { afterEach, describe, expect, test } from "vitest";
import type { RecoveryState } from "../../shared/pipeline/pass-rows.ts";
import { rebuildLinks, recoveryState } from "../../shared/pipeline/recovery.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { expectSound, type TwoTenants, twoTenants } from "./two-tenants.ts";

let c: TwoTenants;
afterEach(() => c.world.close());

const ALL = [
  "links",
  "targets",
  "checkpoints",
  "subscriptions",
  "provisioninglog",
  "pace",
  "deployment",
  "passes",
  "passpages",
  "orphans",
];

const instance = () => {
  const [first] = c.world.instances;
  if (!first) throw new Error("nobody lives");
  return first.world;
};
function stateNow(): RecoveryState["kind"] | undefined {
  const row = c.world.store.dump("deployment").find(({ partition }) => partition === "recovery");
  return (row?.value as RecoveryState | undefined)?.kind;
}

async function hired(seed: number, people: number) {
  c = twoTenants({ seed, settings: { driftMs: 5 * MINUTE } });
  const ids = Array.from({ length: people }, (_, index) => c.hire(`p${index}`, [index % 2 ? c.groupA : c.groupB]));
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  await c.world.clock.runFor(2 * MINUTE);
  return ids;
}

/** Every user of the target and when it was made, so that nobody can be removed or made without being seen. */
const guests = () =>
  [...c.target.users()].map(({ id, deletedAt }) => ({ id, deleted: deletedAt !== undefined })).sort();

async function until(kind: RecoveryState["kind"], limitMs = HOUR): Promise<void> {
  const giveUpAt = c.world.clock.now() + limitMs;
  while (stateNow() !== kind && c.world.clock.now() < giveUpAt) await c.world.clock.runFor(SECOND);
  expect(stateNow()).toBe(kind);
}

describe("tables are lost", () => {
  test.each([
    ["all of them", ALL],
    ["the links", ["links"]],
    ["the owners", ["targets"]],
  ])(
    "%s: nobody is created or removed until the links are made anew, and then all is as it should be",
    async (_, lost) => {
      const [left = "", changed = "", leaver = ""] = await hired(301, 8);
      const before = guests();
      for (const table of lost) c.world.store.clear(table);
      await c.world.clock.runFor(20 * SECOND);
      c.source.removeMember(c.groupB, left);
      c.source.updateUser(changed, { department: "1" });
      c.source.deleteUser(leaver);
      const newcomer = c.hire("newcomer", [c.groupA]);
      await c.world.clock.runFor(10 * MINUTE);
      expect(stateNow()).toBe("lost");
      expect(guests()).toEqual(before);
      await rebuildLinks(instance());
      await until("on");
      await c.untilSettled(20 * MINUTE);
      expectSound(c);
      expect(c.guestsOf(newcomer)).toHaveLength(1);
    },
  );

  test("the owners: who leaves a scope is not blocked for it, who is disabled is", async () => {
    const blocks = (group: string) => ({ scope: { groups: [{ id: group }] }, onOutOfScope: "disable" });
    c = twoTenants({ seed: 305, jobs: (groupA, groupB) => [blocks(groupA), blocks(groupB)] });
    const [left, disabled] = [c.hire("left", [c.groupA]), c.hire("disabled", [c.groupA])];
    await c.untilSettled(5 * MINUTE);
    c.world.store.clear("targets");
    await c.world.clock.runFor(20 * SECOND);
    c.source.removeMember(c.groupA, left);
    c.source.updateUser(disabled, { accountEnabled: false });
    await c.world.clock.runFor(10 * MINUTE);
    expect(stateNow()).toBe("lost");
    expect([left, disabled].map((id) => c.guestsOf(id)[0]?.accountEnabled)).toEqual([true, false]);
  });

  test("whoever makes the links anew dies over it, at every call", async () => {
    await hired(302, 4);
    for (let call = 0; call < 14; call += 2) {
      const before = guests();
      for (const table of ALL) c.world.store.clear(table);
      await c.world.clock.runFor(MINUTE);
      let seen = 0;
      c.world.hooks.after = ({ instance: dying, what }) => {
        if (!/links|targets|passes|deployment/.test(what) || seen++ !== call) return;
        c.world.start();
        dying.kill();
      };
      void rebuildLinks(instance());
      await c.world.clock.runFor(5 * SECOND);
      c.world.hooks.after = undefined;
      await rebuildLinks(instance());
      await until("on");
      await c.untilSettled(20 * MINUTE);
      expectSound(c);
      expect(guests()).toEqual(before);
    }
  });
});

describe("nothing is lost", () => {
  test("the deployment's own table alone: the marks in the others say so", async () => {
    await hired(303, 4);
    c.world.store.clear("deployment");
    await c.world.clock.runFor(MINUTE);
    expect(stateNow()).toBe("on");
    c.hire("newcomer", [c.groupA]);
    await c.untilSettled(5 * MINUTE);
    expectSound(c);
  });

  test("making links anew changes nothing", async () => {
    await hired(304, 4);
    const before = c.world.store.dump("links");
    await rebuildLinks(instance());
    await c.world.clock.runFor(5 * MINUTE);
    expect(c.world.store.dump("links")).toEqual(before);
    expectSound(c);
  });

  test("a target that does not answer: nothing is decided, and nobody is created", async () => {
    c = twoTenants({ seed: 305 });
    c.world.graph.addFault({ tenant: "hub", on: "any", kind: "status", status: 503, forMs: 3 * MINUTE });
    const first = c.hire("first", [c.groupA]);
    await c.world.clock.runFor(2 * MINUTE);
    await expect(recoveryState(instance())).rejects.toThrow("TENANT_UNAVAILABLE");
    expect(c.guestsOf(first)).toEqual([]);
    await c.untilSettled(10 * MINUTE);
    expectSound(c);
  });
});
