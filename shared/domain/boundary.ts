import { sourceAttribute } from "./mapping/attributes.ts";

/** What leaves a source tenant for a target, by attribute. Names alone: nothing here sees a value. */

/** One mapping: the properties of the source user that it reads, and the property of the target user that it writes. */
export interface Flow {
  target: string;
  /** Graph properties. */
  reads: readonly string[];
}

export interface Outflow {
  /** In the order of the mappings. */
  flows: readonly Flow[];
  /** Graph properties that decide who is in scope; their values are compared and go nowhere. */
  filtered: readonly string[];
  /** The manager, as the target user who stands for that person. */
  manager: boolean;
}

/** The Graph property that a name stands for: mappings may use the directory's older names. */
export const propertyOf = (name: string): string => sourceAttribute(name)?.reads ?? name;

export const outflowOf = (flows: readonly Flow[], filterAttributes: readonly string[], manager: boolean): Outflow => ({
  flows,
  filtered: [...new Set(filterAttributes.map(propertyOf))],
  manager,
});

/** Where something is taken that a list of names does not have. */
export type Beyond =
  | { where: "mapping"; index: number; name: string }
  | { where: "filter"; name: string }
  | { where: "manager"; name: string };

/** What is read and not on the list. */
export function readsBeyond({ flows, filtered, manager }: Outflow, allowed: readonly string[]): readonly Beyond[] {
  const properties = new Set(allowed.map(propertyOf));
  const beyond = (names: readonly string[]) => names.filter((name) => !properties.has(name));
  return [
    ...flows.flatMap(({ reads }, index) => beyond(reads).map((name) => ({ where: "mapping", index, name }) as const)),
    ...beyond(filtered).map((name) => ({ where: "filter", name }) as const),
    ...(manager ? beyond(["manager"]).map((name) => ({ where: "manager", name }) as const) : []),
  ];
}

/** What is written and not on the list. */
export function writesBeyond({ flows, manager }: Outflow, allowed: readonly string[]): readonly Beyond[] {
  return [
    ...flows.flatMap(({ target }, index) =>
      allowed.includes(target) ? [] : [{ where: "mapping", index, name: target } as const],
    ),
    ...(manager && !allowed.includes("manager") ? [{ where: "manager", name: "manager" } as const] : []),
  ];
}
