/** One way in which a new configuration protects less than the one before it. */
export interface Weakening {
  /** As in the new configuration: `jobs.emea-to-hub.userType`. */
  path: string;
  what: string;
  /** The target that it concerns; absent: the whole deployment. */
  targetTenantId?: string;
}
