import { expect, test } from "vitest";
import { BusUnavailable } from "../../shared/ports/bus.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { expectSound, twoTenants } from "./two-tenants.ts";

/** What seeds of small worlds have found: each alone, with nothing else that goes wrong. */

/**
 * The target answered the invitation, and failed every call after it: the claim was released
 * as if nobody had been invited, and the guest belonged to no link. The next look found a stranger who has the address.
 */
test("an invitation that was answered is not forgotten when the next call fails", async () => {
  const c = twoTenants({ seed: 5023 });
  await c.untilSettled(5 * MINUTE);
  let invitations = 0;
  c.world.hooks.after = ({ what }) => {
    if (!what.includes("POST hub /invitations") || invitations++ > 0) return;
    c.world.graph.addFault({ tenant: "hub", on: "any", kind: "status", status: 503, forMs: 20 * SECOND });
  };
  const id = c.hire("ada", [c.groupA]);
  await c.world.clock.runFor(10 * SECOND);
  expect({ invitations, state: c.link(id)?.state }).toEqual({ invitations: 1, state: "inviting" });
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  expect({ invitations, link: c.link(id)?.state, guests: c.guestsOf(id).length }).toEqual({
    invitations: 1,
    link: "linked",
    guests: 1,
  });
  c.world.close();
});

/**
 * A worker stood still with an invitation in its hands until the link had been given up. The invitation landed as it woke, and
 * the search for it, by the time when it was begun, was over before any index could show it: a guest who belonged to nobody, of
 * somebody who had left.
 */
test.each(["is deleted", "is blocked"])(
  "an invitation that lands after the link was given up is looked for from then on, when the person %s meanwhile",
  async (what) => {
    const c = twoTenants({ seed: 1222, instances: 2, timerMs: 10_000 });
    await c.untilSettled(5 * MINUTE);
    let landed = false;
    c.world.hooks.before = ({ what: call, instance }) => {
      if (landed || !call.includes("POST hub /invitations")) return;
      landed = true;
      instance.freeze(100 * SECOND);
    };
    const id = c.hire("ada", [c.groupA]);
    await c.world.clock.runFor(30 * SECOND);
    if (what === "is deleted") c.source.deleteUser(id);
    else c.source.updateUser(id, { accountEnabled: false });
    await c.world.clock.runFor(65 * SECOND);
    expect({ landed, guests: c.guestsOf(id).length, state: c.link(id)?.state }).toEqual({
      landed: true,
      guests: 0,
      state: "none",
    });
    await c.world.clock.runFor(10 * SECOND);
    expect(c.guestsOf(id).length).toBe(1);
    await c.untilSettled(20 * MINUTE);
    expectSound(c);
    expect(c.guestsOf(id).map((guest) => guest?.accountEnabled && !guest.deletedAt)).toEqual([false]);
    c.world.close();
  },
);

/**
 * While the bus was away the hint that follows a dead letter could not be sent, and the dead
 * letter came again and again: each time counted as another failure of the person, who then waited for a day.
 */
test("a dead letter that is told again and again while the bus is away counts once", async () => {
  const c = twoTenants({ seed: 5029, timerMs: 10_000 });
  const id = c.hire("ada", [c.groupA]);
  await c.untilSettled(5 * MINUTE);
  c.world.instances[0]?.freeze(SECOND); // so that this message is ours to take
  await c.world.bus.send("changes", [
    {
      id: "gives-up",
      body: {
        version: 1,
        id: "gives-up",
        lane: "changes",
        sourceTenantId: c.sourceId,
        userIds: [id],
        reason: "again",
        attempt: 0,
        noticedAt: c.world.clock.now(),
      },
    },
  ]);
  const taken = c.world.broker.receive("changes");
  if (taken?.messageId !== "gives-up") throw new Error("another message was there");
  let sends = 0;
  c.world.bus.hooks.before = async () => {
    sends++;
    await c.world.clock.sleep(5 * SECOND); // nobody answers
    throw new BusUnavailable("the bus is away");
  };
  c.world.broker.deadLetter("changes", taken.lockToken, "MaxDeliveryCountExceeded");
  await c.world.clock.runFor(5 * MINUTE); // longer than it is until a first failure is tried again
  expect(sends).toBeGreaterThan(20);
  expect(c.link(id)?.escrow?.failures ?? 0).toBeLessThan(2);
  c.world.bus.hooks = {};
  await c.world.clock.runFor(10 * SECOND);
  expect(c.link(id)?.escrow).toMatchObject({ code: "KEEPS_FAILING", failures: 1 });
  const waitedMs = await c.untilSettled(HOUR);
  expect(waitedMs).toBeLessThan(3 * MINUTE);
  expectSound(c);
  c.world.close();
});
