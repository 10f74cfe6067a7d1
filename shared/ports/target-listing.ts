import type { TargetUser } from "../domain/user.ts";
import type { ListPage } from "./source-listing.ts";
import type { AttributeNames } from "./target-tenant.ts";

/** Lists a target tenant page by page. Calls throw `SyncError` of the tenant when Graph does not answer. */
export interface TargetListing {
  /** Everybody who lives there; managers are not read. */
  users(link: string | undefined, attributes: AttributeNames): Promise<ListPage<TargetUser>>;
  /** The recycle bin. */
  deletedUsers(link: string | undefined, attributes: AttributeNames): Promise<ListPage<TargetUser>>;
  /** What has changed since `link`; without one only where changes begin from now on. */
  changes(link: string | undefined, attributes: AttributeNames): Promise<TargetChanges>;
  /** Ids of all principals that hold a directory role; `undefined`: the app may not read them. */
  administrators(): Promise<ReadonlySet<string> | undefined>;
  /** Whether anybody, live or in the recycle bin, carries a stamp that begins like this. The search index lags. */
  hasStamped(beginning: string): Promise<boolean>;
}

export type TargetChanges =
  | {
      kind: "page";
      users: readonly TargetUser[];
      removedIds: readonly string[];
      unreadable: number;
      next: string;
      /** The round is complete; `next` gives what changes after it. */
      done: boolean;
    }
  | { kind: "reset" };
