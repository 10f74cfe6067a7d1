import { describe, expect, test } from "vitest";
import type { GraphTenants, TenantTruth } from "../../../sandbox/graph/api.ts";
import { readExport } from "../../../sandbox/organization/exports.ts";
import { organization, populate } from "../../../sandbox/organization/topology.ts";
import { SyncConfig } from "../../../shared/config/schema.ts";
import { cloudPair } from "../../../shared/domain/cloud.ts";

const contoso = organization({ seed: 1 });

describe("the organization", () => {
  test("300 people in five tenants of three clouds", () => {
    const everybody = Object.values(contoso.people).flat();
    expect(everybody.filter(({ kind }) => kind === "employee" || kind === "contractor")).toHaveLength(300);
    expect(contoso.tenants.map(({ name, cloud }) => [name, cloud])).toEqual([
      ["contoso", "global"],
      ["contoso-emea", "global"],
      ["contoso-us", "global"],
      ["contoso-gov", "usGov"],
      ["contoso-china", "china"],
    ]);
  });

  test.each([5, 300, 1_000])("%i people are exactly as many", (count) => {
    const everybody = Object.values(organization({ seed: 3, people: count }).people).flat();
    expect(everybody.filter(({ kind }) => kind === "employee" || kind === "contractor")).toHaveLength(count);
  });

  test("one seed, one organization", () => {
    const { config: _, ...same } = organization({ seed: 1 });
    expect(contoso).toMatchObject(same);
    expect(organization({ seed: 2 }).tenants).not.toEqual(contoso.tenants);
  });

  test("the configuration is valid, its jobs are on and every pair of clouds is supported", () => {
    const config = contoso.config((tenant) => `certificates/${tenant}.pem`);
    expect(SyncConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
    expect(config.jobs.map(({ id, state, userType }) => [id, state, userType])).toEqual([
      ["contoso-emea-to-contoso", "on", "member"],
      ["contoso-us-to-contoso", "on", "member"],
      ["contoso-to-contoso-gov", "on", "guest"],
      ["contoso-gov-to-contoso", "on", "guest"],
      ["contoso-to-contoso-china", "on", "guest"],
    ]);
    const cloudOf = (name: string) => config.tenants.find((tenant) => tenant.name === name)?.cloud ?? "global";
    for (const job of config.jobs) {
      expect(cloudPair(cloudOf(job.source), cloudOf(job.target))).not.toHaveProperty("refused");
    }
    expect(config.jobs.find(({ source }) => source === "contoso-gov")?.mappings).toHaveLength(3);
    for (const tenant of config.tenants) {
      const spec = contoso.tenants.find(({ id }) => id === tenant.id);
      expect(tenant.credential).toMatchObject({
        clientId: spec?.clients[0]?.clientId,
        path: `certificates/${tenant.name}.pem`,
      });
    }
  });

  test("each tenant has the app with no right too many, and a client for people", () => {
    const rights = (name: string) => contoso.tenants.find((tenant) => tenant.name === name)?.clients[0]?.permissions;
    expect(rights("contoso-emea")).toEqual(["User.Read.All", "GroupMember.Read.All", "Group.Read.All"]);
    expect(rights("contoso-china")).not.toContain("Group.Read.All");
    expect(rights("contoso")).toContain("User.Invite.All");
    for (const { clients } of contoso.tenants) {
      expect(clients[0]?.extensions).toEqual([{ name: "syncSource", dataType: "String" }]);
      expect(clients[1]).toMatchObject({ permissions: ["*"], secret: expect.stringMatching(/.{20}/) });
    }
  });

  test("GlobalEmployees nests three deep and holds every employee once", () => {
    for (const tenant of ["contoso", "contoso-emea"]) {
      const groups = contoso.groups[tenant] ?? [];
      const byId = new Map(groups.map((group) => [group.id, group]));
      const top = groups.find(({ displayName }) => displayName === "GlobalEmployees");
      const found: string[] = [];
      let depth = 0;
      const walk = (id: string, level: number) => {
        depth = Math.max(depth, level);
        found.push(...(byId.get(id)?.people ?? []));
        for (const inner of byId.get(id)?.groups ?? []) walk(inner, level + 1);
      };
      if (top) walk(top.id, 1);
      const people = contoso.people[tenant] ?? [];
      const employees = people.filter(({ kind }) => kind === "employee").map(({ key }) => key);
      expect(depth).toBe(3);
      expect(found.filter((key) => employees.includes(key)).sort()).toEqual(employees.sort());
      expect(found.some((key) => people.find((person) => person.key === key)?.kind === "guest")).toBe(true);
      expect(found.some((key) => people.find((person) => person.key === key)?.kind === "contractor")).toBe(false);
    }
  });

  test("somebody in the hub has a name that no invitation accepts", () => {
    const names = contoso.people.contoso?.map(({ properties }) => properties.userPrincipalName) ?? [];
    expect(names.filter((name) => name.includes("~"))).toHaveLength(1);
  });

  test("a real export takes the place of one source, with its domains", () => {
    const file = JSON.stringify([
      { id: "11111111-1111-4111-8111-111111111111", userPrincipalName: "a@one.example", displayName: "A" },
      { userPrincipalName: "b@two.example", displayName: "B" },
      { userPrincipalName: "c@one.example", displayName: "C" },
    ]);
    const filled = organization({ seed: 1, users: readExport(Buffer.from(file)) });
    const emea = filled.tenants.find(({ name }) => name === "contoso-emea");
    expect(emea).toMatchObject({ domain: "one.example", otherDomains: ["two.example"] });
    expect(filled.people["contoso-emea"]?.map(({ properties }) => properties.userPrincipalName)).toEqual([
      "a@one.example",
      "b@two.example",
      "c@one.example",
    ]);
    expect(filled.config(() => "x.pem").jobs[0]?.scope.groups).toHaveLength(1);
  });

  test("populating makes everybody, managers first, and groups with their members", () => {
    const made: { tenant: string; what: string; properties: Readonly<Record<string, unknown>> }[] = [];
    const truth = (tenant: string) => {
      const add = (what: string) => (properties: Readonly<Record<string, unknown>>) =>
        `${tenant}-${what}-${made.push({ tenant, what, properties })}`;
      const parts: Pick<TenantTruth, "createUser" | "createGroup" | "createContact"> = {
        createUser: add("user"),
        createGroup: add("group"),
        createContact: add("contact"),
      };
      return parts as TenantTruth;
    };
    const tenants: Pick<GraphTenants, "truth"> = { truth };
    const ids = populate(tenants, contoso);
    const users = made.filter(({ what }) => what === "user");
    expect(users).toHaveLength(Object.values(contoso.people).flat().length);
    const known = new Set(Object.values(ids).flatMap((byKey) => [...byKey.values()]));
    for (const { properties } of users) if ("manager" in properties) expect(known).toContain(properties.manager);
    const groupIds = new Set(Object.values(contoso.groups).flatMap((groups) => groups.map(({ id }) => id)));
    for (const { what, properties } of made) {
      if (what !== "group") continue;
      for (const member of properties.members as string[]) expect(known.has(member) || groupIds.has(member)).toBe(true);
    }
    expect(made.filter(({ what }) => what === "contact")).toHaveLength(2);
  });
});
