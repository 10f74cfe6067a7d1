import { describe, expect, test } from "vitest";
import { compileScopingFilter, type ScopingFilter } from "../../shared/domain/scoping-filter.ts";

const clause = (sourceOperandName: string, operatorName: string, ...values: string[]) => ({
  sourceOperandName,
  operatorName,
  targetOperand: { values },
});
const group = (name: string, ...clauses: ReturnType<typeof clause>[]) => ({ name, clauses });

function compile(filter: ScopingFilter) {
  const compiled = compileScopingFilter(filter);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return compiled;
}
const holds = (operator: string, value: string | undefined, attribute: unknown) =>
  compile({ groups: [group("f", clause("x", operator, ...(value === undefined ? [] : [value])))] }).inScope({
    x: attribute,
  });

/** Operator, value of the filter, an attribute for which it holds, and those for which it does not. */
const MATRIX: readonly [
  operator: string,
  value: string | undefined,
  yes: readonly unknown[],
  no: readonly unknown[],
][] = [
  ["EQUALS", "sales", ["sales"], ["Sales", "sales ", 5, true]],
  ["EQUALS", "5", ["5", 5], [55, "05"]],
  ["NOT EQUALS", "sales", ["Sales", 5, false], ["sales"]],
  ["IS NOT NULL", undefined, ["x", 0, false], []],
  ["IS TRUE", undefined, [true, "True", "true", "TRUE"], [false, "no", 1, "1"]],
  ["IS FALSE", undefined, [false, "False", "false"], [true, "x", 0, "0"]],
  ["REGEX MATCH", "([1-9][0-9])", ["10", 99], ["9", "100", "x10"]],
  ["REGEX MATCH", ".*\\@domain.com", ["a@domain.com"], ["a@domain.com.example", "A@DOMAIN.COM"]],
  ["REGEX MATCH", "(1[0-9][0-9][0-9][0-9][0-9][0-9])", [1000000, "1999999"], [2000000]],
  ["REGEX MATCH", "a|b", ["a", "b"], ["ab"]],
  // Entra how-to-attribute-mapping-entra-to-active-directory.md: "search an attribute as a string for a substring".
  [
    "REGEX MATCH",
    "(?:^|\\W)Sales|Marketing|Operations(?:$|\\W)",
    ["Contoso-Sales-US", "Contoso-Marketing-US", "Contoso-Operations-US", "Sales"],
    ["Contoso-LT-US", "ContosoSales"],
  ],
  ["REGEX MATCH", "^Contoso", ["Contoso", "Contoso-US"], ["US-Contoso", "contoso"]],
  ["REGEX MATCH", "-US$", ["Contoso-US"], ["Contoso-US-1", "US"]],
  ["REGEX MATCH", "\\ACon", ["Contoso"], ["US-Contoso"]],
  // Signs that are no anchors do not make a search of it.
  ["REGEX MATCH", "[^a]\\$", ["b$"], ["b$c", "a$"]],
  ["NOT REGEX MATCH", "^adm", ["kim"], ["admin"]],
  ["NOT REGEX MATCH", ".*\\@domain.com", ["a@else.example"], ["a@domain.com"]],
  ["Greater_Than", "5", [6, "10"], [5, "4", "5.5", "x", true]],
  ["Greater_Than", "9007199254740992", ["9007199254740993"], ["9007199254740992"]],
  ["Greater_Than_OR_EQUALS", "5", [5, 6], [4]],
  ["Includes", "ale", ["sales"], ["SALES"]],
  ["ENDS_WITH", "les", ["sales"], ["saLES", "lesa"]],
  ["&", "sales,marketing", ["sales", "keting"], ["Sales", "hr"]],
  ["!&", "sales,marketing", ["hr"], ["sales"]],
];

describe.each(MATRIX)("%s %s", (operator, value, yes, no) => {
  test.each(yes.map((attribute) => [attribute]))("holds for %j", (attribute) => {
    expect(holds(operator, value, attribute)).toBe(true);
  });
  test.each([...no, null, undefined, "", [], ["sales", "5"]].map((attribute) => [attribute]))(
    "not for %j",
    (attribute) => {
      expect(holds(operator, value, attribute)).toBe(false);
    },
  );
});

test.each([
  [null, true],
  [undefined, true],
  ["", true],
  [[], true],
  ["x", false],
  [0, false],
  [false, false],
  [["a"], false],
])("IS NULL of %j", (attribute, expected) => {
  expect(holds("IS NULL", undefined, attribute)).toBe(expected);
});

test.each([
  "equals",
  " Equals",
  "NotEquals",
  "GREATER THAN or equals",
  "GreaterThan",
  "ends_with",
  "EndsWith",
  "regex_match",
])("%s is known", (operator) => {
  expect(compileScopingFilter({ groups: [group("f", clause("x", operator, "1"))] }).ok).toBe(true);
});

describe("groups", () => {
  const filter = compile({
    groups: [
      group("Sales", clause("department", "EQUALS", "sales"), clause("city", "IS NOT NULL")),
      group("", clause("employeeId", "Greater_Than", "100")),
    ],
  });

  test("clauses all hold, one group is enough", () => {
    expect(filter.inScope({ department: "sales", city: "Oslo" })).toBe(true);
    expect(filter.inScope({ department: "sales" })).toBe(false);
    expect(filter.inScope({ department: "sales", employeeId: "101" })).toBe(true);
  });

  test("every clause is told as the provisioning log shows it", () => {
    expect(filter.test({ department: "sales", employeeId: 7 })).toEqual({
      inScope: false,
      leftAlone: false,
      clauses: {
        "Sales.department EQUALS 'sales'": true,
        "Sales.city IS NOT NULL ''": false,
        "Scoping filter 2.employeeId Greater_Than '100'": false,
      },
    });
  });

  test.each([[{}], [{ groups: [] }], [{ groups: null }]])("no groups: everybody, %j", (empty) => {
    expect(compile(empty).test({})).toEqual({ inScope: true, leftAlone: false, clauses: {} });
  });

  test("whoever leaves an input filter is left alone", () => {
    const both = compile({
      groups: [group("g", clause("city", "EQUALS", "Oslo"))],
      inputFilterGroups: [group("i", clause("department", "EQUALS", "sales"))],
    });
    expect(both.test({ city: "Oslo", department: "hr" })).toMatchObject({ inScope: false, leftAlone: true });
    expect(both.test({ city: "Bergen", department: "sales" })).toMatchObject({ inScope: false, leftAlone: false });
    expect(both.inScope({ city: "Oslo", department: "sales" })).toBe(true);
  });
});

test("every mistake is told, with its place", () => {
  const filter = {
    groups: [
      group("a", clause("x", "LIKE", "1"), clause("x", "EQUALS"), clause("userType", "EQUALS", "Member")),
      group("b", clause("x", "REGEX MATCH", "(?=a)"), clause("x", "REGEX MATCH", "a)|(b"), clause("x", "Includes", "")),
    ],
    categoryFilterGroups: [group("c")],
  };
  expect(compileScopingFilter(filter)).toMatchObject({
    ok: false,
    errors: [
      { path: "groups[0].clauses[0]", message: expect.stringContaining("There is no operator LIKE") },
      { path: "groups[0].clauses[1]", message: expect.stringContaining("one value") },
      { path: "groups[0].clauses[2]", message: expect.stringContaining("userType") },
      { path: "groups[1].clauses[0]", message: expect.stringContaining("Look-around") },
      { path: "groups[1].clauses[1]", message: expect.stringContaining("cannot be read") },
      { path: "groups[1].clauses[2]", message: expect.stringContaining("needs a value") },
      { path: "categoryFilterGroups" },
    ],
  });
});

test("a bound that is no whole number is never exceeded, and warned of", () => {
  const filter = compile({ groups: [group("g", clause("x", "Greater_Than", "ten"))] });
  expect(filter.warnings).toMatchObject([{ path: "groups[0].clauses[0]" }]);
  expect(filter.inScope({ x: 11 })).toBe(false);
});

test("a group without clauses is warned of", () => {
  const filter = compile({ groups: [group("g")] });
  expect(filter.warnings).toMatchObject([{ path: "groups[0]" }]);
  expect(filter.inScope({})).toBe(true);
});
