import fc from "fast-check";
import { expect, test } from "vitest";
import { SOURCE_NAMES } from "../../../shared/domain/mapping/attributes.ts";
import { compileMappings, createValues, updatesOf } from "../../../shared/domain/mapping/map.ts";
import { type AttributeMapping, FLOW_TYPES } from "../../../shared/domain/mapping/mapping.ts";
import { TARGET_NAMES } from "../../../shared/domain/mapping/targets.ts";
import { ada, MOMENT } from "../people.ts";

const SEED = 20_260_105;
const value = fc.oneof(
  fc.constant(null),
  fc.string(),
  fc.constantFrom("", "True", "Oslo", "OSLO", "7", "2026-01-05"),
  fc.integer(),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 3 }),
);
const names = [...SOURCE_NAMES];
const expression = fc.constantFrom(
  "ToUpper([city])",
  'Split([displayName], " ")',
  "IgnoreFlowIfNullOrEmpty([department])",
  "CDate([employeeId])",
  'SelectUniqueValue([surname], Join(".", [givenName], [surname]))',
  'IIF([accountEnabled]="True", "True", IgnoreAttributeFlow)',
  "Mid([mail], [employeeId], 2)",
);
const mapping: fc.Arbitrary<AttributeMapping> = fc
  .record({
    target: fc.constantFrom(...TARGET_NAMES),
    kind: fc.oneof(
      fc.constantFrom(...names).map((source) => ({ source })),
      fc.constantFrom("Oslo", "True", "2026-01-05").map((constant) => ({ constant })),
      expression.map((text) => ({ expression: text })),
      fc.constant({}),
    ),
    flowType: fc.constantFrom(...FLOW_TYPES),
    flowNullValues: fc.boolean(),
    caseExact: fc.boolean(),
    defaultValue: fc.constantFrom(undefined, "Rome", "1"),
  })
  .map(({ kind, ...rest }) => ({ ...rest, ...kind }));
const mappings = fc.uniqueArray(mapping, { selector: ({ target }) => target, minLength: 1, maxLength: 6 });
const attributes = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 12 });

test("whatever the mappings and the user: a list of mistakes or an outcome, and what was written is as wished", () => {
  let evaluated = 0;
  fc.assert(
    fc.property(
      mappings,
      attributes,
      attributes,
      fc.constantFrom("create", "update"),
      (list, source, current, occasion) => {
        const compiled = compileMappings(list.filter((one) => compileMappings([one]).ok));
        if (!compiled.ok) throw new Error("each compiles alone, and all together do not");
        const user = ada({ attributes: source });
        const wished = compiled.mapper.wishes(user, MOMENT, occasion);
        if (wished.kind !== "wished") return;
        evaluated++;
        const changes = updatesOf(wished.wishes, current, occasion);
        const after = { ...current, ...changes };
        expect(updatesOf(wished.wishes, after, occasion)).toEqual({});
        const made = createValues(wished.wishes);
        if (occasion === "create") expect(updatesOf(wished.wishes, made, "create")).toEqual({});
        expect(Object.values(made)).not.toContain(null);
      },
    ),
    { seed: SEED, numRuns: 3_000 },
  );
  expect(evaluated).toBeGreaterThan(500);
});
