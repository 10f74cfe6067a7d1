/** How the directory keeps its objects: every object is a list of versions, so that a replica that lags can be read. */
import type { Properties } from "./properties.ts";

export interface UserState {
  readonly properties: Properties;
  readonly managerId: string | undefined;
  readonly deletedAt: number | undefined;
}

export interface GroupState {
  readonly properties: Properties;
  readonly deletedAt: number | undefined;
}

/** `state` is undefined when the object is gone for good. */
export interface Version<S> {
  at: number;
  state: S | undefined;
}

export interface UserRecord {
  readonly id: string;
  readonly versions: Version<UserState>[];
  readonly createdAt: number;
  readonly createdBy: string;
  accountEnabledBy: string;
  deletedBy: string | undefined;
  home: { tenant: string; userId: string } | undefined;
  invitedAddress: string | undefined;
  administrator: boolean;
  /** Ids of users and groups. */
  sponsorIds?: readonly string[];
}

export interface EndedMembership {
  groupId: string;
  memberId: string;
  since: number;
  until: number;
}

export interface GroupRecord {
  readonly id: string;
  readonly versions: Version<GroupState>[];
  readonly createdAt: number;
  /** Member id to the time since when. */
  readonly members: Map<string, number>;
  ended: EndedMembership[];
  readonly owners: Set<string>;
}

export interface ContactRecord {
  readonly id: string;
  readonly displayName: string;
  readonly mail: string;
  readonly proxyAddresses: readonly string[];
  readonly createdAt: number;
}

/** No lag may be longer. */
export const HISTORY_MS = 15 * 60_000;

/** What a replica of that time knows. */
export function stateAt<S>(versions: readonly Version<S>[], at: number): S | undefined {
  for (let i = versions.length - 1; i >= 0; i--) {
    const version = versions[i] as Version<S>;
    if (version.at <= at) return version.state;
  }
  return undefined;
}

export const stateNow = <S>(versions: readonly Version<S>[]): S | undefined => versions[versions.length - 1]?.state;

/** Adds a version; forgets those that no lag can reach. */
export function addVersion<S>(versions: Version<S>[], at: number, state: S | undefined): void {
  let oldest = 0;
  while (oldest + 1 < versions.length && (versions[oldest + 1] as Version<S>).at <= at - HISTORY_MS) oldest++;
  if (oldest > 0) versions.splice(0, oldest);
  versions.push({ at, state });
}
