import { sourceAttributes } from "./look.ts";
import type { World } from "./world.ts";

/** What is read from a source tenant page by page: its users, and the groups that jobs name with all groups within them. */

export const USERS = "users";
/** Graph filters a group delta by at most 50 ids. */
export const GROUPS_PER_STREAM = 50;
export const isGroupStream = (stream: string): boolean => stream.startsWith("groups-");

export interface Needs {
  /** Some job takes every user. */
  allUsers: boolean;
  groupIds: readonly string[];
  /** Users whom jobs name by themselves: no group and no listing brings them. */
  userIds: readonly string[];
  /** User properties that decide. */
  select: readonly string[];
  /** Changes whenever the rules of this source do: every stream then starts anew. */
  rules: string;
}

/** What the jobs from this tenant need; `undefined`: it is no source. */
export function needsOf(world: World, tenantId: string): Needs | undefined {
  const pairs = world.rules.pairs.filter(({ source }) => source.id === tenantId);
  if (pairs.length === 0) return undefined;
  const jobs = pairs.flatMap((pair) => pair.jobs).filter(({ state }) => state !== "retire");
  const decisive = pairs.flatMap(sourceAttributes);
  const manager = jobs.some((job) => job.manager) ? ["manager"] : [];
  const core = ["userPrincipalName", "mail", "userType", "accountEnabled", "creationType"];
  return {
    allUsers: jobs.some(({ scope }) => scope.allUsers),
    groupIds: [...new Set(jobs.flatMap(({ scope }) => scope.groups.map(({ id }) => id)))].sort(),
    userIds: [...new Set(jobs.flatMap(({ scope }) => scope.users))],
    select: [...new Set([...core, ...decisive, ...manager])].sort(),
    rules: world.hash(pairs.map(({ rulesHash }) => rulesHash).join("/")).slice(0, 22),
  };
}

/** Tenants that some job reads from. */
export const sourcesOf = (world: World): readonly string[] => [
  ...new Set(world.rules.pairs.map(({ source }) => source.id)),
];

/** Tenants that some job writes to. */
export const targetsOf = (world: World): readonly string[] => [
  ...new Set(world.rules.pairs.map(({ target }) => target.id)),
];
