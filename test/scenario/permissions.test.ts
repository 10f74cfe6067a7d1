import { afterEach, describe, expect, test } from "vitest";
import { organization } from "../../sandbox/organization/topology.ts";
import { loadConfig } from "../../shared/config/load.ts";
import { leastPermissions, PERMISSIONS } from "../../shared/domain/permissions.ts";
import { MINUTE } from "./contoso.ts";
import { SOURCE, TARGET, type TwoTenants, twoTenants } from "./two-tenants.ts";

/** The sandbox's tokens enforce permissions: the worlds of these tests live on exactly those that the documentation asks for. */
let c: TwoTenants | undefined;
afterEach(() => c?.world.close());
const leastOf = (config: unknown) => leastPermissions(loadConfig(JSON.stringify(config)).pairs);

test("a world with both jobs, deletions and changes comes right with the least permissions", async () => {
  c = twoTenants({ seed: 51 });
  const least = leastOf(c.config());
  expect([...SOURCE].sort()).toEqual(least.get(c.sourceId));
  expect([...TARGET].sort()).toEqual(least.get(c.targetId));
  const people = [c.hire("ada", [c.groupA]), c.hire("bob", [c.groupB]), c.hire("eve", [c.groupA, c.groupB])];
  await c.untilSettled(5 * MINUTE);
  c.source.updateUser(people[0] ?? "", { department: "1", accountEnabled: false });
  c.source.deleteUser(people[1] ?? "");
  c.source.removeMember(c.groupA, people[2] ?? "");
  await c.untilSettled(5 * MINUTE);
  expect(c.faults()).toEqual([]);
});

test.each(["User.Read.All", "GroupMember.Read.All", "Group.Read.All", "User.ReadWrite.All"])(
  "without %s something is missing, and nothing worse",
  async (withheld) => {
    c = twoTenants({ seed: 52, withheld });
    c.hire("ada", [c.groupA]);
    await c.untilSettled(3 * MINUTE);
    // One permission covers another at Graph: with Group.Read.All, members are read without GroupMember.Read.All.
    if (withheld === "GroupMember.Read.All") expect(c.faults()).toEqual([]);
    else expect(c.faults()).not.toEqual([]);
    expect(c.crimes()).toEqual([]);
  },
);

test("the organization that people try grants what its jobs need", () => {
  const { tenants, config } = organization({ seed: 1, people: 20 });
  const wanted = config((name) => `${name}.pem`);
  const optional = new Set(PERMISSIONS.flatMap((one) => (one.optional ? one.permissions : [])));
  const known = new Set(PERMISSIONS.flatMap(({ permissions }) => permissions));
  for (const [id, least] of leastOf(wanted)) {
    const granted = tenants.find((tenant) => tenant.id === id)?.clients[0]?.permissions ?? [];
    expect(least.filter((name) => !granted.includes(name))).toEqual([]);
    expect(granted.filter((name) => !known.has(name) && !optional.has(name))).toEqual([]);
  }
});

describe("what is asked for follows from the jobs", () => {
  const GUID = "11111111-1111-4111-8111-111111111111";
  const of = (job: object) => {
    const tenant = (n: number, name: string) => ({
      name,
      id: GUID.replaceAll("1111-4", `111${n}-4`),
      cloud: "global",
      credential: { kind: "certificate", clientId: GUID, path: "x.pem" },
    });
    const jobs = [
      { id: "a", source: "home", target: "hub", state: "on", userType: "guest", scope: { allUsers: true }, ...job },
    ];
    const config = { version: 1, deployment: "d", tenants: [tenant(1, "home"), tenant(2, "hub")], jobs };
    return [...leastOf(config).values()].flat();
  };
  test.each<[string, object, readonly string[], readonly string[]]>([
    ["everybody, no group", {}, ["User.Read.All", "User.Invite.All"], ["Group.Read.All", "GroupMember.Read.All"]],
    ["a group", { scope: { groups: [{ id: GUID }] } }, ["Group.Read.All", "GroupMember.Read.All"], []],
    ["nobody is created", { actions: { create: false } }, ["User.ReadWrite.All"], ["User.Invite.All"]],
    ["nobody is removed", { actions: { delete: false } }, ["User.Invite.All"], ["User.DeleteRestore.All"]],
    ["evidence", { adopt: "redeemed" }, ["AuditLog.Read.All", "Organization.Read.All"], []],
    [
      "bound anew",
      { adopt: "redeemed", adoptBy: "resetRedemption" },
      ["RoleManagement.Read.Directory"],
      ["AuditLog.Read.All"],
    ],
    ["a job that is off", { state: "off" }, [], ["User.Read.All"]],
  ])("%s", (_, job, has, lacks) => {
    const names = of(job);
    expect(has.filter((name) => !names.includes(name))).toEqual([]);
    expect(lacks.filter((name) => names.includes(name))).toEqual([]);
  });
});

test("no feature asks for a right to write groups, roles, policies, directories or other applications", () => {
  const names = PERMISSIONS.flatMap(({ permissions }) => permissions);
  const writing = names.filter((name) => /Write|Create|Invite|Delete|Enable/.test(name));
  expect([...new Set(writing)].sort()).toEqual([
    "Application.ReadWrite.OwnedBy",
    "User-LifeCycleInfo.ReadWrite.All",
    "User.DeleteRestore.All",
    "User.EnableDisableAccount.All",
    "User.Invite.All",
    "User.ReadWrite.All",
  ]);
});
