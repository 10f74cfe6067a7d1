/** What a job's rules ask for, read from the configuration alone. Shares no code with the product. */
import type { SyncConfig } from "../shared/config/schema.ts";
import type { TruthUser } from "./graph/api.ts";

export type JobConfig = SyncConfig["jobs"][number];
type Filter = JobConfig["scope"]["filter"];
type Mapping = NonNullable<JobConfig["mappings"]>[number];

/** What an expression means, said once more by whoever wrote the world. By the expression's text. */
export type Formulas = Readonly<Record<string, (user: TruthUser) => unknown>>;

interface Clause {
  attribute: string;
  operator: string;
  value: unknown;
}

/** Both forms in which the configuration takes a filter: groups of clauses. */
function groupsOf(filter: Filter, set: "groups" | "inputFilterGroups"): Clause[][] {
  if (filter === undefined) return [];
  if (Array.isArray(filter)) {
    if (set === "inputFilterGroups") return [];
    return filter.map(({ clauses }) =>
      clauses.map(({ attribute, operator, value }) => ({ attribute, operator, value })),
    );
  }
  return (filter[set] ?? []).map(({ clauses }) =>
    clauses.map(({ sourceOperandName, operatorName, targetOperand }) => ({
      attribute: sourceOperandName,
      operator: operatorName,
      value: targetOperand?.values?.[0],
    })),
  );
}

/** The scoping filter, without the input filter. */
export const passesFilter = (user: TruthUser, { scope }: JobConfig): boolean =>
  someGroupHolds(user, groupsOf(scope.filter, "groups"));

/** False: for this job the person does not exist. */
export const isRead = (user: TruthUser, { scope }: JobConfig): boolean =>
  someGroupHolds(user, [...groupsOf(scope.filter, "inputFilterGroups"), ...groupsOf(scope.inputFilter, "groups")]);

const someGroupHolds = (user: TruthUser, groups: readonly Clause[][]): boolean =>
  groups.length === 0 || groups.some((clauses) => clauses.every((clause) => holds(user, clause)));

/** Nothing holds for an empty value but IS NULL. Only what worlds use; anything else is a mistake of the world. */
function holds(user: TruthUser, { attribute, operator, value }: Clause): boolean {
  const has = propertyOf(user, attribute);
  const name = operator.toUpperCase().replaceAll("_", " ");
  if (isEmpty(has)) return name === "IS NULL";
  const [is, wanted] = [String(has), String(value)];
  switch (name) {
    case "IS NULL":
      return false;
    case "IS NOT NULL":
      return true;
    case "EQUALS":
      return is === wanted;
    case "NOT EQUALS":
      return is !== wanted;
    case "IS TRUE":
      return has === true;
    case "IS FALSE":
      return has === false;
    case "INCLUDES":
      return is.includes(wanted);
    case "ENDS WITH":
      return is.endsWith(wanted);
    default:
      throw new Error(`the oracle does not know the operator ${operator}`);
  }
}

const DEFAULT_NAMES =
  "displayName mailNickname givenName surname jobTitle department companyName employeeId streetAddress city state postalCode country mobilePhone businessPhones officeLocation preferredLanguage";

/** One attribute of the target that must be as the rules say. */
export interface Expectation {
  name: string;
  expected: string;
  isMet(value: unknown): boolean;
}

/** What the target must show of somebody, whatever it showed before. What holds on creation only cannot be told from a state. */
export function expectationsOf(
  user: TruthUser,
  job: JobConfig,
  crossCloud: boolean,
  formulas: Formulas,
): readonly Expectation[] {
  const mappings: readonly Mapping[] = job.mappings ?? [
    ...DEFAULT_NAMES.split(" ").map((name) => ({ target: name, source: name })),
    { target: "mail", source: crossCloud ? "userPrincipalName" : "mail" },
  ];
  return mappings.flatMap((mapping) => {
    const expectation = expectationOf(user, job, mapping, formulas);
    return expectation ? [{ name: mapping.target, ...expectation }] : [];
  });
}

function expectationOf(
  user: TruthUser,
  job: JobConfig,
  mapping: Mapping,
  formulas: Formulas,
): Omit<Expectation, "name"> | undefined {
  const { source, constant, expression, flowType = "Always" } = mapping;
  const formula = expression === undefined ? undefined : formulas[expression];
  if (flowType === "ObjectAddOnly" || (expression !== undefined && !formula)) return undefined;
  if (source === undefined && constant === undefined && !formula)
    return { expected: "something", isMet: (value) => !isEmpty(value) };
  const wanted = formula ? formula(user) : (constant ?? propertyOf(user, source ?? ""));
  if (isEmpty(wanted)) {
    const empties = flowType === "Always" && mapping.flowNullValues === true && job.flowNullValues;
    return empties ? { expected: "nothing", isMet: isEmpty } : undefined;
  }
  if (flowType === "AttributeAddOnly") return { expected: "something", isMet: (value) => !isEmpty(value) };
  if (flowType !== "Always" && Array.isArray(wanted)) {
    const holdsAll = (value: unknown) => Array.isArray(value) && wanted.every((item) => value.includes(item));
    return { expected: `all of ${text(wanted)}`, isMet: holdsAll };
  }
  return { expected: text(wanted), isMet: (value) => sameValue(wanted, value, mapping.caseExact === true) };
}

export function propertyOf(user: TruthUser, name: string): unknown {
  if (name === "id") return user.id;
  if (name === "userPrincipalName") return user.userPrincipalName;
  if (name === "mail") return user.mail;
  if (name === "accountEnabled") return user.accountEnabled;
  let value: unknown = user.properties;
  for (const part of name in user.properties ? [name] : name.split(".")) {
    value =
      typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, part)?.value : undefined;
  }
  return value;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

export const text = (value: unknown): string => (isEmpty(value) ? "nothing" : JSON.stringify(value));

/** A change of letter case alone is not written, unless the mapping says so. */
function sameValue(a: unknown, b: unknown, caseExact: boolean): boolean {
  const [one, other] = [a, b].map((value) => JSON.stringify(value ?? null));
  return caseExact ? one === other : one?.toLowerCase() === other?.toLowerCase();
}
