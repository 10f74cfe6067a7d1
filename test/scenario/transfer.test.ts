import { describe, expect, test } from "vitest";
import type { Instance } from "../../sandbox/world.ts";
import { type TransferOutcome, type TransferRequest, transferLink } from "../../shared/pipeline/transfer-link.ts";
import type { LogRow, TargetOwner } from "../../shared/pipeline/world.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { type TwoTenants, twoTenants } from "./two-tenants.ts";

const BY = "aaaaaaaa-0000-4000-8000-000000000001/bbbbbbbb-0000-4000-8000-000000000002";

interface Rehired {
  c: TwoTenants;
  oldId: string;
  newId: string;
  guestId: string;
}

/** Ada left, and somebody with her address came: under another object id, so that nobody inherits her guest. */
async function rehired(seed: number): Promise<Rehired> {
  const c = twoTenants({ seed });
  const oldId = c.hire("ada", [c.groupA]);
  await c.untilSettled(5 * MINUTE);
  const guestId = c.link(oldId)?.targetId ?? "";
  c.target.redeem(guestId);
  c.source.deleteUser(oldId);
  await c.world.clock.runFor(MINUTE);
  expect(c.target.user(guestId)?.deletedAt).toBeDefined();
  const newId = c.hire("ada", [c.groupA]);
  await c.world.clock.runFor(MINUTE);
  expect(c.link(newId)).toMatchObject({ state: "none", because: "ADDRESS_REUSED" });
  return { c, oldId, newId, guestId };
}

const request = ({ c, oldId, newId }: Rehired, how: TransferRequest["how"]): TransferRequest => ({
  sourceTenantId: c.sourceId,
  targetTenantId: c.targetId,
  fromUserId: oldId,
  toUserId: newId,
  how,
  by: BY,
});

/** As a command does: asks until it is answered. */
async function ask(c: TwoTenants, wanted: TransferRequest): Promise<TransferOutcome> {
  const [instance] = c.world.instances;
  if (!instance) throw new Error("nobody lives");
  for (;;) {
    let answer: TransferOutcome | undefined;
    let failure: unknown;
    transferLink(instance.world, wanted).then(
      (outcome) => {
        answer = outcome;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    while (!answer && failure === undefined) await c.world.clock.runFor(100);
    if (failure !== undefined) throw failure;
    if (answer?.kind !== "again") return answer as TransferOutcome;
    await c.world.clock.runFor(answer.afterMs);
  }
}

const logOf = (c: TwoTenants, userId: string): LogRow[] =>
  c.world.store
    .dump("provisioninglog")
    .map(({ value }) => value as LogRow)
    .filter((row) => row.userId === userId);

const ownerOf = (c: TwoTenants, guestId: string) =>
  c.world.store.dump("targets").find(({ row }) => row === `user:${guestId}`)?.value as TargetOwner | undefined;

/** The old guest is the new user's, whole; nobody else has one. */
function expectSamePerson({ c, oldId, newId, guestId }: Rehired): void {
  expect(c.link(newId)).toMatchObject({ state: "linked", targetId: guestId });
  expect(c.link(oldId)).toMatchObject({ state: "none", releasedTo: newId });
  expect(c.link(oldId)).not.toHaveProperty("targetId");
  expect(ownerOf(c, guestId)).toEqual({ link: `${c.sourceId}/${newId}` });
  const guest = c.target.user(guestId);
  expect(guest).toMatchObject({ deletedAt: undefined, accountEnabled: true, home: { userId: newId } });
  expect(JSON.stringify(guest?.properties)).toContain(`two-tenants/${c.sourceId}/${newId}`);
  expect(c.faults()).toEqual([]);
  expect(c.crimes()).toEqual([]);
}

/** The old guest is in the recycle bin, the new person has another one. */
function expectNewPerson({ c, oldId, newId, guestId }: Rehired): void {
  expect(c.target.user(guestId)?.deletedAt).toBeDefined();
  expect(c.link(oldId)).toMatchObject({ state: "removed", releasedTo: newId });
  expect(c.link(newId)).toMatchObject({ state: "linked" });
  expect(c.link(newId)?.targetId).not.toBe(guestId);
  expect(c.crimes()).toEqual([]);
}

test("the same person: the guest is restored, bound anew, and goes over", async () => {
  const r = await rehired(11);
  expect(await ask(r.c, request(r, "samePerson"))).toEqual({ kind: "done", targetId: r.guestId });
  await r.c.world.clock.runFor(MINUTE);
  expectSamePerson(r);
  expect(logOf(r.c, r.oldId).find(({ requestedBy }) => requestedBy)).toMatchObject({
    because: "transferred:samePerson",
    detail: `to ${r.newId}`,
    requestedBy: BY,
  });
  expect(await ask(r.c, request(r, "samePerson"))).toMatchObject({ kind: "done" });
  // Whoever comes back to the old account does not get the guest back.
  r.c.source.updateUser(r.newId, { userPrincipalName: "ada2@home.example", mail: "ada2@home.example" });
  r.c.source.restoreUser(r.oldId);
  await r.c.world.clock.runFor(2 * MINUTE);
  expect(r.c.link(r.oldId)).toMatchObject({ because: "ADDRESS_REUSED" });
  expect(r.c.link(r.newId)).toMatchObject({ state: "linked", targetId: r.guestId });
  r.c.world.close();
});

test("a new person: the old guest stays removed, and the address is free", async () => {
  const r = await rehired(12);
  expect(await ask(r.c, request(r, "newPerson"))).toMatchObject({ kind: "done" });
  await r.c.world.clock.runFor(2 * MINUTE);
  expectNewPerson(r);
  r.c.world.close();
});

test("a new person before the old guest was removed: it is removed first, in the usual way", async () => {
  const c = twoTenants({ seed: 13, knobs: { notificationLost: 1 }, timerMs: 0 });
  const oldId = c.hire("ada", [c.groupA]);
  const newId = c.hire("bob", []);
  await c.world.clock.runFor(SECOND);
  const [instance] = c.world.instances;
  if (!instance) throw new Error("nobody lives");
  const hintTo = (userId: string, id: string) =>
    c.world.bus.send("changes", [
      {
        id,
        body: {
          version: 1,
          id,
          lane: "changes",
          sourceTenantId: c.sourceId,
          userIds: [userId],
          reason: "operator",
          attempt: 0,
          noticedAt: 0,
        },
      },
    ]);
  await hintTo(oldId, "first");
  await c.world.clock.runFor(MINUTE);
  const guestId = c.link(oldId)?.targetId ?? "";
  c.source.deleteUser(oldId);
  await c.world.clock.runFor(30 * SECOND);
  expect(c.target.user(guestId)?.deletedAt).toBeUndefined();
  c.source.addMember(c.groupA, newId);
  c.source.updateUser(newId, { userPrincipalName: "ada@home.example", mail: "ada@home.example" });
  expect(await ask(c, request({ c, oldId, newId, guestId }, "newPerson"))).toMatchObject({ kind: "done" });
  await c.world.clock.runFor(2 * MINUTE);
  expectNewPerson({ c, oldId, newId, guestId });
  c.world.close();
});

describe("what is refused changes nothing", () => {
  test.each<{ name: string; change: (r: Rehired) => Partial<TransferRequest>; problem: RegExp }>([
    {
      name: "the old user is still there",
      change: (r) => {
        r.c.source.updateUser(r.newId, { userPrincipalName: "x@home.example", mail: "x@home.example" });
        r.c.source.restoreUser(r.oldId);
        return {};
      },
      problem: /still exists/,
    },
    { name: "nobody of that id", change: (r) => ({ toUserId: r.c.targetId }), problem: /not an internal member/ },
    { name: "itself", change: (r) => ({ toUserId: r.oldId }), problem: /same object id/ },
    { name: "no such pair", change: (r) => ({ targetTenantId: r.newId }), problem: /no job/ },
    { name: "nobody to transfer", change: (r) => ({ fromUserId: r.c.targetId }), problem: /no target user/ },
    {
      name: "a disabled account",
      change: (r) => {
        r.c.source.updateUser(r.newId, { accountEnabled: false });
        return {};
      },
      problem: /disabled/,
    },
  ])("$name", async ({ change, problem }) => {
    const r = await rehired(14);
    const more = change(r);
    await r.c.world.clock.runFor(3 * SECOND);
    const before = r.c.link(r.oldId);
    expect(await ask(r.c, { ...request(r, "samePerson"), ...more })).toMatchObject({
      kind: "refused",
      code: "TRANSFER_REFUSED",
      problem: expect.stringMatching(problem),
    });
    expect(r.c.link(r.oldId)?.transfer).toBeUndefined();
    expect(r.c.link(r.oldId)?.targetId).toBe(before?.targetId);
    expect(r.c.crimes()).toEqual([]);
    r.c.world.close();
  });
});

describe.each(["samePerson", "newPerson"] as const)("%s: every effect may be the last", (how) => {
  test("somebody else finishes it, and asking again is fine", async () => {
    for (let effect = 1; effect < 40; effect++) {
      const r = await rehired(20);
      const runner = r.c.world.start();
      let effects = 0;
      let died = false;
      r.c.world.hooks.after = ({ instance, changes }) => {
        if (instance.name !== runner.name || !changes || ++effects < effect) return;
        died = true;
        runner.kill();
      };
      const over = await runsOut(r.c, runner, request(r, how));
      r.c.world.hooks.after = undefined;
      if (!died && over) {
        runner.kill();
        expect(effect).toBeGreaterThan(4);
        r.c.world.close();
        return;
      }
      await r.c.world.clock.runFor(4 * MINUTE);
      // Before the intent was recorded nothing has happened.
      if (r.c.link(r.oldId)?.releasedTo === undefined) {
        expect(r.c.link(r.newId)?.targetId).toBeUndefined();
      }
      expect(await ask(r.c, request(r, how))).toMatchObject({ kind: "done" });
      await r.c.world.clock.runFor(2 * MINUTE);
      (how === "samePerson" ? expectSamePerson : expectNewPerson)(r);
      r.c.world.close();
    }
    throw new Error("it has no end");
  });
});

/** Runs until the call has ended, or whoever made it has died. */
async function runsOut(c: TwoTenants, runner: Instance, wanted: TransferRequest): Promise<boolean> {
  let over = false;
  const end = () => {
    over = true;
  };
  transferLink(runner.world, wanted).then(end, end);
  for (let seconds = 0; !over && seconds < 30; seconds++) await c.world.clock.runFor(SECOND);
  return over;
}
