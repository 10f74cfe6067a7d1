import { expect, test } from "vitest";
import { ERRORS } from "../../shared/domain/error.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { twoTenants } from "./two-tenants.ts";

/** A lock of the bus runs out so long after its holder has died. */
const LOCK_MS = 60 * SECOND;
/** Twice in the bundle, four times alone; the fifth delivery of a single is visible. */
const DEATHS = 6;

test("a person who kills the worker at every look holds up nobody for long, and becomes a failure that people see", async () => {
  const c = twoTenants({ seed: 31, instances: 2, timerMs: 10_000, knobs: { notificationLost: 1 } });
  await c.untilSettled(5 * MINUTE);
  const killer = c.hire("killer", [c.groupA]);
  let deaths = 0;
  c.world.hooks.before = ({ instance, to, about }) => {
    if (to !== "graph" || !about.includes(`/users/${killer}`)) return;
    deaths++;
    instance.kill();
    c.world.clock.after(SECOND, () => void c.world.start());
    return new Promise<never>(() => {});
  };
  const beside = Array.from({ length: 8 }, (_, index) => c.hire(`beside${index}`, [c.groupA]));
  const rows = () =>
    c.world.store
      .dump("provisioninglog")
      .map(({ value }) => value as LogRow)
      .filter(({ userId }) => userId === killer);
  const startedAt = c.world.clock.now();
  let behind: string | undefined;
  while (rows().length === 0 && c.world.clock.now() < startedAt + 30 * MINUTE) {
    await c.world.clock.runFor(5 * SECOND);
    if (deaths > 0) behind ??= c.hire("behind", [c.groupA]);
  }
  expect(rows()).toMatchObject([
    { status: "failure", code: "KEEPS_FAILING", remedy: ERRORS.KEEPS_FAILING.remedy, action: "other" },
  ]);
  // Found by a sweep and by the trailing look of it, each with its own deaths.
  expect(c.world.clock.now() - startedAt).toBeLessThan((DEATHS + 2) * LOCK_MS + 2 * MINUTE);
  expect(deaths).toBeGreaterThanOrEqual(4);
  expect([...beside, behind ?? ""].map((id) => c.link(id)?.state)).toEqual([...beside, behind].map(() => "linked"));
  expect(c.link(killer)?.escrow).toMatchObject({ code: "KEEPS_FAILING", failures: 1 });

  c.world.hooks.before = undefined; // what killed is mended: the next try succeeds
  await c.untilSettled(15 * MINUTE);
  expect({ faults: c.faults(), crimes: c.crimes() }).toEqual({ faults: [], crimes: [] });
  c.world.close();
});
