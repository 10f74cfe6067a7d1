import { expect, test } from "vitest";
import { contoso, employee, MINUTE, SECOND } from "./contoso.ts";

test("who comes back is let in when the replicas see the restoration, not when the allowance is over", async () => {
  const c = contoso({
    seed: 61,
    people: 20,
    knobs: { replicationLagMs: 5_000 },
    settings: { replicationAllowanceMs: 90_000 },
  });
  await c.untilRight(20 * MINUTE);
  await c.world.clock.runFor(3 * MINUTE);
  const source = c.graph.truth("contoso-us");
  const { id } = employee(c, "contoso-us", 1);
  const steps = [
    () => source.updateUser(id, { accountEnabled: false }),
    () => source.deleteUser(id),
    () => {
      source.restoreUser(id);
      source.updateUser(id, { accountEnabled: true });
    },
  ];
  for (const [index, step] of steps.entries()) {
    if (index > 0) await c.world.clock.runFor(3 * MINUTE);
    step();
    await c.untilRight(40 * SECOND);
  }
  const tooNew = c.world.log.filter(({ fields }) => fields.userId === id && fields.because === "targetTooNew");
  expect(tooNew.length).toBeGreaterThan(0);
  c.world.close();
});
