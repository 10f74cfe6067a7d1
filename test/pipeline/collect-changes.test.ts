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

test("a stream that does not exist becomes a visible failure, and never a checkpoint", async () => {
  const c = contoso({ seed: 32, people: 20 });
  const tenantId = c.organization.tenants[1]?.id ?? "";
  for (const stream of ["nonsense", "groups-x"]) {
    const body = { version: 1, kind: "sweep", tenantId, stream, reason: "operator" } as const;
    await c.world.bus.send("pages", [{ id: stream, body }]);
  }
  await c.world.clock.runFor(MINUTE);
  const streams = c.world.store.dump("checkpoints").map(({ row }) => row);
  expect(streams.filter((stream) => !/^(users|groups-\d+)$/.test(stream))).toEqual([]);
  const told = c.world.store.dump("provisioninglog").map(({ value }) => value);
  const unreadable = expect.objectContaining({ code: "MESSAGE_UNREADABLE", detail: expect.stringContaining("stream") });
  expect(told).toContainEqual(unreadable);
  c.world.close();
});
