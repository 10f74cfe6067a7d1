import { expect, test } from "vitest";
import { decideHeld, listHeld } from "../../shared/pipeline/held.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { expectSound, type TwoTenants, twoTenants } from "./two-tenants.ts";

const worldOf = (c: TwoTenants) => {
  const [instance] = c.world.instances;
  if (!instance) throw new Error("nobody lives");
  return instance.world;
};

/** First out of the group, then disabled: as whoever offboards somebody does it. */
test.each(["nothing", "block"] as const)(
  "who leaves and is disabled while the removal is held is blocked, and removed when it is approved (whileHeld: %s)",
  async (whileHeld) => {
    const limits = { removals: { immediatePerHour: 0, perHour: 1, minimumSource: 0 }, settlingMinutes: 0.1 };
    const c = twoTenants({ seed: 71, jobs: (a) => [{ scope: { groups: [{ id: a }] }, limits, whileHeld }] });
    const ids = ["ada", "bob"].map((name) => c.hire(name, [c.groupA]));
    await c.untilSettled(2 * MINUTE);
    for (const id of ids) c.source.removeMember(c.groupA, id);
    await c.world.clock.runFor(MINUTE);
    const [id = ""] = ids;
    expect(c.link(id)).toMatchObject({ state: "linked", because: "REMOVALS_HELD" });
    c.source.updateUser(id, { accountEnabled: false });
    await c.world.clock.runFor(30 * SECOND);
    expect(c.guestsOf(id)).toMatchObject([{ accountEnabled: false, deletedAt: undefined }]);
    const [held] = await listHeld(worldOf(c));
    expect(held?.state).toBe("held");
    const { jobId = "", setId = "", count = 0 } = held ?? {};
    await decideHeld(worldOf(c), { jobId, setId, count, verdict: "approve", by: "hub/bob" });
    await c.untilSettled(2 * MINUTE);
    expect(c.link(id)?.state).toBe("removed");
    expectSound(c);
    c.world.close();
  },
);

test("who is disabled half created is blocked at once, and finished all the same: told as created, with what newcomers get", async () => {
  const mappings = [
    { target: "displayName", source: "displayName" },
    { target: "jobTitle", constant: "Newcomer", flowType: "ObjectAddOnly" },
  ];
  const c = twoTenants({ seed: 72, jobs: (a) => [{ scope: { groups: [{ id: a }] }, mappings }] });
  await c.untilSettled(MINUTE);
  let id = "";
  c.world.hooks.after = ({ what, instance }) => {
    if (what !== "write links" || c.link(id)?.state !== "invited") return;
    c.world.hooks.after = undefined;
    c.source.updateUser(id, { accountEnabled: false });
    instance.kill();
    c.world.clock.after(SECOND, () => void c.world.start());
    return new Promise<never>(() => {});
  };
  id = c.hire("ada", [c.groupA]);
  await c.world.clock.runFor(3 * MINUTE);
  expect(c.world.hooks.after).toBeUndefined();
  expect(c.guestsOf(id)).toMatchObject([{ accountEnabled: false, properties: { jobTitle: "Newcomer" } }]);
  expect(c.link(id)).toMatchObject({ state: "linked", blockedByUs: true });
  const told = c.world.store.dump("provisioninglog").map(({ value }) => value as LogRow);
  expect(told.filter((row) => row.userId === id).map(({ action }) => action)).toContain("create");
  c.source.updateUser(id, { accountEnabled: true });
  await c.untilSettled(2 * MINUTE);
  expect(c.guestsOf(id)).toMatchObject([{ accountEnabled: true }]);
  expectSound(c);
  c.world.close();
});
