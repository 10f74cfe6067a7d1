import fc from "fast-check";
import { expect, test } from "vitest";
import { MINUTE, SECOND } from "../scenario/contoso.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";
import { Step } from "./step.ts";

/** Delta rounds tell everything, whatever happens to their messages and to whoever reads them; no notification helps. */

interface Model {
  departments: Map<string, string>;
}

const page = (c: TwoTenants, behind: number) => {
  const found = c.world.store.dump("checkpoints").find(({ row }) => row === "users");
  const { runId, seq } = (found?.value ?? {}) as { runId?: string; seq?: number };
  const body = { version: 1, kind: "page", tenantId: c.sourceId, stream: "users", runId, seq: (seq ?? 0) - behind };
  return { id: c.world.random.uuid(), body };
};

const commands = [
  fc.integer({ min: 0, max: 999 }).map(
    (value) =>
      new Step<Model>(`department ${value}`, (m, c) => {
        const [id = ""] = [...m.departments.keys()].slice(value % m.departments.size);
        c.source.updateUser(id, { department: String(value) });
        m.departments.set(id, String(value));
      }),
  ),
  fc
    .integer({ min: 1, max: 30 })
    .map((s) => new Step<Model>(`wait ${s} s`, (_, c) => c.world.clock.runFor(s * SECOND))),
  fc
    .integer({ min: 0, max: 2 })
    .map(
      (behind) =>
        new Step<Model>(`page again, ${behind} behind`, (_, c) => c.world.bus.send("pages", [page(c, behind)])),
    ),
  fc.constant(new Step<Model>("pages lost", (_, c) => c.world.broker.purge("pages"))),
  fc.constant(
    new Step<Model>("worker dies", (_, c) => {
      c.world.instances[0]?.kill();
      c.world.start();
    }),
  ),
  fc.constant(
    new Step<Model>("token reset", (_, c) => c.world.graph.addFault({ on: "delta", kind: "resync", times: 1 })),
  ),
];

test("nothing is skipped in any order of pages, losses, deaths and resets", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9_999 }),
      fc.commands(commands, { maxCommands: 14 }),
      async (seed, told) => {
        const c = twoTenants({ seed, knobs: { notificationLost: 1, deltaPageSize: 2 }, settings: { sweepMs: 20_000 } });
        const ids = ["ada", "bob", "eve"].map((name) => c.hire(name, [c.groupA]));
        await c.untilSettled(5 * MINUTE);
        const model = { departments: new Map(ids.map((id) => [id, "0"])) };
        await fc.asyncModelRun(() => ({ model, real: c }), told);
        await c.world.clock.runFor(2 * MINUTE);
        await c.untilSettled(10 * MINUTE);
        const found = ids.map((id) => c.guestsOf(id).map((guest) => guest?.properties.department));
        expect(found).toEqual(ids.map((id) => [model.departments.get(id)]));
        c.world.close();
      },
    ),
    { numRuns: 8 },
  );
});
