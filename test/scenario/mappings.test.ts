import { afterEach, describe, expect, test } from "vitest";
import type { TenantSpec } from "../../sandbox/graph/api.ts";
import { type SimulatedWorld, simulatedWorld } from "../../sandbox/world.ts";
import { SyncConfig } from "../../shared/config/schema.ts";
import type { AttributeMapping } from "../../shared/domain/mapping/mapping.ts";
import { missingExtensions } from "../../shared/pipeline/keep-extensions.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { MINUTE, SECOND } from "./contoso.ts";

const APP = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const OWN = `extension_${APP.replaceAll("-", "")}_`;
const ids = { home: "11111111-1111-4111-8111-111111111111", hub: "22222222-2222-4222-8222-222222222222" };

const worlds: SimulatedWorld[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

interface Options {
  mappings: readonly AttributeMapping[];
  extensions?: readonly Record<string, unknown>[];
  /** More than the usual ones in the target. */
  permissions?: readonly string[];
  flowNullValues?: boolean;
  /** Default: the target's. */
  homeCloud?: "usGov";
}

/** One source, one target, one job for everybody with these mappings. */
function mappedWorld({ mappings, extensions = [], permissions = [], flowNullValues = false, homeCloud }: Options) {
  const cloudOf = (name: "home" | "hub") => (name === "home" ? homeCloud : undefined) ?? "global";
  const spec = (name: "home" | "hub", more: readonly string[]): TenantSpec => ({
    name,
    id: ids[name],
    cloud: cloudOf(name),
    domain: `${name}.example`,
    initialDomain: `${name}.onmicrosoft.com`,
    clients: [
      {
        clientId: APP,
        permissions: ["User.Read.All", "Group.Read.All", "GroupMember.Read.All", ...more],
        extensions: [{ name: "syncSource", dataType: "String" }],
      },
    ],
  });
  const credential = { kind: "certificate", clientId: APP, path: "app.pem" };
  const config = SyncConfig.parse({
    version: 1,
    deployment: "mappings",
    tenants: [
      { name: "home", id: ids.home, cloud: cloudOf("home"), credential, defaultDomain: "home.example" },
      { name: "hub", id: ids.hub, cloud: "global", credential, extensions },
    ],
    jobs: [
      {
        id: "all",
        source: "home",
        target: "hub",
        state: "on",
        userType: "member",
        scope: { allUsers: true },
        flowNullValues,
        mappings: [{ target: "displayName", source: "displayName" }, { target: "mail", source: "mail" }, ...mappings],
      },
    ],
  });
  const writing = ["User.ReadWrite.All", "User.Invite.All", "User.DeleteRestore.All", "User.EnableDisableAccount.All"];
  const world = simulatedWorld({
    seed: 7,
    config,
    tenants: [spec("home", []), spec("hub", [...writing, ...permissions])],
    knobs: { latencyMs: [20, 120], replicationLagMs: 2_000, indexLagMs: 4_000, deltaLagMs: 2_000 },
    settings: { replicationAllowanceMs: 5_000, indexAllowanceMs: 10_000, sweepMs: 60_000 },
  });
  worlds.push(world);
  const [home, hub] = [world.graph.truth("home"), world.graph.truth("hub")];
  return {
    world,
    home,
    hub,
    hire: (name: string, more: Readonly<Record<string, unknown>> = {}) =>
      home.createUser({
        displayName: name,
        userPrincipalName: `${name}@home.example`,
        mail: `${name}@home.example`,
        accountEnabled: true,
        userType: "Member",
        ...more,
      }),
    guestOf: (userId: string) => [...hub.users()].find((user) => user.home?.userId === userId),
    rows: (userId: string) =>
      world.store
        .dump("provisioninglog")
        .map(({ value }) => value as LogRow)
        .filter((row) => row.userId === userId),
    /** Asks an instance while time goes on. */
    async lacking() {
      const asked = Promise.all(world.instances.map((instance) => missingExtensions(instance.world)));
      await world.clock.runFor(10 * SECOND);
      return (await asked).flat();
    },
    async until(holds: () => boolean, limitMs = 10 * MINUTE) {
      const end = world.clock.now() + limitMs;
      while (!holds() && world.clock.now() < end) await world.clock.runFor(SECOND);
      expect(holds()).toBe(true);
    },
  };
}

test("across clouds a mail that is not the name at home is a warning on the row of the creation", async () => {
  const w = mappedWorld({ mappings: [], homeCloud: "usGov" });
  await w.world.clock.runFor(MINUTE);
  const [ada, grace] = [w.hire("ada", { mail: "a.lovelace@home.example" }), w.hire("grace")];
  await w.until(() => [ada, grace].every((id) => w.rows(id).some(({ action }) => action === "create")));
  const told = { action: "create", status: "warning", code: "MAIL_DIFFERS_FROM_NAME" };
  expect(w.rows(ada)).toContainEqual(expect.objectContaining(told));
  expect(w.rows(grace)).toContainEqual(expect.objectContaining({ action: "create", status: "success" }));
});

describe("SelectUniqueValue", () => {
  const mappings: AttributeMapping[] = [
    {
      target: "mailNickname",
      flowType: "ObjectAddOnly",
      expression: 'SelectUniqueValue([givenName], Join(".", [givenName], [surname]))',
    },
  ];
  const nickname = (user: { properties: Readonly<Record<string, unknown>> } | undefined) =>
    user?.properties.mailNickname;

  test("two people who are hired at the same moment and want the same value get two", async () => {
    const w = mappedWorld({ mappings });
    await w.world.clock.runFor(MINUTE);
    const people = [
      w.hire("ada", { givenName: "Ada", surname: "Lovelace" }),
      w.hire("ada2", { givenName: "Ada", surname: "Byron" }),
    ];
    await w.until(() => people.every((id) => nickname(w.guestOf(id)) !== undefined && w.rows(id).length > 0));
    const given = people.map((id) => String(nickname(w.guestOf(id)))).sort();
    expect(given[0]).toBe("Ada");
    expect(["Ada.Byron", "Ada.Lovelace"]).toContain(given[1]);
  });

  test("a value that somebody in the target has, live or removed, is taken; what was given once stays", async () => {
    const w = mappedWorld({ mappings });
    const there = (name: string, mailNickname: string) =>
      w.hub.createUser({
        displayName: name,
        userPrincipalName: `${name}@hub.example`,
        mailNickname,
        userType: "Member",
      });
    there("kim", "ADA");
    w.hub.deleteUser(there("lee", "grace"));
    const ada = w.hire("ada", { givenName: "Ada", surname: "Lovelace" });
    const grace = w.hire("grace", { givenName: "Grace", surname: "Hopper" });
    await w.until(() => w.rows(ada).length > 0 && w.rows(grace).length > 0);
    expect(nickname(w.guestOf(ada))).toBe("Ada.Lovelace");
    expect(nickname(w.guestOf(grace))).toBe("Grace.Hopper");
    w.home.updateUser(ada, { surname: "King" });
    await w.world.clock.runFor(3 * MINUTE);
    expect(nickname(w.guestOf(ada))).toBe("Ada.Lovelace");
  });

  test("a person for whom all are taken is told of, with the attribute and without values, and made when one is free", async () => {
    const w = mappedWorld({ mappings });
    const holders = ["ada", "ada.lovelace"].map((mailNickname, index) =>
      w.hub.createUser({
        displayName: mailNickname,
        userPrincipalName: `holder${index}@hub.example`,
        mailNickname,
        userType: "Member",
      }),
    );
    const ada = w.hire("ada", { givenName: "Ada", surname: "Lovelace" });
    const bystander = w.hire("bob", { givenName: "Bob", surname: "Ross" });
    await w.until(() => w.rows(ada).length > 0 && w.guestOf(bystander) !== undefined);
    expect(w.guestOf(ada)).toBeUndefined();
    expect(w.rows(ada)).toMatchObject([
      { status: "failure", code: "VALUE_NOT_UNIQUE", detail: "mailNickname: NoUniqueValue" },
    ]);
    w.hub.updateUser(holders[1] ?? "", { mailNickname: "someone" });
    await w.until(() => nickname(w.guestOf(ada)) === "Ada.Lovelace", 60 * MINUTE);
  });
});

describe("who has a value", () => {
  test("everybody, live or removed, whatever the letter case, also when many values are asked for", async () => {
    const w = mappedWorld({ mappings: [] });
    const nicknames = ["o'neil", "KIM", "lee", ...Array.from({ length: 20 }, (_, index) => `person${index}`)];
    const made = nicknames.map((mailNickname, index) =>
      w.hub.createUser({
        displayName: mailNickname,
        userPrincipalName: `u${index}@hub.example`,
        mailNickname,
        userType: "Member",
      }),
    );
    w.hub.deleteUser(made[2] ?? "");
    await w.world.clock.runFor(MINUTE);
    const [instance] = w.world.instances;
    const wanted = ["O'Neil", "kim", "lee", "nobody", ...Array.from({ length: 12 }, (_, index) => `person${index}`)];
    const asked = instance?.world.target(ids.hub).holders("mailNickname", wanted, "changes");
    await w.world.clock.runFor(10 * SECOND);
    const found = new Map((await asked)?.map(({ value, userId }) => [value, userId]));
    expect(found).toEqual(new Map(nicknames.slice(0, 15).map((value, index) => [value, made[index]])));
  });
});

describe("directory extensions of the target", () => {
  const name = `${OWN}costCentre`;
  const mappings: AttributeMapping[] = [{ target: name, source: "employeeId" }];
  const made = (w: ReturnType<typeof mappedWorld>, id: string) => w.guestOf(id)?.properties[name];

  test("a missing one is created when that is declared, and values have its type", async () => {
    const extensions = [{ name, dataType: "Integer", create: true }];
    const w = mappedWorld({ mappings, extensions, permissions: ["Application.ReadWrite.OwnedBy"] });
    await w.world.clock.runFor(30 * SECOND);
    const ada = w.hire("ada", { employeeId: "42" });
    await w.until(() => made(w, ada) !== undefined);
    expect(made(w, ada)).toBe(42);
    const created = w.world.log.filter(({ event }) => event === "directory extension created");
    expect(created.map(({ fields }) => fields.extension)).toEqual([name]);
    expect(await w.lacking()).toEqual([]);
  });

  test.each([
    ["not declared to be created", [{ name, dataType: "String" }], ["Application.ReadWrite.OwnedBy"]],
    ["the app may not", [{ name, dataType: "String", create: true }], []],
  ])("a missing one is a failure of the person, and told of once: %s", async (_, extensions, permissions) => {
    const w = mappedWorld({ mappings, extensions, permissions });
    const ada = w.hire("ada", { employeeId: "42" });
    await w.until(() => w.rows(ada).some(({ code }) => code === "EXTENSION_MISSING"));
    expect(w.rows(ada).find(({ code }) => code === "EXTENSION_MISSING")).toMatchObject({
      status: "failure",
      detail: name,
    });
    const told = w.world.log.filter(({ event }) => event === "directory extensions missing");
    expect(told.map(({ level, fields }) => [level, fields.missing])).toEqual([["error", [name]]]);
    expect(await w.lacking()).toMatchObject([{ tenantId: ids.hub, missing: [name] }]);
  });
});

describe("values that do not fit", () => {
  test("one that is too long is told with its attribute, and nothing of the person is written until it fits", async () => {
    const w = mappedWorld({ mappings: [{ target: "department", source: "streetAddress" }] });
    const ada = w.hire("ada", { streetAddress: "x".repeat(64) });
    await w.until(() => w.guestOf(ada)?.properties.department === "x".repeat(64));
    w.home.updateUser(ada, { streetAddress: "y".repeat(65), displayName: "Ada L" });
    await w.until(() => w.rows(ada).some(({ code }) => code === "VALUE_TOO_LONG"));
    expect(w.rows(ada).find(({ code }) => code === "VALUE_TOO_LONG")?.detail).toBe("department: ValueTooLong");
    expect(w.guestOf(ada)?.properties).toMatchObject({ department: "x".repeat(64), displayName: "ada" });
    w.home.updateUser(ada, { streetAddress: "short" });
    await w.until(() => w.guestOf(ada)?.properties.department === "short", 30 * MINUTE);
  });

  test("an expression that fails names its attribute, writes nothing, and does not stop a block", async () => {
    const expression = 'FormatDateTime([employeeId], , "yyyy-MM-dd", "dd.MM.yyyy")';
    const w = mappedWorld({ mappings: [{ target: "companyName", expression }] });
    const ada = w.hire("ada", { employeeId: "2026-01-05" });
    await w.until(() => w.guestOf(ada)?.properties.companyName === "05.01.2026");
    w.home.updateUser(ada, { employeeId: "never", displayName: "Ada L" });
    await w.until(() => w.rows(ada).some(({ code }) => code === "MAPPING_FAILED"));
    expect(w.rows(ada).find(({ code }) => code === "MAPPING_FAILED")?.detail).toBe("companyName: InvalidDate");
    expect(w.guestOf(ada)?.properties.displayName).toBe("ada");
    w.home.updateUser(ada, { accountEnabled: false });
    await w.until(() => w.guestOf(ada)?.accountEnabled === false);
  });
});

test("an attribute that is emptied at the source is emptied in the target when both switches say so", async () => {
  const mappings = [
    { target: "department", source: "department", flowNullValues: true },
    { target: "city", source: "city" },
    { target: "employeeOrgData.division", source: "employeeOrgData.division", flowNullValues: true },
  ];
  const w = mappedWorld({ mappings, flowNullValues: true });
  const ada = w.hire("ada", {
    department: "Engines",
    city: "London",
    employeeOrgData: { division: "D1", costCenter: "7" },
  });
  await w.until(() => w.guestOf(ada)?.properties.city === "London");
  const guest = w.guestOf(ada);
  w.hub.updateUser(guest?.id ?? "", { employeeOrgData: { division: "D1", costCenter: "theirs" } });
  w.home.updateUser(ada, { department: null, city: null, employeeOrgData: { division: null, costCenter: "7" } });
  await w.until(() => (w.guestOf(ada)?.properties.department ?? null) === null);
  expect(w.guestOf(ada)?.properties).toMatchObject({ city: "London", employeeOrgData: { costCenter: "theirs" } });
  expect(w.guestOf(ada)?.properties.employeeOrgData).not.toMatchObject({ division: "D1" });
});

test("the older names are read from Graph's, and DefaultDomain is the source's", async () => {
  const expression = 'Join("|", [telephoneNumber], [mobile], [extensionAttribute3], DefaultDomain())';
  const w = mappedWorld({ mappings: [{ target: "jobTitle", expression }] });
  const ada = w.hire("ada", {
    businessPhones: ["+1"],
    mobilePhone: "+2",
    onPremisesExtensionAttributes: { extensionAttribute3: "three" },
  });
  await w.until(() => w.guestOf(ada)?.properties.jobTitle === "+1|+2|three|home.example");
});
