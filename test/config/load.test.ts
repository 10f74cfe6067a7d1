import { describe, expect, test } from "vitest";
import { ConfigInvalid, loadConfig } from "../../shared/config/load.ts";
import { loadSettings } from "../../shared/config/settings.ts";

const id = (n: number) => `${String(n).repeat(8)}-1111-4111-8111-111111111111`;
const tenant = (n: number, name: string, cloud: string) => ({
  name,
  id: id(n),
  cloud,
  credential: { kind: "certificate", clientId: id(9), path: "app.pem" },
});
const OWN = `extension_${id(9).replaceAll("-", "")}_`;
const job = { id: "a", source: "emea", target: "hub", scope: { allUsers: true }, userType: "member" };
const config = (changes: object = {}) => ({
  version: 1,
  deployment: "contoso",
  tenants: [
    tenant(1, "emea", "global"),
    tenant(2, "hub", "global"),
    tenant(3, "gov", "usGov"),
    tenant(4, "cn", "china"),
  ],
  jobs: [job],
  ...changes,
});
const load = (changes: object = {}) => loadConfig(JSON.stringify(config(changes)));
const mistakes = (changes: object) => {
  try {
    load(changes);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.mistakes.map(({ path }) => path);
    throw error;
  }
  return [];
};

describe("a job", () => {
  test("is off unless it says otherwise, and then not there for anybody", () => expect(load().pairs).toEqual([]));
  test("gets the documented defaults", () => {
    const [pair] = load({ jobs: [{ ...job, state: "on" }] }).pairs;
    expect(pair?.jobs[0]).toMatchObject({
      onOutOfScope: "softDelete",
      adopt: "pending",
      manager: true,
      actions: { create: true, update: true, delete: true },
    });
    expect(pair?.jobs[0]?.mapper.mappings).toHaveLength(18);
  });
  test("across clouds maps mail from the home name, carries no manager and adopts nobody in a government cloud", () => {
    const [pair] = load({ jobs: [{ ...job, target: "gov", userType: "guest", state: "on" }] }).pairs;
    expect(pair?.jobs[0]).toMatchObject({ adopt: "none", manager: false });
    expect(pair?.jobs[0]?.mapper.mappings).toContainEqual({ target: "mail", source: "userPrincipalName" });
  });
  test("takes over redeemed guests only where it says so, by a sign-in unless it says otherwise", () => {
    const adoption = (changes: object) => {
      const [one] = load({ jobs: [{ ...job, state: "on", ...changes }] }).pairs[0]?.jobs ?? [];
      return [one?.adopt, one?.adoptBy];
    };
    expect(adoption({})).toEqual(["pending", "signIn"]);
    expect(adoption({ adopt: "redeemed" })).toEqual(["redeemed", "signIn"]);
    for (const target of ["hub", "gov", "cn"]) {
      expect(adoption({ target, adopt: "redeemed", adoptBy: "resetRedemption" })).toEqual([
        "redeemed",
        "resetRedemption",
      ]);
    }
  });
  test("keeps its place among the jobs of one pair", () => {
    const jobs = ["b", "a"].map((name) => ({ ...job, id: name, state: "on" }));
    expect(load({ jobs }).pairs.map((pair) => pair.jobs.map((one) => one.id))).toEqual([["b", "a"]]);
  });
  test("that changes its rules changes the hash of its pair", () => {
    const hashOf = (changes: object) => load({ jobs: [{ ...job, state: "on", ...changes }] }).pairs[0]?.rulesHash;
    expect(hashOf({})).toBe(hashOf({}));
    expect(hashOf({ onOutOfScope: "keep" })).not.toBe(hashOf({}));
  });
});

describe("mistakes are all listed, with their place", () => {
  test.each<[string, object, string[]]>([
    ["userType is missing", { jobs: [{ ...job, userType: undefined }] }, ["jobs[0].userType"]],
    ["an unknown key", { jobs: [{ ...job, filters: [] }] }, ["jobs[0].filters"]],
    ["unknown tenants", { jobs: [{ ...job, source: "x", target: "y" }] }, ["jobs[0].source", "jobs[0].target"]],
    ["the same tenant twice", { jobs: [{ ...job, target: "emea" }] }, ["jobs[0].target"]],
    ["an unsupported pair", { jobs: [{ ...job, source: "gov", target: "cn" }] }, ["jobs[0].target"]],
    ["an unlisted pair that nobody has accepted", { jobs: [{ ...job, source: "cn" }] }, ["jobs[0].target"]],
    ["nobody in scope", { jobs: [{ ...job, scope: {} }] }, ["jobs[0].scope"]],
    [
      "a property that cannot be written, and one twice",
      {
        jobs: [
          {
            ...job,
            mappings: [
              { target: "id", source: "id" },
              { target: "city", source: "city" },
              { target: "city", constant: "x" },
            ],
          },
        ],
      },
      ["jobs[0].mappings[0].target", "jobs[0].mappings[2].target"],
    ],
    ["ids twice", { jobs: [job, job] }, ["jobs[1].id"]],
    [
      "matching by what cannot be searched, and by what everybody has",
      {
        jobs: [
          {
            ...job,
            mappings: [
              { target: "preferredLanguage", source: "preferredLanguage", matchingPriority: 1 },
              { target: "companyName", constant: "Contoso", matchingPriority: 2 },
              { target: "employeeId", source: "employeeId", matchingPriority: 3 },
              {
                target: "onPremisesExtensionAttributes.extensionAttribute1",
                source: "employeeId",
                matchingPriority: 4,
              },
              { target: "city", constant: "Oslo", matchingPriority: 0 },
            ],
          },
        ],
      },
      ["jobs[0].mappings[0].matchingPriority", "jobs[0].mappings[1].matchingPriority"],
    ],
    [
      "a certificate without a place",
      {
        tenants: [
          { ...tenant(1, "emea", "global"), credential: { kind: "certificate", clientId: id(9) } },
          tenant(2, "hub", "global"),
        ],
      },
      ["tenants[0].credential"],
    ],
    [
      "a managed identity without a stamp",
      {
        tenants: [
          { ...tenant(1, "emea", "global"), credential: { kind: "managedIdentity" } },
          tenant(2, "hub", "global"),
        ],
      },
      ["tenants[0].stampAttribute"],
    ],
    [
      "a filter on what a user does not have, and on a list",
      {
        jobs: [
          {
            ...job,
            scope: {
              allUsers: true,
              filter: [
                {
                  clauses: ["departmnt", "proxyAddresses", "telephoneNumber"].map((attribute) => ({
                    attribute,
                    operator: "EQUALS",
                    value: "x",
                  })),
                },
              ],
            },
          },
        ],
      },
      ["jobs[0].scope.filter[0].clauses[0]", "jobs[0].scope.filter[0].clauses[1]"],
    ],
    [
      "extensions that the app cannot create, twice, or that hold the stamp",
      {
        tenants: [
          tenant(1, "emea", "global"),
          {
            ...tenant(2, "hub", "global"),
            extensions: [
              { name: `${OWN}a`, dataType: "String", create: true },
              { name: `${OWN}a`, dataType: "String" },
              { name: `extension_${"0".repeat(32)}_a`, dataType: "String", create: true },
              { name: `${OWN}syncSource`, dataType: "String" },
              { name: `${OWN}b`, dataType: "Integer", multiValued: true },
            ],
          },
        ],
      },
      ["[1].name", "[2].create", "[3].name", "[4].multiValued"].map((place) => `tenants[1].extensions${place}`),
    ],
    [
      "emptying with one switch alone, and a target that is the stamp",
      {
        jobs: [
          {
            ...job,
            mappings: [
              { target: "city", source: "city", flowNullValues: true },
              { target: `${OWN}syncSource`, source: "city" },
            ],
          },
        ],
      },
      ["jobs[0].mappings[0].flowNullValues", "jobs[0].mappings[1].target"],
    ],
    [
      "DefaultDomain of a tenant that does not say it",
      { jobs: [{ ...job, mappings: [{ target: "city", expression: "DefaultDomain()" }] }] },
      ["jobs[0].mappings[0].expression"],
    ],
    ["several at once", { version: 2, deployment: "Not A Name" }, ["version", "deployment"]],
  ])("%s", (_, changes, paths) => expect(mistakes(changes)).toEqual(paths));

  test("mistakes of form do not hide the others", () => {
    const wrong = {
      ...job,
      state: "onn",
      colour: "red",
      target: "nowhere",
      scope: { allUsers: true, users: ["x"] },
      mappings: [
        { target: "citty", source: "city" },
        { target: "city", expression: "Foo()" },
        { target: "state", source: 5 },
      ],
    };
    expect(mistakes({ jobs: [wrong] })).toEqual([
      "jobs[0].state",
      "jobs[0].scope.users[0]",
      "jobs[0].mappings[2].source",
      "jobs[0].colour",
      "jobs[0].target",
      "jobs[0].mappings[0].target",
      "jobs[0].mappings[1].expression",
    ]);
  });

  test("a mistyped setting is told with what was probably meant", () => {
    const told = (wrong: object) => {
      try {
        load({ jobs: [wrong] });
      } catch (error) {
        if (error instanceof ConfigInvalid) return error.mistakes.map(({ path, remedy }) => [path, remedy]);
        throw error;
      }
      return [];
    };
    expect(told({ ...job, onOutOfScop: "keep", limits: { removals: { perHor: 1 } } })).toEqual([
      ["jobs[0].limits.removals.perHor", "Did you mean perHour?"],
      ["jobs[0].onOutOfScop", "Did you mean onOutOfScope?"],
    ]);
  });

  test("text that is not JSON says so", () =>
    expect(() => loadConfig("{ tenants: }")).toThrow(/CONFIG_INVALID.*is not JSON/s));
  test("an accepted unlisted pair is allowed", () =>
    expect(mistakes({ jobs: [{ ...job, source: "cn", acceptUnlistedPair: true }] })).toEqual([]));
});

describe("the environment", () => {
  const env = { TABLES: "UseDevelopmentStorage=true", SERVICE_BUS: "Endpoint=sb://x" };
  test("gives the documented defaults", () => {
    expect(loadSettings(env)).toMatchObject({
      replicationAllowanceMs: 90_000,
      sweepMs: 300_000,
      quota: { writes: 3000, perSeconds: 150 },
    });
  });
  test("says everything that is missing", () => expect(() => loadSettings({})).toThrow(/TABLES.*SERVICE_BUS/s));
  test("refuses endpoints that are not https", () => {
    const SANDBOX_ENDPOINTS = JSON.stringify({
      [id(1)]: { graph: "http://127.0.0.1:1", login: "https://127.0.0.1:2" },
    });
    expect(() => loadSettings({ ...env, SANDBOX_ENDPOINTS })).toThrow(/SANDBOX_ENDPOINTS/);
  });
  test.each(["0/150", "3000/0", "3000"])("a write quota of %s is refused", (WRITE_QUOTA) => {
    expect(() => loadSettings({ ...env, WRITE_QUOTA })).toThrow(/WRITE_QUOTA.*3000\/150/);
  });
  test("an empty or mistyped number is a mistake, not a default", () => {
    expect(() => loadSettings({ ...env, SWEEP_SECONDS: "often" })).toThrow(/SWEEP_SECONDS/);
  });
  test.each([
    { INDEX_ALLOWANCE_SECONDS: "74", endpoints: undefined, refused: true },
    { INDEX_ALLOWANCE_SECONDS: "75", endpoints: undefined, refused: false },
    { INDEX_ALLOWANCE_SECONDS: "4", endpoints: "{}", refused: false },
  ])(
    "an index allowance of $INDEX_ALLOWANCE_SECONDS s with endpoints $endpoints",
    ({ endpoints, refused, ...given }) => {
      const settings = () => loadSettings({ ...env, ...given, SANDBOX_ENDPOINTS: endpoints });
      if (refused) expect(settings).toThrow(/INDEX_ALLOWANCE_SECONDS.*second user.*75/s);
      else expect(settings()).toMatchObject({ indexAllowanceMs: Number(given.INDEX_ALLOWANCE_SECONDS) * 1000 });
    },
  );
});

test("what is allowed and worth knowing is a warning with its place", () => {
  const mappings = [
    { target: "mail", source: "mail" },
    { target: "showInAddressList", constant: true },
  ];
  expect(load({ jobs: [{ ...job, target: "gov", mappings }] }).warnings.map(({ path }) => path)).toEqual([
    "jobs[0].mappings[0].target",
    "jobs[0].mappings[1].target",
    "jobs[0].userType",
  ]);
  expect(load({ jobs: [{ ...job, target: "gov", userType: "guest" }] }).warnings).toEqual([]);
  expect(load({ jobs: [{ ...job, target: "gov" }] }).warnings).toMatchObject([
    { path: "jobs[0].userType", problem: expect.stringContaining("Teams across clouds works for guests only") },
  ]);
  expect(load().warnings).toEqual([]);
});
