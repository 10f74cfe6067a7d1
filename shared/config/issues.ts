import type * as z from "zod";

export type Issue = z.core.$ZodIssue;

/** Of a setting with several forms: what is wrong with the form that was meant, the one that was understood furthest. */
export function plainIssues(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const depth = (issues: readonly Issue[]) => Math.max(0, ...issues.map(({ path }) => path.length));
  const forms = issue.errors.toSorted((a, b) => depth(b) - depth(a));
  const [meant] = forms;
  if (!meant || depth(meant) === 0) return [issue];
  return meant.flatMap((one) => plainIssues({ ...one, path: [...issue.path, ...one.path] }));
}

type Path = readonly PropertyKey[];

/** A document without the settings that have issues, and their places: of a list the whole setting. */
export function withoutIssues(json: unknown, issues: readonly Issue[]): { rest: unknown; left: readonly Path[] } {
  const rest: unknown = structuredClone(json);
  const left = issues.flatMap((issue): readonly Path[] =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [settingOf(issue.path)],
  );
  for (const path of left) {
    const owner = path.slice(0, -1).reduce<unknown>(valueAt, rest);
    const key = path.at(-1);
    if (key !== undefined && typeof owner === "object" && owner !== null) Reflect.deleteProperty(owner, key);
  }
  return { rest, left };
}

/** An element is never taken out of its list: the others would get other places. */
const settingOf = (path: Path): Path => path.slice(0, path.findLastIndex((part) => typeof part === "string") + 1);

const valueAt = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;

type Schema = z.core.JSONSchema._JSONSchema;

/** The settings that a JSON Schema knows at a place, of all forms that it may have there. */
export function keysAt(schema: Schema, path: Path): readonly string[] {
  if (typeof schema === "boolean") return [];
  const forms = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter((form) => typeof form === "object");
  const [part, ...rest] = path;
  if (part === undefined) return forms.flatMap(({ properties }) => Object.keys(properties ?? {}));
  return forms.flatMap(({ items, properties }) => {
    const next = typeof part === "number" ? items : properties?.[String(part)];
    return next === undefined || Array.isArray(next) ? [] : keysAt(next, rest);
  });
}
