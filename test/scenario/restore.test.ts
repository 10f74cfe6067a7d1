import { afterEach, expect, test } from "vitest";
import type { Instance } from "../../sandbox/world.ts";
import { Ids } from "../../shared/domain/ids.ts";
import { type CopiedRow, exportTables, importTables } from "../../shared/pipeline/copy-tables.ts";
import { listHeld } from "../../shared/pipeline/held.ts";
import { pauseJob } from "../../shared/pipeline/job-commands.ts";
import { type LedgerKey, Ledgers } from "../../shared/pipeline/ledger.ts";
import type { RecoveryState } from "../../shared/pipeline/pass-rows.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { expectSound, type TwoTenants, type TwoTenantsOptions, twoTenants } from "./two-tenants.ts";

/** Tables are put back from a copy that is older than what has happened since. */

let c: TwoTenants;
afterEach(() => c.world.close());

const worldOf = () => (c.world.instances.at(-1) as Instance).world;
const PROTECTING = ["links", "targets", "limits", "limitparts", "jobs"];

async function hired(seed: number, people: number, more: Partial<TwoTenantsOptions> = {}) {
  c = twoTenants({ seed, settings: { driftMs: 5 * MINUTE }, ...more });
  const ids = Array.from({ length: people }, (_, index) => c.hire(`p${index}`, [c.groupA]));
  await c.untilSettled(5 * MINUTE);
  await c.world.clock.runFor(MINUTE);
  return ids;
}

async function copied(): Promise<CopiedRow[]> {
  const rows: CopiedRow[] = [];
  for await (const line of exportTables(worldOf())) rows.push(JSON.parse(JSON.stringify(line)));
  return rows;
}
async function putBack(rows: readonly CopiedRow[]): Promise<number> {
  return importTables(
    worldOf(),
    (async function* () {
      yield* rows;
    })(),
  );
}
const states = () => {
  const row = c.world.store.dump("deployment").find(({ partition }) => partition === "recovery");
  return (row?.value as RecoveryState | undefined)?.kind;
};
async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < HOUR && !condition(); waited += SECOND) await c.world.clock.runFor(SECOND);
  expect(condition()).toBe(true);
}
async function untilOn(): Promise<Set<string | undefined>> {
  const seen = new Set<string | undefined>();
  for (let waited = 0; waited < HOUR && states() !== "on"; waited += SECOND) {
    seen.add(states());
    await c.world.clock.runFor(SECOND);
  }
  expect(states()).toBe("on");
  return seen;
}
const guests = () => [...c.target.users()].map(({ id, deletedAt }) => `${id} ${deletedAt !== undefined}`).sort();
const key = (): LedgerKey => ({ pair: worldOf().rules.pairs[0] as LedgerKey["pair"], jobId: "a", kind: "removals" });

test.each([
  ["the tables stand", []],
  ["the tables were lost", PROTECTING],
  ["everything was lost", [...PROTECTING, "deployment", "passes", "checkpoints", "orphans"]],
])(
  "a copy put back when %s: shown first, then everything since the copy is as it should be, by itself",
  async (_, lost) => {
    const [left = "", changed = "", returns = ""] = await hired(401, 8);
    const rows = await copied();
    c.source.updateUser(changed, { department: "After The Copy" });
    c.source.deleteUser(returns);
    const later = c.hire("later", [c.groupA]);
    await c.untilSettled(10 * MINUTE);
    const before = guests();
    for (const table of lost) c.world.store.clear(table);
    const restoredAt = c.world.clock.now();
    for (const instance of [...c.world.instances]) instance.kill();
    c.source.removeMember(c.groupA, left);
    c.source.restoreUser(returns);
    const newest = c.hire("newest", [c.groupA]);
    await c.world.clock.runFor(20 * SECOND);
    c.world.start();
    expect(await putBack(rows)).toBe(rows.length);
    expect(states()).toBe("restored");
    for (let waited = 0; waited < HOUR && states() !== "on"; waited += SECOND) {
      expect(guests()).toEqual(before);
      await c.world.clock.runFor(SECOND);
    }
    const log = c.world.store.dump("provisioninglog").map(({ value }) => value as LogRow);
    expect(log.some(({ at, because }) => at >= restoredAt && because.startsWith("observed:"))).toBe(true);
    await until(() => c.faults().every((fault) => fault.includes(returns)));
    // The copy does not know that it was us who removed them: held, until somebody in the target restores them.
    expect(c.link(returns)?.escrow?.code).toBe("TARGET_REMOVED_THERE");
    for (const guest of c.guestsOf(returns)) c.target.restoreUser(guest?.id ?? "");
    await until(() => c.faults().length === 0);
    expectSound(c);
    for (const id of [later, newest, returns]) expect(c.guestsOf(id)).toHaveLength(1);
  },
);

test("an import that breaks off leaves nobody touched, until it is repeated", async () => {
  const [left = ""] = await hired(402, 4);
  const rows = await copied();
  for (const table of PROTECTING) c.world.store.clear(table);
  await expect(putBack([...rows.slice(0, 6), { ...(rows[0] as CopiedRow), value: "cut" }])).rejects.toThrow(RangeError);
  const before = guests();
  c.source.removeMember(c.groupA, left);
  await c.world.clock.runFor(10 * MINUTE);
  expect(guests()).toEqual(before);
  await putBack(rows);
  expect(await untilOn()).toEqual(new Set(["restored", "observing"]));
  await c.untilSettled(20 * MINUTE);
  expectSound(c);
});

test("what was counted, stopped and decided since the copy stays; what was approved in it is asked again", async () => {
  await hired(403, 4);
  const ledgers = new Ledgers(worldOf());
  const now = c.world.clock.now();
  const set = { id: "set", class: "person", because: "sourceDeleted", since: now, joinedAt: now } as const;
  const decided = { by: "hub/bob", at: now, expiresAt: now + 24 * HOUR };
  await ledgers.change(key(), (ledger) => {
    const members = new Ids<string>().set("x", "k");
    ledger.sets.push({ ...set, state: "approved", decided, members, acted: new Ids() });
  });
  const rows = await copied();
  await ledgers.change(key(), (ledger) => {
    ledger.immediate.set("y", now);
  });
  await pauseJob(worldOf(), { jobId: "a", by: "hub/alice", why: "maintenance" });
  await putBack(rows);
  expect((await ledgers.read(key())).immediate.has("y")).toBe(true);
  expect((await listHeld(worldOf())).map(({ state }) => state)).toEqual(["approved"]);
  expect((await worldOf().tables.jobs.read("jobs", "a"))?.value.paused).toBeDefined();
  for (const table of ["limits", "jobs"]) c.world.store.clear(table);
  await putBack(rows);
  expect((await listHeld(worldOf())).map(({ state }) => state)).toEqual(["expired"]);
});
