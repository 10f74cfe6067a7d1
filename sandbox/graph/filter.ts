import type { Comparison, Filter, Literal } from "./filter-parser.ts";
import { isGuid, ODataError, unsupportedQuery } from "./odata.ts";
import { extensionKey, externalNameKey } from "./people.ts";
import { isExtensionName, type PropertySpec } from "./properties.ts";

/** Operators of directory extensions. Source: Graph `aad-advanced-queries.md`. */
const EXTENSION: PropertySpec = {
  type: "string",
  nullable: true,
  write: "app",
  filter: "eq in ge le startsWith",
  advanced: "eq in ge le startsWith ne not null",
};

export interface Resource {
  /** As Graph's messages name it: `User`. */
  name: string;
  /** `microsoft.graph.user`. */
  type: string;
  properties: Readonly<Record<string, PropertySpec>>;
}

const needsAdvanced = (operator: string) =>
  unsupportedQuery(
    `Operator '${operator}' is not supported because the required parameters might be missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for more information`,
  );

const unsupported = (resource: Resource, property: string) =>
  unsupportedQuery(
    `Unsupported or invalid query filter clause specified for property '${property}' of resource '${resource.name}'.`,
  );

export function specOf(resource: Resource, property: string): PropertySpec | undefined {
  if (isExtensionName(property)) return EXTENSION;
  return Object.hasOwn(resource.properties, property) ? resource.properties[property] : undefined;
}

/** Refuses what Graph refuses: unknown properties, operators that a property does not have, or has only with advanced queries. */
export function checkFilter(filter: Filter, resource: Resource, advanced: boolean): void {
  const check = (path: readonly string[], operators: readonly string[]) => {
    const property = path[0] ?? "";
    const spec = specOf(resource, property);
    if (!spec) {
      throw new ODataError(
        400,
        "BadRequest",
        `Invalid filter clause: Could not find a property named '${property}' on type '${resource.type}'.`,
      );
    }
    const standard = spec.filter?.split(" ") ?? [];
    const more = spec.advanced?.split(" ") ?? [];
    for (const operator of operators) {
      if (standard.includes(operator)) continue;
      if (!more.includes(operator)) throw unsupported(resource, property);
      if (!advanced)
        throw operator === "ne" || operator === "not" || operator === "endsWith"
          ? needsAdvanced(operator)
          : unsupported(resource, property);
    }
  };
  const walk = (node: Filter, variable: string, collection: readonly string[]) => {
    const pathOf = (path: readonly string[]) => (variable !== "" && path[0] === variable ? collection : path);
    switch (node.kind) {
      case "and":
      case "or":
        walk(node.left, variable, collection);
        walk(node.right, variable, collection);
        return;
      case "not":
        if (!advanced) throw needsAdvanced("not");
        walk(node.of, variable, collection);
        return;
      case "compare":
        return check(pathOf(node.path), node.value === null ? [node.op, "null"] : [node.op]);
      case "in":
        return check(pathOf(node.path), ["in"]);
      case "text":
        return check(pathOf(node.path), [node.op]);
      case "count":
        return check(node.path, ["count"]);
      case "any":
        check(node.path, ["eq"]);
        if (node.of) walk(node.of, node.variable, node.path);
        return;
    }
  };
  walk(filter, "", []);
}

type Read = (path: readonly string[]) => unknown;

/** Whether an object fulfils a filter; strings are compared without case. */
export function matches(filter: Filter, read: Read): boolean {
  switch (filter.kind) {
    case "and":
      return matches(filter.left, read) && matches(filter.right, read);
    case "or":
      return matches(filter.left, read) || matches(filter.right, read);
    case "not":
      return !matches(filter.of, read);
    case "compare":
      return compare(filter.op, read(filter.path), filter.value);
    case "in":
      return filter.values.some((value) => compare("eq", read(filter.path), value));
    case "text":
      return testText(filter.op, read(filter.path), filter.value);
    case "count": {
      const value = read(filter.path);
      return compare(filter.op, Array.isArray(value) ? value.length : 0, filter.value);
    }
    case "any": {
      const value = read(filter.path);
      if (!Array.isArray(value)) return false;
      const { of } = filter;
      if (!of) return value.length > 0;
      return value.some((item) => matches(of, (path) => walk(item, path.slice(1))));
    }
  }
}

/** Follows a path into nested objects. */
export function walk(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const part of path)
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[part] : undefined;
  return at;
}

function compare(op: Comparison, actual: unknown, expected: Literal): boolean {
  if (op === "eq" || op === "ne") {
    const equal =
      typeof actual === "string" && typeof expected === "string"
        ? actual.toLowerCase() === expected.toLowerCase()
        : (actual ?? null) === expected;
    return equal === (op === "eq");
  }
  if (actual === null || actual === undefined || expected === null) return false;
  const order =
    isDate(actual) && isDate(expected)
      ? Date.parse(actual) - Date.parse(expected)
      : typeof actual === "number" && typeof expected === "number"
        ? actual - expected
        : orderOf(String(actual).toLowerCase(), String(expected).toLowerCase());
  if (op === "ge") return order >= 0;
  if (op === "le") return order <= 0;
  return op === "gt" ? order > 0 : order < 0;
}

const isDate = (value: unknown): value is string => typeof value === "string" && /^\d{4}-\d\d-\d\d(T|$)/.test(value);

const orderOf = (a: string, b: string) => (a < b ? -1 : Number(a > b));

function testText(op: "startsWith" | "endsWith" | "contains", actual: unknown, expected: string): boolean {
  if (typeof actual !== "string") return false;
  const [text, part] = [actual.toLowerCase(), expected.toLowerCase()];
  if (op === "startsWith") return text.startsWith(part);
  return op === "endsWith" ? text.endsWith(part) : text.includes(part);
}

/**
 * Who can fulfil a filter at all: object ids and keys of the directory's index, or undefined when only looking at
 * everybody tells.
 */
export function keysOf(filter: Filter): { ids: string[]; keys: string[] } | undefined {
  switch (filter.kind) {
    case "and":
      return keysOf(filter.left) ?? keysOf(filter.right);
    case "or": {
      const left = keysOf(filter.left);
      const right = left && keysOf(filter.right);
      return left && right ? { ids: [...left.ids, ...right.ids], keys: [...left.keys, ...right.keys] } : undefined;
    }
    case "compare":
      return filter.op === "eq" ? lookup(filter.path, [filter.value]) : undefined;
    case "in":
      return lookup(filter.path, filter.values);
    case "any": {
      const property = filter.path[0];
      const inner = filter.of;
      if (inner?.kind !== "compare" || inner.op !== "eq" || typeof inner.value !== "string" || inner.path.length !== 1)
        return undefined;
      if (property !== "otherMails" && property !== "proxyAddresses") return undefined;
      return { ids: [], keys: [inner.value.replace(/^smtp:/i, "").toLowerCase()] };
    }
    case "text": {
      // Names of external users that begin the same way up to their mark: what a search for an invited address asks.
      const ofName = filter.op === "startsWith" && filter.path.length === 1 && filter.path[0] === "userPrincipalName";
      const key = ofName ? externalNameKey(filter.value) : undefined;
      return key === undefined ? undefined : { ids: [], keys: [key] };
    }
    default:
      return undefined;
  }
}

function lookup(path: readonly string[], values: readonly Literal[]): { ids: string[]; keys: string[] } | undefined {
  const property = path[0] ?? "";
  const texts = values.filter((value) => typeof value === "string");
  if (path.length !== 1 || texts.length !== values.length) return undefined;
  if (property === "id") return { ids: texts.filter(isGuid).map((id) => id.toLowerCase()), keys: [] };
  if (property === "userPrincipalName" || property === "mail" || property === "employeeId") {
    return { ids: [], keys: texts.map((value) => value.toLowerCase()) };
  }
  if (isExtensionName(property)) return { ids: [], keys: texts.map((value) => extensionKey(property, value)) };
  return undefined;
}

/** Properties that a filter names. */
export function propertiesOf(filter: Filter): string[] {
  switch (filter.kind) {
    case "and":
    case "or":
      return [...propertiesOf(filter.left), ...propertiesOf(filter.right)];
    case "not":
      return propertiesOf(filter.of);
    default:
      return [filter.path[0] ?? ""];
  }
}
