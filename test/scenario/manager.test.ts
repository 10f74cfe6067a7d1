import { expect, test } from "vitest";
import { contoso, MINUTE } from "./contoso.ts";

test("a manager whom the target has removed costs a few tries, and the person's other changes arrive", async () => {
  const c = contoso({ seed: 21 });
  await c.untilRight(10 * MINUTE);
  const source = c.graph.truth("contoso-us");
  const target = c.graph.truth("contoso");
  const guests = new Map([...target.users()].flatMap((user) => (user.home ? [[user.home.userId, user] as const] : [])));
  const report = [...source.users()].find(({ id, managerId }) => guests.has(id) && managerId && guests.has(managerId));
  if (!report?.managerId) throw new Error("nobody has a manager");
  const guestOf = (userId: string) => guests.get(userId)?.id ?? "";
  target.deleteUser(guestOf(report.managerId));
  await c.world.clock.runFor(MINUTE);
  const calls = () => c.graph.statistics().contoso?.byOperation["PUT /users/{id}/manager/$ref"] ?? 0;
  const before = calls();
  for (const department of ["Poetry", "Prose", "Drama"]) {
    source.updateUser(report.id, { department });
    await c.world.clock.runFor(10 * MINUTE);
  }
  const guest = [...target.users()].find(({ id }) => id === guestOf(report.id));
  expect(guest?.properties.department).toBe("Drama");
  expect(calls() - before).toBeGreaterThan(0);
  expect(calls() - before).toBeLessThan(100);
  const told = c.world.store.dump("provisioninglog").map(({ value }) => value);
  expect(told).toContainEqual(
    expect.objectContaining({ userId: report.id, status: "failure", detail: "managerNotFound" }),
  );
  c.world.close();
});
