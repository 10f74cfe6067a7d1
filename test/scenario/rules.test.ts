import { describe, expect, test } from "vitest";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { expectSound, type Rules, type TwoTenants, twoTenants } from "./two-tenants.ts";

const DAY = 24 * HOUR;
const clauses = (operator: string, value: string) => [{ clauses: [{ attribute: "department", operator, value }] }];
const ALL = { scope: { allUsers: true } };
const all = (more: Rules = {}) => [{ ...ALL, ...more }];
const filtered = (more: Rules = {}) => all({ scope: { allUsers: true, filter: clauses("EQUALS", "0") }, ...more });

const rows = (c: TwoTenants, userId: string): LogRow[] =>
  c.world.store
    .dump("provisioninglog")
    .map(({ value }) => value as LogRow)
    .filter((row) => row.userId === userId);
const guestOf = (c: TwoTenants, userId: string) => {
  const [guest, ...others] = c.guestsOf(userId);
  expect(others).toEqual([]);
  if (!guest) throw new Error("there is no guest");
  return guest;
};
/** Until everything is as it must be; with that, nothing bad has happened on the way either. */
async function settled(c: TwoTenants, limitMs = 3 * MINUTE): Promise<void> {
  await c.untilSettled(limitMs);
  expectSound(c);
}
async function world(options: Omit<Parameters<typeof twoTenants>[0], "seed">) {
  const c = twoTenants({ seed: 1, ...options });
  await settled(c, 3 * HOUR);
  return c;
}

describe("scoping filters", () => {
  test("who leaves one is removed at once, and who comes back gets the same user", async () => {
    const c = await world({ jobs: () => filtered() });
    const ada = c.hire("ada", []);
    await settled(c);
    const { id } = guestOf(c, ada);
    c.source.updateUser(ada, { department: "Elsewhere" });
    await settled(c, 30 * SECOND);
    expect(guestOf(c, ada)).toMatchObject({ id, deletedAt: expect.any(Number) });
    c.source.updateUser(ada, { department: "0" });
    await settled(c, 30 * SECOND);
    expect(guestOf(c, ada)).toMatchObject({ id, deletedAt: undefined });
    c.world.close();
  });

  test("who comes back after the recycle bin has forgotten them is made anew", async () => {
    const c = twoTenants({
      seed: 1,
      jobs: () => filtered(),
      timerMs: 12 * HOUR,
      // Sweeps alone: a month of subscriptions that are renewed is what costs.
      settings: { sweepMs: 12 * HOUR, driftMs: 40 * DAY, censusMs: 40 * DAY, publicUrl: undefined },
    });
    const ada = c.hire("ada", []);
    const { runFor } = c.world.clock;
    await runFor(2 * DAY);
    const { id } = guestOf(c, ada);
    c.source.updateUser(ada, { department: "Elsewhere" });
    await runFor(32 * DAY);
    expect(c.guestsOf(ada)).toEqual([]);
    c.source.updateUser(ada, { department: "0" });
    await runFor(2 * DAY);
    expect(c.faults().filter((fault) => !fault.startsWith("no subscription"))).toEqual([]);
    expect(guestOf(c, ada).id).not.toBe(id);
    c.world.close();
  });

  test("who never passed one has a row that says why, in the documented words", async () => {
    const c = await world({
      jobs: (group) => [{ scope: { groups: [{ id: group }], filter: clauses("EQUALS", "0") } }],
    });
    const bob = c.hire("bob", [c.groupA], { department: "Elsewhere" });
    await c.world.clock.runFor(MINUTE);
    expectSound(c);
    expect(c.guestsOf(bob)).toEqual([]);
    expect(rows(c, bob)).toMatchObject([
      {
        status: "skipped",
        because: "filteredOut",
        skipReason: "NotEffectivelyEntitled",
        scoping: {
          "Active in the source system": "True",
          "Assigned to the application": "True",
          "Scoping filter evaluation passed": "False",
          ScopeEvaluationResult: JSON.stringify({ "Scoping filter 1.department EQUALS '0'": false }),
        },
      },
    ]);
    c.world.close();
  });

  test("an input filter leaves people alone, and only sign-in follows the source", async () => {
    const c = await world({ jobs: () => all({ scope: { allUsers: true, inputFilter: clauses("EQUALS", "0") } }) });
    const ada = c.hire("ada", []);
    await settled(c);
    c.source.updateUser(ada, { department: "Elsewhere", displayName: "Not To Be Read" });
    await c.world.clock.runFor(MINUTE);
    expect(guestOf(c, ada)).toMatchObject({ deletedAt: undefined, properties: { displayName: "ada" } });
    for (const accountEnabled of [false, true]) {
      c.source.updateUser(ada, { accountEnabled });
      await c.world.clock.runFor(MINUTE);
      expectSound(c);
      expect(guestOf(c, ada)).toMatchObject({ accountEnabled, properties: { displayName: "ada" } });
    }
    expect(rows(c, ada)).toContainEqual(expect.objectContaining({ because: "leftAlone", skipReason: "ImportSkipped" }));
    c.source.deleteUser(ada);
    await settled(c);
    expect(guestOf(c, ada).deletedAt).toBeDefined();
    c.world.close();
  });

  test("what only a filter reads is read, and followed", async () => {
    const filter = [{ clauses: [{ attribute: "employeeType", operator: "IS NOT NULL" }] }];
    const c = await world({ jobs: () => all({ scope: { allUsers: true, filter } }), knobs: { notificationLost: 1 } });
    const ada = c.hire("ada", []);
    await settled(c, 5 * MINUTE);
    expect(c.guestsOf(ada)).toEqual([]);
    c.source.updateUser(ada, { employeeType: "Staff" });
    await settled(c, 5 * MINUTE);
    expect(guestOf(c, ada).deletedAt).toBeUndefined();
    c.world.close();
  });
});

describe("assignment", () => {
  test("by name: no group and no listing brings them, and taking a name out of the file removes", async () => {
    const [ADA, BOB] = ["aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"] as const;
    const named = (...users: string[]) => [{ scope: { users } }];
    const c = twoTenants({ seed: 2, jobs: () => named(ADA, BOB) });
    for (const [name, id] of Object.entries({ ada: ADA, bob: BOB })) c.hire(name, [], { id });
    await settled(c);
    const { id } = guestOf(c, BOB);
    await c.change(named(ADA), 10 * SECOND);
    await settled(c);
    expect(guestOf(c, BOB)).toMatchObject({ id, deletedAt: expect.any(Number) });
    expect(rows(c, BOB)).toContainEqual(expect.objectContaining({ action: "delete", because: "notListed" }));
    expect(guestOf(c, ADA).deletedAt).toBeUndefined();
    c.world.close();
  });

  test("who loses one job's scope is the next one's, and is not removed in between", async () => {
    const c = await world({
      jobs: (a, b) => [
        { scope: { groups: [{ id: a }], filter: clauses("EQUALS", "0") } },
        { scope: { groups: [{ id: b }] } },
      ],
    });
    const ada = c.hire("ada", [c.groupA, c.groupB]);
    await settled(c);
    const deleted: string[] = [];
    c.target.onCommit(({ kind, id }) => kind === "deleted" && deleted.push(id));
    c.source.updateUser(ada, { department: "1" });
    await settled(c);
    expect(guestOf(c, ada).properties.companyName).toBe("job b");
    expect(deleted).toEqual([]);
    c.world.close();
  });
});

describe("disabled accounts", () => {
  test.each([
    { onDisabledThenUnassigned: "keep", stays: true },
    { onDisabledThenUnassigned: "asOutOfScope", stays: false },
  ])("disabled first, filtered out then: $onDisabledThenUnassigned", async ({ onDisabledThenUnassigned, stays }) => {
    const c = await world({ jobs: () => filtered({ onDisabledThenUnassigned }) });
    const ada = c.hire("ada", []);
    await settled(c);
    c.source.updateUser(ada, { accountEnabled: false });
    await settled(c);
    c.source.updateUser(ada, { department: "Elsewhere" });
    await c.world.clock.runFor(MINUTE);
    expectSound(c);
    expect(guestOf(c, ada)).toMatchObject({ accountEnabled: false });
    expect(guestOf(c, ada).deletedAt === undefined).toBe(stays);
    c.world.close();
  });

  test("the stop of removals does not stop blocks", async () => {
    const c = await world({ jobs: () => filtered() });
    const people = Array.from({ length: 30 }, (_, index) => c.hire(`p${index}`, []));
    await settled(c, 10 * MINUTE);
    for (const id of people) c.source.updateUser(id, { department: "Elsewhere", accountEnabled: false });
    await c.world.clock.runFor(5 * MINUTE);
    const guests = people.map((id) => guestOf(c, id));
    expect(guests.filter(({ deletedAt }) => deletedAt === undefined).length).toBeGreaterThan(0);
    expect(guests.filter(({ accountEnabled, deletedAt }) => accountEnabled && deletedAt === undefined)).toEqual([]);
    c.world.close();
  });
});

describe("user types", () => {
  test("of people who are there: changed only where the job says so, with a row of its own", async () => {
    const c = await world({ jobs: () => all() });
    const ada = c.hire("ada", []);
    await settled(c);
    await c.change([{ ...ALL, userType: "guest", changeUserType: true }], 10 * SECOND);
    await settled(c);
    expect(guestOf(c, ada).userType).toBe("Guest");
    expect(rows(c, ada)).toContainEqual(
      expect.objectContaining({ action: "update", because: "changeUserType", properties: ["userType"] }),
    );
    c.world.close();
  });

  test.each(["refused", "unauthorized"] as const)(
    "a tenant that lets no app invite members (%s): invited as a guest, and a member all the same",
    async (memberInvitations) => {
      const c = await world({ jobs: () => all(), hub: { memberInvitations } });
      const people = ["ada", "bob", "eve"].map((name) => c.hire(name, []));
      await settled(c);
      expect(people.map((id) => guestOf(c, id).userType)).toEqual(["Member", "Member", "Member"]);
      c.world.close();
    },
  );
});

describe("managers", () => {
  test.each([
    { name: "within Commercial", hub: {}, manager: undefined },
    { name: "across clouds, where the job says so", hub: { cloud: "usGov" as const }, manager: true },
  ])("$name: set when the manager arrives, taken away when there is none", async ({ hub, manager }) => {
    const c = await world({ jobs: () => filtered({ manager }), hub });
    const boss = c.hire("boss", [], { department: "Elsewhere" });
    const ada = c.hire("ada", [], { manager: boss });
    await settled(c);
    expect(guestOf(c, ada).managerId).toBeUndefined();
    c.source.updateUser(boss, { department: "0" });
    await settled(c);
    expect(guestOf(c, ada).managerId).toBe(guestOf(c, boss).id);
    c.source.updateUser(ada, { manager: null });
    await settled(c);
    expect(guestOf(c, ada).managerId).toBeUndefined();
    c.world.close();
  });

  test("one whom the target's administrators set for somebody without one stays", async () => {
    const c = await world({ jobs: () => all() });
    const ada = c.hire("ada", []);
    await settled(c);
    const chief = c.target.createUser({ userPrincipalName: "chief@hub.example", displayName: "Chief" });
    c.target.updateUser(guestOf(c, ada).id, { manager: chief });
    c.source.updateUser(ada, { department: "1" });
    await settled(c);
    expect(guestOf(c, ada)).toMatchObject({ managerId: chief, properties: { department: "1" } });
    c.world.close();
  });
});

describe("sponsors", () => {
  const NOBODY = "99999999-9999-4999-8999-999999999999";
  const HOST = "88888888-8888-4888-8888-888888888888";
  test.each([
    { name: "in the invitation, in Commercial", hub: {}, sponsors: [HOST], warned: false },
    { name: "one of whom is unknown, in Commercial", hub: {}, sponsors: [HOST, NOBODY], warned: true },
    { name: "afterwards, in US Government", hub: { cloud: "usGov" as const }, sponsors: [HOST], warned: false },
    {
      name: "one of whom is unknown, in US Government",
      hub: { cloud: "usGov" as const },
      sponsors: [NOBODY, HOST],
      warned: true,
    },
  ])("$name", async ({ hub, sponsors, warned }) => {
    const c = twoTenants({ seed: 3, hub, jobs: () => all({ sponsors }) });
    c.target.createUser({ id: HOST, userPrincipalName: "host@hub.example", displayName: "Host" });
    const ada = c.hire("ada", []);
    await settled(c);
    expect(guestOf(c, ada).sponsorIds).toEqual([HOST]);
    const row = rows(c, ada).find(({ action }) => action === "create");
    expect(row).toMatchObject(warned ? { status: "warning", code: "SPONSOR_NOT_FOUND" } : { status: "success" });
    c.world.close();
  });
});
