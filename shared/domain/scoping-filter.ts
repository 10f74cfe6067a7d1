import { FILTER_PATTERNS_INSTRUCTIONS_MAX, PATTERN_BASE_INSTRUCTIONS } from "./mapping/expression/limits.ts";
import { didYouMean } from "./mapping/expression/near-miss.ts";
import { Pattern } from "./mapping/expression/pattern.ts";
import { boolean, fromAttribute, isList } from "./mapping/expression/value.ts";

/**
 * Scoping filters of Entra's provisioning: clauses of a group all have to hold, one group is enough, no group at all
 * lets everybody in. Nothing holds for an attribute that is null or empty, except IS NULL.
 * Source: Entra `define-conditional-rules-for-provisioning-user-accounts.md`, Graph `synchronization-filter`.
 */
export interface ScopingFilter {
  groups?: readonly FilterGroup[] | null | undefined;
  /** Applied while reading: whoever leaves them is left alone, not deprovisioned. */
  inputFilterGroups?: readonly FilterGroup[] | null | undefined;
  categoryFilterGroups?: readonly FilterGroup[] | null | undefined;
}

export interface FilterGroup {
  name?: string | null | undefined;
  clauses: readonly FilterClause[];
}

export interface FilterClause {
  sourceOperandName: string;
  /** In the documented spelling; case, blanks and underscores do not matter. */
  operatorName: string;
  targetOperand?: { values?: readonly string[] | null | undefined } | null | undefined;
}

export interface FilterMistake {
  /** Where, as in `groups[0].clauses[1]`. */
  path: string;
  message: string;
}

export interface FilterVerdict {
  inScope: boolean;
  /** Out because of an input filter alone: nobody is deprovisioned for it. */
  leftAlone: boolean;
  /** By the form in which the provisioning log shows a clause. */
  clauses: Readonly<Record<string, boolean>>;
}

export type Attributes = Readonly<Record<string, unknown>>;

export interface CompiledScopingFilter {
  ok: true;
  /** The quick answer, without the clauses. */
  inScope(user: Attributes): boolean;
  test(user: Attributes): FilterVerdict;
  /** The attributes that have to be loaded. */
  attributes: readonly string[];
  warnings: readonly FilterMistake[];
}

type Test = (text: string) => boolean;
type Clause = { holds: (user: Attributes) => boolean; log: string };

/** What compiling the patterns of the whole filter has cost so far, in instructions. */
interface Spent {
  instructions: number;
}

/** `make`: from the value of the filter. A string says what is wrong with it. */
interface Operator {
  name: string;
  unary: boolean;
  make: (value: string, spent: Spent) => Test | { wrong: string };
}

const INTEGER = /^[+-]?\d+$/;
const ordered = (name: string, holds: (attribute: bigint, value: bigint) => boolean): Operator => ({
  name,
  unary: false,
  make: (value) => {
    const wanted = INTEGER.test(value) ? BigInt(value.replace("+", "")) : undefined;
    return (text) => wanted !== undefined && INTEGER.test(text) && holds(BigInt(text.replace("+", "")), wanted);
  },
});

const matching = (name: string, matches: boolean): Operator => ({
  name,
  unary: false,
  make: (value, spent) => {
    if (spent.instructions > FILTER_PATTERNS_INSTRUCTIONS_MAX) {
      return { wrong: "The patterns of this filter are too large together. Use fewer or smaller ones." };
    }
    const pattern = Pattern.compile(value, "whole");
    spent.instructions += pattern instanceof Pattern ? pattern.cost : PATTERN_BASE_INSTRUCTIONS;
    return pattern instanceof Pattern ? (text) => pattern.test(text) === matches : { wrong: pattern.message };
  },
});

const IS_NULL = "IS NULL";
const GREATER = ["Greater_Than", "Greater_Than_OR_EQUALS"];

const OPERATORS: readonly Operator[] = [
  { name: "EQUALS", unary: false, make: (value) => (text) => text === value },
  { name: "NOT EQUALS", unary: false, make: (value) => (text) => text !== value },
  { name: IS_NULL, unary: true, make: () => () => false },
  { name: "IS NOT NULL", unary: true, make: () => () => true },
  { name: "IS TRUE", unary: true, make: () => (text) => text.toLowerCase() === "true" },
  { name: "IS FALSE", unary: true, make: () => (text) => text.toLowerCase() === "false" },
  matching("REGEX MATCH", true),
  matching("NOT REGEX MATCH", false),
  ordered("Greater_Than", (attribute, value) => attribute > value),
  ordered("Greater_Than_OR_EQUALS", (attribute, value) => attribute >= value),
  { name: "Includes", unary: false, make: (value) => (text) => text.includes(value) },
  { name: "ENDS_WITH", unary: false, make: (value) => (text) => text.endsWith(value) },
  { name: "&", unary: false, make: (value) => (text) => value.includes(text) },
  { name: "!&", unary: false, make: (value) => (text) => !value.includes(text) },
];

/** The portal and the API write the same operators with blanks or underscores, in capitals or not. */
const spelled = (name: string): string => name.toUpperCase().replace(/[\s_]+/g, "");
const BY_NAME = new Map(OPERATORS.map((operator) => [spelled(operator.name), operator]));

/** Microsoft documents that filters on these do not work. */
const NOT_SUPPORTED: ReadonlySet<string> = new Set([
  "userType",
  "manager",
  "appRoleAssignments",
  "members",
  "memberOf",
]);

/** Checks and compiles once; every mistake is told. */
export function compileScopingFilter(
  filter: ScopingFilter,
): CompiledScopingFilter | { ok: false; errors: readonly FilterMistake[] } {
  const errors: FilterMistake[] = [];
  const warnings: FilterMistake[] = [];
  const spent: Spent = { instructions: 0 };
  const compile = (set: keyof ScopingFilter) =>
    (filter[set] ?? []).map((group, index) => {
      const name = group.name || `Scoping filter ${index + 1}`;
      if (group.clauses.length === 0)
        warnings.push({ path: `${set}[${index}]`, message: "A group without clauses lets everybody in." });
      return group.clauses.flatMap((clause, number) => {
        const compiled = compileClause(clause, name, `${set}[${index}].clauses[${number}]`, {
          errors,
          warnings,
          spent,
        });
        return compiled ? [compiled] : [];
      });
    });
  const [groups, input] = [compile("groups"), compile("inputFilterGroups")];
  if ((filter.categoryFilterGroups ?? []).length > 0) {
    const message =
      "Category filters choose between mappings of one object type; give each job its own filter instead.";
    errors.push({ path: "categoryFilterGroups", message });
  }
  if (errors.length > 0) return { ok: false, errors };
  const passes = (set: readonly (readonly Clause[])[], user: Attributes) =>
    set.length === 0 || set.some((clauses) => clauses.every(({ holds }) => holds(user)));
  return {
    ok: true,
    warnings,
    attributes: [
      ...new Set(
        [...(filter.groups ?? []), ...(filter.inputFilterGroups ?? [])].flatMap(({ clauses }) =>
          clauses.map(({ sourceOperandName }) => sourceOperandName),
        ),
      ),
    ],
    inScope: (user) => passes(groups, user) && passes(input, user),
    test: (user) => {
      const [scoped, read] = [passes(groups, user), passes(input, user)];
      const clauses = [...groups, ...input].flat().map(({ log, holds }) => [log, holds(user)] as const);
      return { inScope: scoped && read, leftAlone: !read, clauses: Object.fromEntries(clauses) };
    },
  };
}

function compileClause(
  clause: FilterClause,
  group: string,
  path: string,
  told: { errors: FilterMistake[]; warnings: FilterMistake[]; spent: Spent },
): Clause | undefined {
  const { sourceOperandName: attribute, operatorName, targetOperand } = clause;
  const operator = BY_NAME.get(spelled(operatorName));
  const values = targetOperand?.values ?? [];
  const [value = ""] = values;
  const refuse = (message: string) => told.errors.push({ path, message });
  if (attribute.trim() === "") refuse("The clause names no attribute.");
  if (NOT_SUPPORTED.has(attribute)) refuse(`Filters on ${attribute} are not supported. Use a directory extension.`);
  if (!operator) {
    const names = OPERATORS.map(({ name }) => name);
    refuse(`There is no operator ${operatorName}.${didYouMean(operatorName, names)} Use one of ${names.join(", ")}.`);
    return undefined;
  }
  const { name, unary } = operator;
  if (!unary && values.length !== 1) refuse(`${name} compares with one value, not with ${values.length}.`);
  if (!unary && values.length === 1 && value === "") refuse(`${name} needs a value. Use IS NULL to ask for emptiness.`);
  if (GREATER.includes(name) && !INTEGER.test(value)) {
    told.warnings.push({ path, message: `${name} compares with a whole number, not with '${value}': never true.` });
  }
  const made = operator.make(value, told.spent);
  if ("wrong" in made) {
    refuse(made.wrong);
    return undefined;
  }
  return { holds: holdsFor(attribute, name === IS_NULL, made), log: `${group}.${attribute} ${name} '${value}'` };
}

/** A value of a filter as clauses compare it: Booleans are written as attributes are. */
export const clauseValue = (value: string | number | boolean): string =>
  typeof value === "boolean" ? boolean(value) : String(value);

/** Lists are not supported in filters: nothing holds for them. */
function holdsFor(attribute: string, isNull: boolean, test: Test): (user: Attributes) => boolean {
  return (user) => {
    const value = Object.hasOwn(user, attribute) ? fromAttribute(user[attribute]) : null;
    if (value === null || value === "") return isNull;
    return !isList(value) && test(typeof value === "string" ? value : value.toString());
  };
}
