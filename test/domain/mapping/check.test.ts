import { describe, expect, test } from "vitest";
import { compileMappings, defaultMappings, type MappingSurroundings } from "../../../shared/domain/mapping/map.ts";
import type { AttributeMapping } from "../../../shared/domain/mapping/mapping.ts";
import { clouds } from "../people.ts";

const across = { crossCloud: true, manager: false, unlisted: false };
const EXTENSION = `extension_${"0".repeat(32)}_x`;

/** `index.key` of every mistake. */
function mistakes(mappings: readonly AttributeMapping[], surroundings?: MappingSurroundings): readonly string[] {
  const compiled = compileMappings(mappings, surroundings);
  return compiled.ok ? [] : compiled.mistakes.map(({ index, key }) => `${index}.${key ?? "whole"}`);
}
function warnings(mappings: readonly AttributeMapping[], surroundings?: MappingSurroundings): readonly string[] {
  const compiled = compileMappings(mappings, surroundings);
  return compiled.ok ? compiled.warnings.map(({ index, key }) => `${index}.${key ?? "whole"}`) : ["does not compile"];
}

test.each([
  ["within a cloud", clouds],
  ["across clouds", across],
])("the default set has no mistake and no warning %s", (_, pair) => {
  const mappings = defaultMappings(pair);
  expect(mistakes(mappings, { clouds: pair, flowNullValues: false })).toEqual([]);
  expect(warnings(mappings, { clouds: pair, flowNullValues: false })).toEqual([]);
  expect(mappings.find(({ target }) => target === "mail")?.source).toBe(pair.crossCloud ? "userPrincipalName" : "mail");
});

describe("mistakes", () => {
  const UNIQUE = 'SelectUniqueValue([surname], "x")';
  test.each<[string, AttributeMapping, readonly string[], MappingSurroundings?]>([
    ["no kind", { target: "city" }, ["0.whole"]],
    ["two kinds", { target: "city", source: "city", constant: "x" }, ["0.whole"]],
    ["all kinds", { target: "city", source: "city", constant: "x", expression: "[city]" }, ["0.whole"]],
    ["a target that is not writable", { target: "userType", constant: "Member" }, ["0.target"]],
    ["the stamp", { target: EXTENSION, source: "city" }, ["0.target"], { stampAttribute: EXTENSION }],
    ["an unknown source", { target: "city", source: "citty" }, ["0.source"]],
    ["a list for one value", { target: "mobilePhone", source: "businessPhones" }, ["0.source"]],
    ["an unknown attribute in an expression", { target: "city", expression: "ToUpper([citty])" }, ["0.expression"]],
    ["an attribute that cannot be used", { target: "city", expression: "ToUpper([userType])" }, ["0.expression"]],
    ["a broken expression", { target: "city", expression: "ToUper([city])" }, ["0.expression"]],
    ["a constant that is too long", { target: "employeeId", constant: "12345678901234567" }, ["0.constant"]],
    ["a constant of another type", { target: "showInAddressList", constant: "yes" }, ["0.constant"]],
    [
      "a default of another type",
      { target: "showInAddressList", expression: "[city]", defaultValue: "yes" },
      ["0.defaultValue"],
    ],
    ["SelectUniqueValue that flows always", { target: "mailNickname", expression: UNIQUE }, ["0.expression"]],
    [
      "SelectUniqueValue where Graph cannot look",
      { target: "companyName", expression: UNIQUE, flowType: "ObjectAddOnly" },
      ["0.expression"],
    ],
    [
      "DefaultDomain that nobody has told",
      { target: "city", expression: "DefaultDomain()" },
      ["0.expression"],
      { defaultDomain: null },
    ],
    [
      "emptying without the job's switch",
      { target: "city", source: "city", flowNullValues: true },
      ["0.flowNullValues"],
      { flowNullValues: false },
    ],
    [
      "emptying what Graph keeps",
      { target: "displayName", source: "displayName", flowNullValues: true },
      ["0.flowNullValues"],
    ],
    ["emptying mail", { target: "mail", source: "mail", flowNullValues: true }, ["0.flowNullValues"]],
    [
      "emptying usageLocation",
      { target: "usageLocation", source: "usageLocation", flowNullValues: true },
      ["0.flowNullValues"],
    ],
    [
      "emptying a list",
      { target: "businessPhones", source: "businessPhones", flowNullValues: true },
      ["0.flowNullValues"],
    ],
    [
      "emptying what only adds",
      { target: "city", source: "city", flowNullValues: true, flowType: "AttributeAddOnly" },
      ["0.flowNullValues"],
    ],
  ])("%s", (_, mapping, found, surroundings) => expect(mistakes([mapping], surroundings)).toEqual(found));

  test("all of them at once, each in its place", () => {
    const all: AttributeMapping[] = [
      { target: "city", source: "city" },
      { target: "city", source: "citty" },
      { target: "id", expression: "Foo([bar])" },
    ];
    expect(mistakes(all)).toEqual(["1.target", "1.source", "2.target", "2.expression", "2.expression"]);
  });
});

describe("warnings", () => {
  test.each<[string, AttributeMapping, readonly string[], MappingSurroundings?]>([
    ["showInAddressList", { target: "showInAddressList", constant: true }, ["0.target"]],
    ["a permission more", { target: "employeeLeaveDateTime", source: "employeeLeaveDateTime" }, ["0.target"]],
    ["an extension that is not declared", { target: EXTENSION, source: "city" }, ["0.target"]],
    ["mail across clouds", { target: "mail", source: "mail" }, ["0.target"], { clouds: across }],
    ["mail within a cloud", { target: "mail", source: "mail" }, [], { clouds }],
    [
      "MultiValueAddOnly for one value",
      { target: "city", source: "city", flowType: "MultiValueAddOnly" },
      ["0.flowType"],
    ],
    ["a random value that flows always", { target: "city", expression: "Guid()" }, ["0.expression"]],
    ["a random value on creation", { target: "city", expression: "Guid()", flowType: "ObjectAddOnly" }, []],
    ["a random value where there is none", { target: "city", expression: "Guid()", flowType: "AttributeAddOnly" }, []],
  ])("%s", (_, mapping, found, surroundings) => expect(warnings([mapping], surroundings)).toEqual(found));
});

test("a part of employeeOrgData is read with its other part, which a PATCH would clear", () => {
  const compiled = compileMappings([{ target: "employeeOrgData.division", source: "employeeOrgData.division" }]);
  expect(compiled.ok && compiled.mapper.targets).toEqual(["employeeOrgData.division", "employeeOrgData.costCenter"]);
});
