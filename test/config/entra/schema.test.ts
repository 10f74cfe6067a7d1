import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportSchema } from "../../../shared/config/entra/export.ts";
import { importSchema, SchemaInvalid } from "../../../shared/config/entra/import.ts";
import { rulesOfJob, type SchemaRules } from "../../../shared/config/entra/rules.ts";
import { loadConfig } from "../../../shared/config/load.ts";
import { configWith, rulesArbitrary } from "./rules.ts";

const FILES = ["default", "full", "beta"] as const;
const schema = (name: (typeof FILES)[number]): unknown =>
  JSON.parse(readFileSync(`test/fixtures/schema/${name}.json`, "utf8"));

type Path = readonly (string | number)[];
const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${part}` : part),
    "",
  );

function* leaves(value: unknown, path: Path = []): Generator<{ path: Path; value: unknown }> {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* leaves(item, [...path, index]);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) yield* leaves(item, [...path, key]);
  else yield { path, value };
}

/** The document with another value in one place. */
function changed(value: unknown, [first, ...rest]: Path, make: (before: unknown) => unknown = other): unknown {
  if (first === undefined) return make(value);
  const deeper = (item: unknown, key: string | number) => (key === first ? changed(item, rest, make) : item);
  if (Array.isArray(value)) return value.map(deeper);
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, deeper(item, key)]));
}
function other(value: unknown): unknown {
  if (typeof value === "boolean") return !value;
  return typeof value === "number" ? value + 1 : `${value ?? ""}x`;
}

function answer(json: unknown): string {
  try {
    return JSON.stringify(importSchema(json));
  } catch (error) {
    if (error instanceof SchemaInvalid) return error.message;
    throw error;
  }
}

describe.each(FILES)("%s", (name) => {
  const document = schema(name);
  const { rules, notCarried } = importSchema(document);

  test("every leaf is listed, or changes the answer when it changes", () => {
    const listed = notCarried.map(({ path }) => path);
    const isListed = (path: string) =>
      listed.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
    const before = answer(document);
    const silent = [...leaves(document)]
      .filter(({ path }) => !isListed(pathText(path)) && answer(changed(document, path)) === before)
      .map(({ path }) => pathText(path));
    expect(silent).toEqual([]);
  });

  test.each([false, true])("import, export, import: the same rules, and nothing left to list (beta %j)", (beta) => {
    const again = importSchema(JSON.parse(JSON.stringify(exportSchema(rules, { beta }))));
    expect(again).toEqual({ rules, notCarried: [] });
  });

  test("what was imported can be loaded", () => {
    const [pair] = loadConfig(configWith(rules)).pairs;
    expect(pair?.jobs).toHaveLength(1);
  });

  test("what is listed says what it was, why, and what to do", () => {
    for (const { path, was, why, remedy } of notCarried) expect([path, was, why, remedy].every(Boolean)).toBe(true);
  });

  test("the rules and the list", () => {
    const told = notCarried.filter(({ weight }) => weight === "rule").map(({ path, why }) => `${path}: ${why}`);
    expect({ rules, told }).toMatchSnapshot();
  });
});

test("random jobs: export, import gives the same rules, through Graph's JSON and the loader", () => {
  fc.assert(
    fc.property(rulesArbitrary, fc.boolean(), (rules: SchemaRules, beta) => {
      const text = configWith(rules);
      const { config } = loadConfig(text);
      const [job] = config.jobs;
      if (!job) throw new Error("impossible: one job");
      const document: unknown = JSON.parse(JSON.stringify(exportSchema(rulesOfJob(config, job), { beta })));
      expect(importSchema(document)).toEqual({ rules, notCarried: [] });
    }),
    { seed: 7, numRuns: 150 },
  );
});

const USERS = { sourceObjectName: "User", targetObjectName: "User" };
const withMapping = (mapping: object) => ({ synchronizationRules: [{ objectMappings: [{ ...USERS, ...mapping }] }] });
const withSource = (source: unknown, rest: object = {}) =>
  withMapping({ attributeMappings: [{ targetAttributeName: "department", source, ...rest }] });

describe("what is no schema", () => {
  test.each([
    ["text", "(root)"],
    [null, "(root)"],
    [[], "(root)"],
    [{}, "synchronizationRules"],
    [{ synchronizationRules: null }, "synchronizationRules"],
    [{ synchronizationRules: {} }, "synchronizationRules"],
    [{ synchronizationRules: [1] }, "synchronizationRules[0]"],
    [{ synchronizationRules: [{}] }, "synchronizationRules"],
    [withMapping({ flowTypes: "Add, Sometimes" }), "synchronizationRules[0].objectMappings[0].flowTypes"],
    [withMapping({ flowTypes: 3 }), "synchronizationRules[0].objectMappings[0].flowTypes"],
    [
      withMapping({ attributeMappings: [{ targetAttributeName: 3 }] }),
      "synchronizationRules[0].objectMappings[0].attributeMappings[0].targetAttributeName",
    ],
    [withMapping({ scope: [] }), "synchronizationRules[0].objectMappings[0].scope"],
    [
      withMapping({ scope: { groups: [{ clauses: [{ operatorName: "EQUALS" }] }] } }),
      "synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[0].sourceOperandName",
    ],
    [withSource({ type: "Attribute" }), "synchronizationRules[0].objectMappings[0].attributeMappings[0].source"],
    [
      withSource({ type: "Function", name: "ToLower", parameters: [{ key: "source" }] }),
      "synchronizationRules[0].objectMappings[0].attributeMappings[0].source.parameters[0].value",
    ],
    [
      withSource({ name: "a" }, { matchingPriority: 0.5 }),
      "synchronizationRules[0].objectMappings[0].attributeMappings[0].matchingPriority",
    ],
  ])("%j", (json, path) => {
    let mistake: unknown;
    try {
      importSchema(json);
    } catch (error) {
      if (!(error instanceof SchemaInvalid)) throw error;
      mistake = error.mistake;
    }
    expect(mistake).toMatchObject({ path, problem: expect.any(String), remedy: expect.stringMatching(/\.$/) });
  });
});

describe("one mapping", () => {
  const first = (source: unknown, rest: object = {}) => importSchema(withSource(source, rest)).rules.mappings[0];
  const listed = (source: unknown, rest: object = {}) =>
    importSchema(withSource(source, rest)).notCarried.map(
      ({ path, weight }) => `${weight} ${path.replace(/^.*Mappings\[0\]\.?/, "")}`,
    );

  test.each([
    ["an attribute by name", { name: "city" }, { source: "city" }],
    ["an attribute by its text", { expression: "[city]" }, { source: "city" }],
    ["a constant by name", { name: "NO", type: "Constant" }, { constant: "NO" }],
    [
      "an unquoted constant",
      { name: "Contoso Ltd", expression: "Contoso Ltd", type: "Constant" },
      { constant: "Contoso Ltd" },
    ],
    ["an empty constant", { name: "", expression: '""', type: "Constant" }, { constant: "" }],
    [
      "a function by its text",
      { expression: "ToLower( [city] )", type: "Function" },
      { expression: "ToLower( [city] )" },
    ],
    [
      "a tree with numbers, empty places and a bare word",
      {
        name: "InStr",
        type: "Function",
        parameters: [
          { key: "value1", value: { name: "city" } },
          { key: "value2", value: { name: "o", type: "Constant" } },
          { key: "compareType", value: { name: "vbTextCompare", expression: "vbTextCompare", type: "Constant" } },
        ],
      },
      { expression: 'InStr([city], "o", , vbTextCompare)' },
    ],
    [
      "a tree of Switch without default",
      {
        name: "Switch",
        type: "Function",
        parameters: [
          { key: "source", value: { name: "state" } },
          { key: "key", value: { name: "QLD", type: "Constant" } },
          { key: "value", value: { name: "Brisbane", type: "Constant" } },
        ],
      },
      { expression: 'Switch([state], , "QLD", "Brisbane")' },
    ],
    ["older names", { name: "mobile" }, { source: "mobilePhone" }],
  ])("%s", (_name, source, expected) => {
    expect(first(source)).toEqual({ target: "department", ...expected });
  });

  test.each([
    [
      "text and tree of different functions",
      { expression: "ToLower([city])", name: "ToUpper", type: "Function" },
      {},
      "rule source",
    ],
    [
      "text and name of different constants",
      { expression: '"a"', name: "b", type: "Constant" },
      {},
      "rule source.expression",
    ],
    ["an unknown function", { expression: "Lower([city])", type: "Function" }, {}, "rule "],
    ["an unknown attribute", { name: "favouriteColour" }, {}, "rule "],
    ["a broken text", { expression: "ToLower([city", type: "Function" }, {}, "rule "],
    ["an unknown flow", { name: "city" }, { flowType: "OnSundays" }, "rule "],
    ["an unknown behaviour", { name: "city" }, { flowBehavior: "FlowNever" }, "rule "],
    ["an unknown key", { name: "city" }, { condition: "x" }, "rule condition"],
    ["nothing at all", null, {}, "note "],
  ])("lists %s", (_name, source, rest, expected) => {
    expect(listed(source, rest)).toContain(expected);
  });
});

test.each(["constructor", "__proto__", "toString"])("%s is a name like any other", (name) => {
  const source = { name, type: "Function", parameters: [{ key: "source", value: { name } }] };
  const mapping = { targetAttributeName: name, source };
  const userType = { targetAttributeName: "userType", source: { name, type: "Constant" } };
  const { notCarried } = importSchema(withMapping({ attributeMappings: [mapping, userType] }));
  const told = notCarried.filter(({ path }) => /attributeMappings\[[01]\]$/.test(path));
  expect(told.map(({ weight }) => weight)).toContain("rule");
  for (const { why, remedy } of told) expect([typeof why, typeof remedy]).toEqual(["string", "string"]);
});

test("whatever stands anywhere in a schema, it is imported or refused with its place", () => {
  const document = schema("beta");
  const places = [...leaves(document)].map(({ path }) => path.slice(0, -1));
  const value = fc.constantFrom<unknown>(null, 1, "x", true, [], {}, [1], { a: 1 }, "", -1, [[]], [null]);
  fc.assert(
    fc.property(fc.constantFrom(...places), value, (path, instead) => {
      answer(changed(document, path, () => instead));
    }),
    { seed: 7, numRuns: 400 },
  );
});

test("a filter that the readable form cannot say stays in Entra's, and the loader tells what is wrong with it", () => {
  const values = { values: ["a", "b"] };
  const clause = { sourceOperandName: "department", operatorName: "EQUALS", targetOperand: values };
  const { rules, notCarried } = importSchema(withMapping({ scope: { groups: [{ name: "two", clauses: [clause] }] } }));
  expect(rules.scope).toEqual({ filter: { groups: [{ name: "two", clauses: [clause] }], inputFilterGroups: [] } });
  expect(notCarried).toContainEqual(
    expect.objectContaining({ path: "synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[0]" }),
  );
});

test("an empty default value is none, so that manager and userType are carried", () => {
  const direct = (name: string) => ({ type: "Attribute", name, expression: `[${name}]`, parameters: [] });
  const attributeMappings = [
    { targetAttributeName: "displayName", source: direct("displayName"), defaultValue: "" },
    { targetAttributeName: "manager", source: direct("manager"), defaultValue: "" },
    {
      targetAttributeName: "userType",
      source: { type: "Constant", name: "Member", expression: '"Member"' },
      defaultValue: "",
      flowType: "ObjectAddOnly",
    },
    { targetAttributeName: "accountEnabled", source: direct("accountEnabled"), defaultValue: "" },
  ];
  const { rules, notCarried } = importSchema(withMapping({ attributeMappings }));
  expect(rules).toMatchObject({
    userType: "member",
    changeUserType: false,
    manager: true,
    mappings: [{ target: "displayName", source: "displayName" }],
  });
  expect(notCarried.filter(({ weight }) => weight === "rule")).toEqual([]);
});

test("a Boolean in a filter is written as attributes are", () => {
  const clause = { sourceOperandName: "accountEnabled", operatorName: "EQUALS", targetOperand: { values: [true] } };
  const { rules } = importSchema(withMapping({ scope: { groups: [{ clauses: [clause] }] } }));
  expect(rules.scope.filter).toEqual([
    { clauses: [{ attribute: "accountEnabled", operator: "EQUALS", value: "True" }] },
  ]);
});

test("a clause with an operator that does not exist is kept, or other people would be in scope", () => {
  const clause = { sourceOperandName: "department", operatorName: "LIKE", targetOperand: { values: ["S%"] } };
  const { rules, notCarried } = importSchema(withMapping({ scope: { groups: [{ clauses: [clause] }] } }));
  expect(rules.scope.filter).toEqual([{ clauses: [{ attribute: "department", operator: "LIKE", value: "S%" }] }]);
  expect(notCarried.some(({ path, why }) => path.endsWith("groups[0].clauses[0]") && why.includes("LIKE"))).toBe(true);
});

/** Graph `synchronization-synchronizationschema-get.md`, `synchronization-objectmapping.md`; Entra `how-to-transformation.md`. */
describe("Microsoft's printed schemas", () => {
  const part = (name: string) => ({ expression: `[${name}]`, name, parameters: [], type: "Attribute" });
  const call = (name: string, source: string) => ({
    expression: `${name}([${source}])`,
    name,
    parameters: [{ key: "source", value: part(source) }],
    type: "Function",
  });

  test("the answer of GET …/schema: told piece by piece that it is no tenant's", () => {
    const { rules, notCarried } = importSchema({
      directories: [
        {
          name: "Azure Active Directory",
          objects: [{ name: "User", attributes: [{ name: "userPrincipalName", type: "string" }] }],
        },
        { name: "Salesforce", objects: [{}] },
      ],
      synchronizationRules: [
        {
          name: "USER_TO_USER",
          sourceDirectoryName: "Azure Active Directory",
          targetDirectoryName: "Salesforce",
          objectMappings: [
            {
              sourceObjectName: "User",
              targetObjectName: "User",
              attributeMappings: [{ source: {}, targetAttributeName: "userName" }, {}],
            },
            {},
          ],
        },
        {},
      ],
    });
    expect(rules.mappings).toEqual([]);
    const told = notCarried.map(({ was, why }) => `${was}: ${why}`);
    expect(told).toContain('"Salesforce": It is no Entra tenant: jobs run from tenant to tenant');
    expect(told.filter((line) => line.includes("nameless")).map((line) => line.split(":")[0])).toEqual([
      "a nameless object",
      "a nameless mapping",
      "a nameless rule",
    ]);
    expect(told.join()).not.toContain("undefined");
  });

  test("Not, Trim and Replace with the parameter names that the pages print", () => {
    const replace = {
      expression: 'Replace([preferredLanguage], "-", , , "_", , )',
      name: "Replace",
      parameters: [
        { key: "source", value: part("preferredLanguage") },
        { key: "Find", value: { expression: '"-"', name: "-", parameters: [], type: "Constant" } },
        { key: "Replacement", value: { expression: '"_"', name: "_", parameters: [], type: "Constant" } },
      ],
      type: "Function",
    };
    const attributeMappings = [
      { targetAttributeName: "preferredLanguage", source: replace },
      { targetAttributeName: "extensionAttribute3", source: call("Trim", "companyName") },
      { targetAttributeName: "employeeType", source: call("Not", "accountEnabled") },
    ];
    const { rules, notCarried } = importSchema(withMapping({ attributeMappings }));
    expect(rules.mappings.map(({ target, expression }) => [target, expression])).toEqual([
      ["preferredLanguage", replace.expression],
      ["onPremisesExtensionAttributes.extensionAttribute3", "Trim([companyName])"],
      ["employeeType", "Not([accountEnabled])"],
    ]);
    expect(notCarried.filter(({ path }) => path.includes("attributeMappings["))).toEqual([]);
  });
});
