import { expect, test } from "vitest";
import { MINUTE, SECOND } from "./contoso.ts";
import { expectSound, type TwoTenants, twoTenants } from "./two-tenants.ts";

/** A worker stands still with a write in its hands, for longer than its lease; others go on, and then it wakes and the write lands. */

const STILL_MS = 150 * SECOND;

/** Whoever makes the next such call stands still with it; another instance takes over. Tells whether the call has left since. */
function standStillAt(c: TwoTenants, what: string): () => boolean {
  let left: boolean | undefined;
  c.world.hooks.before = async (call) => {
    if (left !== undefined || !call.what.includes(what)) return;
    left = false;
    c.world.start();
    call.instance.freeze(STILL_MS);
    await c.world.clock.sleep(STILL_MS);
    left = true;
  };
  return () => left === true;
}

async function linked(seed: number) {
  const c = twoTenants({ seed, timerMs: 10_000 });
  const id = c.hire("ada", [c.groupA]);
  await c.untilSettled(5 * MINUTE);
  return { c, id };
}
const guestIn = (c: TwoTenants, id: string) => c.guestsOf(id)[0];

async function expectRight(c: TwoTenants): Promise<void> {
  await c.untilSettled(20 * MINUTE);
  await c.world.clock.runFor(10 * MINUTE);
  expectSound(c);
  c.world.close();
}

test("a block that lands when the person is back is lifted: it is ours, not the target's administrators'", async () => {
  const { c, id } = await linked(91);
  const landed = standStillAt(c, "PATCH hub /users/{id}");
  c.source.updateUser(id, { accountEnabled: false });
  await c.world.clock.runFor(100 * SECOND);
  expect([landed(), guestIn(c, id)?.accountEnabled]).toEqual([false, false]); // by another worker
  c.source.updateUser(id, { accountEnabled: true });
  await c.world.clock.runFor(40 * SECOND);
  expect([landed(), guestIn(c, id)?.accountEnabled]).toEqual([false, true]);
  const blocked = new Promise<void>((resolve) => {
    c.target.onCommit(() => guestIn(c, id)?.accountEnabled === false && resolve());
  });
  await c.world.clock.runFor(20 * SECOND);
  await blocked;
  await expectRight(c);
  expect(guestIn(c, id)?.accountEnabled).toBe(true);
});

test("a second attempt to delete that lands when the person is back is undone: the first had left the link removed", async () => {
  const { c, id } = await linked(92);
  let first = true;
  c.world.hooks.before = ({ what }) => {
    if (!what.includes("DELETE hub /users/{id}") || !first) return;
    first = false;
    standing = standStillAt(c, "DELETE hub /users/{id}");
    throw new TypeError("the connection was lost");
  };
  let standing = () => false;
  c.source.removeMember(c.groupA, id);
  await c.world.clock.runFor(40 * SECOND);
  expect([first, standing(), guestIn(c, id)?.deletedAt, c.link(id)?.state]).toEqual([
    false,
    false,
    undefined,
    "removed",
  ]);
  c.source.addMember(c.groupA, id);
  await c.world.clock.runFor(80 * SECOND);
  expect([standing(), c.link(id)?.state]).toEqual([false, "linked"]);
  await c.world.clock.runFor(60 * SECOND);
  expect(standing()).toBe(true);
  await expectRight(c);
  expect(c.guestsOf(id)).toMatchObject([{ deletedAt: undefined, accountEnabled: true }]);
});

test("a removal that lands when others have removed the person and taken them back is undone", async () => {
  const { c, id } = await linked(94);
  const landed = standStillAt(c, "DELETE hub /users/{id}");
  c.source.deleteUser(id);
  await c.world.clock.runFor(100 * SECOND);
  expect([landed(), c.link(id)?.state]).toEqual([false, "removed"]); // by another worker
  c.source.restoreUser(id);
  await c.world.clock.runFor(40 * SECOND);
  expect([landed(), c.link(id)?.state, guestIn(c, id)?.deletedAt]).toEqual([false, "linked", undefined]);
  const removed = new Promise<void>((resolve) => {
    c.target.onCommit(() => guestIn(c, id)?.deletedAt !== undefined && resolve());
  });
  await c.world.clock.runFor(20 * SECOND);
  await removed;
  await expectRight(c);
  expect(c.guestsOf(id)).toMatchObject([{ deletedAt: undefined, accountEnabled: true }]);
});

test("an invitation that lands when another had been made and its guest removed makes nobody who stays", async () => {
  const c = twoTenants({ seed: 93, timerMs: 10_000 });
  await c.untilSettled(5 * MINUTE);
  const landed = standStillAt(c, "POST hub /invitations");
  const id = c.hire("ada", [c.groupA]);
  await c.world.clock.runFor(100 * SECOND);
  expect([landed(), c.guestsOf(id).length]).toEqual([false, 1]);
  c.source.deleteUser(id);
  await c.world.clock.runFor(30 * SECOND);
  expect([landed(), c.link(id)?.state]).toEqual([false, "removed"]);
  await c.world.clock.runFor(40 * SECOND);
  expect([landed(), c.guestsOf(id).length]).toEqual([true, 2]);
  await expectRight(c);
  expect(c.guestsOf(id).filter((guest) => !guest?.deletedAt)).toEqual([]);
});
