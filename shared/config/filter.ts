import { clauseValue, type FilterGroup, type ScopingFilter } from "../domain/scoping-filter.ts";
import type { JobConfig } from "./schema.ts";

type Scope = JobConfig["scope"];
type Readable = NonNullable<Scope["inputFilter"]>;
type Entra = Exclude<NonNullable<Scope["filter"]>, Readable>;

/** The scoping filter of a job in the form of a synchronization schema; `undefined`: none. */
export function filterOf({ filter, inputFilter }: Pick<Scope, "filter" | "inputFilter">): ScopingFilter | undefined {
  if (!filter && !inputFilter) return undefined;
  const given = filter === undefined ? {} : Array.isArray(filter) ? { groups: readable(filter) } : fromSchema(filter);
  if (!inputFilter) return given;
  return { ...given, inputFilterGroups: [...(given.inputFilterGroups ?? []), ...readable(inputFilter)] };
}

const readable = (groups: Readable): readonly FilterGroup[] =>
  groups.map(({ name, clauses }) => ({
    name,
    clauses: clauses.map(({ attribute, operator, value }) => ({
      sourceOperandName: attribute,
      operatorName: operator,
      targetOperand: { values: value === undefined ? [] : [clauseValue(value)] },
    })),
  }));

const fromSchema = (filter: Entra): ScopingFilter => ({
  groups: entraGroups(filter.groups),
  inputFilterGroups: entraGroups(filter.inputFilterGroups),
  categoryFilterGroups: entraGroups(filter.categoryFilterGroups),
});

const entraGroups = (groups: Entra["groups"]): readonly FilterGroup[] =>
  (groups ?? []).map(({ name, clauses }) => ({
    name,
    clauses: clauses.map(({ sourceOperandName, operatorName, targetOperand }) => ({
      sourceOperandName,
      operatorName,
      targetOperand: { values: (targetOperand?.values ?? []).map(clauseValue) },
    })),
  }));
