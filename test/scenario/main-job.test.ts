import { describe, expect, test } from "vitest";
import type { Instance } from "../../sandbox/world.ts";
import { decideHeld, listHeld } from "../../shared/pipeline/held.ts";
import { contoso, employee, MINUTE, SECOND } from "./contoso.ts";

describe("the first cycle", () => {
  test("brings everybody in scope into every target, and a second look writes nothing", async () => {
    const c = contoso({ seed: 1, people: 60 });
    await c.untilRight(10 * MINUTE);
    await c.world.clock.runFor(5 * MINUTE); // trailing looks at what we wrote ourselves
    const before = c.writes();
    for (const { name, id } of c.organization.tenants) {
      expect(name).toBeTruthy();
      for (const { row } of c.world.store.dump("checkpoints").filter(({ partition }) => partition === id)) {
        await c.world.instances[0]?.world.tables.checkpoints.remove(id, row); // everything is listed again
      }
    }
    await c.world.clock.runFor(10 * MINUTE);
    expect(c.writes()).toBe(before);
    c.expectRight();
    c.world.close();
  });
});

describe("what happens at the source", () => {
  test("somebody is hired, moved, renamed, blocked, deleted and taken back", async () => {
    const c = contoso({ seed: 2 });
    await c.untilRight(10 * MINUTE);
    const source = c.graph.truth("contoso-us");
    const { id, person } = employee(c, "contoso-us", 1);
    const step = async (change: () => void) => {
      change();
      await c.untilRight(MINUTE);
    };
    await step(() => {
      source.createUser({
        displayName: "Nora New",
        userPrincipalName: "nora.new@us.contoso.com",
        mail: "nora.new@us.contoso.com",
        accountEnabled: true,
        userType: "Member",
        department: "Sales",
      });
    });
    await step(() => source.updateUser(id, { department: "Poetry", jobTitle: "Poet" }));
    await step(() =>
      source.updateUser(id, {
        displayName: "Renamed",
        userPrincipalName: "renamed@us.contoso.com",
        mail: "renamed@us.contoso.com",
      }),
    );
    await step(() => source.updateUser(id, { accountEnabled: false }));
    await step(() => source.updateUser(id, { accountEnabled: true }));
    await step(() => source.deleteUser(id));
    await step(() => source.restoreUser(id));
    expect(person.kind).toBe("employee");
    c.world.close();
  });

  test("somebody who is deleted for good is removed after two readings", async () => {
    const c = contoso({ seed: 3 });
    await c.untilRight(10 * MINUTE);
    const source = c.graph.truth("contoso-us");
    const { id } = employee(c, "contoso-us", 0);
    source.deleteUser(id);
    source.purgeUser(id);
    await c.untilRight(3 * MINUTE);
    c.world.close();
  });

  test("a change of which Graph says nothing is found by the sweep", async () => {
    const c = contoso({ seed: 4, knobs: { notificationLost: 1 } });
    await c.untilRight(10 * MINUTE);
    const source = c.graph.truth("contoso-us");
    source.updateUser(employee(c, "contoso-us", 0).id, { department: "Silence" });
    source.deleteUser(employee(c, "contoso-us", 1).id);
    await c.world.clock.runFor(20 * SECOND);
    expect(c.graph.statistics()["contoso-us"]?.notificationsLost).toBeGreaterThan(0);
    await c.untilRight(3 * MINUTE);
    c.world.close();
  });

  test("leaving and joining a nested scope group is followed", async () => {
    const c = contoso({ seed: 5 });
    await c.untilRight(10 * MINUTE);
    const source = c.graph.truth("contoso-emea");
    const { id } = employee(c, "contoso-emea", 2);
    const groups = [...source.groups()].filter(({ memberIds }) => memberIds.includes(id));
    expect(groups.length).toBeGreaterThan(0);
    for (const group of groups) source.removeMember(group.id, id);
    await c.untilRight(2 * MINUTE);
    for (const group of groups) source.addMember(group.id, id);
    await c.untilRight(2 * MINUTE);
    c.world.close();
  });

  test("a whole group that leaves the scope takes its people along", async () => {
    const c = contoso({ seed: 6 });
    await c.untilRight(10 * MINUTE);
    const source = c.graph.truth("contoso-emea");
    const all = [...source.groups()];
    const scope = all.find(({ displayName }) => displayName === "GlobalEmployees");
    const nested = all.find(({ id }) => scope?.memberIds.includes(id));
    if (!scope || !nested) throw new Error("no nested group");
    source.removeMember(scope.id, nested.id);
    await c.untilRight(5 * MINUTE);
    source.addMember(scope.id, nested.id);
    await c.untilRight(5 * MINUTE);
    c.world.close();
  });
});

describe("what happens in the target", () => {
  test("a block by the target's administrators stays, whatever the source does", async () => {
    const c = contoso({ seed: 7 });
    await c.untilRight(10 * MINUTE);
    const { id } = employee(c, "contoso-us", 0);
    const target = c.graph.truth("contoso");
    const guest = [...target.users()].find(({ home }) => home?.userId === id);
    if (!guest) throw new Error("no guest");
    target.updateUser(guest.id, { accountEnabled: false });
    c.graph.truth("contoso-us").updateUser(id, { department: "Blocked" });
    await c.untilRight(2 * MINUTE);
    expect(target.user(guest.id)?.accountEnabled).toBe(false);
    expect(c.watch.blocksLifted).toEqual([]);
    c.world.close();
  });

  test("a guest that an administrator of the target removed is not brought back", async () => {
    const c = contoso({ seed: 8 });
    await c.untilRight(10 * MINUTE);
    const { id } = employee(c, "contoso-us", 0);
    const target = c.graph.truth("contoso");
    const guest = [...target.users()].find(({ home }) => home?.userId === id);
    if (!guest) throw new Error("no guest");
    target.deleteUser(guest.id);
    c.graph.truth("contoso-us").updateUser(id, { department: "Removed" });
    await c.world.clock.runFor(5 * MINUTE);
    expect(target.user(guest.id)?.deletedAt).toBeDefined();
    const row = c.world.store.dump("links").find((link) => link.row === id)?.value;
    expect(row).toMatchObject({ because: "TARGET_REMOVED_THERE" });
    c.world.close();
  });

  test("nobody inherits the guest of somebody who had the address before", async () => {
    const c = contoso({ seed: 9 });
    await c.untilRight(10 * MINUTE);
    const source = c.graph.truth("contoso-us");
    const { id, person } = employee(c, "contoso-us", 3);
    source.deleteUser(id);
    await c.untilRight(2 * MINUTE);
    source.purgeUser(id);
    const heir = source.createUser({ ...person.properties, displayName: "Same Address" });
    await c.world.clock.runFor(3 * MINUTE);
    c.expectRight();
    const row = c.world.store.dump("links").find((link) => link.row === heir)?.value;
    expect(row).toMatchObject({ state: "none", because: "ADDRESS_REUSED" });
    c.world.close();
  });
});

describe("rules", () => {
  test.each([
    { name: "disable", onOutOfScope: "disable" as const },
    { name: "keep", onOutOfScope: "keep" as const },
  ])("people who leave the scope of a job that says $name", async ({ onOutOfScope }) => {
    const c = contoso({
      seed: 10,
      config: (config) => ({ ...config, jobs: config.jobs.map((job) => ({ ...job, onOutOfScope })) }),
    });
    await c.untilRight(10 * MINUTE);
    const source = c.graph.truth("contoso-emea");
    const { id } = employee(c, "contoso-emea", 2);
    for (const group of source.groups()) if (group.memberIds.includes(id)) source.removeMember(group.id, id);
    await c.untilRight(3 * MINUTE);
    c.world.close();
  });

  test("a job that observes decides and logs, and writes nothing", async () => {
    const c = contoso({
      seed: 11,
      config: (config) => ({ ...config, jobs: config.jobs.map((job) => ({ ...job, state: "observe" as const })) }),
    });
    await c.world.clock.runFor(5 * MINUTE);
    expect(c.world.store.dump("provisioninglog").length).toBeGreaterThan(20);
    for (const { name } of c.organization.tenants) {
      const guests = [...c.graph.truth(name).users()].filter(({ createdBy }) => createdBy !== "people");
      expect(guests).toEqual([]);
    }
    c.world.close();
  });

  test("removals stop when too many leave within an hour, and everybody else goes on", async () => {
    const c = contoso({ seed: 12, people: 200 });
    await c.untilRight(20 * MINUTE);
    const source = c.graph.truth("contoso-us");
    const { world } = c.world.instances[0] as Instance;
    const guestsNow = () =>
      [...c.graph.truth("contoso").users()].filter(({ home, deletedAt }) => home?.tenant === "contoso-us" && !deletedAt)
        .length;
    const before = guestsNow();
    const gone = [...source.users()]
      .filter(({ userType, creationType }) => userType === "Member" && creationType === null)
      .slice(0, 30);
    for (const user of gone) source.deleteUser(user.id);
    await c.world.clock.runFor(15 * MINUTE);
    expect(before - guestsNow()).toBe(5); // the immediate few; the others are more than a tenth of the job's people
    const [set] = await listHeld(world);
    expect(set).toMatchObject({ state: "held", class: "person", because: "sourceDeleted", count: 25 });
    if (!set) throw new Error("nothing is held");
    const { jobId, setId, count } = set;
    const answer = await decideHeld(world, { jobId, setId, verdict: "approve", by: "hub/bob", count });
    expect(answer.kind).toBe("decided");
    await c.untilRight(10 * MINUTE);
    c.world.close();
  });
});

describe("guests and second hops", () => {
  test("guests of the hub are not pushed on, and the log says so", async () => {
    const c = contoso({ seed: 13 });
    await c.untilRight(10 * MINUTE);
    const hub = c.organization.tenants.find(({ name }) => name === "contoso")?.id;
    const scope = [...c.graph.truth("contoso").groups()].find(({ displayName }) => displayName === "China Program");
    const guest = [...c.graph.truth("contoso").users()].find(({ home }) => home?.tenant === "contoso-us");
    if (!scope || !guest) throw new Error("the world lacks what the test needs");
    c.graph.truth("contoso").addMember(scope.id, guest.id);
    await c.world.clock.runFor(2 * MINUTE);
    c.expectRight();
    const told = c.world.store
      .dump("provisioninglog")
      .map(({ value }) => value as { userId: string; because: string; sourceTenantId: string });
    expect(
      told.filter(
        ({ userId, because, sourceTenantId }) =>
          userId === guest.id && because === "externalAtSource" && sourceTenantId === hub,
      ),
    ).not.toEqual([]);
    c.world.close();
  });
});
