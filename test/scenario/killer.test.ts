import { expect, test } from "vitest";
import { ERRORS } from "../../shared/domain/error.ts";
import type { Link } from "../../shared/domain/link.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { type TwoTenants, twoTenants } from "./two-tenants.ts";

/** A lock of the bus runs out so long after its holder has died. */
const LOCK_MS = 60 * SECOND;
/** Twice in the bundle, four times alone; the fifth delivery of a single is visible. */
const DEATHS = 6;
const DAY = 24 * HOUR;

/** Everybody who asks a tenant about this person dies, and another instance starts. Answers how many have died so far. */
function killWith(c: TwoTenants, killer: string): () => number {
  let deaths = 0;
  c.world.hooks.before = ({ instance, to, about }) => {
    if (to !== "graph" || !about.includes(`/users/${killer}`)) return;
    deaths++;
    instance.kill();
    c.world.clock.after(SECOND, () => void c.world.start());
    return new Promise<never>(() => {});
  };
  return () => deaths;
}

const rowsOf = (c: TwoTenants, killer: string) =>
  c.world.store
    .dump("provisioninglog")
    .map(({ value }) => value as LogRow)
    .filter(({ userId }) => userId === killer);

test("a person who kills the worker at every look holds up nobody for long, and becomes a failure that people see", async () => {
  const c = twoTenants({ seed: 31, instances: 2, timerMs: 10_000, knobs: { notificationLost: 1 } });
  await c.untilSettled(5 * MINUTE);
  const killer = c.hire("killer", [c.groupA]);
  const deaths = killWith(c, killer);
  const beside = Array.from({ length: 8 }, (_, index) => c.hire(`beside${index}`, [c.groupA]));
  const rows = () => rowsOf(c, killer);
  const startedAt = c.world.clock.now();
  let behind: string | undefined;
  while (rows().length === 0 && c.world.clock.now() < startedAt + 30 * MINUTE) {
    await c.world.clock.runFor(5 * SECOND);
    if (deaths() > 0) behind ??= c.hire("behind", [c.groupA]);
  }
  expect(rows()).toMatchObject([
    { status: "failure", code: "KEEPS_FAILING", remedy: ERRORS.KEEPS_FAILING.remedy, action: "other" },
  ]);
  // Found by a sweep and by the trailing look of it, each with its own deaths.
  expect(c.world.clock.now() - startedAt).toBeLessThan((DEATHS + 2) * LOCK_MS + 2 * MINUTE);
  expect(deaths()).toBeGreaterThanOrEqual(4);
  expect([...beside, behind ?? ""].map((id) => c.link(id)?.state)).toEqual([...beside, behind].map(() => "linked"));
  expect(c.link(killer)?.escrow).toMatchObject({ code: "KEEPS_FAILING", failures: 1 });

  c.world.hooks.before = undefined; // what killed is mended: the next try succeeds
  await c.untilSettled(15 * MINUTE);
  expect({ faults: c.faults(), crimes: c.crimes() }).toEqual({ faults: [], crimes: [] });
  c.world.close();
});

test("one among ten thousand who come on one day: everybody else arrives, and the one is a failure that people see", {
  timeout: 600_000,
}, async () => {
  const people = 10_000;
  const c = twoTenants({
    seed: 33,
    instances: 2,
    timerMs: 30_000,
    settings: { sweepMs: 5 * MINUTE, driftMs: DAY },
    concurrency: 8,
    jobs: () => [{ scope: { allUsers: true }, firstCycle: { expected: people + 1 } }],
  });
  const ids = Array.from({ length: people }, (_, index) => c.hire(`user${index}`, []));
  const killer = ids[people / 2] as string;
  const deaths = killWith(c, killer);
  const linked = () => c.world.store.dump("links").filter(({ value }) => (value as Link).state === "linked").length;
  const isSeen = () => rowsOf(c, killer).length > 0;
  for (let waited = 0; waited < 3 * HOUR && (linked() < people || !isSeen()); waited += MINUTE)
    await c.world.clock.runFor(MINUTE);
  expect(linked()).toBe(people); // without the killer, and with the one who is always there
  expect(rowsOf(c, killer)).toMatchObject([{ status: "failure", code: "KEEPS_FAILING" }]);
  expect(deaths()).toBeGreaterThanOrEqual(4);
  expect(c.guestsOf(killer)).toEqual([]);
  expect(c.crimes()).toEqual([]);

  c.world.hooks.before = undefined;
  const everybody = () => linked() === people + 1;
  for (let waited = 0; waited < 2 * HOUR && !everybody(); waited += MINUTE) await c.world.clock.runFor(MINUTE);
  await c.world.clock.runFor(2 * MINUTE);
  expect({ faults: c.faults(), crimes: c.crimes() }).toEqual({ faults: [], crimes: [] });
  c.world.close();
});
