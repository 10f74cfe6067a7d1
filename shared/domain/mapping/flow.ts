import type { Attributes, AttributeValue } from "../user.ts";
import { isNone, type Occasion, type Wish } from "./mapping.ts";

/** The attributes of a new target user. What is empty at the source takes its default, or is left out. */
export function createValues(wishes: readonly Wish[]): Attributes {
  const values: Record<string, AttributeValue> = {};
  for (const wish of wishes) {
    const wanted = ofNewUser(wish);
    if (!isEmpty(wanted)) values[wish.mapping.target] = wanted;
  }
  return values;
}

const ofNewUser = ({ value, otherwise = null }: Wish): AttributeValue => (isEmpty(value) ? otherwise : value);

/**
 * What has to be written so that a target user shows what is wished. Empty at the source: the target keeps what it has,
 * unless nulls flow. A part of `employeeOrgData` goes with the other part: what a PATCH leaves out of it becomes null.
 * `create`: a creation that was interrupted is finished, so that what belongs to creations alone is written too.
 * Source: Entra `customize-application-attributes.md`, Graph `user-update.md`, `synchronization-attributemapping.md`.
 */
export function updatesOf(wishes: readonly Wish[], current: Attributes, occasion: Occasion = "update"): Attributes {
  const changes: Record<string, AttributeValue> = {};
  for (const wish of wishes) {
    const { target, caseExact } = wish.mapping;
    const now = current[target] ?? null;
    const next = occasion === "create" ? finished(wish) : flowed(wish, now);
    if (next !== undefined && !same(next, now, caseExact === true, wish.attribute?.type === "dateTime"))
      changes[target] = next;
  }
  const replaced = (name: string) => name.startsWith("employeeOrgData.");
  if (!Object.keys(changes).some(replaced)) return changes;
  const kept = Object.entries(current).filter(([name, value]) => replaced(name) && value !== null);
  return Object.fromEntries([...kept, ...Object.entries(changes)]);
}

function finished(wish: Wish): AttributeValue | undefined {
  const wanted = ofNewUser(wish);
  return isEmpty(wanted) ? undefined : wanted;
}

/** What the target attribute becomes; `undefined`: it is left alone. */
function flowed(wish: Wish, now: AttributeValue): AttributeValue | undefined {
  const { mapping, value, otherwise = null } = wish;
  const flowType = mapping.flowType ?? "Always";
  if (flowType === "ObjectAddOnly") return undefined;
  if (isNone(mapping)) return isEmpty(now) && !isEmpty(otherwise) ? otherwise : undefined;
  if (isEmpty(value)) return flowType === "Always" && mapping.flowNullValues && !isEmpty(now) ? null : undefined;
  switch (flowType) {
    case "Always":
      return value;
    case "AttributeAddOnly":
      return isEmpty(now) ? value : undefined;
    case "MultiValueAddOnly":
      // Only values that are added to a list: a single value that is there already is never exchanged.
      return isEmpty(now) ? value : Array.isArray(now) ? added(wish, now) : undefined;
    case "ValueAddOnly":
      return Array.isArray(now) ? added(wish, now) : value;
  }
}

/** Where the target has no room for more values, it keeps those that it has. */
function added({ mapping, value, attribute }: Wish, now: readonly string[]): readonly string[] {
  const caseExact = mapping.caseExact === true;
  const missing = (Array.isArray(value) ? value : [String(value)]).filter(
    (item) => !now.some((there) => same(item, there, caseExact, false)),
  );
  const room = attribute?.valuesMax ?? Number.POSITIVE_INFINITY;
  return now.length + missing.length > room ? now : [...now, ...missing];
}

export function isEmpty(value: AttributeValue): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

/** The order of a list means nothing in a directory. */
function same(a: AttributeValue, b: AttributeValue, caseExact: boolean, dates: boolean): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    const has = (list: readonly string[], item: string) => list.some((other) => same(other, item, caseExact, dates));
    return a.length === b.length && a.every((item) => has(b, item)) && b.every((item) => has(a, item));
  }
  if (typeof a !== "string" || typeof b !== "string") return isEmpty(a) && isEmpty(b);
  if (dates) return Date.parse(a) === Date.parse(b);
  return !caseExact && a.toLowerCase() === b.toLowerCase();
}
