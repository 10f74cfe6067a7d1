import { Ids, Times } from "./ids.ts";
import type { Link } from "./link.ts";

/**
 * How many people a job may remove and create. Everything is counted as sets of user ids, so that a repetition counts once.
 * Entra stops a job above 500 removals in a cycle; ours are smaller, and count creations too.
 * Source: Entra `accidental-deletions.md`.
 */
export interface Limits {
  removals: {
    /** Removals of people whose own doing it was, within an hour, that go at once. */
    immediatePerHour: number;
    perHour: number;
    perDay: number;
    /** Of the job's people within a day; asked from 50 people on. */
    percent: number;
    /** People of the job who have to remain after a set that was staged. */
    minimumSource: number;
  };
  creations: { perHour: number; perDay: number };
  /** A staged set is counted when nobody has joined it for so long. */
  settlingMs: number;
  /** An approval holds so long. */
  approvalMs: number;
  /** `block`: sign-in is blocked while a removal waits. */
  whileHeld: "nothing" | "block";
  /** Creations of the first cycle that are expected, and not counted. */
  firstCycle: number | undefined;
}

export const LIMIT_KINDS = ["removals", "creations"] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];
/** `person`: in themselves. `group`: many lost the same group. `configuration`: the rules changed, or the job is retired. */
export type CauseClass = "person" | "group" | "configuration";

export interface Cause {
  class: CauseClass;
  because: string;
  /** The same for as long as the cause is the same: a rejection stands for it. */
  key: string;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** From so many people on the percentage is asked. */
export const PERCENT_FROM = 50;
/** A staged set that keeps growing is counted after so many settling times. */
const SETTLINGS_MAX = 12;
/** After a change of the structure of groups a lost membership is laid at the groups' door for so long. */
export const STRUCTURE_MS = HOUR_MS;
/** A set that nobody has decided about expires, and a decided one is forgotten. */
export const SET_KEPT_MS = 7 * DAY_MS;
/** The first cycle is over at the latest so long after its first creation. */
export const FIRST_CYCLE_MS = 7 * DAY_MS;

export type SetState = "staged" | "held" | "approved" | "rejected" | "executed" | "expired";
export type SetEvent = "joined" | "exceeded" | "settled" | "approve" | "reject" | "finished" | "timePassed";

/** Every state × every event. `settled`: counted, and within the limits; `finished`: every member is dealt with. */
export const NEXT_SET: Readonly<Record<SetState, Readonly<Record<SetEvent, SetState>>>> = {
  staged: row("staged", {
    exceeded: "held",
    settled: "approved",
    approve: "approved",
    reject: "rejected",
    timePassed: "expired",
  }),
  held: row("held", { approve: "approved", reject: "rejected", timePassed: "expired" }),
  approved: row("approved", { reject: "rejected", finished: "executed", timePassed: "expired" }),
  rejected: row("rejected", { timePassed: "expired" }),
  executed: row("executed", {}),
  expired: row("expired", {}),
};

function row(state: SetState, next: Partial<Record<SetEvent, SetState>>): Record<SetEvent, SetState> {
  const stays: Record<SetEvent, SetState> = {
    joined: state,
    exceeded: state,
    settled: state,
    approve: state,
    reject: state,
    finished: state,
    timePassed: state,
  };
  return { ...stays, ...next };
}

/** Which limit a set went past. */
export interface Exceeded {
  which: "perHour" | "perDay" | "percent" | "minimumSource";
  allowed: number;
  wanted: number;
}

/** People whose removal or creation waits, or was decided about. Times in ms since 1970. */
export interface HeldSet {
  id: string;
  class: CauseClass;
  state: SetState;
  /** Of the first member. */
  because: string;
  since: number;
  /** When the last member joined. */
  joinedAt: number;
  exceeded?: Exceeded;
  /** `by`: who decided; `limits` where the set was counted and found small enough. */
  decided?: { by: string; at: number; expiresAt: number };
  /** User id → key of the cause. */
  members: Ids<string>;
  /** Members whose turn came after the approval. */
  acted: Ids<string>;
}

/** What is counted about one job, of one kind. */
export interface Ledger {
  /** User id → when it was let through, of the last 24 hours. */
  done: Times;
  /** Those of the last hour who went at once. */
  immediate: Times;
  /** As `done`, of the first cycle. */
  first: Times;
  firstCycle?: { since: number; admitted: number };
  sets: HeldSet[];
  /** When groups within the scope groups came or went last. */
  structureAt?: number;
  /** People of the job when they were counted last. */
  people?: { count: number; at: number };
}

export const emptyLedger = (): Ledger => ({
  done: new Times(),
  immediate: new Times(),
  first: new Times(),
  sets: [],
});

export interface Asked {
  userId: string;
  cause: Cause;
}

export type Verdict =
  | { kind: "go" }
  /** The set is counted after this time. */
  | { kind: "staged"; setId: string; afterMs: number }
  | { kind: "held" | "rejected"; setId: string };

export interface Terms {
  limits: Limits;
  now: number;
  /** Names a set that is begun. */
  newId: () => string;
  /** The job is to end: that nobody remains is what was asked for. */
  retires?: boolean;
}

/**
 * Why somebody is to be removed. A lost membership is the person's own only while the rules are those that let them in. Whoever
 * has come back meanwhile leaves for a new cause: an approval or a rejection is for one leaving.
 */
export function removalCause(
  because: string,
  link: Pick<Link, "scopedBy" | "returned"> | undefined,
  rulesHash: string,
): Cause {
  const since = link?.returned === undefined ? "" : `:${link.returned}`;
  const key = `${because}${since}`;
  if (because === "sourceDeleted" || because === "sourceGone") return { class: "person", because, key };
  if (because === "jobRetired") return { class: "configuration", because, key };
  return link?.scopedBy === rulesHash && because !== "notListed"
    ? { class: "person", because, key }
    : { class: "configuration", because, key: `${because}:${rulesHash.slice(0, 16)}${since}` };
}

/** A rejection of a creation stands until the rules change. */
export const creationCause = (rulesHash: string): Cause => ({
  class: "person",
  because: "creation",
  key: `creation:${rulesHash.slice(0, 16)}`,
});

/** Forgets what is past. Changes the ledger. */
export function passTime(ledger: Ledger, now: number): void {
  ledger.done.forgetUntil(now - DAY_MS);
  ledger.first.forgetUntil(now - DAY_MS);
  ledger.immediate.forgetUntil(now - HOUR_MS);
  for (const set of ledger.sets) {
    const until = set.state === "approved" ? expiryOf(set) : set.joinedAt + SET_KEPT_MS;
    if (now >= until) set.state = NEXT_SET[set.state].timePassed;
  }
  ledger.sets = ledger.sets.filter((set) => now < set.joinedAt + 2 * SET_KEPT_MS);
}

const expiryOf = ({ decided }: HeldSet): number => decided?.expiresAt ?? 0;

/** Asks whether people may be removed. Changes the ledger, which is written before anybody acts on the verdicts. */
export function admitRemoval(ledger: Ledger, { userId, cause }: Asked, terms: Terms): Verdict {
  const { limits, now } = terms;
  const known = knownVerdict(ledger, userId, cause, now);
  if (known) return known;
  const unstructured = cause.because === "notAssigned" && now - (ledger.structureAt ?? -STRUCTURE_MS) < STRUCTURE_MS;
  const kind: CauseClass = cause.class === "person" && unstructured ? "group" : cause.class;
  // Whoever waits goes on waiting while the cause is the same; another cause, such as a deleted account, is asked about by itself.
  const same = (set: HeldSet) =>
    set.members.get(userId) === cause.key || (set.class === kind && set.members.has(userId));
  const waits = ledger.sets.find((set) => collects(set) && same(set));
  if (kind === "person" && ledger.immediate.has(userId)) return { kind: "go" }; // a crash or the pace has cut it off
  const waited = ledger.sets.some(({ state, members }) => state === "expired" && members.get(userId) === cause.key);
  if (kind === "person" && !waits && !waited && ledger.immediate.size < limits.removals.immediatePerHour) {
    ledger.immediate.set(userId, now);
    ledger.done.set(userId, now);
    return { kind: "go" };
  }
  waits?.members.set(userId, cause.key);
  // Whoever comes when a set is due begins another one.
  if (!waits) for (const one of ledger.sets) if (one.state === "staged") countSet(ledger, one, terms);
  const set = waits ?? join(ledger, kind, userId, cause, terms);
  if (set.state === "staged") countSet(ledger, set, terms);
  if (set.state === "approved") return act(set, userId, cause);
  if (set.state === "held") return { kind: "held", setId: set.id };
  return { kind: "staged", setId: set.id, afterMs: Math.max(dueAt(set, limits) - now, 1_000) };
}

/** The same for creations: counted as they come, held past the limit. The first cycle has a number of its own. */
export function admitCreation(ledger: Ledger, { userId, cause }: Asked, terms: Terms): Verdict {
  const { limits, now } = terms;
  const known = knownVerdict(ledger, userId, cause, now);
  if (known) return known;
  if (ledger.done.has(userId) || ledger.first.has(userId)) return { kind: "go" }; // a crash or the pace has cut it off
  const waits = ledger.sets.find((set) => collects(set) && set.members.has(userId));
  if (waits) return { kind: "held", setId: waits.id };
  if (limits.firstCycle !== undefined) {
    ledger.firstCycle ??= { since: now, admitted: 0 };
    const { since, admitted } = ledger.firstCycle;
    if (now < since + FIRST_CYCLE_MS && admitted < limits.firstCycle) {
      ledger.firstCycle = { since, admitted: admitted + 1 };
      ledger.first.set(userId, now);
      return { kind: "go" };
    }
  }
  const exceeded = pastWindows(ledger.done, [new Set([userId])], limits.creations, now);
  if (!exceeded) {
    ledger.done.set(userId, now);
    return { kind: "go" };
  }
  const set = join(ledger, "person", userId, cause, terms);
  set.state = NEXT_SET[set.state].exceeded;
  set.exceeded = { ...exceeded, wanted: exceeded.wanted - 1 + set.members.size };
  return { kind: "held", setId: set.id };
}

/** What was decided about this person already. */
function knownVerdict(ledger: Ledger, userId: string, cause: Cause, now: number): Verdict | undefined {
  const decided = ledger.sets.filter((set) => set.members.get(userId) === cause.key);
  // Whoever is cut off by a crash, or waits for the pace, comes again although the set is dealt with.
  const again = (set: HeldSet) => set.state === "executed" && set.acted.has(userId) && now < expiryOf(set);
  const approved = decided.find((set) => set.state === "approved" || again(set));
  if (approved) return act(approved, userId, cause);
  const rejected = decided.find(({ state }) => state === "rejected");
  return rejected && { kind: "rejected", setId: rejected.id };
}

/** An approval is for the cause that was shown. */
function act(set: HeldSet, userId: string, cause: Cause): Verdict {
  set.acted.set(userId, cause.key);
  if (set.acted.size >= set.members.size) set.state = NEXT_SET[set.state].finished;
  return { kind: "go" };
}

function join(ledger: Ledger, kind: CauseClass, userId: string, cause: Cause, { now, newId }: Terms): HeldSet {
  let set = ledger.sets.find((one) => one.class === kind && collects(one));
  if (!set) {
    const { because } = cause;
    set = {
      id: newId(),
      class: kind,
      state: "staged",
      because,
      since: now,
      joinedAt: now,
      members: new Ids(),
      acted: new Ids(),
    };
    ledger.sets.push(set);
  }
  set.members.set(userId, cause.key);
  set.joinedAt = now;
  return set;
}

const collects = ({ state }: HeldSet): boolean => state === "staged" || state === "held";

const dueAt = ({ joinedAt, since }: HeldSet, { settlingMs }: Limits): number =>
  Math.min(joinedAt + settlingMs, since + SETTLINGS_MAX * settlingMs);

/** Past a limit the set is held at once; otherwise it goes when it has settled. */
function countSet(ledger: Ledger, set: HeldSet, terms: Terms): void {
  const exceeded = pastLimits(ledger, set, terms);
  if (exceeded) {
    set.state = NEXT_SET[set.state].exceeded;
    set.exceeded = exceeded;
    return;
  }
  const { limits, now } = terms;
  if (now < dueAt(set, limits) || needsPeople(ledger, now)) return;
  set.state = NEXT_SET[set.state].settled;
  set.decided = { by: "limits", at: now, expiresAt: now + limits.approvalMs };
  for (const userId of set.members.keys()) ledger.done.set(userId, now);
}

/** Counts with everybody who is staged: they will go unless somebody objects. Held sets will not. */
function pastLimits(ledger: Ledger, set: HeldSet, { limits, now, retires }: Terms): Exceeded | undefined {
  const staged = ledger.sets.filter(({ state }) => state === "staged").map(({ members }) => members);
  const past = pastWindows(ledger.done, staged, limits.removals, now);
  if (past) return past;
  const { done, people } = ledger;
  if (!people) return undefined;
  const day = now - DAY_MS;
  const before = people.count + Math.max(0, done.countAfter(day) - done.countAfter(people.at));
  const allowed = Math.floor((before * limits.removals.percent) / 100);
  const wanted = before < PERCENT_FROM ? undefined : beyond(allowed, done, day, staged);
  if (wanted !== undefined) return { which: "percent", allowed, wanted };
  const remain = people.count - set.members.size;
  const { minimumSource } = limits.removals;
  if (!retires && remain < minimumSource) {
    return { which: "minimumSource", allowed: Math.max(people.count - minimumSource, 0), wanted: set.members.size };
  }
  return undefined;
}

/** Whether a staged set is to be counted, for which the people of the job have to be known. */
export const needsPeople = (ledger: Ledger, now: number): boolean =>
  ledger.sets.some(({ state }) => state === "staged") && now - (ledger.people?.at ?? 0) > HOUR_MS;

/** Ids that are counted with those who were let through. */
type More = readonly Pick<ReadonlySet<string>, "size" | "keys">[];

function pastWindows(
  done: Times,
  more: More,
  allowed: { perHour: number; perDay: number },
  now: number,
): Exceeded | undefined {
  const hour = beyond(allowed.perHour, done, now - HOUR_MS, more);
  if (hour !== undefined) return { which: "perHour", allowed: allowed.perHour, wanted: hour };
  const day = beyond(allowed.perDay, done, now - DAY_MS, more);
  return day === undefined ? undefined : { which: "perDay", allowed: allowed.perDay, wanted: day };
}

/** How many have been let through after that time or are among `more`, if they are more than allowed. */
function beyond(allowed: number, done: Times, after: number, more: More): number | undefined {
  const counted = done.countAfter(after);
  // Everybody may be in both: as long as the sum is allowed nobody need be looked for.
  if (more.reduce((sum, ids) => sum + ids.size, counted) <= allowed) return undefined;
  const others = new Set(more.flatMap((ids) => [...ids.keys()]).filter((id) => (done.get(id) ?? after) <= after));
  const wanted = counted + others.size;
  return wanted > allowed ? wanted : undefined;
}
