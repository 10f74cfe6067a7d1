import { expect, test } from "vitest";
import { Hint } from "../../shared/messages/hint.ts";
import { contoso, MINUTE } from "../scenario/contoso.ts";

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
