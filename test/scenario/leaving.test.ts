import { expect, test } from "vitest";
import { decideHeld, listHeld } from "../../shared/pipeline/held.ts";
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
