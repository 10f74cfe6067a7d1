import type { Cloud, CloudPair } from "./cloud.ts";

/** How one target attribute gets its value. */
export type AttributeMapping = { target: string } & ({ source: string } | { constant: string | boolean });

export interface ScopeGroup {
  id: string;
  /** Members of groups within the group count too. */
  transitive: boolean;
}

/** Names a group in one of its two readings; what `memberOf` answers with. */
export const groupKey = ({ id, transitive }: ScopeGroup): string => (transitive ? `${id}/*` : id);

/** What a job does with people who leave its scope. `disable`: sign-in is blocked, the user stays. */
export type OutOfScopeAction = "softDelete" | "disable" | "keep";
/** `off`: does not exist. `observe`: decides and logs, writes nothing. `on`. */
export type JobState = "off" | "observe" | "on";

/** One job with everything resolved: what the planner sees. */
export interface Job {
  id: string;
  sourceTenantId: string;
  targetTenantId: string;
  state: JobState;
  scope: { allUsers: boolean; groups: readonly ScopeGroup[] };
  userType: "guest" | "member";
  mappings: readonly AttributeMapping[];
  /** The manager is set, where the pair of clouds allows it. */
  manager: boolean;
  actions: { create: boolean; update: boolean; delete: boolean };
  onOutOfScope: OutOfScopeAction;
  /** Un-redeemed guests of exactly the invited address are taken over; `none`: never. */
  adopt: "none" | "pending";
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
}
