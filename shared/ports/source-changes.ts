/** Delta query of a source tenant, a page at a time. Source: Graph `delta-query-overview.md`. */
export interface SourceChanges {
  /** The first page of a full round over all users, tracking these properties. */
  users(from: PageStart, select: readonly string[]): Promise<ChangePage>;
  /** Members of these groups (at most 50), and what changes about them. */
  groups(from: PageStart, groupIds: readonly string[]): Promise<ChangePage>;
  /** The groups themselves and all groups within them, ids. */
  closure(groupIds: readonly string[]): Promise<readonly string[]>;
  /** Users who are members through any number of groups. */
  transitiveUsers(groupId: string): AsyncIterable<readonly string[]>;
}

/** `all`: a full round. `now`: only what changes from now on. Otherwise a link that Graph gave. */
export type PageStart = { kind: "all" } | { kind: "now" } | { kind: "link"; link: string };

export type ChangePage =
  | {
      kind: "page";
      userIds: readonly string[];
      groups: readonly GroupChange[];
      /** Items that are not of the documented form; the others are none the worse for it. */
      unreadable: number;
      next: PageNext;
    }
  /** The token is too old or the service has reset it: a full round is needed. */
  | { kind: "reset" };

/** `more`: another page of this round. `done`: the round is complete; the link gives what changes after it. */
export type PageNext = { kind: "more"; link: string } | { kind: "done"; link: string };

export interface GroupChange {
  groupId: string;
  /** The group itself is gone. */
  removed: boolean;
  addedGroupIds: readonly string[];
  removedGroupIds: readonly string[];
}
