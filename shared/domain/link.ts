import type { ErrorCode } from "./error.ts";

/**
 * What we know about one source user in one target tenant.
 * `none`: no target user (the row remembers why). `inviting`: the invitation may or may not have been made.
 * `invited`: the target user exists, its attributes may not be written yet. `linked`. `removed`: it is in the
 * recycle bin and belongs there, since we put it there, or since the person left after others had.
 */
export type LinkState = "none" | "inviting" | "invited" | "linked" | "removed";

export interface Link {
  state: LinkState;
  userId: string;
  /** The target user, from `invited` on. */
  targetId?: string;
  /** The job that owns the person. */
  jobId?: string;
  /** The invited address, only while the invitation is not known to have succeeded. */
  address?: string;
  /** `invited`, and the guest was there before us: whoever finishes it does nothing that is done to newcomers only. */
  adopted?: boolean;
  /** `inviting` since, ms since 1970. */
  since?: number;
  /** Hash over all inputs of the last settled decision. */
  inputs?: string;
  /** Why the last decision wrote nothing. */
  because?: string;
  /**
   * The target user is blocked because we blocked it; a block that others set is not ours to lift. Set before the block is
   * written, so that a worker who dies over it leaves no block that nobody lifts.
   */
  blockedByUs?: boolean;
  /**
   * Hash of what the target user looked like when the last decision was settled (`gone`: removed), so that a listing of the
   * target tells a change of theirs from an echo of ours.
   */
  shows?: string;
  /** The target user was found to hold a directory role, ms since 1970: it is not ours to write to. */
  administrator?: number;
  /** Rules under which the person was in scope last: who leaves under others may have been put out by them. */
  scopedBy?: string;
  /**
   * When the person came back into scope after a removal, a block or a rejection: what was decided about their leaving before
   * then is over. Ms since 1970.
   */
  returned?: number;
  /** Was to be removed, and the removal waits: a block that is written meanwhile is not what they left with. */
  leaving?: true;
  /** Whom the last decision found: `{source user}/{target user}` of the manager. */
  manager?: string;
  /** A removal or creation for this cause was rejected by people. */
  rejected?: string;
  /** When we last wrote to the target user: until every replica has seen it, a reading that contradicts it is not believed. */
  writtenAt?: number;
  /** `links transfer` is under way: nothing else is done until it is finished. */
  transfer?: Transfer;
  /** Gave up its target user, so that this source user gets one of their own by the same address. */
  releasedTo?: string;
  /** Proof under way: when the source user was first not found, was first not a member, the target user first not found. */
  missingSince?: number;
  outSince?: number;
  targetMissingSince?: number;
  /** A worker that was about to delete lost its claim then, and may still do it, ms since 1970. */
  lateDeleteSince?: number;
  /** Somebody is writing; the lease counts from the last write of the row, by the storage's clock. */
  claim?: Claim;
  /** Begun, and not known to stand in the provisioning log. */
  unrecorded?: Unrecorded;
  escrow?: Escrow;
}

/** `samePerson`: the target user goes over to the other source user. `newPerson`: it is removed and its address set free. */
export interface Transfer {
  how: "samePerson" | "newPerson";
  toUserId: string;
  /** Who asked, `{tenant}/{object id}`. */
  by: string;
  at: number;
}

export interface Claim {
  id: string;
  /** What is being done, so that whoever takes over knows what may have happened. */
  plan: "create" | "update" | "delete" | "restore";
  at: number;
}

/** What a log row is to say of a change, should its worker not come to write it. */
export interface Unrecorded {
  /** Name of the log row: the id of the claim that began it. */
  row: string;
  /** What it was decided on. */
  inputs: string;
  action: "create" | "update" | "disable" | "delete";
  because: string;
  reason: string;
  noticedAt: number;
  /** Names of the properties that were to be written. */
  properties: readonly string[];
}

/** A failure of this one person, tried again at growing distance. */
export interface Escrow {
  code: ErrorCode;
  failures: number;
  nextAt: number;
  since: number;
  /** What fails is the manager and not the person. */
  reference?: true;
}

export type LinkSignal = "inviting" | "invited" | "settled" | "marked" | "removed" | "restored" | "forgotten";

/**
 * Every state × every signal. `settled`: the target is as wished; `marked`: something about the row changed, not the person;
 * `forgotten`: the target user is gone for good, or never came to be.
 */
export const NEXT: Readonly<Record<LinkState, Readonly<Record<LinkSignal, LinkState>>>> = {
  none: row("none", { inviting: "inviting", invited: "invited", settled: "none", removed: "none", restored: "linked" }),
  inviting: row("inviting", {
    inviting: "inviting",
    invited: "invited",
    settled: "inviting",
    removed: "removed",
    restored: "linked",
  }),
  invited: row("invited", {
    inviting: "invited",
    invited: "invited",
    settled: "linked",
    removed: "removed",
    restored: "linked",
  }),
  linked: row("linked", {
    inviting: "linked",
    invited: "linked",
    settled: "linked",
    removed: "removed",
    restored: "linked",
  }),
  removed: row("removed", {
    inviting: "inviting",
    invited: "invited",
    settled: "linked",
    removed: "removed",
    restored: "linked",
  }),
};

function row(
  state: LinkState,
  next: Record<Exclude<LinkSignal, "marked" | "forgotten">, LinkState>,
): Record<LinkSignal, LinkState> {
  return { ...next, marked: state, forgotten: "none" };
}

export const LEASE_MS = 60_000;
/** Calls inside a claim are aborted this long before its lease ends. */
export const LEASE_MARGIN_MS = 15_000;

/** A worker that stood still may wake so late. */
const LATE_MS = 24 * 3_600_000;

/** Begun by us, and not known to have happened: a target user that is found removed was removed by us. */
export function deleteIsUnderWay({ claim, lateDeleteSince }: Link, now: number): boolean {
  return claim?.plan === "delete" || (lateDeleteSince !== undefined && now < lateDeleteSince + LATE_MS);
}

/** Somebody else may be writing. `ageMs`: since the row was written, by the storage's clock. */
export function claimIsLive(link: Link, ageMs: number): boolean {
  return link.claim !== undefined && ageMs < LEASE_MS;
}

/** Entra retries failed objects after 6, 12 and 24 hours; before that come three quick tries of ours. */
const ESCROW_MS = [60_000, 600_000, 3_600_000, 6 * 3_600_000, 12 * 3_600_000, 24 * 3_600_000];
/** Entra gives up after 28 days. From then on somebody has to change something, or ask; we look once in as many days. */
const FOUR_WEEKS_MS = 28 * 24 * 3_600_000;

export function intoEscrow(before: Escrow | undefined, code: ErrorCode, now: number): Escrow {
  const same = before?.code === code;
  const failures = same ? before.failures + 1 : 1;
  const since = same ? before.since : now;
  const wait = ESCROW_MS[Math.min(failures, ESCROW_MS.length) - 1] ?? 0;
  return { code, failures, nextAt: now + (now - since >= FOUR_WEEKS_MS ? FOUR_WEEKS_MS : wait), since };
}

/** Names a link in other rows and in the stamp. */
export function linkName(sourceTenantId: string, userId: string): string {
  return `${sourceTenantId}/${userId}`;
}

/** The value of the directory extension on the target user: which source user it stands for. At most 256 characters. */
export function stampOf(deployment: string, sourceTenantId: string, userId: string): string {
  return `${deployment}/${linkName(sourceTenantId, userId)}`;
}
