import { type Flow, propertyOf } from "../boundary.ts";
import type { CloudPair } from "../cloud.ts";
import type { ErrorCode } from "../error.ts";
import type { AttributeValue, SourceUser } from "../user.ts";
import { readAttributes, SOURCE_NAMES, viewOf } from "./attributes.ts";
import { expressionMistakes, type MappingMistake, type MappingSurroundings, mistakesOf, warningsOf } from "./check.ts";
import {
  type CandidateOutcome,
  compileExpression,
  type EvaluationCode,
  type Expression,
  type ExpressionInput,
  type ExpressionOutcome,
  firstFree,
} from "./expression/index.ts";
import { isEmpty } from "./flow.ts";
import { type AttributeMapping, isNone, type Occasion, type Wish } from "./mapping.ts";
import { type MisfitCode, type TargetAttribute, targetAttribute, typed } from "./targets.ts";

export type { MappingMistake, MappingSurroundings } from "./check.ts";
export { createValues, updatesOf } from "./flow.ts";
export type { Occasion, Wish } from "./mapping.ts";

/**
 * The default mapping set: the attributes that Entra's default cross-tenant mappings show, and those that its pages
 * recommend to add. Across clouds `mail` is the home userPrincipalName, because sign-in takes its hint from it.
 * Source: Entra `cross-tenant-synchronization-configure.md`, `cross-cloud-settings.md`.
 */
export const DEFAULT_ATTRIBUTES = [
  "displayName",
  "mailNickname",
  "givenName",
  "surname",
  "jobTitle",
  "department",
  "companyName",
  "employeeId",
  "streetAddress",
  "city",
  "state",
  "postalCode",
  "country",
  "officeLocation",
  "mobilePhone",
  "businessPhones",
  "preferredLanguage",
] as const;

export function defaultMappings(clouds: CloudPair): readonly AttributeMapping[] {
  return [
    ...DEFAULT_ATTRIBUTES.map((name) => ({ target: name, source: name })),
    { target: "mail", source: clouds.crossCloud ? "userPrincipalName" : "mail" },
  ];
}

/** What a mapping evaluates with, beside the user. Clock and chance come in as values. */
export interface MappingMoment {
  /** ms since 1970, for `Now()`. */
  now: number;
  randomBytes: (count: number) => Uint8Array;
  /** The default verified domain of the source tenant, for `DefaultDomain()`. */
  defaultDomain?: string;
  /** For SelectUniqueValue: whether somebody else in the target has this value. */
  taken?: (target: string, value: string) => boolean;
  /** What SelectUniqueValue offered when the target was asked: random candidates are not drawn again. */
  offers?: Offers;
}

/** By target attribute: what SelectUniqueValue offers, in order. */
export type Offers = Readonly<Record<string, readonly CandidateOutcome[]>>;

export type Wishes =
  | { kind: "wished"; wishes: readonly Wish[] }
  /** An expression says that this person is not to be provisioned now (`IgnoreObjectFlow`). */
  | { kind: "ignored"; target: string }
  /** An expression failed, or its value does not fit. The log has the code; the message may quote a value of the person. */
  | { kind: "failed"; target: string; error: ErrorCode; code: EvaluationCode | MisfitCode; message: string };

/** The mappings of a job, compiled once. */
export interface Mapper {
  mappings: readonly AttributeMapping[];
  /** What each of them reads and writes. */
  flows: readonly Flow[];
  /** Properties of source users that have to be read. */
  sources: readonly string[];
  /** Properties of target users that have to be read: those that are written, and their other parts. */
  targets: readonly string[];
  /** Those of SelectUniqueValue. */
  uniques: readonly string[];
  /** `FlowAlways`, or a value that moves with the clock: that nothing has changed at the source says nothing. */
  restless: boolean;
  /** Evaluates every mapping that a creation (`create`) or an update needs. Never throws. */
  wishes(user: SourceUser, moment: MappingMoment, occasion: Occasion): Wishes;
  /** What SelectUniqueValue offers on creation: what has to be asked of the target. */
  candidates(user: SourceUser, moment: MappingMoment): Offers;
}

interface Compiled {
  mapping: AttributeMapping;
  attribute: TargetAttribute;
  expression: Expression | undefined;
  /** Of a direct mapping. */
  source: string | undefined;
  constant: AttributeValue;
  otherwise: AttributeValue;
}

export type CompiledMappings =
  | { ok: true; mapper: Mapper; warnings: readonly MappingMistake[] }
  | { ok: false; mistakes: readonly MappingMistake[] };

/** Checks and compiles; every mistake is told. */
export function compileMappings(
  mappings: readonly AttributeMapping[],
  surroundings: MappingSurroundings = {},
): CompiledMappings {
  const mistakes: MappingMistake[] = [];
  const warnings: MappingMistake[] = [];
  const compiled: Compiled[] = [];
  for (const [index, mapping] of mappings.entries()) {
    const attribute = targetAttribute(mapping.target, surroundings.extensions);
    for (const told of mistakesOf(mapping, attribute, mappings, surroundings)) mistakes.push({ index, ...told });
    const expression = expressionOf(mapping, index, mistakes, warnings);
    if (expression)
      for (const told of expressionMistakes(mapping, attribute, expression, surroundings))
        mistakes.push({ index, ...told });
    if (!attribute) continue;
    for (const told of warningsOf(mapping, attribute, expression, surroundings)) warnings.push({ index, ...told });
    const fixed = (value: AttributeValue | undefined) => {
      const fits = typed(attribute, value ?? null);
      return "value" in fits ? fits.value : null;
    };
    const { source, constant, defaultValue } = mapping;
    compiled.push({
      mapping,
      attribute,
      expression,
      source,
      constant: fixed(constant),
      otherwise: fixed(defaultValue),
    });
  }
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, mapper: mapperOf(compiled), warnings };
}

function expressionOf(
  mapping: AttributeMapping,
  index: number,
  mistakes: MappingMistake[],
  warnings: MappingMistake[],
): Expression | undefined {
  if (mapping.expression === undefined) return undefined;
  const flowType = mapping.flowType ?? "Always";
  const expression = compileExpression(mapping.expression, {
    attributes: SOURCE_NAMES,
    mapping: { matching: (mapping.matchingPriority ?? 0) > 0, flowType },
  });
  const told = (message: string, position: number, remedy: string): MappingMistake => ({
    index,
    key: "expression",
    problem: `position ${position}: ${message.replace(/\.$/, "")}`,
    remedy,
  });
  const remedy = "See docs/expressions.md.";
  if (!expression.ok) {
    mistakes.push(...expression.errors.map(({ message, position }) => told(message, position, remedy)));
    return undefined;
  }
  warnings.push(...expression.warnings.map(({ message, position }) => told(message, position, remedy)));
  return expression;
}

function mapperOf(compiled: readonly Compiled[]): Mapper {
  const namesOf = ({ source, expression }: Compiled) => [
    ...(source === undefined ? [] : [source]),
    ...(expression?.attributes ?? []),
  ];
  const names = compiled.flatMap(namesOf);
  const view = viewOf(names);
  const isUnique = ({ expression }: Compiled) => expression?.functions.has("SelectUniqueValue") === true;
  const unique = compiled.filter(isUnique);
  return {
    mappings: compiled.map(({ mapping }) => mapping),
    flows: compiled.map((one) => ({
      target: one.mapping.target,
      reads: [...new Set(namesOf(one).map(propertyOf))],
    })),
    sources: readAttributes(names),
    targets: [...new Set(compiled.flatMap(({ mapping: { target } }) => wholeOf(target)))],
    uniques: unique.map(({ mapping }) => mapping.target),
    restless: compiled.some(
      ({ mapping, expression }) => mapping.flowBehavior === "FlowAlways" || expression?.functions.has("Now"),
    ),
    wishes: (user, moment, occasion) => wishesOf(compiled, view(user), moment, occasion),
    candidates: (user, moment) => (unique.length === 0 ? {} : offersOf(unique, view(user), moment)),
  };
}

/** A PATCH replaces `employeeOrgData` as a whole: its other part has to be known. Source: Graph `user-update.md`. */
const ORGANIZATION = ["employeeOrgData.division", "employeeOrgData.costCenter"];
const wholeOf = (target: string): readonly string[] => (ORGANIZATION.includes(target) ? ORGANIZATION : [target]);

type View = Readonly<Record<string, AttributeValue>>;

function wishesOf(compiled: readonly Compiled[], view: View, moment: MappingMoment, occasion: Occasion): Wishes {
  const wishes: Wish[] = [];
  const input = { attributes: view, ...moment };
  for (const one of compiled) {
    const { mapping, attribute, otherwise } = one;
    const { target } = mapping;
    if (occasion === "update" && mapping.flowType === "ObjectAddOnly") continue;
    const outcome = one.expression ? chosen(one, one.expression, input) : undefined;
    if (outcome?.kind === "ignored") {
      if (outcome.what === "object") return { kind: "ignored", target };
      continue;
    }
    if (outcome?.kind === "error") {
      const { code, message } = outcome.error;
      const error = code === "NoUniqueValue" ? "VALUE_NOT_UNIQUE" : "MAPPING_FAILED";
      return { kind: "failed", target, error, code, message };
    }
    const value = typed(attribute, outcome ? outcome.value : plainValue(one, view));
    if ("wrong" in value) {
      const error = value.wrong === "ValueTooLong" ? "VALUE_TOO_LONG" : "MAPPING_FAILED";
      return { kind: "failed", target, error, code: value.wrong, message: value.message };
    }
    wishes.push({ mapping, value: value.value, otherwise, attribute });
  }
  return { kind: "wished", wishes };
}

function chosen(one: Compiled, expression: Expression, input: ExpressionInput & MappingMoment): CandidateOutcome {
  const { target } = one.mapping;
  const offered = input.offers?.[target];
  const outcome: ExpressionOutcome = offered ? { kind: "candidates", candidates: offered } : expression.evaluate(input);
  if (outcome.kind !== "candidates") return outcome;
  return firstFree(fittingOf(one, outcome.candidates), (value) => input.taken?.(target, value) ?? false);
}

/** A rule whose value does not fit the target attribute is passed over; where no rule's value fits, the first says why. */
function fittingOf({ attribute }: Compiled, candidates: readonly CandidateOutcome[]): readonly CandidateOutcome[] {
  const fitting = candidates.filter((one) => one.kind !== "value" || "value" in typed(attribute, one.value));
  return fitting.some((one) => one.kind === "value" && !isEmpty(one.value)) ? fitting : candidates;
}

const plainValue = ({ source, mapping, constant }: Compiled, view: View): AttributeValue =>
  source === undefined ? (isNone(mapping) ? null : constant) : (view[source] ?? null);

function offersOf(unique: readonly Compiled[], view: View, moment: MappingMoment): Offers {
  const found: Record<string, readonly CandidateOutcome[]> = {};
  for (const one of unique) {
    const outcome = one.expression?.evaluate({ attributes: view, ...moment });
    if (outcome?.kind === "candidates") found[one.mapping.target] = fittingOf(one, outcome.candidates);
  }
  return found;
}

/** The texts among the candidates: who has them has to be asked of the target. */
export const textsOf = (candidates: readonly CandidateOutcome[]): readonly string[] =>
  candidates.flatMap((candidate) =>
    candidate.kind === "value" && typeof candidate.value === "string" && candidate.value !== ""
      ? [candidate.value]
      : [],
  );
