import { afterEach, describe, expect, test } from "vitest";
import type { Fault } from "../../sandbox/graph/api.ts";
import type { Instance } from "../../sandbox/world.ts";
import type { Pair } from "../../shared/domain/job.ts";
import type { Link } from "../../shared/domain/link.ts";
import { decideHeld, type HeldSummary, listHeld, showHeld } from "../../shared/pipeline/held.ts";
import { Ledgers } from "../../shared/pipeline/ledger.ts";
import { restartStreams } from "../../shared/pipeline/restart-streams.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { type Rules, type TwoTenants, type TwoTenantsOptions, twoTenants } from "./two-tenants.ts";

/** The accidents that emptied other people's tenants, and what becomes of them here. Limits as they are by default. */

const DAY = 24 * HOUR;
const open: TwoTenants[] = [];
afterEach(() => {
  for (const c of open.splice(0)) c.world.close();
});

/** What is looked at comes from notifications, escrows and a sweep now and then: timers that find nothing cost the most here. */
const CALM = { timerMs: 30 * SECOND, settings: { sweepMs: 5 * MINUTE, driftMs: DAY } };
/** Days pass. */
const QUIET = {
  timerMs: 15 * MINUTE,
  settings: { sweepMs: 30 * MINUTE, driftMs: 30 * DAY, censusMs: 30 * DAY, fullPassMs: 30 * DAY },
};

const group = (id: string, more: Rules = {}): Rules => ({
  scope: { groups: [{ id, transitive: true }] },
  limits: {},
  ...more,
});

/** One job over group A, and so many people in it who have settled. */
async function populated(people: number, options: Partial<TwoTenantsOptions> & { more?: Rules } = {}) {
  const { more = {}, ...rest } = options;
  const c = twoTenants({ seed: 11, ...CALM, jobs: (a) => [group(a, more)], ...rest });
  open.push(c);
  const ids = Array.from({ length: people }, (_, index) => c.hire(`user${index}`, [c.groupA]));
  await until(c, 4 * HOUR, () => guests(c) === people + 1);
  await c.world.clock.runFor(2 * MINUTE);
  return { c, ids };
}

const guests = (c: TwoTenants): number =>
  [...c.target.users()].filter(({ home, deletedAt, accountEnabled }) => home && !deletedAt && accountEnabled).length;
const there = (c: TwoTenants): number =>
  [...c.target.users()].filter(({ home, deletedAt }) => home && !deletedAt).length;

async function until(c: TwoTenants, limitMs: number, condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < limitMs && !condition(); waited += SECOND) await c.world.clock.runFor(SECOND);
  expect(condition()).toBe(true);
}

const worldOf = (c: TwoTenants) => (c.world.instances.at(-1) as Instance).world;
const held = (c: TwoTenants) => listHeld(worldOf(c));
async function onlySet(c: TwoTenants): Promise<HeldSummary> {
  const sets = await held(c);
  expect(sets).toHaveLength(1);
  return sets[0] as HeldSummary;
}
const decide = (c: TwoTenants, { jobId, setId, count }: HeldSummary, verdict: "approve" | "reject") =>
  decideHeld(worldOf(c), { jobId, setId, verdict, by: "hub/bob", count });
const links = (c: TwoTenants) => c.world.store.dump("links").map(({ value }) => value as Link);
const logged = (c: TwoTenants) => c.world.store.dump("provisioninglog").map(({ value }) => value as LogRow);

describe("faults of a listing remove nobody", () => {
  test("all groups of the source seem empty", async () => {
    const { c, ids } = await populated(60);
    for (const id of [...ids]) c.source.removeMember(c.groupA, id);
    const anchor = [...c.source.users()].find(({ userPrincipalName }) => userPrincipalName.startsWith("anchor"));
    if (anchor) c.source.removeMember(c.groupA, anchor.id);
    await c.world.clock.runFor(20 * MINUTE);
    expect(there(c)).toBe(61);
    expect(new Set(links(c).map(({ because }) => because))).toContain("SCOPE_GROUP_UNREADABLE");
  });

  test("half of the members are gone at once: the immediate few, and the rest is held", async () => {
    const { c, ids } = await populated(60);
    for (const id of ids.slice(0, 30)) c.source.removeMember(c.groupA, id);
    await c.world.clock.runFor(30 * MINUTE);
    expect(61 - there(c)).toBeLessThanOrEqual(5);
    expect(await onlySet(c)).toMatchObject({ state: "held", kind: "removals", because: "notAssigned" });
  });

  test("every account of the source is deleted by a script", async () => {
    const { c, ids } = await populated(60);
    for (const id of ids) c.source.deleteUser(id);
    await c.world.clock.runFor(30 * MINUTE);
    expect(61 - there(c)).toBe(5);
    expect(await onlySet(c)).toMatchObject({ state: "held", class: "person", because: "sourceDeleted", count: 55 });
    for (const id of ids) c.source.restoreUser(id);
    await c.world.clock.runFor(30 * MINUTE);
    expect(there(c)).toBe(61);
  });

  test.each<[string, Fault]>([
    ["503 in the middle of listings", { on: "any", kind: "status", status: 503, probability: 0.6 }],
    ["pages that end in the middle", { on: "any", kind: "truncate", probability: 0.4 }],
    ["tokens that are refused", { on: "any", kind: "consentRevoked" }],
    ["delta tokens that are void, again and again", { on: "delta", kind: "resync", probability: 0.5 }],
  ])("%s, while everything is listed anew", async (_, fault) => {
    const { c } = await populated(20);
    c.world.graph.addFault({ tenant: "home", ...fault });
    await restartStreams(worldOf(c), c.sourceId);
    await c.world.clock.runFor(20 * MINUTE);
    expect(there(c)).toBe(21);
    c.world.graph.clearFaults();
    await c.world.clock.runFor(10 * MINUTE);
    expect(there(c)).toBe(21);
  });

  test("a first run against a target that is full of other people's guests", async () => {
    const c = twoTenants({ seed: 15, ...CALM, jobs: (a) => [group(a)] });
    open.push(c);
    for (let i = 0; i < 30; i++)
      c.target.createUser({
        displayName: `Other ${i}`,
        userPrincipalName: `other${i}_elsewhere.example#EXT#@hub.onmicrosoft.com`,
        mail: `other${i}@elsewhere.example`,
        accountEnabled: true,
        userType: "Guest",
        creationType: "Invitation",
      });
    const before = [...c.target.users()].length;
    c.hire("ada", [c.groupA]);
    await c.world.clock.runFor(10 * MINUTE);
    expect([...c.target.users()].filter(({ deletedAt }) => !deletedAt)).toHaveLength(before + 2);
  });

  test.each<[string, (c: TwoTenants, ids: readonly string[]) => string]>([
    ["that nobody has", () => "0badbad0-0bad-4bad-8bad-0badbad0bad0"],
    [
      "with hidden members",
      (c, ids) => c.source.createGroup({ displayName: "hidden", unified: true, hidden: true, members: ids }),
    ],
  ])("a scope group %s takes the place of the right one", async (_, groupOf) => {
    const { c, ids } = await populated(30);
    await c.change([group(groupOf(c, ids))], 10 * SECOND);
    await c.world.clock.runFor(30 * MINUTE);
    expect(there(c)).toBe(31);
    await c.change([group(c.groupA)], 10 * SECOND);
    await c.world.clock.runFor(10 * MINUTE);
    expect(there(c)).toBe(31);
  });

  test("a scope group that is gone", async () => {
    const { c } = await populated(30);
    c.source.deleteGroup(c.groupA);
    await c.world.clock.runFor(30 * MINUTE);
    expect(there(c)).toBe(31);
  });
});

describe("causes in the configuration remove nobody before they are counted", () => {
  test.each<[string, (c: TwoTenants) => Rules]>([
    [
      "a typo in a filter",
      ({ groupA }) => ({
        scope: {
          groups: [{ id: groupA, transitive: true }],
          filter: [{ clauses: [{ attribute: "department", operator: "EQUALS", value: "O" }] }],
        },
      }),
    ],
    ["another group", ({ groupB }) => ({ scope: { groups: [{ id: groupB, transitive: true }] } })],
    ["one user instead of a group", ({ sourceId }) => ({ scope: { users: [sourceId] } })],
  ])("%s", async (_, rules) => {
    const { c } = await populated(60);
    await c.change([{ limits: {}, ...rules(c) }], 10 * SECOND);
    await c.world.clock.runFor(30 * MINUTE);
    expect(there(c)).toBe(61);
    expect(await onlySet(c)).toMatchObject({ state: "held", class: "configuration" });
    await c.change([group(c.groupA)], 10 * SECOND); // mended: nothing has happened
    await c.world.clock.runFor(10 * MINUTE);
    expect(there(c)).toBe(61);
  });

  test("few enough are counted and go by themselves", async () => {
    const { c, ids } = await populated(20);
    for (const id of ids.slice(0, 3)) c.source.updateUser(id, { department: "Elsewhere" });
    await c.world.clock.runFor(MINUTE);
    const filter = [{ clauses: [{ attribute: "department", operator: "EQUALS", value: "0" }] }];
    await c.change([group(c.groupA, { scope: { groups: [{ id: c.groupA }], filter } })], 10 * SECOND);
    await c.world.clock.runFor(2 * MINUTE);
    expect(there(c)).toBe(21);
    expect(logged(c).filter(({ action }) => action === "stagedDelete").length).toBeGreaterThan(0);
    await c.world.clock.runFor(10 * MINUTE);
    expect(there(c)).toBe(18);
  });

  test("a group within the scope group is deleted: nobody goes at once", async () => {
    const c = twoTenants({ seed: 12, ...CALM, jobs: (a) => [group(a)] });
    open.push(c);
    const nested = c.source.createGroup({ displayName: "nested", members: [] });
    c.source.addMember(c.groupA, nested);
    for (let i = 0; i < 40; i++) c.hire(`user${i}`, [nested]);
    for (let i = 40; i < 60; i++) c.hire(`user${i}`, [c.groupA]);
    await until(c, 20 * MINUTE, () => guests(c) === 61);
    await c.world.clock.runFor(2 * MINUTE);
    c.source.deleteGroup(nested);
    await c.world.clock.runFor(30 * MINUTE);
    expect(there(c)).toBe(61);
    expect(await onlySet(c)).toMatchObject({ state: "held", class: "group", count: 40 });
  });
});

test("one leaver among many is away within seconds, also while a set is held", async () => {
  const { c, ids } = await populated(60);
  await c.change([group(c.groupA, { scope: { groups: [{ id: c.groupB }] } })], 10 * SECOND);
  await c.world.clock.runFor(10 * MINUTE);
  const leaver = ids[7] as string;
  c.source.deleteUser(leaver);
  const startedAt = c.world.clock.now();
  await until(c, MINUTE, () => c.guestsOf(leaver).every((guest) => guest?.deletedAt !== undefined));
  expect(c.world.clock.now() - startedAt).toBeLessThan(15 * SECOND);
});

test("a disabled account is blocked at once, however many there are, and nothing is counted", async () => {
  const { c, ids } = await populated(60);
  for (const id of ids) c.source.updateUser(id, { accountEnabled: false });
  await c.world.clock.runFor(2 * MINUTE);
  expect(guests(c)).toBe(1);
  expect(await held(c)).toEqual([]);
});

describe("a held set", () => {
  async function withHeld(more: Rules = {}, options: Partial<TwoTenantsOptions> = {}) {
    const { c, ids } = await populated(60, { more, ...options });
    for (const id of ids.slice(0, 40)) c.source.removeMember(c.groupA, id);
    await c.world.clock.runFor(20 * MINUTE);
    const set = await onlySet(c);
    expect(set.state).toBe("held");
    return { c, ids, set };
  }

  test("is shown with who and why, and approved: who has come back meanwhile stays", async () => {
    const { c, ids, set } = await withHeld();
    const shown = await showHeld(worldOf(c), set.jobId, set.setId);
    expect(shown?.members).toHaveLength(set.count);
    expect(new Set(shown?.members.map(({ because }) => because))).toEqual(new Set(["REMOVALS_HELD"]));
    const back = shown?.members[0]?.userId as string;
    c.source.addMember(c.groupA, back);
    await c.world.clock.runFor(MINUTE);
    expect(await decide(c, { ...set, count: set.count - 1 }, "approve")).toMatchObject({ kind: "grown" });
    expect(await decide(c, set, "approve")).toMatchObject({ kind: "decided" });
    await c.world.clock.runFor(5 * MINUTE);
    expect(there(c)).toBe(22);
    expect(c.guestsOf(back)[0]?.deletedAt).toBeUndefined();
    expect(ids).toContain(back);
    expect(await decide(c, set, "reject")).toMatchObject({ kind: "decided" });
  });

  test("is rejected: the people stay, and are not asked about again until the cause is another one", async () => {
    const { c, set } = await withHeld({}, QUIET);
    expect(await decide(c, set, "reject")).toMatchObject({ kind: "decided" });
    await c.world.clock.runFor(3 * HOUR);
    expect(61 - there(c)).toBe(5);
    expect((await held(c)).filter(({ state }) => state !== "rejected")).toEqual([]);
    expect(links(c).filter(({ because }) => because === "REMOVALS_REJECTED")).toHaveLength(set.count);
  });

  test("goes on when the approval's hints are lost", async () => {
    const { c, set } = await withHeld({}, QUIET);
    c.world.hooks.before = (call) => {
      if (call.to === "bus" && call.what === "send sweep") throw new Error("lost");
    };
    await expect(decide(c, set, "approve")).rejects.toThrow();
    c.world.hooks.before = undefined;
    await c.world.clock.runFor(8 * HOUR);
    expect(there(c)).toBe(21);
  });

  test("expires when nobody decides, and whoever is still to be removed is staged anew", async () => {
    const { c, set } = await withHeld({}, QUIET);
    const { pairs } = worldOf(c).rules;
    await new Ledgers(worldOf(c)).change({ pair: pairs[0] as Pair, jobId: "a", kind: "removals" }, ({ sets }) => {
      for (const one of sets) one.joinedAt -= 6 * DAY; // as after six days of which nobody need see each hour
    });
    await c.world.clock.runFor(2.5 * DAY);
    const sets = await held(c);
    expect(sets.find(({ setId }) => setId === set.setId)?.state).toBe("expired");
    expect(sets.some(({ state, setId }) => state === "held" && setId !== set.setId)).toBe(true);
    expect(61 - there(c)).toBe(5);
  });

  test("blocks sign-in meanwhile where the job says so, and allows it again when it is rejected", async () => {
    const { c, set } = await withHeld({ whileHeld: "block" });
    expect(guests(c)).toBe(21);
    expect(there(c)).toBe(56);
    await decide(c, set, "reject");
    await c.world.clock.runFor(5 * MINUTE);
    expect(guests(c)).toBe(56);
  });

  test("is the same with three instances", async () => {
    const { c, set } = await withHeld({}, { instances: 3 });
    expect(61 - there(c)).toBe(5);
    await decide(c, set, "approve");
    await c.world.clock.runFor(5 * MINUTE);
    expect(there(c)).toBe(21);
  });
});

test.each(["limits", "limitparts", "links", "provisioninglog"])(
  "answers of table %s that are lost after the write neither lose nor double anybody",
  async (table) => {
    const { c, ids } = await populated(20);
    let calls = 0;
    c.world.hooks.after = (call) => {
      const mine = call.to === "table" && call.changes && call.what.endsWith(` ${table}`);
      if (mine && ++calls % 3 === 1) throw new StorageUnavailable("lost");
    };
    for (const id of ids.slice(0, 8)) c.source.deleteUser(id);
    await c.world.clock.runFor(30 * MINUTE);
    if (table !== "limitparts") expect(calls).toBeGreaterThan(0);
    c.world.hooks.after = undefined;
    await c.world.clock.runFor(HOUR);
    expect(there(c)).toBe(13);
    expect(c.crimes()).toEqual([]);
  },
);

test.each([1, 2, 3, 4, 5, 6, 8, 10])(
  "a worker that dies at write %i of those that count and record removes nobody too many",
  async (last) => {
    const { c, ids } = await populated(30);
    let writes = 0;
    c.world.hooks.after = ({ to, what, changes, instance }) => {
      if (to !== "table" || !changes || !/ (limits|links|provisioninglog)$/.test(what) || ++writes !== last) return;
      instance.kill();
      c.world.start();
    };
    for (const id of ids.slice(0, 12)) c.source.deleteUser(id);
    await c.world.clock.runFor(4 * MINUTE);
    expect(writes).toBeGreaterThanOrEqual(last);
    expect(31 - there(c)).toBe(5);
    await c.world.clock.runFor(26 * MINUTE);
    expect(there(c)).toBe(19);
    expect(c.crimes()).toEqual([]);
  },
);

describe("creations", () => {
  test("a surge of three hundred is held past what the first cycle expects, and goes when it is approved", async () => {
    const c = twoTenants({
      seed: 13,
      ...CALM,
      jobs: (a) => [group(a, { firstCycle: { expected: 100 }, limits: { creations: { perHour: 50, perDay: 100 } } })],
    });
    open.push(c);
    for (let i = 0; i < 300; i++) c.hire(`user${i}`, [c.groupA]);
    await c.world.clock.runFor(20 * MINUTE);
    expect(there(c)).toBe(150);
    const set = await onlySet(c);
    expect(set).toMatchObject({ state: "held", kind: "creations", count: 151 });
    await decide(c, set, "approve");
    await until(c, HOUR, () => there(c) === 301);
    expect(await onlySet(c)).toMatchObject({ state: "executed" });
  });
});

describe("a surge of ten thousand creations", () => {
  test("is held past the limits, nobody comes meanwhile, and everybody once it is approved", {
    timeout: 600_000,
  }, async () => {
    const people = 10_000;
    const c = twoTenants({
      seed: 16,
      ...CALM,
      jobs: () => [
        {
          scope: { allUsers: true },
          firstCycle: { expected: 100 },
          limits: { creations: { perHour: 50, perDay: 100 } },
        },
      ],
    });
    open.push(c);
    const made = new Set<string>();
    c.target.onCommit(({ object, kind, id }) => {
      if (object === "user" && kind === "created") made.add(id);
    });
    for (let i = 0; i < people; i++) c.hire(`user${i}`, []);
    const isHeld = async () => (await held(c)).some(({ count }) => count === people + 1 - 150);
    for (let waited = 0; waited < 30 * MINUTE && !(await isHeld()); waited += MINUTE)
      await c.world.clock.runFor(MINUTE);
    const set = await onlySet(c);
    expect(set).toMatchObject({ state: "held", kind: "creations", count: people + 1 - 150 });
    expect(made.size).toBe(150);
    await decide(c, set, "approve");
    await until(c, 2 * HOUR, () => made.size === people + 1);
    expect(there(c)).toBe(people + 1);
    expect(await onlySet(c)).toMatchObject({ state: "executed", acted: people + 1 - 150 });
    expect(c.crimes()).toEqual([]);
  });
});

describe("jobs that end", () => {
  test("a job that is taken out of the file removes nobody", async () => {
    const { c } = await populated(10);
    await c.change([group(c.groupB, { state: "off" })], 10 * SECOND);
    await c.world.clock.runFor(30 * MINUTE);
    expect(there(c)).toBe(11);
  });

  test("a job that retires removes its people, counted and held; whom another job has goes over to it", async () => {
    const c = twoTenants({ seed: 14, jobs: (a, b) => [group(a), group(b)] });
    open.push(c);
    for (let i = 0; i < 30; i++) c.hire(`user${i}`, [c.groupA]);
    for (let i = 30; i < 34; i++) c.hire(`user${i}`, [c.groupA, c.groupB]);
    await until(c, 20 * MINUTE, () => guests(c) === 35);
    await c.change([group(c.groupA, { state: "retire" }), group(c.groupB)], 10 * SECOND);
    await c.world.clock.runFor(20 * MINUTE);
    expect(there(c)).toBe(35);
    const set = await onlySet(c);
    expect(set).toMatchObject({ jobId: "a", because: "jobRetired", state: "held", count: 30 });
    await decide(c, set, "approve");
    await c.world.clock.runFor(5 * MINUTE);
    expect(there(c)).toBe(5);
  });
});
