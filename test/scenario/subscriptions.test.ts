import { afterEach, expect, test } from "vitest";
import type { SubscriptionRow } from "../../shared/pipeline/world.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { type TwoTenants, twoTenants } from "./two-tenants.ts";

/** Every gap in the notifications is followed by a sweep, and what exists at Graph is renewed rather than made anew. */
let c: TwoTenants;
afterEach(() => c.world.close());

const rowOf = (name = "groups") =>
  c.world.store.dump("subscriptions").find(({ row }) => row === name)?.value as SubscriptionRow;
const listed = () => meanwhile(c.world.instances[0]?.world.subscriptions(c.sourceId).list());
const told = (event: string) => c.world.log.filter((entry) => entry.event === event).length;

async function settled(): Promise<void> {
  c = twoTenants({ seed: 61 });
  c.hire("ada", [c.groupA]);
  await c.untilSettled(5 * MINUTE);
  expect(c.faults()).toEqual([]);
  // What follows is found by a sweep after the gap, or not at all.
  const settings = c.world.instances[0]?.world.settings;
  if (settings) Object.assign(settings, { sweepMs: 86_400_000, fullPassMs: 86_400_000, driftMs: 86_400_000 });
}

/** Nobody is told of what happens now. */
async function unheard(happen: () => void): Promise<void> {
  c.world.graph.setKnobs({ notificationLost: 1 });
  happen();
  await c.world.clock.runFor(10 * SECOND);
  c.world.graph.setKnobs({ notificationLost: 0 });
}

/** In simulated time: the call has latency like any other. */
async function meanwhile<T>(call: Promise<T> | undefined): Promise<T | undefined> {
  await c.world.clock.runFor(5 * SECOND);
  return call;
}

test("who died between Graph's answer and the record: the subscription is found by its address and kept", async () => {
  await settled();
  const before = await listed();
  await unheard(() => void c.hire("grace", [c.groupA]));
  const { subscriptionId: _, ...unanswered } = rowOf();
  await c.world.store.rows("subscriptions").put(c.sourceId, "groups", unanswered);
  await c.untilSettled(5 * MINUTE);
  expect(c.faults()).toEqual([]);
  expect(await listed()).toEqual(before?.map((one) => expect.objectContaining({ id: one.id })));
  expect(told("subscription adopted")).toBe(1);
});

test("a subscription that is gone without a word is made anew under the same secrets, and what was missed is swept", async () => {
  await settled();
  const { subscriptionId, pathSecret, clientState } = rowOf();
  await unheard(() => {
    c.hire("grace", [c.groupA]);
  });
  await meanwhile(c.world.instances[0]?.world.subscriptions(c.sourceId).remove(subscriptionId ?? ""));
  await c.untilSettled(5 * MINUTE);
  expect(c.faults()).toEqual([]);
  expect(rowOf()).toMatchObject({ pathSecret, clientState });
  expect(rowOf().subscriptionId).not.toBe(subscriptionId);
});

test("a row of an earlier version, without a path secret, is replaced by a subscription that has one", async () => {
  await settled();
  const { pathSecret: _, ...row } = rowOf("users");
  const old = { ...row, notificationUrl: "https://app.sandbox/api/graph-notification/old" };
  await c.world.store.rows("subscriptions").put(c.sourceId, "users", old);
  await c.world.clock.runFor(MINUTE);
  expect(rowOf("users").pathSecret).toMatch(/^[\w-]{64}$/);
  expect((await listed())?.filter(({ resource }) => resource.includes("users"))).toHaveLength(1);
});
