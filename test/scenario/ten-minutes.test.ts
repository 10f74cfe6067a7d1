import { expect, test } from "vitest";
import { BusUnavailable } from "../../shared/ports/bus.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { type Contoso, contoso, employee, MINUTE, SECOND } from "./contoso.ts";

const away = (error: () => Error) => ({
  before: () => {
    throw error();
  },
});

/** Something is away for ten minutes while people change: right within two minutes of its return, and nobody is blamed. */
test.each<{ name: string; down: (c: Contoso) => void }>([
  { name: "storage", down: (c) => Object.assign(c.world.store, { hooks: away(() => new StorageUnavailable("away")) }) },
  { name: "the bus", down: (c) => Object.assign(c.world.bus, { hooks: away(() => new BusUnavailable("away")) }) },
  { name: "a target", down: (c) => c.graph.addFault({ tenant: "contoso", on: "any", kind: "refuse" }) },
  { name: "a source", down: (c) => c.graph.addFault({ tenant: "contoso-us", on: "any", kind: "status", status: 503 }) },
])("$name is away for ten minutes", async ({ name, down }) => {
  const c = contoso({ seed: 51, people: 30 });
  await c.untilRight(10 * MINUTE);
  await c.world.clock.runFor(MINUTE);
  down(c);
  const us = c.graph.truth("contoso-us");
  const emea = c.graph.truth("contoso-emea");
  us.updateUser(employee(c, "contoso-us", 0).id, { department: "While away" });
  us.updateUser(employee(c, "contoso-us", 1).id, { accountEnabled: false });
  us.deleteUser(employee(c, "contoso-us", 2).id);
  emea.updateUser(employee(c, "contoso-emea", 0).id, { department: "Elsewhere" });
  await c.world.clock.runFor(10 * MINUTE);
  if (name === "a source") {
    const guest = [...c.graph.truth("contoso").users()].find(
      ({ home }) => home?.userId === employee(c, "contoso-emea", 0).id,
    );
    expect(guest?.properties.department).toBe("Elsewhere"); // others go on
  }
  c.graph.clearFaults();
  c.world.store.hooks = {};
  c.world.bus.hooks = {};
  const backAt = c.world.clock.now();
  await c.untilRight(2 * MINUTE);
  expect(c.world.clock.now() - backAt).toBeLessThanOrEqual(2 * MINUTE + 10 * SECOND);
  const blamed = c.world.store
    .dump("links")
    .filter(({ value }) => (value as { because?: string }).because === "KEEPS_FAILING");
  expect(blamed).toEqual([]);
  c.world.close();
});
