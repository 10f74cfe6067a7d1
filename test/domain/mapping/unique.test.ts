import { describe, expect, test } from "vitest";
import { textsOf } from "../../../shared/domain/mapping/map.ts";
import { ada, MOMENT, mapper } from "../people.ts";

const LONG = "x".repeat(17);

/** `employeeId` takes 16 characters. */
const compiled = (...rules: readonly string[]) =>
  mapper([{ target: "employeeId", expression: `SelectUniqueValue(${rules.join(", ")})`, flowType: "ObjectAddOnly" }]);

function chosen(rules: readonly string[], taken: readonly string[]) {
  const moment = { ...MOMENT, taken: (_: string, value: string) => taken.includes(value) };
  const wished = compiled(...rules).wishes(ada(), moment, "create");
  return wished.kind === "failed" ? wished.error : wished.kind === "wished" ? wished.wishes[0]?.value : wished.kind;
}

describe("SelectUniqueValue takes the first value that is free and fits", () => {
  test.each<[name: string, rules: readonly string[], taken: readonly string[], result: string]>([
    ["the first", ['"a"', '"b"'], [], "a"],
    ["the next where it is taken", ['"a"', '"b"'], ["a"], "b"],
    ["the next where it is too long", [`"${LONG}"`, '"b"'], [], "b"],
    ["too long and taken", [`"${LONG}"`, '"b"', '"c"'], ["b"], "c"],
    ["nothing, then a value", ["[city]", '""', '"b"'], [], "b"],
    ["a list does not fit one value", ['Split("a,b", ",")', '"c"'], [], "c"],
    ["none fits", [`"${LONG}"`, `"${LONG}y"`], [], "VALUE_TOO_LONG"],
    ["none fits but nothing", ["[city]", `"${LONG}"`], [], "VALUE_TOO_LONG"],
    ["the one that fits is taken", [`"${LONG}"`, '"b"'], ["b"], "VALUE_NOT_UNIQUE"],
    ["all taken", ['"a"', '"b"'], ["a", "b"], "VALUE_NOT_UNIQUE"],
  ])("%s", (_name, rules, taken, result) => {
    expect(chosen(rules, taken)).toBe(result);
  });
});

test("the target is not asked for values that do not fit", () => {
  const { employeeId } = compiled(`"${LONG}"`, '"b"', '"c"').candidates(ada(), MOMENT);
  expect(textsOf(employeeId ?? [])).toEqual(["b", "c"]);
});
