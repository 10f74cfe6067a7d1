import type { FunctionSpec } from "../call.ts";
import { CONVERSION } from "./conversion.ts";
import { DATES } from "./dates.ts";
import { GENERATED } from "./generated.ts";
import { LISTS } from "./lists.ts";
import { LOGIC } from "./logic.ts";
import { REPLACE } from "./replace.ts";
import { STRINGS } from "./strings.ts";

/** Handled by the compiler itself: only the pipeline can know which value is free. */
export const SELECT_UNIQUE_VALUE = "SelectUniqueValue";

export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map(
  [...STRINGS, ...LOGIC, ...LISTS, ...DATES, ...CONVERSION, ...GENERATED, REPLACE].flatMap((spec) =>
    [spec.name, ...(spec.alsoSpelled ?? [])].map((name) => [name, spec] as const),
  ),
);

/** Documented functions that have no meaning between tenants, with the way to do without. */
export const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  [
    "AppRoleAssignmentsComplex",
    "It makes role objects for SCIM applications; users of a tenant have none. Use SingleAppRoleAssignment.",
  ],
  [
    "AssertiveAppRoleAssignmentsComplex",
    "It makes role objects for SCIM applications; users of a tenant have none. Use SingleAppRoleAssignment.",
  ],
  ["AltSecIdFromNetId", "Graph does not show netId. Leave the mapping out: matching has rules of its own here."],
]);

/** Bare words that stand for a value of their own. */
export const FLOW_IDENTIFIERS = ["IgnoreAttributeFlow", "IgnoreObjectFlow"] as const;
