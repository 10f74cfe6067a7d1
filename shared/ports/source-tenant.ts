import type { Reading } from "../domain/adoption.ts";
import type { ScopeGroup } from "../domain/job.ts";
import type { SourceUser } from "../domain/user.ts";

/** `changes`: people are waiting. `sweep`: bulk, which yields to them. */
export type Lane = "changes" | "sweep";

/** Reads of a source tenant. Every call throws `SyncError` with blame `tenant` or `pace` when Graph gives no answer about the object. */
export interface SourceTenant {
  /** `undefined`: Graph answered 404, which a lagging replica does too. Fresh reads, never a cache. */
  user(userId: string, attributes: readonly string[], lane: Lane): Promise<SourceUser | undefined>;
  /** The user is in the recycle bin: a positive statement that it was deleted. */
  isSoftDeleted(userId: string, lane: Lane): Promise<boolean>;
  /**
   * Keys (`groupKey`) of those groups that the user is a member of, directly or, for transitive ones, through other groups.
   * `undefined`: Graph answered 404, which says nothing about any membership.
   */
  memberOf(userId: string, groups: readonly ScopeGroup[], lane: Lane): Promise<ReadonlySet<string> | undefined>;
  /** Whether a group can be believed when it says that somebody is not a member. */
  groupState(groupId: string): Promise<"present" | "empty" | "missing">;
  /** Domains that the tenant has verified today, lower case. */
  verifiedDomains(lane: Lane): Promise<Reading<ReadonlySet<string>>>;
  /** Ids of live users who have this address as mail or userPrincipalName. */
  usersWithAddress(address: string, lane: Lane): Promise<readonly string[]>;
  /** Ids of the users whose manager this is. */
  reportsOf(userId: string): Promise<readonly string[]>;
}
