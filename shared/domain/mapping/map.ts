import type { CloudPair } from "../cloud.ts";
import type { Attributes, AttributeValue, SourceUser } from "../user.ts";
import { graphAttribute, readAttributes, sourceView, typed } from "./attributes.ts";
import { compileExpression, type Expression, type ExpressionOutcome, firstFree } from "./expression/index.ts";
import type { AttributeMapping, FlowType } from "./mapping.ts";

/**
 * The default mapping set: the attributes that Entra's default cross-tenant mappings show, and those that its pages
 * recommend to add. Across clouds `mail` is the home userPrincipalName, because sign-in takes its hint from it.
 * Source: Entra `cross-tenant-synchronization-configure.md`, `cross-cloud-settings.md`.
 */
export const DEFAULT_ATTRIBUTES = [
  "displayName",
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
  /** For SelectUniqueValue: whether somebody in the target has this value. */
  taken?: (target: string, value: string) => boolean;
}

/** What one mapping asks for. `value` null: the source is empty. */
export interface Wish {
  mapping: AttributeMapping;
  value: AttributeValue;
}

export type Wishes =
  | { kind: "wished"; wishes: readonly Wish[] }
  /** An expression says that this person is not to be provisioned now (`IgnoreObjectFlow`). */
  | { kind: "ignored"; target: string }
  /** An expression failed: its code, for the log. No values in it. */
  | { kind: "failed"; target: string; code: string; message: string };

export interface MappingMistake {
  /** Of the mapping in its list. */
  index: number;
  /** The setting: `target`, `expression`, … */
  key: keyof AttributeMapping;
  problem: string;
  remedy: string;
}

/** The mappings of a job, compiled once. */
export interface Mapper {
  mappings: readonly AttributeMapping[];
  /** Properties of source users that have to be read. */
  sources: readonly string[];
  /** Properties of target users that are written. */
  targets: readonly string[];
  /** `FlowAlways`, or a value that moves with the clock: that nothing has changed at the source says nothing. */
  restless: boolean;
  /** Evaluates every mapping that a creation (`create`) or an update needs. */
  wishes(user: SourceUser, moment: MappingMoment, occasion: Occasion): Wishes;
  /** Values that SelectUniqueValue offers on creation, in order: what has to be asked of the target, by its attribute. */
  candidates(user: SourceUser, moment: MappingMoment): Readonly<Record<string, readonly string[]>>;
}
export type Occasion = "create" | "update";

interface Compiled {
  mapping: AttributeMapping;
  expression: Expression | undefined;
}

export type CompiledMappings =
  | { ok: true; mapper: Mapper; warnings: readonly MappingMistake[] }
  | { ok: false; mistakes: readonly MappingMistake[] };

/** Checks and compiles; every mistake is told. */
export function compileMappings(mappings: readonly AttributeMapping[]): CompiledMappings {
  const mistakes: MappingMistake[] = [];
  const warnings: MappingMistake[] = [];
  const compiled = mappings.map((mapping, index): Compiled => {
    if (mapping.expression === undefined) return { mapping, expression: undefined };
    const expression = compileExpression(mapping.expression, {
      mapping: { matching: (mapping.matchingPriority ?? 0) > 0, flowType: mapping.flowType ?? "Always" },
    });
    if (expression.ok) {
      for (const { message, position } of expression.warnings)
        warnings.push({
          index,
          key: "expression",
          problem: `${message} (position ${position})`,
          remedy: "Read it again.",
        });
      return { mapping, expression };
    }
    for (const { message, position } of expression.errors)
      mistakes.push({
        index,
        key: "expression",
        problem: `position ${position}: ${message}`,
        remedy: "See docs/expressions.md.",
      });
    return { mapping, expression: undefined };
  });
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, mapper: mapperOf(compiled), warnings };
}

function mapperOf(compiled: readonly Compiled[]): Mapper {
  const names = compiled.flatMap(({ mapping: { source }, expression }) => [
    ...(source === undefined ? [] : [source]),
    ...(expression?.attributes ?? []),
  ]);
  return {
    mappings: compiled.map(({ mapping }) => mapping),
    sources: readAttributes(names),
    targets: [...new Set(compiled.map(({ mapping }) => mapping.target))],
    restless: compiled.some(
      ({ mapping, expression }) => mapping.flowBehavior === "FlowAlways" || expression?.functions.has("Now"),
    ),
    wishes: (user, moment, occasion) => wishesOf(compiled, user, moment, occasion),
    candidates: (user, moment) => candidatesOf(compiled, user, moment),
  };
}

function wishesOf(compiled: readonly Compiled[], user: SourceUser, moment: MappingMoment, occasion: Occasion): Wishes {
  const attributes = sourceView(user);
  const wishes: Wish[] = [];
  for (const { mapping, expression } of compiled) {
    const { target, flowType } = mapping;
    if (occasion === "update" && flowType === "ObjectAddOnly") continue;
    const outcome: ExpressionOutcome = expression
      ? expression.evaluate({ attributes, ...moment })
      : { kind: "value", value: null };
    const chosen =
      outcome.kind === "candidates"
        ? firstFree(outcome.candidates, (value) => moment.taken?.(target, value) ?? false)
        : outcome;
    if (chosen.kind === "ignored") {
      if (chosen.what === "object") return { kind: "ignored", target };
      continue;
    }
    if (chosen.kind === "error") return { kind: "failed", target, ...chosen.error };
    const raw = expression ? chosen.value : plainValue(mapping, user);
    const value = typed(target, raw);
    if ("wrong" in value) return { kind: "failed", target, code: value.wrong, message: value.message };
    wishes.push({ mapping, value: value.value });
  }
  return { kind: "wished", wishes };
}

function plainValue(mapping: AttributeMapping, user: SourceUser): AttributeValue {
  if (mapping.constant !== undefined) return mapping.constant;
  return mapping.source === undefined ? null : graphAttribute(user, mapping.source);
}

function candidatesOf(compiled: readonly Compiled[], user: SourceUser, moment: MappingMoment) {
  const found: Record<string, readonly string[]> = {};
  for (const { mapping, expression } of compiled) {
    const outcome = expression?.evaluate({ attributes: sourceView(user), ...moment });
    if (outcome?.kind !== "candidates") continue;
    found[mapping.target] = outcome.candidates.flatMap((candidate) =>
      candidate.kind === "value" && typeof candidate.value === "string" && candidate.value !== ""
        ? [candidate.value]
        : [],
    );
  }
  return found;
}

/** The attributes of a new target user. What is empty at the source takes its default, or is left out. */
export function createValues(wishes: readonly Wish[]): Attributes {
  const values: Record<string, AttributeValue> = {};
  for (const { mapping, value } of wishes) {
    const wanted = isEmpty(value) ? typedDefault(mapping) : value;
    if (!isEmpty(wanted)) values[mapping.target] = wanted;
  }
  return values;
}

/**
 * What has to be written so that a target user shows what is wished. Empty at the source: the target keeps what it has,
 * unless nulls flow. A part of `employeeOrgData` goes with the other mapped part: what a PATCH leaves out of it becomes
 * null. Source: Entra `customize-application-attributes.md`, Graph `user-update.md`.
 */
export function updatesOf(wishes: readonly Wish[], current: Attributes): Attributes {
  const changes: Record<string, AttributeValue> = {};
  for (const wish of wishes) {
    const now = current[wish.mapping.target] ?? null;
    const next = flowed(wish, now);
    if (next !== undefined && !same(next, now, wish.mapping.caseExact === true)) changes[wish.mapping.target] = next;
  }
  const replaced = (name: string) => name.startsWith("employeeOrgData.");
  if (!Object.keys(changes).some(replaced)) return changes;
  const kept = Object.entries(current).filter(([name, value]) => replaced(name) && value !== null);
  return Object.fromEntries([...kept, ...Object.entries(changes)]);
}

/** What the target attribute becomes; `undefined`: it is left alone. */
function flowed({ mapping, value }: Wish, now: AttributeValue): AttributeValue | undefined {
  const flowType: FlowType = mapping.flowType ?? "Always";
  const isNone = mapping.source === undefined && mapping.constant === undefined && mapping.expression === undefined;
  if (isNone) return isEmpty(now) ? typedDefault(mapping) : undefined;
  if (flowType === "ObjectAddOnly") return undefined;
  if (flowType === "AttributeAddOnly" && !isEmpty(now)) return undefined;
  if (isEmpty(value)) return flowType === "Always" && mapping.flowNullValues && !isEmpty(now) ? null : undefined;
  const adds = flowType === "ValueAddOnly" || flowType === "MultiValueAddOnly";
  if (adds && Array.isArray(value) && Array.isArray(now)) return [...new Set([...now, ...value])];
  return value;
}

function typedDefault({ target, defaultValue }: AttributeMapping): AttributeValue {
  const value = typed(target, defaultValue ?? null);
  return "wrong" in value ? null : value.value;
}

function isEmpty(value: AttributeValue): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function same(a: AttributeValue, b: AttributeValue, caseExact: boolean): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index], caseExact));
  if (typeof a === "string" && typeof b === "string" && !caseExact) return a.toLowerCase() === b.toLowerCase();
  return a === b || (isEmpty(a) && isEmpty(b));
}
