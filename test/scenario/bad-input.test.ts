import { describe, expect, test } from "vitest";
import { ERRORS } from "../../shared/domain/error.ts";
import { contoso, employee, HOUR, MINUTE, SECOND } from "./contoso.ts";

const rows = (c: ReturnType<typeof contoso>, userId: string) =>
  c.world.store
    .dump("provisioninglog")
    .map(
      ({ value }) =>
        value as { userId: string; code?: string; status: string; remedy?: string; targetTenantId: string },
    )
    .filter((row) => row.userId === userId);
const linkOf = (c: ReturnType<typeof contoso>, userId: string) =>
  c.world.store.dump("links").find(({ row }) => row === userId)?.value as
    | { because?: string; state: string }
    | undefined;
const hire = (c: ReturnType<typeof contoso>, userPrincipalName: string, mail: string | null, more: object = {}) =>
  c.graph.truth("contoso-us").createUser({
    displayName: "Newcomer",
    userPrincipalName,
    mail,
    accountEnabled: true,
    userType: "Member",
    ...more,
  });

describe("people who cannot be provisioned are visible, and everybody else goes on", () => {
  test("no address that can be invited", async () => {
    const c = contoso({ seed: 21 });
    await c.untilRight(10 * MINUTE);
    const odd = hire(c, "odd#name@us.contoso.com", null);
    const even = hire(c, "even.name@us.contoso.com", null);
    await c.untilRight(MINUTE);
    await c.world.clock.runFor(10 * SECOND);
    expect(rows(c, odd)).toMatchObject([
      { status: "failure", code: "ADDRESS_CANNOT_BE_INVITED", remedy: expect.stringMatching(/userPrincipalName/) },
    ]);
    expect(linkOf(c, even)).toMatchObject({ state: "linked" });
    c.world.close();
  });

  test("two people with one mail: one of them has the guest, the other is held", async () => {
    const c = contoso({ seed: 22 });
    await c.untilRight(10 * MINUTE);
    const ids = [
      hire(c, "first@us.contoso.com", "shared@us.contoso.com"),
      hire(c, "second@us.contoso.com", "shared@us.contoso.com"),
    ];
    await c.world.clock.runFor(2 * MINUTE);
    c.expectRight();
    const states = ids.map((id) => linkOf(c, id)?.state).sort();
    expect(states).toEqual(["linked", "none"]);
    const held = ids.find((id) => linkOf(c, id)?.state === "none") ?? "";
    expect(rows(c, held)).toMatchObject([{ code: "DUPLICATE_SOURCE", remedy: ERRORS.DUPLICATE_SOURCE.remedy }]);
    c.world.close();
  });

  test("the address of an internal user of the target", async () => {
    const c = contoso({ seed: 23 });
    await c.untilRight(10 * MINUTE);
    const { person } = employee(c, "contoso", 0);
    const id = hire(c, "collides.user@us.contoso.com", String(person.properties.mail));
    const even = hire(c, "even.name@us.contoso.com", null);
    await c.world.clock.runFor(2 * MINUTE);
    expect(rows(c, id)).toMatchObject([
      { status: "skipped", code: "INTERNAL_USER_HAS_ADDRESS", remedy: ERRORS.INTERNAL_USER_HAS_ADDRESS.remedy },
    ]);
    expect(linkOf(c, even)).toMatchObject({ state: "linked" });
    c.expectRight();
    c.world.close();
  });

  test("the address of a group of the target", async () => {
    const c = contoso({ seed: 23 });
    await c.untilRight(10 * MINUTE);
    const hub = c.graph.truth("contoso");
    const groupId = hub.createGroup({ displayName: "Sales Team", unified: true });
    const domain = c.organization.tenants.find(({ name }) => name === "contoso")?.domain;
    const id = hire(c, "collides.group@us.contoso.com", `salesteam@${domain}`);
    const even = hire(c, "even.name@us.contoso.com", null);
    await c.world.clock.runFor(2 * MINUTE);
    expect([...hub.groups()].map((group) => group.id)).toContain(groupId);
    expect(rows(c, id)).toMatchObject([
      { code: "ADDRESS_IN_USE_IN_TARGET", remedy: ERRORS.ADDRESS_IN_USE_IN_TARGET.remedy },
    ]);
    expect(linkOf(c, even)).toMatchObject({ state: "linked" });
    expect([...hub.users()].filter(({ home }) => home?.userId === id)).toEqual([]);
    c.world.close();
  });

  test("the address of a contact: created, with a warning", async () => {
    const c = contoso({ seed: 24 });
    await c.untilRight(10 * MINUTE);
    c.graph.truth("contoso").createContact({ displayName: "Contact", mail: "has.contact@us.contoso.com" });
    const id = hire(c, "has.contact@us.contoso.com", "has.contact@us.contoso.com");
    await c.world.clock.runFor(2 * MINUTE);
    expect(linkOf(c, id)).toMatchObject({ state: "linked" });
    const { remedy } = ERRORS.CONTACT_HAS_ADDRESS;
    expect(rows(c, id)).toContainEqual(
      expect.objectContaining({ status: "warning", code: "CONTACT_HAS_ADDRESS", remedy }),
    );
    const { id: other } = employee(c, "contoso-us", 0);
    expect(rows(c, other).filter(({ code }) => code === "CONTACT_HAS_ADDRESS")).toEqual([]);
    c.world.close();
  });
});

describe("pages", () => {
  test.each([
    { name: "cut short", fault: { on: "delta", kind: "truncate" } as const },
    { name: "5xx", fault: { on: "delta", kind: "status", status: 502 } as const },
    { name: "a reset with Location", fault: { on: "delta", kind: "resync" } as const },
    { name: "a reset without", fault: { on: "delta", kind: "resyncWithoutLocation" } as const },
  ])("$name: nobody is removed, and the sweep goes on", async ({ fault }) => {
    const c = contoso({ seed: 25, knobs: { notificationLost: 1, deltaPageSize: 5 } });
    await c.untilRight(10 * MINUTE);
    const before = c.writes();
    c.graph.addFault({ ...fault, probability: 0.5, times: 20 });
    await c.world.clock.runFor(10 * MINUTE);
    const struck = Object.values(c.graph.statistics()).reduce((sum, { faults }) => sum + (faults[fault.kind] ?? 0), 0);
    expect(struck).toBeGreaterThan(0);
    expect(c.writes()).toBe(before);
    c.graph.truth("contoso-us").updateUser(employee(c, "contoso-us", 0).id, { department: "After" });
    await c.untilRight(5 * MINUTE);
    c.world.close();
  });

  test("an item that is no user is a failure row, and the page goes on", async () => {
    const c = contoso({ seed: 26 });
    await c.untilRight(10 * MINUTE);
    const [instance] = c.world.instances;
    const us = c.organization.tenants.find(({ name }) => name === "contoso-us")?.id ?? "";
    const changes = instance?.world.changes(us);
    if (!changes) throw new Error("no instance");
    const users = changes.users.bind(changes);
    Object.assign(changes, {
      users: async (...args: Parameters<typeof users>) => ({ ...(await users(...args)), unreadable: 1 }),
    });
    await c.world.clock.runFor(2 * MINUTE);
    const told = c.world.store
      .dump("provisioninglog")
      .filter(({ value }) => (value as { code?: string }).code === "ITEM_UNREADABLE");
    expect(told.length).toBeGreaterThan(0);
    c.expectRight();
    c.world.close();
  });
});

describe("messages", () => {
  test("one that does not parse or has a newer version is dead-lettered and visible, and the others go on", async () => {
    const c = contoso({ seed: 27 });
    await c.untilRight(10 * MINUTE);
    const us = c.organization.tenants.find(({ name }) => name === "contoso-us")?.id ?? "";
    const { id } = employee(c, "contoso-us", 0);
    await c.world.bus.send("changes", [
      { id: "rubbish", body: "rubbish" },
      {
        id: "newer",
        body: {
          version: 2,
          id: "newer",
          lane: "changes",
          sourceTenantId: us,
          userIds: [id],
          reason: "sweep",
          attempt: 0,
          noticedAt: 0,
        },
      },
      {
        id: "foreign",
        body: {
          version: 1,
          id: "foreign",
          lane: "changes",
          sourceTenantId: "00000000-0000-4000-8000-000000000000",
          userIds: [id],
          reason: "sweep",
          attempt: 0,
          noticedAt: 0,
        },
      },
    ]);
    await c.world.bus.send("pages", [{ id: "page", body: { version: 1, kind: "page" } }]);
    c.graph.truth("contoso-us").updateUser(id, { department: "Beside rubbish" });
    await c.untilRight(MINUTE);
    const told = c.world.store
      .dump("provisioninglog")
      .filter(({ value }) => (value as { code?: string }).code === "MESSAGE_UNREADABLE");
    expect(told).toHaveLength(3);
    const body = { version: 1, kind: "sweep", tenantId: us, stream: "users", reason: "operator" } as const;
    c.world.hooks.before = ({ what }) => {
      if (what.includes("checkpoints")) throw new TypeError("a defect");
    };
    await c.world.bus.send("pages", [{ id: "poisoned", body }]);
    await c.world.clock.runFor(MINUTE);
    c.world.hooks.before = undefined;
    const gaveUp = c.world.store
      .dump("provisioninglog")
      .map(({ value }) => value as { code?: string; detail?: string });
    expect(gaveUp.find(({ code }) => code === "PAGE_GAVE_UP")?.detail).toContain(`sweep of ${us}, users`);
    expect(c.world.log.some(({ event }) => event === "security event")).toBe(true);
    c.world.close();
  });
});

describe("one person who always fails", () => {
  test("becomes a failure of that person while everybody else goes on", async () => {
    const c = contoso({ seed: 28 });
    await c.untilRight(10 * MINUTE);
    const { id } = employee(c, "contoso-us", 0);
    const hub = c.organization.tenants.find(({ name }) => name === "contoso")?.id ?? "";
    for (const instance of c.world.instances) {
      const target = instance.world.target(hub);
      const update = target.update.bind(target);
      const guest = [...c.graph.truth("contoso").users()].find(({ home }) => home?.userId === id)?.id;
      Object.assign(target, {
        update: async (...args: Parameters<typeof update>) => {
          if (args[0].targetId === guest) throw new TypeError("this user breaks the adapter");
          return update(...args);
        },
      });
    }
    c.graph.truth("contoso-us").updateUser(id, { department: "Breaks" });
    c.graph.truth("contoso-us").updateUser(employee(c, "contoso-us", 1).id, { department: "Goes on" });
    await c.world.clock.runFor(5 * MINUTE);
    expect(rows(c, id)).toContainEqual(expect.objectContaining({ code: "KEEPS_FAILING", status: "failure" }));
    const other = [...c.graph.truth("contoso").users()].find(
      ({ home }) => home?.userId === employee(c, "contoso-us", 1).id,
    );
    expect(other?.properties.department).toBe("Goes on");
    c.world.close();
  });

  test("a tenant that answers 500 for one write only is not taken for an outage", async () => {
    const c = contoso({ seed: 29 });
    await c.untilRight(10 * MINUTE);
    c.graph.addFault({ tenant: "contoso-china", on: "write", kind: "status", status: 500 });
    const { id } = employee(c, "contoso", 0);
    const china = [...c.graph.truth("contoso-china").users()].find(({ home }) => home?.tenant === "contoso");
    if (!china?.home) throw new Error("nobody in China");
    c.graph.truth("contoso").updateUser(china.home.userId, { department: "Refused" });
    c.graph.truth("contoso").updateUser(id, { department: "Elsewhere" });
    await c.world.clock.runFor(5 * MINUTE);
    expect(rows(c, china.home.userId)).toContainEqual(expect.objectContaining({ code: "KEEPS_FAILING" }));
    c.graph.clearFaults();
    await c.untilRight(2 * HOUR);
    c.world.close();
  });
});
