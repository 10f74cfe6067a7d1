import { describe, expect, test } from "vitest";
import { ConfigInvalid, loadConfig } from "../../shared/config/load.ts";

const id = (digit: number) => `${String(digit).repeat(8)}-1111-4111-8111-111111111111`;
const tenant = (name: string, digit: number) => ({
  name,
  id: id(digit),
  cloud: "global",
  credential: { kind: "certificate", clientId: id(9), path: "app.pem" },
});
const load = (scope: object) =>
  loadConfig(
    JSON.stringify({
      version: 1,
      deployment: "contoso",
      tenants: [tenant("emea", 1), tenant("hub", 2)],
      jobs: [
        {
          id: "a",
          source: "emea",
          target: "hub",
          userType: "guest",
          state: "on",
          scope: { allUsers: true, ...scope },
        },
      ],
    }),
  );

function mistakes(scope: object): readonly string[] {
  try {
    load(scope);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    return error.mistakes.map(({ path, problem, remedy }) => `${path}: ${problem}. ${remedy}`);
  }
}

const entra = (...values: unknown[]) => ({
  sourceOperandName: "department",
  operatorName: "EQUALS",
  targetOperand: { values },
});

describe("a filter never lets everybody in by mistake", () => {
  test.each<[name: string, filter: object, told: string]>([
    ["a mistyped set", { group: [{ clauses: [entra("x")] }] }, "jobs[0].scope.filter.group: a filter has no such key"],
    [
      "a group without clauses",
      { groups: [{ clauses: [] }] },
      "jobs[0].scope.filter.groups[0]: a group without clauses",
    ],
    ["a readable one", [{ clauses: [] }], "jobs[0].scope.filter[0].clauses: "],
  ])("%s", (_name, filter, told) => {
    expect(mistakes({ filter })).toEqual([expect.stringContaining(told)]);
  });

  test("annotations of OData are no mistake", () => {
    expect(
      mistakes({ filter: { "@odata.type": "#microsoft.graph.filter", groups: [{ clauses: [entra("x")] }] } }),
    ).toEqual([]);
  });
});

describe("mistakes have the place that the file has", () => {
  const wrong = [{ clauses: [{ attribute: "departmnt", operator: "EQUAL", value: "x" }] }];

  test.each(["filter", "inputFilter"])("all of them at once, in %s", (key) => {
    expect(mistakes({ [key]: wrong })).toEqual([
      expect.stringContaining(
        `jobs[0].scope.${key}[0].clauses[0]: a source user has no attribute departmnt. Did you mean`,
      ),
      expect.stringContaining(`jobs[0].scope.${key}[0].clauses[0]: There is no operator EQUAL. Did you mean EQUALS?`),
    ]);
  });

  test("in the form of a schema", () => {
    const filter = { groups: [{ clauses: [{ operatorName: "EQUALS" }] }] };
    expect(mistakes({ filter })).toEqual([
      expect.stringContaining("jobs[0].scope.filter.groups[0].clauses[0].sourceOperandName: "),
    ]);
  });
});

test.each([
  ["readable", [{ clauses: [{ attribute: "accountEnabled", operator: "EQUALS", value: true }] }]],
  ["of a schema", { groups: [{ clauses: [{ ...entra(true), sourceOperandName: "accountEnabled" }] }] }],
])("a Boolean is compared in the form that attributes have: %s", (_name, filter) => {
  const job = load({ filter }).pairs[0]?.jobs[0];
  expect(job?.scope.filter?.inScope({ accountEnabled: true })).toBe(true);
  expect(job?.scope.filter?.inScope({ accountEnabled: false })).toBe(false);
});
