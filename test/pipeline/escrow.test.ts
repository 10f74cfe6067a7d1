import { expect, test } from "vitest";
import type { Instance } from "../../sandbox/world.ts";
import { Hint } from "../../shared/messages/hint.ts";
import { contoso, MINUTE } from "../scenario/contoso.ts";
import { twoTenants } from "../scenario/two-tenants.ts";

test("the hint about an escrow arrives when it is due by the clock of every instance", async () => {
  const c = contoso({ seed: 51, people: 20 });
  await c.untilRight(10 * MINUTE);
  const retries: { userId: string; notBefore: number }[] = [];
  c.world.bus.hooks.before = (_, messages) => {
    for (const { body, notBefore } of messages) {
      const hint = Hint.safeParse(body);
      if (hint.data?.reason === "retry")
        retries.push({ userId: hint.data.userIds[0] ?? "", notBefore: notBefore ?? 0 });
    }
  };
  const userId = c.graph.truth("contoso-us").createUser({
    displayName: "Odd",
    userPrincipalName: "odd#name@us.contoso.com",
    mail: null,
    accountEnabled: true,
    userType: "Member",
  });
  await c.world.clock.runFor(MINUTE / 2);
  const link = c.world.store.dump("links").find(({ row }) => row === userId)?.value;
  const { escrow } = link as { escrow: { nextAt: number } };
  const mine = retries.filter((retry) => retry.userId === userId);
  expect(mine.length).toBeGreaterThan(0);
  for (const { notBefore } of mine) expect(notBefore).toBeGreaterThanOrEqual(escrow.nextAt + 2_000);
  c.world.close();
});

test("those who failed at the same moment are tried again each at a moment of their own", async () => {
  const c = twoTenants({ seed: 52, timerMs: 0 });
  const retries: number[] = [];
  c.world.bus.hooks.before = (_, messages) => {
    for (const { body, notBefore } of messages) if (Hint.parse(body).reason === "retry") retries.push(notBefore ?? 0);
  };
  const { receiver } = c.world.instances[0] as Instance;
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const now = c.world.clock.now();
  for (let index = 0; index < 5; index++) {
    const userIds = [c.hire(`user${index}`, [c.groupA])];
    const about = { lane: "sweep", sourceTenantId: c.sourceId, userIds, reason: "sweep", noticedAt: now } as const;
    const hint = Hint.parse({ version: 1, id: `hint-${index}`, attempt: 0, ...about });
    await receiver.reconciler.reconcile(hint, 5, log);
  }
  expect(new Set(retries).size).toBe(5);
  for (const at of retries) {
    expect(at).toBeGreaterThan(now + MINUTE);
    expect(at).toBeLessThan(now + 1.5 * MINUTE);
  }
  c.world.close();
});
