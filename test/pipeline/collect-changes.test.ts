import { expect, test } from "vitest";
import { contoso, MINUTE, SECOND } from "../scenario/contoso.ts";

test("whoever asks for another run in the middle of a page stops nothing, and gets it", async () => {
  const c = contoso({ seed: 31, people: 20 });
  await c.untilRight(10 * MINUTE);
  await c.world.clock.runFor(MINUTE);
  const tenant = c.organization.tenants.find(({ name }) => name === "contoso-us");
  if (!tenant) throw new Error("no tenant");
  const ask = (id: string) =>
    c.world.bus.send("pages", [
      { id, body: { version: 1, kind: "sweep", tenantId: tenant.id, stream: "users", reason: "operator" } },
    ]);
  let asked = false;
  c.world.hooks.before = async ({ what }) => {
    if (asked || !what.includes("GET contoso-us /users/delta")) return;
    asked = true;
    await ask("second");
    await c.world.clock.sleep(SECOND);
  };
  const logged = c.world.log.length;
  await ask("first");
  await c.world.clock.runFor(20 * SECOND);
  expect(asked).toBe(true);
  const started = c.world.log
    .slice(logged)
    .filter(
      ({ event, fields }) => event === "run started" && fields.tenantId === tenant.id && fields.stream === "users",
    );
  expect(started).toHaveLength(2);
  const checkpoint = c.world.store
    .dump("checkpoints")
    .find(({ partition, row }) => partition === tenant.id && row === "users");
  expect(checkpoint?.value).toMatchObject({ phase: "idle" });
  c.world.close();
});
