import { describe, expect, test } from "vitest";
import { createValues, updatesOf } from "../../../shared/domain/mapping/map.ts";
import { type AttributeMapping, FLOW_TYPES, type FlowType } from "../../../shared/domain/mapping/mapping.ts";
import type { AttributeValue } from "../../../shared/domain/user.ts";
import { ada, MOMENT, mapper } from "../people.ts";

const EXTENSION = `extension_${"0".repeat(32)}_tags`;
const extensions = [{ name: EXTENSION, dataType: "String", multiValued: true, create: false } as const];
/** Nothing is written, or this. */
const NOTHING = "nothing";

function wishes(mapping: AttributeMapping, source: AttributeValue, occasion: "create" | "update") {
  const name = mapping.source ?? "city";
  const wished = mapper([mapping], { extensions }).wishes(ada({ attributes: { [name]: source } }), MOMENT, occasion);
  if (wished.kind !== "wished") throw new Error(`${wished.kind}: ${JSON.stringify(wished)}`);
  return wished.wishes;
}

const updated = (mapping: AttributeMapping, source: AttributeValue, now: AttributeValue) =>
  updatesOf(wishes(mapping, source, "update"), { [mapping.target]: now })[mapping.target];

/** What an update writes into `city`, by what the source and the target have. */
type Row = Record<"filled" | "exchanged" | "same" | "caseOnly" | "sourceEmpty" | "bothEmpty", AttributeValue>;
const CASES = {
  filled: ["Oslo", null],
  exchanged: ["Oslo", "Bergen"],
  same: ["Oslo", "Oslo"],
  caseOnly: ["OSLO", "Oslo"],
  sourceEmpty: [null, "Oslo"],
  bothEmpty: [null, null],
} as const satisfies Record<keyof Row, readonly [AttributeValue, AttributeValue]>;

const SINGLE: Record<FlowType, Row> = {
  Always: row("Oslo", "Oslo"),
  ObjectAddOnly: row(NOTHING, NOTHING),
  AttributeAddOnly: row("Oslo", NOTHING),
  // The new value is an addition; only the removal does not flow.
  ValueAddOnly: row("Oslo", "Oslo"),
  MultiValueAddOnly: row("Oslo", NOTHING),
};
function row(filled: string, exchanged: string): Row {
  return { filled, exchanged, same: NOTHING, caseOnly: NOTHING, sourceEmpty: NOTHING, bothEmpty: NOTHING };
}

describe.each(FLOW_TYPES)("an update with %s", (flowType) => {
  const mapping: AttributeMapping = { target: "city", source: "city", flowType };
  test.each(Object.keys(CASES) as (keyof Row)[])("%s", (name) => {
    const [source, now] = CASES[name];
    expect(updated(mapping, source, now) ?? NOTHING).toBe(SINGLE[flowType][name]);
  });
  test("an empty string and an empty list are nothing", () => {
    for (const source of ["", []]) expect(updated(mapping, source, "Oslo")).toBeUndefined();
  });
  test("a default is not written", () => {
    expect(updated({ ...mapping, defaultValue: "Rome" }, null, null)).toBeUndefined();
  });
  test("with caseExact a change of letter case is a change", () => {
    const writes = flowType === "Always" || flowType === "ValueAddOnly";
    expect(updated({ ...mapping, caseExact: true }, "OSLO", "Oslo")).toBe(writes ? "OSLO" : undefined);
  });
});

const LIST: Record<FlowType, Record<"filled" | "added" | "removed" | "reordered" | "sourceEmpty", AttributeValue>> = {
  Always: { filled: ["a"], added: ["a", "b"], removed: ["a"], reordered: NOTHING, sourceEmpty: NOTHING },
  ObjectAddOnly: { filled: NOTHING, added: NOTHING, removed: NOTHING, reordered: NOTHING, sourceEmpty: NOTHING },
  AttributeAddOnly: { filled: ["a"], added: NOTHING, removed: NOTHING, reordered: NOTHING, sourceEmpty: NOTHING },
  ValueAddOnly: { filled: ["a"], added: ["A", "b"], removed: NOTHING, reordered: NOTHING, sourceEmpty: NOTHING },
  MultiValueAddOnly: { filled: ["a"], added: ["A", "b"], removed: NOTHING, reordered: NOTHING, sourceEmpty: NOTHING },
};
const LISTS = {
  filled: [["a"], []],
  added: [["a", "b"], ["A"]],
  removed: [["a"], ["a", "b"]],
  reordered: [
    ["b", "a"],
    ["a", "b"],
  ],
  sourceEmpty: [[], ["a"]],
} as const;

describe.each(FLOW_TYPES)("a list with %s", (flowType) => {
  const mapping: AttributeMapping = { target: EXTENSION, source: "otherMails", flowType };
  test.each(Object.keys(LISTS) as (keyof typeof LISTS)[])("%s", (name) => {
    const [source, now] = LISTS[name];
    expect(updated(mapping, source, now) ?? NOTHING).toEqual(LIST[flowType][name]);
  });
});

test("a list that has no room for another value keeps what it has", () => {
  const mapping: AttributeMapping = { target: "businessPhones", source: "businessPhones", flowType: "ValueAddOnly" };
  expect(updated(mapping, ["2"], ["1"])).toBeUndefined();
});

describe.each(FLOW_TYPES)("a creation with %s", (flowType) => {
  const created = (mapping: Partial<AttributeMapping>, source: AttributeValue) =>
    createValues(wishes({ target: "city", source: "city", flowType, ...mapping }, source, "create"));
  test("a value", () => expect(created({}, "Oslo")).toEqual({ city: "Oslo" }));
  test("nothing, without and with a default", () => {
    for (const source of [null, "", []]) {
      expect(created({}, source)).toEqual({});
      expect(created({ defaultValue: "Rome" }, source)).toEqual({ city: "Rome" });
    }
  });
  test("that was interrupted is finished with the same values", () => {
    const mapping: AttributeMapping = { target: "city", source: "city", flowType, defaultValue: "Rome" };
    for (const [source, wanted] of [
      ["Oslo", "Oslo"],
      [null, "Rome"],
    ] as const) {
      const made = wishes(mapping, source, "create");
      expect(updatesOf(made, {}, "create")).toEqual({ city: wanted });
      expect(updatesOf(made, { city: wanted }, "create")).toEqual({});
    }
  });
});

describe("emptying", () => {
  const mapping: AttributeMapping = { target: "city", source: "city", flowNullValues: true };
  test("takes the target's value away, once", () => {
    expect(updated(mapping, null, "Oslo")).toBeNull();
    expect(updated(mapping, "", "Oslo")).toBeNull();
    expect(updated(mapping, null, null)).toBeUndefined();
  });
  test("goes before a default, which is for creations", () => {
    expect(updated({ ...mapping, defaultValue: "Rome" }, null, "Oslo")).toBeNull();
  });
});

describe("the mapping type none", () => {
  const mapping: AttributeMapping = { target: "city", defaultValue: "Rome" };
  test("leaves the target as it is, and fills it where it is empty", () => {
    expect(updated(mapping, "Oslo", "Bergen")).toBeUndefined();
    expect(updated(mapping, "Oslo", null)).toBe("Rome");
    expect(createValues(wishes(mapping, "Oslo", "create"))).toEqual({ city: "Rome" });
  });
});

describe("constants and expressions flow as values do", () => {
  test.each<[AttributeMapping, AttributeValue]>([
    [{ target: "city", constant: "Rome" }, "Rome"],
    [{ target: "city", expression: 'ToUpper("rome")' }, "ROME"],
    [{ target: "showInAddressList", constant: true }, true],
    [{ target: "showInAddressList", expression: 'IIF([city]="Oslo","True","False")' }, true],
  ])("%j", (mapping, value) => expect(updated(mapping, "Oslo", null)).toBe(value));

  test("IgnoreFlowIfNullOrEmpty leaves even the default out", () => {
    const mapping = { target: "city", expression: "IgnoreFlowIfNullOrEmpty([city])", defaultValue: "Rome" };
    expect(createValues(wishes(mapping, null, "create"))).toEqual({});
    expect(createValues(wishes(mapping, "Oslo", "create"))).toEqual({ city: "Oslo" });
    expect(updated({ ...mapping, flowNullValues: true }, null, "Oslo")).toBeUndefined();
  });
});

test("a date in another form is the same date", () => {
  const mapping: AttributeMapping = { target: "employeeLeaveDateTime", source: "employeeLeaveDateTime" };
  expect(updated(mapping, "2026-01-05T08:30:00Z", "2026-01-05T08:30:00.0000000Z")).toBeUndefined();
  expect(updated(mapping, "2026-01-05T08:30:01Z", "2026-01-05T08:30:00Z")).toBe("2026-01-05T08:30:01Z");
});
