import type { ScopeGroup } from "../domain/job.ts";
import type { SourceUser } from "../domain/user.ts";

/**
 * Lists a source tenant page by page, independent of delta tokens. Calls throw `SyncError` of the tenant when Graph does not
 * answer: a listing that was cut off never looks like one that has come to its end.
 */
export interface SourceListing {
  /** Live users with these attributes and their managers; `link`: where the page before said that the next one is. */
  users(link: string | undefined, attributes: readonly string[]): Promise<ListPage<SourceUser>>;
  /** Ids of the users in this group, read as its scope reads it. A group that is not there lists nobody. */
  members(group: ScopeGroup, link: string | undefined): Promise<ListPage<string>>;
}

export type ListPage<T> =
  | { kind: "page"; items: readonly T[]; unreadable: number; next: string | undefined }
  /** Graph keeps the place in a listing for a while only: it has to begin again. */
  | { kind: "expired" };
