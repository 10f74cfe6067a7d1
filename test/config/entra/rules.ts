import fc from "fast-check";
import type { SchemaRules } from "../../../shared/config/entra/rules.ts";
import { ConfigInvalid, loadConfig } from "../../../shared/config/load.ts";
import { FLOW_TYPES } from "../../../shared/domain/mapping/mapping.ts";

const tenant = (n: number, name: string) => ({
  name,
  id: `${String(n).repeat(8)}-1111-4111-8111-111111111111`,
  cloud: "global",
  credential: { kind: "certificate", clientId: "99999999-1111-4111-8111-111111111111", path: "app.pem" },
});

/** A configuration with one job that has these rules. */
export function configWith({ scope, userType = "guest", ...rules }: SchemaRules): string {
  const job = {
    id: "a",
    source: "emea",
    target: "hub",
    state: "on",
    ...rules,
    userType,
    scope: { allUsers: true, ...scope },
  };
  return JSON.stringify({
    version: 1,
    deployment: "contoso",
    tenants: [tenant(1, "emea"), tenant(2, "hub")],
    jobs: [job],
  });
}

const SOURCES = [
  ...["department", "city", "mail", "mobilePhone", "businessPhones", "faxNumber", "officeLocation", "id", "otherMails"],
  ...["onPremisesExtensionAttributes.extensionAttribute4", "extension_0c55279b1d7a4c2bbf0e1f3fd7e04fa8_Nick"],
];
const TARGETS = [
  ...["displayName", "department", "city", "mail", "mobilePhone", "businessPhones", "officeLocation", "jobTitle"],
  ...["extension_9d98ed114c4840d298fad781915f27e4_Nick", "employeeId", "companyName", "state"],
];
const text = fc.string({ maxLength: 12, unit: fc.constantFrom(..."aZ09 \"\\,()[]&$é😀'") });
const attribute = fc.constantFrom(...SOURCES).map((name) => `[${name}]`);
const quoted = text.map((one) => `"${one.replace(/["\\]/g, "\\$&")}"`);
const { call } = fc.letrec<{ call: string; value: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, attribute, quoted, tie("call")),
  call: fc.oneof(
    tie("value").map((one) => `ToLower(${one})`),
    fc.tuple(tie("value"), tie("value")).map(([a, b]) => `Append(${a} , ${b})`),
    fc.array(tie("value"), { minLength: 2, maxLength: 4 }).map((all) => `Join(${all.join(", ")})`),
    fc.tuple(tie("value"), fc.nat(9)).map(([a, n]) => `Mid(${a}, ${n + 1}, "2")`),
    fc.tuple(tie("value"), tie("value")).map(([a, b]) => `IIF(${a} <> ${b}, ${a}, ${b})`),
    fc.tuple(tie("value"), quoted, quoted).map(([a, b, c]) => `Switch(${a}, , ${b}, ${c})`),
    fc.tuple(tie("value"), quoted).map(([a, b]) => `Replace(${a}, "x", , , ${b}, , )`),
    fc.tuple(tie("value"), quoted).map(([a, b]) => `InStr(${a}, ${b}, , vbTextCompare)`),
    fc.constant("Now()"),
    fc.constant('FormatDateTime(Now(), "M/d/yyyy h:mm:ss tt", "yyyy")'),
  ),
}));

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const kind = fc.oneof(
  fc.constantFrom(...SOURCES).map((source) => ({ source })),
  text.map((constant) => ({ constant })),
  call.map((expression) => ({ expression })),
  text.filter((defaultValue) => defaultValue !== "").map((defaultValue) => ({ defaultValue })),
);
const settings = fc.record({
  flowType: maybe(fc.constantFrom(...FLOW_TYPES.filter((type) => type !== "Always"))),
  flowBehavior: maybe(fc.constant("FlowAlways" as const)),
  matchingPriority: maybe(fc.integer({ min: 1, max: 100 })),
  caseExact: maybe(fc.constant(true)),
  flowNullValues: maybe(fc.constant(true)),
});
const told = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
const OPERATORS = ["EQUALS", "NOT EQUALS", "Includes", "ENDS_WITH", "&", "!&", "REGEX MATCH", "Greater_Than"];
const clause = fc.oneof(
  fc.record({
    attribute: fc.constantFrom("department", "mobilePhone", "onPremisesSyncEnabled", "employeeId"),
    operator: fc.constantFrom(...OPERATORS),
    value: fc.constantFrom("1", "Sales", "a b"),
  }),
  fc.constantFrom("IS NULL", "IS NOT NULL", "IS TRUE", "IS FALSE").map((operator) => ({ attribute: "city", operator })),
);
const groups = fc.array(
  fc
    .record({ name: maybe(fc.constantFrom("one", "two")), clauses: fc.array(clause, { minLength: 1, maxLength: 3 }) })
    .map(told),
  { minLength: 1, maxLength: 3 },
);

/** Everything that a job and a schema both say, in the form in which it is imported. */
export const rulesArbitrary: fc.Arbitrary<SchemaRules> = fc
  .record({
    userType: fc.constantFrom("guest" as const, "member" as const),
    changeUserType: fc.boolean(),
    manager: fc.boolean(),
    flowNullValues: fc.boolean(),
    actions: fc.record({ create: fc.boolean(), update: fc.boolean(), delete: fc.boolean() }),
    scope: fc.record({ filter: maybe(groups), inputFilter: maybe(groups) }).map(told),
    targets: fc.subarray(TARGETS, { minLength: 1 }),
    mappings: fc.array(fc.tuple(kind, settings), { minLength: TARGETS.length, maxLength: TARGETS.length }),
  })
  .map(({ targets, mappings, ...rules }) => ({
    ...rules,
    mappings: targets.map((target, index) => {
      const [value, { flowNullValues, ...others }] = mappings[index] ?? [{ source: "city" }, {}];
      return {
        target,
        ...value,
        ...told({ ...others, ...(rules.flowNullValues ? { flowNullValues } : {}) }),
      };
    }),
  }))
  .map(accepted)
  .filter(({ mappings }) => mappings.length > 0);

/** Without the mappings that the loader refuses. */
function accepted(rules: SchemaRules): SchemaRules {
  try {
    loadConfig(configWith(rules));
    return rules;
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    const refused = new Set(error.mistakes.map(({ path }) => Number(/mappings\[(\d+)\]/.exec(path)?.[1])));
    return { ...rules, mappings: rules.mappings.filter((_, index) => !refused.has(index)) };
  }
}
