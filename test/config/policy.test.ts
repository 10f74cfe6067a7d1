import { describe, expect, test } from "vitest";
import { ConfigInvalid, loadConfig } from "../../shared/config/load.ts";
import { SyncConfig } from "../../shared/config/schema.ts";
import { weakenings } from "../../shared/config/weakenings.ts";

const id = (n: number) => `${String(n).repeat(8)}-1111-4111-8111-111111111111`;
type Fields = Readonly<Record<string, unknown>>;

const tenant = (n: number, name: string, more: Fields = {}) => ({
  name,
  id: id(n),
  cloud: "global",
  credential: { kind: "certificate", clientId: id(9), path: "app.pem" },
  ...more,
});
const MAPPINGS = [
  { target: "displayName", source: "displayName" },
  { target: "department", expression: 'Join(" ", [department], [mobile])' },
  { target: "companyName", constant: "Contoso" },
];
const config = ({ source = {}, target = {}, job = {} }: { source?: Fields; target?: Fields; job?: Fields }) => ({
  version: 1,
  deployment: "contoso",
  tenants: [tenant(1, "emea", source), tenant(2, "hub", target), tenant(3, "apac")],
  jobs: [
    {
      id: "a",
      source: "emea",
      target: "hub",
      state: "on",
      scope: { allUsers: true },
      userType: "member",
      manager: false,
      mappings: MAPPINGS,
      ...job,
    },
  ],
});
function mistakes(changes: Parameters<typeof config>[0]): readonly (readonly [string, string])[] {
  try {
    loadConfig(JSON.stringify(config(changes)));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    for (const { remedy } of error.mistakes) expect(remedy).not.toBe("");
    return error.mistakes.map(({ path, problem }) => [path, problem]);
  }
}
const filter = [{ clauses: [{ attribute: "city", operator: "EQUALS", value: "Oslo" }] }];
const EVERYTHING = ["displayName", "department", "mobilePhone"];

describe("what a target lets in", () => {
  const inbound = (policy: Fields, job: Fields = {}) => mistakes({ target: { inbound: policy }, job });

  test.each<[string, Fields, Fields, readonly string[]]>([
    ["the type", { userTypes: ["guest"] }, {}, ["jobs[0].userType"]],
    ["the type, of a job that is off", { userTypes: ["guest"] }, { state: "off" }, ["jobs[0].userType"]],
    ["the source by name", { sources: ["apac"] }, {}, ["jobs[0].source"]],
    ["the source by id", { sources: [id(3)] }, {}, ["jobs[0].source"]],
    ["an attribute", { attributes: ["displayName", "companyName"] }, {}, ["jobs[0].mappings[1].target"]],
    [
      "the manager",
      { attributes: ["displayName", "department", "companyName"] },
      { manager: true },
      ["jobs[0].manager"],
    ],
    ["a gate that does not exist", { gates: ["training"] }, {}, ["jobs[0].target"]],
    ["more people than it takes", { maxUsers: 10 }, { firstCycle: { expected: 11 } }, ["jobs[0].firstCycle.expected"]],
    ["a tenant that is not in the file", { sources: ["emea", "nobody"] }, {}, ["tenants[1].inbound.sources[1]"]],
    ["a limit of nobody", { maxUsers: 0 }, {}, ["tenants[1].inbound.maxUsers"]],
  ])("refuses %s", (_, policy, job, paths) => {
    expect(inbound(policy, job).map(([path]) => path)).toEqual(paths);
  });

  test("is no obstacle to what it allows", () => {
    const attributes = ["displayName", "department", "companyName", "manager"];
    const policy = { userTypes: ["member"], sources: ["emea"], attributes, gates: [], maxUsers: 10 };
    expect(inbound(policy, { manager: true, firstCycle: { expected: 10 } })).toEqual([]);
    expect(inbound({ sources: [id(1).toUpperCase()] })).toEqual([]);
  });

  test("says what to do, to whom", () => {
    expect(() => loadConfig(JSON.stringify(config({ target: { inbound: { sources: ["apac"] } } })))).toThrow(
      "jobs[0].source: the tenant hub lets nobody in from emea. Take the job out, or ask the administrators of hub to widen `inbound.sources`.",
    );
  });

  test("how many is no rule about who: nobody is looked at again for it", () => {
    const hashOf = (policy: Fields) =>
      loadConfig(JSON.stringify(config({ target: { inbound: policy } }))).pairs.map(({ rulesHash }) => rulesHash);
    expect(hashOf({ maxUsers: 5 })).toEqual(hashOf({ maxUsers: 6 }));
  });
});

describe.each<[string, (attributes: readonly string[]) => Parameters<typeof config>[0]]>([
  ["what a source lets out", (attributes) => ({ source: { outbound: { attributes } } })],
  ["the boundary of a job", (attributes) => ({ job: { boundary: { attributes } } })],
])("%s", (_, limited) => {
  const refused = (attributes: readonly string[], job: Fields = {}) => {
    const changes = limited(attributes);
    return mistakes({ ...changes, job: { ...changes.job, ...job } });
  };

  test("is no obstacle to what it allows, under whatever name the directory has for it", () => {
    expect(refused(EVERYTHING)).toEqual([]);
    expect(refused(["displayName", "department", "mobile"])).toEqual([]);
  });
  test("refuses a direct mapping", () => {
    expect(refused(["department", "mobilePhone"]).map(([path]) => path)).toEqual(["jobs[0].mappings[0].source"]);
  });
  test("refuses what an expression reads, by the property that is read", () => {
    const [[path, problem] = ["", ""]] = refused(["displayName", "department"]);
    expect(path).toBe("jobs[0].mappings[1].expression");
    expect(problem).toContain("mobilePhone");
  });
  test("refuses what a filter reads", () => {
    expect(refused(EVERYTHING, { scope: { allUsers: true, filter } }).map(([path]) => path)).toEqual([
      "jobs[0].scope.filter",
    ]);
    expect(refused([...EVERYTHING, "city"], { scope: { allUsers: true, filter } })).toEqual([]);
  });
  test("refuses what matching reads", () => {
    const mappings = [...MAPPINGS, { target: "employeeId", source: "employeeId", matchingPriority: 1 }];
    expect(refused(EVERYTHING, { mappings }).map(([path]) => path)).toEqual(["jobs[0].mappings[3].source"]);
  });
  test("refuses the manager, also where that is the default", () => {
    expect(refused(EVERYTHING, { manager: undefined }).map(([path]) => path)).toEqual(["jobs[0].manager"]);
    expect(refused([...EVERYTHING, "manager"], { manager: true })).toEqual([]);
  });
  test("refuses the default mappings where they take more", () => {
    const paths = refused(EVERYTHING, { mappings: undefined }).map(([path]) => path);
    expect(new Set(paths)).toEqual(new Set(["jobs[0].mappings"]));
  });
  test("knows a name that nobody has", () => {
    expect(refused([...EVERYTHING, "shoeSize"])).toEqual([
      [expect.stringMatching(/attributes\[3\]$/), expect.stringContaining("shoeSize")],
    ]);
  });
});

describe("a second person", () => {
  const told = (before: Parameters<typeof config>[0], after: Parameters<typeof config>[0]) =>
    weakenings(SyncConfig.parse(config(before)), SyncConfig.parse(config(after))).map(({ path }) => path);
  const boundary = (...attributes: string[]) => ({ job: { boundary: { attributes } } });
  const outbound = (...attributes: string[]) => ({ source: { outbound: { attributes } } });
  const policy = (inbound: Fields) => ({ target: { inbound } });

  test.each<[string, Parameters<typeof config>[0], Parameters<typeof config>[0], readonly string[]]>([
    ["a wider boundary", boundary("city"), boundary("city", "state"), ["jobs.a.boundary"]],
    ["no boundary any more", boundary("city"), {}, ["jobs.a.boundary"]],
    ["a narrower boundary", boundary("city", "state"), boundary("city"), []],
    ["a first boundary", {}, boundary("city"), []],
    ["more may leave", outbound("city"), outbound("city", "state"), ["tenants.emea.outbound"]],
    ["everything may leave", outbound("city"), {}, ["tenants.emea.outbound"]],
    ["less may leave", outbound("city", "state"), outbound("city"), []],
    ["more users", policy({ maxUsers: 5 }), policy({ maxUsers: 6 }), ["tenants.hub.inbound.maxUsers"]],
    ["fewer users", policy({ maxUsers: 6 }), policy({ maxUsers: 5 }), []],
    ["a gate less", policy({ gates: ["a", "b"] }), policy({ gates: ["a"] }), ["tenants.hub.inbound.gates"]],
    [
      "a source more",
      policy({ sources: ["emea"] }),
      policy({ sources: ["emea", "apac"] }),
      ["tenants.hub.inbound.sources"],
    ],
    [
      "an attribute more",
      policy({ attributes: ["a"] }),
      policy({ attributes: ["a", "b"] }),
      ["tenants.hub.inbound.attributes"],
    ],
  ])("%s", (_, before, after, paths) => expect(told(before, after)).toEqual(paths));
});
