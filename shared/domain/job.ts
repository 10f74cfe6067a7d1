import type { Cloud, CloudPair } from "./cloud.ts";
import type { Limits } from "./limits.ts";
import type { Mapper } from "./mapping/map.ts";
import type { DirectoryExtension } from "./mapping/targets.ts";
import type { CompiledScopingFilter } from "./scoping-filter.ts";

export interface ScopeGroup {
  id: string;
  /** Members of groups within the group count too. */
  transitive: boolean;
}

/** Names a group in one of its two readings; what `memberOf` answers with. */
export const groupKey = ({ id, transitive }: ScopeGroup): string => (transitive ? `${id}/*` : id);

/** What a job does with people who leave its scope. `disable`: sign-in is blocked, the user stays. */
export type OutOfScopeAction = "softDelete" | "disable" | "keep";
/** `off`: does not exist. `observe`: decides and logs, writes nothing. `on`. `retire`: nobody is in scope any more. */
export type JobState = "off" | "observe" | "on" | "retire";

/** One job with everything resolved: what the planner sees. */
export interface Job {
  id: string;
  sourceTenantId: string;
  targetTenantId: string;
  state: JobState;
  scope: JobScope;
  userType: "guest" | "member";
  /** The type of people who are there already follows `userType`; otherwise it is set when they are created. */
  changeUserType: boolean;
  mapper: Mapper;
  /** The manager is set, and taken away again when the source user has none. */
  manager: boolean;
  /** Object ids of users and groups of the target that become sponsors of whom the job creates. */
  sponsors: readonly string[];
  actions: { create: boolean; update: boolean; delete: boolean };
  onOutOfScope: OutOfScopeAction;
  /** What happens to people who were disabled first and left their scope then. Entra keeps them. */
  onDisabledThenUnassigned: "keep" | "asOutOfScope";
  adopt: Adoption;
  limits: Limits;
  /** What proves a redeemed guest's home: a sign-in that was seen, or binding it anew. */
  adoptBy: AdoptionProof;
}

/**
 * Guests that this deployment did not make. `pending`: un-redeemed ones of exactly the invited address are taken over;
 * `redeemed`: in addition those whose home is proved to be the source tenant.
 */
export type Adoption = "none" | "pending" | "redeemed";
export type AdoptionProof = "signIn" | "resetRedemption";

/** Any of the first three lets somebody in; the filter narrows all of them. */
export interface JobScope {
  allUsers: boolean;
  groups: readonly ScopeGroup[];
  /** Object ids of source users who are assigned by themselves. */
  users: readonly string[];
  filter: CompiledScopingFilter | undefined;
}

/** All jobs between one source and one target, in the order that decides who owns a person. */
export interface Pair {
  source: Tenant;
  target: Tenant;
  clouds: CloudPair;
  jobs: readonly Job[];
  /** Hash over everything that decides, so that a change of rules is a change of inputs. */
  rulesHash: string;
}

export interface Tenant {
  id: string;
  name: string;
  cloud: Cloud;
  /** The directory extension on target users that names their source user: `extension_{appId}_syncSource`. */
  stampAttribute: string;
  /** Where an invited person lands. */
  redirectUrl: string;
  /** Directory extensions of its users that the configuration declares. */
  extensions: readonly DirectoryExtension[];
  /** Of the tenant's verified domains, for `DefaultDomain()`. */
  defaultDomain?: string | undefined;
  /** The most users that this deployment may have in it. */
  maxUsers?: number | undefined;
}
