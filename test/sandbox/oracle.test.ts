import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Commit, GraphTenants, TenantTruth, TruthUser } from "../../sandbox/graph/api.ts";
import { type Difference, describeDifference, differences, peopleRight } from "../../sandbox/oracle.ts";
import { watchWrites } from "../../sandbox/write-watch.ts";
import { SyncConfig } from "../../shared/config/schema.ts";
import type { Cloud } from "../../shared/domain/cloud.ts";

const APP = "aaaaaaaa-0000-4000-8000-000000000001";
const GROUP = "99999999-0000-4000-8000-000000000001";
const INNER = "99999999-0000-4000-8000-000000000002";
const ADA = "ada";
const BOB = "bob";

interface Group {
  id: string;
  memberIds: string[];
  deletedAt?: number;
}

/** Tenants made by hand: a source `home`, a target `hub`, and another source `other`. */
function world(options: { job?: object; jobs?: object[]; clouds?: Partial<Record<string, Cloud>> } = {}) {
  const names = ["home", "hub", "other"];
  const users: Record<string, TruthUser[]> = { home: [], hub: [], other: [] };
  const groups: Record<string, Group[]> = { home: [], hub: [], other: [] };
  const listeners: Record<string, ((commit: Commit) => void)[]> = { home: [], hub: [], other: [] };
  const tenantId = (name: string) => `00000000-0000-4000-8000-00000000000${names.indexOf(name) + 1}`;
  const config = SyncConfig.parse({
    version: 1,
    deployment: "test",
    tenants: names.map((name) => ({
      name,
      id: tenantId(name),
      cloud: options.clouds?.[name] ?? "global",
      credential: { kind: "certificate", clientId: APP, path: "x.pem" },
    })),
    jobs: (options.jobs ?? [options.job ?? {}]).map((job, index) => ({
      id: `job-${index}`,
      source: "home",
      target: "hub",
      state: "on",
      scope: { allUsers: true },
      userType: "member",
      ...job,
    })),
  });
  const truth = (name: string) => {
    const parts: Pick<TenantTruth, "users" | "user" | "groups" | "contacts" | "onCommit"> = {
      users: () => users[name] ?? [],
      user: (id) => users[name]?.find((user) => user.id === id),
      groups: () => (groups[name] ?? []).map((group) => ({ deletedAt: undefined, displayName: group.id, ...group })),
      contacts: () => [],
      onCommit: (listener) => {
        listeners[name]?.push(listener);
        return () => {};
      },
    };
    return parts as TenantTruth;
  };
  const specs = names.map((name) => ({
    name,
    id: tenantId(name),
    cloud: options.clouds?.[name] ?? ("global" as const),
    domain: `${name}.example`,
    initialDomain: `${name}.onmicrosoft.com`,
    clients: [],
  }));
  const tenants: Pick<GraphTenants, "tenants" | "truth"> = { tenants: specs, truth };
  const add = (tenant: string, more: Partial<TruthUser> & { id: string }): TruthUser => {
    const user: TruthUser = {
      userPrincipalName: `${more.id}@${tenant}.example`,
      mail: `${more.id}@${tenant}.example`,
      userType: "Member",
      accountEnabled: true,
      creationType: null,
      managerId: undefined,
      sponsorIds: [],
      deletedAt: undefined,
      createdAt: 1_000,
      createdBy: "people",
      accountEnabledBy: "people",
      deletedBy: undefined,
      home: undefined,
      invitedAddress: undefined,
      properties: { displayName: more.id.toUpperCase(), department: "Sales", businessPhones: ["1"] },
      ...more,
    };
    users[tenant]?.push(user);
    return user;
  };
  const guest = (userId: string, more: Partial<TruthUser> = {}, home = "home") => {
    const source = users[home]?.find(({ id }) => id === userId);
    const mail = source?.mail ?? `${userId}@${home}.example`;
    return add("hub", {
      id: `guest-${userId}-${users.hub?.length}`,
      userPrincipalName: `${userId}_${home}.example#EXT#@hub.onmicrosoft.com`,
      mail,
      creationType: "Invitation",
      createdBy: APP,
      accountEnabledBy: APP,
      home: { tenant: home, userId },
      invitedAddress: mail,
      properties: source?.properties ?? {},
      ...more,
    });
  };
  const commit = (tenant: string, id: string, kind: Commit["kind"], by: string, properties: string[] = []) => {
    for (const listener of listeners[tenant] ?? [])
      listener({ tenant, at: 0, object: "user", id, kind, by, properties });
  };
  const found = (watch?: Parameters<typeof differences>[2]) => differences(tenants, config, watch).map(brief);
  return { tenants, config, users, groups, add, guest, commit, found };
}

const brief = ({ what, sourceId, expected }: Difference) =>
  `${what} ${sourceId ?? "-"}${what === "attribute" ? ` ${expected.split(" ")[0]}` : ""}`;
type World = ReturnType<typeof world>;
const GROUP_JOB = { scope: { groups: [{ id: GROUP, transitive: false }] } };
const inGroup = (w: World, ...memberIds: string[]) => w.groups.home?.push({ id: GROUP, memberIds });

describe("who must be there", () => {
  test.each<{
    name: string;
    make: (w: World) => void;
    job?: object;
    clouds?: Partial<Record<string, Cloud>>;
    found: string[];
  }>([
    {
      name: "everybody with a guest of their own: right",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA);
      },
      found: [],
    },
    {
      name: "somebody without a guest",
      make: (w) => {
        w.add("home", { id: ADA });
      },
      found: ["missing ada"],
    },
    {
      name: "a guest of somebody else with that name is nobody's own",
      make: (w) => {
        w.add("home", { id: ADA });
        w.add("other", { id: ADA });
        w.guest(ADA, { mail: "x@y.z", invitedAddress: "x@y.z" }, "other");
      },
      found: ["missing ada", "nobodys -"],
    },
    {
      name: "two live guests of ours",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA);
        w.guest(ADA);
      },
      found: ["second ada"],
    },
    {
      name: "one live guest and a removed one: right",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { deletedAt: 5, deletedBy: APP });
        w.guest(ADA);
      },
      found: [],
    },
    {
      name: "a guest that we removed must come back",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { deletedAt: 5, deletedBy: APP });
      },
      found: ["missing ada"],
    },
    {
      name: "a guest that the target removed may stay away",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { deletedAt: 5, deletedBy: "people" });
      },
      found: [],
    },
    {
      name: "disabled and never provisioned: nobody",
      make: (w) => {
        w.add("home", { id: ADA, accountEnabled: false });
      },
      found: [],
    },
    {
      name: "disabled, and the guest still signs in",
      make: (w) => {
        w.add("home", { id: ADA, accountEnabled: false });
        w.guest(ADA);
      },
      found: ["notBlocked ada"],
    },
    {
      name: "disabled and blocked: right",
      make: (w) => {
        w.add("home", { id: ADA, accountEnabled: false });
        w.guest(ADA, { accountEnabled: false });
      },
      found: [],
    },
    {
      name: "enabled, and blocked by us",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { accountEnabled: false });
      },
      found: ["blocked ada"],
    },
    {
      name: "enabled, and blocked by the target: respected",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { accountEnabled: false, accountEnabledBy: "people" });
      },
      found: [],
    },
    {
      name: "creation is off: nobody is missing",
      job: { actions: { create: false } },
      make: (w) => {
        w.add("home", { id: ADA });
      },
      found: [],
    },
    {
      name: "a job that only observes asks for nothing",
      job: { state: "observe" },
      make: (w) => {
        w.add("home", { id: ADA });
      },
      found: [],
    },
    {
      name: "guests and externals of the source are not pushed",
      make: (w) => {
        w.add("home", { id: ADA, userType: "Guest" });
        w.add("home", { id: BOB, creationType: "Invitation" });
      },
      found: [],
    },
    {
      name: "a guest of the source who was pushed",
      make: (w) => {
        w.add("home", { id: ADA, userType: "Guest" });
        w.guest(ADA);
      },
      found: ["notRemoved ada"],
    },
    {
      name: "a name that cannot be invited, across clouds",
      clouds: { hub: "usGov" },
      make: (w) => {
        w.add("home", { id: ADA, userPrincipalName: "a~a@home.example" });
      },
      found: [],
    },
    {
      name: "the same within a cloud, where the mail is invited",
      make: (w) => {
        w.add("home", { id: ADA, userPrincipalName: "a~a@home.example" });
      },
      found: ["missing ada"],
    },
    {
      name: "neither name nor mail can be invited",
      make: (w) => {
        w.add("home", { id: ADA, userPrincipalName: "a'a@home.example", mail: "-x@home.example" });
      },
      found: [],
    },
    {
      name: "an internal user of the target has the address",
      make: (w) => {
        w.add("home", { id: ADA });
        w.add("hub", { id: "local", mail: "ADA@home.example" });
      },
      found: [],
    },
    {
      name: "an internal user has it as a proxy address",
      make: (w) => {
        w.add("home", { id: ADA });
        w.add("hub", { id: "local", properties: { proxyAddresses: ["smtp:ada@home.example"] } });
      },
      found: [],
    },
    {
      name: "the address is another person's guest's, removed: held",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest("gone", { invitedAddress: "ada@home.example", deletedAt: 5, deletedBy: APP });
      },
      found: [],
    },
    {
      name: "the address is another person's guest's, and was inherited",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest("gone", { invitedAddress: "ada@home.example", deletedAt: 5, deletedBy: APP, createdAt: 1 });
        w.guest(ADA);
      },
      found: ["inherited ada"],
    },
    {
      name: "two people with one address: nobody, or one of them",
      make: (w) => {
        w.add("home", { id: ADA, mail: "both@home.example" });
        w.add("home", { id: BOB, mail: "both@home.example" });
        w.guest(BOB);
      },
      found: [],
    },
    {
      name: "a guest that somebody else made and nobody accepted is taken over",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { createdBy: "people", properties: { externalUserState: "PendingAcceptance" } });
      },
      found: ["attribute ada displayName", "attribute ada department", "attribute ada businessPhones"],
    },
    {
      name: "not in a government cloud",
      clouds: { hub: "usGov" },
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { createdBy: "people", properties: { externalUserState: "PendingAcceptance" } });
      },
      found: [],
    },
    {
      name: "one that was accepted is left alone",
      make: (w) => {
        w.add("home", { id: ADA });
        w.guest(ADA, { createdBy: "people", properties: { externalUserState: "Accepted" } });
      },
      found: [],
    },
  ])("$name", ({ make, job, clouds, found }) => {
    const w = world({ ...(job ? { job } : {}), ...(clouds ? { clouds } : {}) });
    make(w);
    expect(w.found()).toEqual(found);
  });
});

describe("who must be gone", () => {
  const deleted = { deletedAt: 5, deletedBy: "people" };
  test.each<{ name: string; job?: object; make: (w: World) => void; found: string[] }>([
    {
      name: "deleted at the source",
      make: (w) => {
        w.add("home", { id: ADA, ...deleted });
        w.guest(ADA);
      },
      found: ["notRemoved ada"],
    },
    {
      name: "purged at the source",
      make: (w) => {
        w.guest(ADA);
      },
      found: ["notRemoved ada"],
    },
    {
      name: "deleted, and blocked is not enough",
      make: (w) => {
        w.add("home", { id: ADA, ...deleted });
        w.guest(ADA, { accountEnabled: false });
      },
      found: ["notRemoved ada"],
    },
    {
      name: "deleted, where the job only disables: blocked is enough",
      job: { onOutOfScope: "disable" },
      make: (w) => {
        w.add("home", { id: ADA, ...deleted });
        w.guest(ADA, { accountEnabled: false });
      },
      found: [],
    },
    {
      name: "deleted, where nothing may be removed",
      job: { actions: { delete: false } },
      make: (w) => {
        w.add("home", { id: ADA, ...deleted });
        w.guest(ADA);
      },
      found: [],
    },
    {
      name: "deleted and removed: right",
      make: (w) => {
        w.add("home", { id: ADA, ...deleted });
        w.guest(ADA, { deletedAt: 6, deletedBy: APP });
      },
      found: [],
    },
    {
      name: "out of scope",
      job: GROUP_JOB,
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA });
        w.guest(ADA);
      },
      found: ["notRemoved ada"],
    },
    {
      name: "out of scope and removed: right",
      job: GROUP_JOB,
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA });
        w.guest(ADA, { deletedAt: 6, deletedBy: APP });
      },
      found: [],
    },
    {
      name: "out of scope, to be blocked, and blocked",
      job: { ...GROUP_JOB, onOutOfScope: "disable" },
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA });
        w.guest(ADA, { accountEnabled: false });
      },
      found: [],
    },
    {
      name: "out of scope, to be blocked, and not",
      job: { ...GROUP_JOB, onOutOfScope: "disable" },
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA });
        w.guest(ADA);
      },
      found: ["notRemoved ada"],
    },
    {
      name: "out of scope, to be blocked, and removed instead",
      job: { ...GROUP_JOB, onOutOfScope: "disable" },
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA });
        w.guest(ADA, { deletedAt: 6, deletedBy: APP });
      },
      found: ["removed ada"],
    },
    {
      name: "out of scope, to be kept",
      job: { ...GROUP_JOB, onOutOfScope: "keep" },
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA });
        w.guest(ADA);
      },
      found: [],
    },
    {
      name: "disabled first, then out of scope: may stay, blocked",
      job: GROUP_JOB,
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA, accountEnabled: false });
        w.guest(ADA, { accountEnabled: false });
      },
      found: [],
    },
    {
      name: "disabled first, then out of scope, and signs in",
      job: GROUP_JOB,
      make: (w) => {
        inGroup(w, "else");
        w.add("home", { id: ADA, accountEnabled: false });
        w.guest(ADA);
      },
      found: ["notBlocked ada"],
    },
    {
      name: "the scope group is empty: nobody may be removed",
      job: GROUP_JOB,
      make: (w) => {
        inGroup(w);
        w.add("home", { id: ADA });
        w.guest(ADA);
      },
      found: [],
    },
    {
      name: "the scope group is deleted: nobody may be removed",
      job: GROUP_JOB,
      make: (w) => {
        w.groups.home?.push({ id: GROUP, memberIds: ["else"], deletedAt: 5 });
        w.add("home", { id: ADA });
        w.guest(ADA);
      },
      found: [],
    },
    {
      name: "a guest for nobody",
      make: (w) => {
        w.guest(ADA, { home: undefined });
      },
      found: ["nobodys -"],
    },
    {
      name: "somebody else's guests are none of ours",
      make: (w) => {
        w.guest(ADA, { home: undefined, createdBy: "people" });
      },
      found: [],
    },
  ])("$name", ({ job, make, found }) => {
    const w = world(job ? { job } : {});
    make(w);
    expect(w.found()).toEqual(found);
  });
});

describe("scoping filters", () => {
  const clause = (operator: string, value?: string, attribute = "department") => [
    { clauses: [{ attribute, operator, ...(value === undefined ? {} : { value }) }] },
  ];
  const entra = (value: string) => [
    { clauses: [{ sourceOperandName: "department", operatorName: "EQUALS", targetOperand: { values: [value] } }] },
  ];
  test.each<{ name: string; scope: object; department?: string | null; inScope: boolean }>([
    { name: "EQUALS", scope: { filter: clause("EQUALS", "Sales") }, inScope: true },
    { name: "EQUALS, another case", scope: { filter: clause("EQUALS", "sales") }, inScope: false },
    { name: "NOT EQUALS", scope: { filter: clause("NOT EQUALS", "Sales") }, inScope: false },
    { name: "NOT EQUALS nothing", scope: { filter: clause("NOT EQUALS", "X") }, department: null, inScope: false },
    { name: "IS NULL", scope: { filter: clause("IS NULL") }, department: null, inScope: true },
    { name: "IS NOT NULL", scope: { filter: clause("IS NOT NULL") }, department: "", inScope: false },
    { name: "IS TRUE", scope: { filter: clause("IS TRUE", undefined, "accountEnabled") }, inScope: true },
    { name: "IS FALSE", scope: { filter: clause("IS FALSE", undefined, "accountEnabled") }, inScope: false },
    { name: "Includes", scope: { filter: clause("Includes", "ale") }, inScope: true },
    { name: "ENDS_WITH", scope: { filter: clause("ENDS_WITH", "les") }, inScope: true },
    {
      name: "one group of two",
      scope: { filter: [...clause("IS NULL"), ...clause("EQUALS", "Sales")] },
      inScope: true,
    },
    { name: "as in a schema", scope: { filter: { groups: entra("Sales") } }, inScope: true },
    { name: "as in a schema, and out", scope: { filter: { groups: entra("Art") } }, inScope: false },
  ])("$name", ({ scope, department = "Sales", inScope }) => {
    const w = world({ job: { scope: { allUsers: true, ...scope } } });
    w.add("home", { id: ADA, properties: { department } });
    expect(w.found()).toEqual(inScope ? ["missing ada"] : []);
    w.guest(ADA, { properties: { department } });
    expect(w.found()).toEqual(inScope ? [] : ["notRemoved ada"]);
  });

  test("whoever an input filter leaves out may stay or be missing, but not sign in with a disabled account", () => {
    const w = world({ job: { scope: { allUsers: true, inputFilter: clause("EQUALS", "Art") } } });
    const ada = w.add("home", { id: ADA });
    expect(w.found()).toEqual([]);
    w.guest(ADA, { properties: { department: "Old" } });
    expect(w.found()).toEqual([]);
    ada.accountEnabled = false;
    expect(w.found()).toEqual(["notBlocked ada"]);
  });

  test("an operator that nobody told the oracle is a mistake of the world", () => {
    const w = world({ job: { scope: { allUsers: true, filter: clause("REGEX MATCH", "S.*") } } });
    w.add("home", { id: ADA });
    expect(() => w.found()).toThrow("REGEX MATCH");
  });
});

describe("scope", () => {
  const nested = (transitive: boolean) => {
    const w = world({ job: { scope: { groups: [{ id: GROUP, transitive }] } } });
    w.groups.home?.push({ id: GROUP, memberIds: [ADA, INNER] }, { id: INNER, memberIds: [BOB, GROUP] });
    w.add("home", { id: ADA });
    w.add("home", { id: BOB });
    return w;
  };

  test("direct members only", () => expect(nested(false).found()).toEqual(["missing ada"]));
  test("members of groups within, also when groups contain each other", () =>
    expect(nested(true).found()).toEqual(["missing ada", "missing bob"]));

  test("of two jobs the first whose scope holds decides", () => {
    const w = world({
      jobs: [
        { ...GROUP_JOB, mappings: [{ target: "department", constant: "A" }] },
        { mappings: [{ target: "department", constant: "B" }] },
      ],
    });
    inGroup(w, ADA);
    for (const id of [ADA, BOB]) {
      w.add("home", { id });
      w.guest(id, { properties: { department: "A" } });
    }
    expect(w.found()).toEqual(["attribute bob department"]);
  });

  test("a job that is off is no job", () => {
    const w = world({ job: { state: "off" } });
    w.add("home", { id: ADA });
    expect(peopleRight(w.tenants, w.config)).toMatchObject({ people: 0, right: 0, targets: 0 });
  });
});

describe("what a guest shows", () => {
  test("every mapped attribute that has a value at the source, and no other", () => {
    const w = world();
    const properties = {
      displayName: "Ada",
      city: "Köln",
      state: null,
      country: "",
      businessPhones: ["1"],
      employeeOrgData: {},
    };
    w.add("home", { id: ADA, properties });
    w.guest(ADA, {
      properties: { displayName: "Ada L", state: "NRW", businessPhones: ["2"], hobby: "x" },
      mail: "old@home.example",
    });
    expect(w.found()).toEqual([
      "attribute ada displayName",
      "attribute ada city",
      "attribute ada businessPhones",
      "attribute ada mail",
    ]);
  });

  test("across clouds mail is the home userPrincipalName", () => {
    const w = world({ clouds: { hub: "usGov" } });
    w.add("home", { id: ADA, mail: "other@home.example" });
    const guest = w.guest(ADA, { mail: "other@home.example" });
    expect(w.found()).toEqual(["attribute ada mail"]);
    guest.mail = "ada@home.example";
    expect(w.found()).toEqual([]);
  });

  test("nothing is asked where updates are off", () => {
    const w = world({ job: { actions: { update: false } } });
    w.add("home", { id: ADA });
    w.guest(ADA, { properties: {} });
    expect(w.found()).toEqual([]);
  });

  test("mappings of the job, also of nested properties", () => {
    const w = world({ job: { mappings: [{ target: "department", source: "employeeOrgData.division" }] } });
    w.add("home", { id: ADA, properties: { employeeOrgData: { division: "North" } } });
    const guest = w.guest(ADA, { properties: { department: "South" } });
    expect(w.found()).toEqual(["attribute ada department"]);
    guest.properties = { department: "North" };
    expect(w.found()).toEqual([]);
  });

  test.each<{ name: string; mapping: object; job?: object; source: unknown; shows: unknown; right: boolean }>([
    { name: "letter case alone", mapping: {}, source: "Sales", shows: "SALES", right: true },
    { name: "letter case, caseExact", mapping: { caseExact: true }, source: "Sales", shows: "SALES", right: false },
    { name: "on creation only", mapping: { flowType: "ObjectAddOnly" }, source: "A", shows: "B", right: true },
    { name: "where there is nothing", mapping: { flowType: "AttributeAddOnly" }, source: "A", shows: "B", right: true },
    { name: "still nothing", mapping: { flowType: "AttributeAddOnly" }, source: "A", shows: null, right: false },
    { name: "added", mapping: { flowType: "ValueAddOnly" }, source: ["a"], shows: ["b", "a"], right: true },
    { name: "not added", mapping: { flowType: "ValueAddOnly" }, source: ["a"], shows: ["b"], right: false },
    { name: "emptied, one switch", mapping: { flowNullValues: true }, source: null, shows: "B", right: true },
    {
      name: "emptied, both switches",
      mapping: { flowNullValues: true },
      job: { flowNullValues: true },
      source: null,
      shows: "B",
      right: false,
    },
  ])("flow of values: $name", ({ mapping, job, source, shows, right }) => {
    const w = world({ job: { ...job, mappings: [{ target: "city", source: "state", ...mapping }] } });
    w.add("home", { id: ADA, properties: { state: source } });
    w.guest(ADA, { properties: { city: shows } });
    expect(w.found()).toEqual(right ? [] : ["attribute ada city"]);
  });

  test("an expression is judged where the world says what it means", () => {
    const expression = "ToUpper([department])";
    const w = world({ job: { mappings: [{ target: "city", expression, caseExact: true }] } });
    w.add("home", { id: ADA });
    const guest = w.guest(ADA, { properties: { city: "sales" } });
    const formulas = { [expression]: ({ properties }: TruthUser) => String(properties.department).toUpperCase() };
    const found = () => differences(w.tenants, w.config, undefined, formulas).map(brief);
    expect(w.found()).toEqual([]);
    expect(found()).toEqual(["attribute ada city"]);
    guest.properties = { city: "SALES" };
    expect(found()).toEqual([]);
  });

  test("a type that the job changes", () => {
    const w = world({ jobs: [{ userType: "guest", changeUserType: true }, { userType: "member" }] });
    w.add("home", { id: ADA });
    const guest = w.guest(ADA);
    expect(w.found()).toEqual(["userType ada"]);
    guest.userType = "Guest";
    expect(w.found()).toEqual([]);
  });

  test("the user type of the job", () => {
    const w = world({ job: { userType: "guest" } });
    w.add("home", { id: ADA });
    w.guest(ADA);
    expect(w.found()).toEqual(["userType ada"]);
  });

  const withManager = (clouds: Partial<Record<string, Cloud>>, job: object = {}) => {
    const w = world({ job, clouds });
    w.add("home", { id: BOB, mail: "bob@home.example" });
    w.add("home", { id: ADA, managerId: BOB });
    const boss = w.guest(BOB, { mail: "bob@home.example" });
    return { w, boss, guest: w.guest(ADA) };
  };

  test("the manager's guest, where both are there", () => {
    const { w, boss, guest } = withManager({});
    expect(w.found()).toEqual(["manager ada"]);
    guest.managerId = boss.id;
    expect(w.found()).toEqual([]);
    guest.managerId = undefined;
    boss.deletedAt = 5;
    boss.deletedBy = "people";
    expect(w.found()).toEqual([]);
  });

  test("nobody where the source has nobody, unless the target chose somebody of its own", () => {
    const w = world();
    w.add("home", { id: ADA });
    w.add("home", { id: BOB });
    const guest = w.guest(ADA, { managerId: w.guest(BOB).id });
    expect(w.found()).toEqual(["manager ada"]);
    guest.managerId = w.add("hub", { id: "chief" }).id;
    expect(w.found()).toEqual([]);
  });

  test("no manager across clouds, unless the job says so", () => {
    expect(withManager({ hub: "usGov" }).w.found()).toEqual([]);
    expect(withManager({ hub: "usGov" }, { manager: true }).w.found()).toEqual(["manager ada"]);
    expect(withManager({}, { manager: false }).w.found()).toEqual([]);
  });
});

describe("what was done on the way", () => {
  test("writes to users that are not ours, and purges", () => {
    const w = world();
    w.add("home", { id: ADA });
    const local = w.add("hub", { id: "local" });
    const guest = w.guest(ADA);
    const watch = watchWrites(w.tenants, w.config);
    w.commit("hub", guest.id, "updated", APP, ["department"]);
    expect(w.found(watch)).toEqual([]);
    w.commit("hub", local.id, "updated", APP, ["department"]);
    w.commit("hub", "vanished", "purged", APP);
    expect(w.found(watch)).toEqual(["foreignWrite -", "foreignWrite -"]);
  });

  test("a pending guest that is taken over is ours from then on", () => {
    const w = world();
    const ada = w.add("home", { id: ADA });
    const guest = w.guest(ADA, {
      createdBy: "people",
      properties: { ...ada.properties, externalUserState: "PendingAcceptance" },
    });
    const watch = watchWrites(w.tenants, w.config);
    w.commit("hub", guest.id, "updated", APP, ["department"]);
    guest.properties = ada.properties;
    w.commit("hub", guest.id, "updated", APP, ["city"]);
    expect(w.found(watch)).toEqual([]);
    ada.deletedAt = 5;
    expect(w.found(watch)).toEqual(["notRemoved ada"]);
  });

  test("a block of the target that we lift", () => {
    const w = world();
    w.add("home", { id: ADA });
    const guest = w.guest(ADA);
    const watch = watchWrites(w.tenants, w.config);
    guest.accountEnabled = false;
    w.commit("hub", guest.id, "updated", "people", ["accountEnabled"]);
    guest.accountEnabled = true;
    w.commit("hub", guest.id, "updated", APP, ["accountEnabled"]);
    expect(w.found(watch)).toEqual(["blockLifted -"]);
  });

  test("a guest that the target purged may stay away", () => {
    const w = world();
    w.add("home", { id: ADA });
    const guest = w.guest(ADA);
    const watch = watchWrites(w.tenants, w.config);
    w.users.hub = [];
    w.commit("hub", guest.id, "purged", "people");
    expect(w.found(watch)).toEqual([]);
    expect(w.found()).toEqual(["missing ada"]);
  });
});

describe("the last line", () => {
  test("counts people, not differences, and what is about nobody as one more", () => {
    const w = world({ jobs: [{}, { target: "other", id: "job-x" }] });
    w.add("home", { id: ADA });
    w.add("home", { id: BOB, accountEnabled: false });
    w.guest(ADA, { properties: {} });
    w.guest("nobody", { home: undefined });
    const verdict = peopleRight(w.tenants, w.config);
    expect(verdict).toMatchObject({ right: 1, people: 3, targets: 2 });
    expect(verdict.differences.map(brief)).toEqual([
      "attribute ada displayName",
      "attribute ada department",
      "attribute ada businessPhones",
      "missing ada",
      "nobodys -",
    ]);
    expect(verdict.differences.map(describeDifference)[3]).toContain("home -> other: ada@home.example (ada): missing");
  });
});

test("the oracle shares nothing with the product but the types of the configuration", () => {
  for (const file of ["oracle", "oracle-index", "oracle-rules", "write-watch"]) {
    const text = readFileSync(new URL(`../../sandbox/${file}.ts`, import.meta.url), "utf8");
    const product = [...text.matchAll(/^import (type )?.*? from "(\.\.\/[^"]+)"/gm)].map((match) => [
      match[1],
      match[2],
    ]);
    for (const imported of product) expect(imported).toEqual(["type ", "../shared/config/schema.ts"]);
  }
});
