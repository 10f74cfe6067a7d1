import { describe, expect, test } from "vitest";
import {
  readAttributes,
  SOURCE_NAMES,
  sourceAttribute,
  sourceProblem,
  sourceView,
} from "../../../shared/domain/mapping/attributes.ts";
import { compileExpression } from "../../../shared/domain/mapping/expression/index.ts";
import { TARGET_NAMES, targetAttribute, targetProblem, typed } from "../../../shared/domain/mapping/targets.ts";
import type { AttributeValue } from "../../../shared/domain/user.ts";
import { ada } from "../people.ts";

const EXTENSION = `extension_${"0f".repeat(16)}_costCentre`;

describe("the directory's older names", () => {
  const user = ada({
    userPrincipalName: "eve_far.example#EXT#@emea.onmicrosoft.com",
    accountEnabled: false,
    attributes: {
      mobilePhone: "+1",
      businessPhones: ["+2"],
      officeLocation: "B4",
      faxNumber: "+3",
      onPremisesSyncEnabled: true,
      "onPremisesExtensionAttributes.extensionAttribute7": "seven",
      [EXTENSION]: "42",
    },
  });
  test.each<[string, AttributeValue, readonly string[]]>([
    ["mobile", "+1", ["mobilePhone"]],
    ["telephoneNumber", "+2", ["businessPhones"]],
    ["physicalDeliveryOfficeName", "B4", ["officeLocation"]],
    ["facsimileTelephoneNumber", "+3", ["faxNumber"]],
    ["dirSyncEnabled", true, ["onPremisesSyncEnabled"]],
    ["extensionAttribute7", "seven", ["onPremisesExtensionAttributes.extensionAttribute7"]],
    ["objectId", ada().id, []],
    ["IsSoftDeleted", true, []],
    ["originalUserPrincipalName", "eve_far.example#EXT#@emea.onmicrosoft.com", []],
    ["userPrincipalName", "eve@far.example", []],
    [EXTENSION, "42", [EXTENSION]],
  ])("%s", (name, value, reads) => {
    expect(sourceView(user)[name]).toEqual(value);
    expect(readAttributes([name])).toEqual(reads);
    expect(sourceProblem(name)).toBeUndefined();
  });

  test("what was not read is not there under any name", () => {
    expect(Object.keys(sourceView(ada({ attributes: {} }))).sort()).toEqual(
      "IsSoftDeleted accountEnabled creationType id mail objectId originalUserPrincipalName userPrincipalName userType".split(
        " ",
      ),
    );
  });

  test("every name can be used in an expression", () => {
    for (const name of SOURCE_NAMES) {
      expect(compileExpression(`Coalesce([${name}])`, { attributes: SOURCE_NAMES })).toMatchObject({ ok: true });
      expect(sourceAttribute(name)?.of(user)).toBeDefined();
    }
  });
});

describe("source names that are refused say why", () => {
  test.each([
    ["departmnt", /Did you mean department/],
    ["Department", /Did you mean department/],
    ["userType", /directory extension/],
    ["samAccountName", /onPremisesSamAccountName/],
    ["manager", /`manager` of the job/],
    ["netId", /Graph does not show it/],
    [EXTENSION.toUpperCase(), /letter case included/],
    ["extension_1234_x", /letter case included/],
    ["employeeOrgData", /docs\/mappings.md|Did you mean/],
  ])("%s", (name, remedy) => {
    expect(sourceProblem(name)?.remedy).toMatch(remedy);
    expect(sourceAttribute(name)).toBeUndefined();
  });
});

describe("target names that are refused say why", () => {
  test.each([
    ["departmnt", /Did you mean department/],
    ["telephoneNumber", /Graph calls it businessPhones/],
    ["extensionAttribute1", /Graph calls it onPremisesExtensionAttributes.extensionAttribute1/],
    ["userType", /`userType`, and `changeUserType`/],
    ["accountEnabled", /by itself/],
    ["manager", /`manager` of the job/],
    ["employeeHireDate", /does not let an application/],
    ["aboutMe", /does not let an application/],
    ["proxyAddresses", /read-only/],
    ["otherMails", /computes/],
    ["passwordProfile", /Passwords/],
    ["photo", /not synchronized/],
    ["customSecurityAttributes", /directory extension/],
    ["onPremisesImmutableId", /read-only/],
    ["HiddenFromAddressListEnabled", /Exchange/],
    ["syncSource", /stamp/],
    ["constructor", /docs\/mappings.md/],
    ["extension_1234_x", /letter case included/],
  ])("%s", (name, remedy) => {
    expect(targetProblem(name)?.remedy).toMatch(remedy);
    expect(targetAttribute(name)).toBeUndefined();
  });
  test("all others are not", () => {
    for (const name of TARGET_NAMES) expect(targetProblem(name)).toBeUndefined();
  });
});

describe("values get the type of their target", () => {
  const declared = (dataType: "Boolean" | "Integer" | "DateTime" | "String", multiValued = false) =>
    targetAttribute(EXTENSION, [{ name: EXTENSION, dataType, multiValued, create: false }]);
  const ofName = (name: string) => targetAttribute(name);
  test.each<[string, ReturnType<typeof targetAttribute>, AttributeValue, AttributeValue | { wrong: string }]>([
    ["text", ofName("city"), "Oslo", "Oslo"],
    ["nothing", ofName("city"), "", null],
    ["a Boolean as text", ofName("city"), true, "True"],
    ["a number as text", ofName("city"), 7, "7"],
    ["64 characters", ofName("department"), "x".repeat(64), "x".repeat(64)],
    ["65 characters", ofName("department"), "x".repeat(65), { wrong: "ValueTooLong" }],
    ["a list for one value", ofName("city"), ["a"], { wrong: "SchemaPropertyCanOnlyAcceptValue" }],
    ["an empty list for one value", ofName("city"), [], null],
    ["one value for a list", ofName("businessPhones"), "1", ["1"]],
    ["two phones", ofName("businessPhones"), ["1", "2"], { wrong: "TooManyValues" }],
    ["a long phone", ofName("businessPhones"), ["1".repeat(65)], { wrong: "ValueTooLong" }],
    ["True", ofName("showInAddressList"), "True", true],
    ["false", ofName("showInAddressList"), "false", false],
    ["yes", ofName("showInAddressList"), "yes", { wrong: "InvalidBoolean" }],
    ["a date", ofName("employeeLeaveDateTime"), "1/5/2026 3:04:05 PM", "2026-01-05T15:04:05Z"],
    ["an ISO date", ofName("employeeLeaveDateTime"), "2026-01-05T16:04:05+01:00", "2026-01-05T15:04:05Z"],
    ["no date", ofName("employeeLeaveDateTime"), "soon", { wrong: "InvalidDate" }],
    ["an integer", declared("Integer"), "-7", -7],
    ["no integer", declared("Integer"), "7.5", { wrong: "InvalidNumber" }],
    ["an integer that JSON cannot carry", declared("Integer"), "9007199254740993", { wrong: "InvalidNumber" }],
    ["a Boolean extension", declared("Boolean"), "TRUE", true],
    ["a date extension", declared("DateTime"), "2026-01-05", "2026-01-05T00:00:00Z"],
    ["a long extension", declared("String"), "x".repeat(257), { wrong: "ValueTooLong" }],
    ["a list extension", declared("String", true), ["a", "b"], ["a", "b"]],
    ["an undeclared extension keeps its type", ofName(EXTENSION), 7, 7],
  ])("%s", (_, attribute, value, expected) => {
    if (!attribute) throw new Error("no such attribute");
    const result = typed(attribute, value);
    expect("wrong" in result ? { wrong: result.wrong } : result.value).toEqual(expected);
  });
});
