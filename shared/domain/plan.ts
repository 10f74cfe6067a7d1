import type { AdoptionGround, Evidence } from "./adoption.ts";
import { type ErrorCode, unreachable } from "./error.ts";
import type { Job, Pair } from "./job.ts";
import { deleteIsUnderWay, type Link } from "./link.ts";
import { createValues, type MappingMoment, type Occasion, updatesOf, type Wish, type Wishes } from "./mapping/map.ts";
import { type Candidate, invitationAddress, matchNewcomer } from "./matching.ts";
import type { ScopeDecision } from "./scope.ts";
import type { Because } from "./skip-reason.ts";
import { type Attributes, isExternal, type SourceUser, type TargetUser } from "./user.ts";

/** What the target tenant said. */
export type TargetView =
  /** Nobody asked: the decision needs no target. */
  | { kind: "unread" }
  /** The linked target user, live or in the recycle bin. */
  | { kind: "found"; user: TargetUser }
  /** The linked target user is neither live nor in the recycle bin, or too new for the replica that answered. */
  | { kind: "missing" }
  /** No target user is linked: who has the address or our stamp. */
  | { kind: "candidates"; candidates: readonly Candidate[]; evidence?: Evidence };

export type ManagerView =
  /** The job does not carry managers, or the manager has no target user yet. */
  | { kind: "leave" }
  | { kind: "set"; targetId: string }
  /** There is none at the source (any more), and the target user's is one that we made. */
  | { kind: "remove" };

/** The manager to be set; `null`: to be taken away; `undefined`: as it is. */
export type ManagerChange = string | null | undefined;

/** Everything that one decision looks at. Times in ms since 1970. */
export interface PersonView {
  now: number;
  link: Link | undefined;
  scope: ScopeDecision;
  target: TargetView;
  manager: ManagerView;
  /** For `notAssigned`: every scope group was read in the same minute, exists and is not empty. */
  groupsHealthy: boolean;
  /** What mappings evaluate with, beside the user. */
  moment: MappingMoment;
  self: { link: string; stamp: string };
}

export interface PlanRules {
  pair: Pair;
  /** After this long every replica of Graph has seen a write. */
  replicationAllowanceMs: number;
  /** After this long the search index has seen it. */
  indexAllowanceMs: number;
  /** Between two readings of a membership. */
  secondReadingMs: number;
}

export type Plan =
  | { kind: "create"; job: Job; address: string; wanted: Attributes; managerId: ManagerChange }
  | {
      kind: "update";
      targetId: string;
      effect: UpdateEffect;
      /** Why a guest may be taken over. */
      ground?: AdoptionGround;
      /** The address that the guest is bound anew by, before anything else is written. */
      rebindBy?: string;
      changes: Attributes;
      managerId: ManagerChange;
      job: Job | undefined;
      /** More is to be done afterwards: the decision is not settled by this write. */
      unsettled?: boolean;
    }
  | {
      kind: "restore";
      targetId: string;
      job: Job;
      changes: Attributes;
      managerId: ManagerChange;
      unsettled?: boolean;
    }
  | { kind: "delete"; targetId: string; because: Because }
  /** The target user of an interrupted invitation was found. */
  | { kind: "found"; targetId: string }
  /** Everything is as wished. */
  | { kind: "keep"; because: Because; job: Job | undefined }
  /** The target user is gone for good: only our row is to be changed. */
  | { kind: "forget"; because: Because }
  /** Others have put the target user into the recycle bin, where it belongs: only our row is to be changed. */
  | { kind: "gone"; because: Because }
  | { kind: "skip"; because: Because }
  | { kind: "hold"; code: ErrorCode; detail?: string }
  /** Look again before anything is done; `mark` says which proof has begun. */
  | { kind: "confirm"; because: Because; afterMs: number; mark?: "missingSince" | "outSince" | "targetMissingSince" };

/** What writes to the target. */
export type WritingPlan = Extract<Plan, { kind: "create" | "update" | "restore" | "delete" }>;

/**
 * `adopt` takes over a guest, `finish` completes an interrupted creation, `disable` only blocks sign-in, `changeType` makes
 * a guest a member or the other way round and does nothing else.
 */
export type UpdateEffect = "update" | "disable" | "adopt" | "finish" | "changeType";

/** Clocks of two services may differ by this much when creation times are compared. */
const CLOCK_SKEW_MS = 120_000;
/** A replica that has not seen something is asked again after this time. */
const UNSEEN_LOOK_MS = 3_000;

/** The one decision. Pure: the same view gives the same plan. */
export function planUser(view: PersonView, rules: PlanRules): Plan {
  const { link, scope } = view;
  if (link?.state === "inviting") return planInterrupted(view, rules);
  // The target user went to, or made room for, another source user: who comes back does not get it back.
  if (link?.releasedTo !== undefined && scope.kind === "in") return { kind: "hold", code: "ADDRESS_REUSED" };
  // Parked, whatever the source says: Graph refuses most writes, and nobody fights over an administrator.
  if (link?.targetId && link.administrator !== undefined) return { kind: "hold", code: "TARGET_IS_ADMINISTRATOR" };
  switch (scope.kind) {
    case "missing":
      return planMissing(view, rules);
    case "out":
      return planOut(view, rules, scope);
    case "in":
      return link?.targetId
        ? planLinked(view, rules, scope.job, scope.user)
        : planNewcomer(view, rules, scope.job, scope.user);
    default:
      return unreachable(scope);
  }
}

/** True where the target has to be read before anything can be said. */
export function needsTarget(link: Link | undefined, scope: ScopeDecision): boolean {
  if (link?.state === "inviting" || link?.targetId) return true;
  return scope.kind === "in" && scope.user.accountEnabled && scope.job.actions.create;
}

/** An invitation whose answer nobody recorded: once the index has seen it, an unstamped guest of that address made since is ours. */
function planInterrupted({ now, link, target, self }: PersonView, rules: PlanRules): Plan {
  const since = link?.since ?? now;
  const wait = Math.max(since, link?.writtenAt ?? 0) + rules.indexAllowanceMs - now; // it may have landed as late as that
  if (wait > 0) return { kind: "confirm", because: "invitationInterrupted", afterMs: wait };
  if (target.kind !== "candidates") return { kind: "confirm", because: "invitationInterrupted", afterMs: 1_000 };
  const ours = target.candidates.filter(
    ({ user, owner }) =>
      isExternal(user) &&
      (user.stamp === self.stamp || user.stamp === null) &&
      (owner === self.link || (owner === undefined && user.createdAt >= since - CLOCK_SKEW_MS)), // another of us may have taken it just now
  );
  // One that was removed meanwhile does not hinder a new one.
  const live = ours.filter(({ user }) => !user.softDeleted);
  const [found, ...others] = live.length > 0 ? live : ours;
  if (others.length > 0) return { kind: "hold", code: "AMBIGUOUS_MATCH" };
  return found ? { kind: "found", targetId: found.user.id } : { kind: "forget", because: "invitationNotMade" };
}

/** 404 for somebody without a link means 'not yet'; for a linked person it is a proof only when it is said twice, far enough apart. */
function planMissing(view: PersonView, rules: PlanRules): Plan {
  const { link, now } = view;
  if (!link?.targetId || isRemoved(view)) return { kind: "skip", because: "notFoundAtSource" };
  const sinceMs = now - (link.missingSince ?? now);
  const wait = rules.replicationAllowanceMs - sinceMs;
  if (link.missingSince === undefined || wait > 0) {
    // A replica may show the recycle bin's entry sooner, which proves it at once: asked at growing distance.
    const afterMs = Math.max(Math.min(wait, Math.max(sinceMs, UNSEEN_LOOK_MS)), 0);
    return { kind: "confirm", because: "notFoundAtSource", afterMs, mark: "missingSince" };
  }
  return removal(view, rules, "sourceGone", "softDelete");
}

function planOut(view: PersonView, rules: PlanRules, scope: Out): Plan {
  const { link, now, target } = view;
  const { because } = scope;
  if (!link?.targetId || isRemoved(view)) return { kind: "skip", because: reasonOf(scope) };
  if (because === "sourceDeleted") return removal(view, rules, because, "softDelete");
  const job = rules.pair.jobs.find(({ id }) => id === link.jobId);
  if (!job) return { kind: "keep", because: "jobIsGone", job: undefined };
  const retires = job.state === "retire";
  if (!retires && scope.leftAloneBy?.includes(job.id)) return stays(view, rules, job, "leftAlone");
  if (because === "notAssigned") {
    if (!view.groupsHealthy) return safetyBlock(view, job) ?? { kind: "hold", code: "SCOPE_GROUP_UNREADABLE" };
    const wait = (link.outSince ?? now) + rules.secondReadingMs - now;
    if (link.outSince === undefined || wait > 0) {
      return { kind: "confirm", because, afterMs: Math.max(wait, 0), mark: "outSince" };
    }
  }
  if (retires) return removal(view, rules, "jobRetired", "softDelete");
  // Entra's engine has passed on the block as the deprovisioning, and does not pass on a second one, whatever follows.
  const blockedFirst =
    job.onDisabledThenUnassigned === "keep" &&
    !link.leaving &&
    scope.user?.accountEnabled === false &&
    target.kind === "found" &&
    !target.user.accountEnabled;
  const left = because === "notAssigned" || because === "notListed" || because === "filteredOut";
  if (blockedFirst && left && !isSoftDeleted(target)) return { kind: "keep", because: "disabledBeforeUnassigned", job };
  return removal(view, rules, because, job.onOutOfScope);
}

type Out = ScopeDecision & { kind: "out" };

/** For somebody who has no target user: a job that reads past them is told apart from filters that put them out. */
function reasonOf({ because, assignedTo, leftAloneBy }: Out): Because {
  const alone = because === "filteredOut" && assignedTo?.some(({ id }) => leftAloneBy?.includes(id));
  return alone ? "leftAlone" : because;
}

/** The person must not be in the target any more, and that is proved. */
function removal(view: PersonView, rules: PlanRules, because: Because, action: Job["onOutOfScope"]): Plan {
  const { link, target } = view;
  const job = rules.pair.jobs.find(({ id }) => id === link?.jobId);
  const gone = target.kind === "missing" || isSoftDeleted(target);
  // Somebody of us died over removing the target user: it is recorded as our removal.
  if (target.kind === "found" && gone && link && deleteIsUnderWay(link, view.now) && isExternal(target.user))
    return { kind: "delete", targetId: target.user.id, because };
  // We have just restored or made what seems to be gone, or removed what seems to be there.
  const unseen = notSeenYet(view, rules, gone || link?.state === "removed");
  if (unseen) return unseen;
  if (target.kind === "missing") return missingTooShort(link, rules, view.now) ?? { kind: "forget", because };
  if (gone) return { kind: "gone", because };
  if (target.kind !== "found") return { kind: "confirm", because, afterMs: 1_000 };
  if (!isExternal(target.user)) return { kind: "hold", code: "TARGET_NOT_EXTERNAL" };
  if (!job) return { kind: "keep", because: "jobIsGone", job: undefined };
  if (action === "keep" || !job.actions.delete) return stays(view, rules, job, because);
  if (action === "softDelete") return { kind: "delete", targetId: target.user.id, because };
  if (!target.user.accountEnabled) return { kind: "keep", because, job };
  return { ...blockUpdate(target.user.id), job };
}

/** Whoever is not written although they are in the target: sign-in follows the source account all the same, both ways. */
export function stays(view: PersonView, rules: PlanRules, job: Job, because: Because): Plan {
  const { link, target, scope } = view;
  const source = scope.kind === "out" ? scope.user : undefined;
  if (target.kind !== "found" || target.user.softDeleted || !source) return { kind: "keep", because, job };
  const { user } = target;
  if (!source.accountEnabled) return safetyBlock(view, job, true) ?? { kind: "keep", because, job };
  if (!link?.blockedByUs || !isOurs(user, view)) return { kind: "keep", because, job };
  const unseen = notSeenYet(view, rules, user.accountEnabled);
  if (unseen) return unseen;
  if (user.accountEnabled) return { kind: "keep", because, job };
  return { ...blockUpdate(user.id), effect: "update", changes: { accountEnabled: true }, job };
}

/**
 * The block that follows from a disabled source account: written whatever else is held, stopped or left alone, because it is
 * reversible. `undefined`: there is nothing to block.
 */
export function safetyBlock(
  { scope, target, self }: SafetyView,
  job: Job,
  settled = false,
): (Plan & { kind: "update" }) | undefined {
  const source = scope.kind === "missing" ? undefined : scope.user;
  if (source?.accountEnabled !== false || target.kind !== "found") return undefined;
  const { user } = target;
  if (!user.accountEnabled || user.softDeleted || !isOurs(user, { self })) return undefined;
  return { ...blockUpdate(user.id), job, ...(settled ? {} : { unsettled: true }) };
}

/** Sign-in is blocked while a removal waits. `undefined`: there is nothing to block. */
export function waitingBlock({ target, self }: SafetyView, job: Job): (Plan & { kind: "update" }) | undefined {
  if (target.kind !== "found" || !target.user.accountEnabled || target.user.softDeleted) return undefined;
  return isOurs(target.user, { self }) ? { ...blockUpdate(target.user.id), job, unsettled: true } : undefined;
}

type SafetyView = Pick<PersonView, "scope" | "target" | "self">;

/** External, and nobody else's stamp on it. */
const isOurs = (user: TargetUser, { self }: Pick<PersonView, "self">): boolean =>
  isExternal(user) && (user.stamp === null || user.stamp === self.stamp);

/** What is read contradicts what we have just written: the replica that answered may not know of it. */
function notSeenYet({ link, now }: PersonView, rules: PlanRules, contradicts: boolean): Plan | undefined {
  const unseenMs = (link?.writtenAt ?? 0) + rules.replicationAllowanceMs - now;
  if (!contradicts || unseenMs <= 0) return undefined;
  return { kind: "confirm", because: "ownWriteNotSeenYet", afterMs: Math.min(unseenMs, UNSEEN_LOOK_MS) };
}

const blockUpdate = (targetId: string) =>
  ({ kind: "update", targetId, effect: "disable", changes: { accountEnabled: false }, managerId: undefined }) as const;

function planNewcomer(view: PersonView, rules: PlanRules, job: Job, user: SourceUser): Plan {
  if (!user.accountEnabled) return { kind: "skip", because: "disabledAndNeverProvisioned" };
  if (!job.actions.create) return { kind: "skip", because: "createIsOff" };
  const address = invitationAddress(user, rules.pair.clouds);
  if (!address) return { kind: "hold", code: "ADDRESS_CANNOT_BE_INVITED" };
  if (view.target.kind !== "candidates") return { kind: "confirm", because: "targetNotRead", afterMs: 1_000 };
  const { candidates, evidence } = view.target;
  const match = matchNewcomer(candidates, { ...view.self, address }, job, evidence);
  if (match.kind === "wantsEvidence") return { kind: "confirm", because: "targetNotRead", afterMs: 1_000 };
  if (match.kind === "held") {
    return { kind: "hold", code: match.code, ...(match.detail ? { detail: match.detail } : {}) };
  }
  const wished = job.mapper.wishes(user, view.moment, match.kind === "none" ? "create" : "update");
  if (wished.kind !== "wished") return unmapped(wished);
  const { wishes } = wished;
  const managerId = managerChange(view, undefined);
  switch (match.kind) {
    case "none":
      return { kind: "create", job, address, wanted: createValues(wishes), managerId };
    case "own":
      if (match.user.softDeleted) {
        return {
          kind: "restore",
          targetId: match.user.id,
          job,
          managerId,
          changes: comparedWith(match.user, wishes, view, false),
          ...moreAfter(hasOtherType(match.user, job)),
        };
      }
      return onGround(adopt(match.user, wishes, view, job), "own");
    case "adoptable":
      return onGround(adopt(match.user, wishes, view, job), match.ground, address);
    default:
      return unreachable(match);
  }
}

const onGround = (plan: Plan, ground: AdoptionGround, address?: string): Plan =>
  plan.kind === "update"
    ? { ...plan, ground, ...(ground === "resetRedemption" && address ? { rebindBy: address } : {}) }
    : plan;

/** What an expression said instead of a value. */
function unmapped(wished: Exclude<Wishes, { kind: "wished" }>): Plan {
  if (wished.kind === "ignored") return { kind: "skip", because: "IgnoreObjectFlow" };
  return { kind: "hold", code: wished.error, detail: `${wished.target}: ${wished.code}` };
}

const adopt = (user: TargetUser, wishes: readonly Wish[], view: PersonView, job: Job): Plan => ({
  kind: "update",
  targetId: user.id,
  effect: "adopt",
  changes: comparedWith(user, wishes, view, false),
  managerId: managerChange(view, user.managerId),
  job,
  ...moreAfter(hasOtherType(user, job)),
});

/** What makes the target user's manager the one that is wished. */
function managerChange({ manager }: PersonView, current: string | undefined): ManagerChange {
  if (manager.kind === "remove") return current === undefined ? undefined : null;
  return manager.kind === "set" && manager.targetId !== current ? manager.targetId : undefined;
}

/** The job wants people who are there already to be of its type too, and this one is not. */
const hasOtherType = (user: TargetUser, job: Job): boolean =>
  job.changeUserType && job.actions.update && user.userType !== graphUserType(job);

export const graphUserType = ({ userType }: Pick<Job, "userType">): "Guest" | "Member" =>
  userType === "member" ? "Member" : "Guest";

const moreAfter = (more: boolean): { unsettled?: boolean } => (more ? { unsettled: true } : {});

function planLinked(view: PersonView, rules: PlanRules, job: Job, source: SourceUser): Plan {
  const { link, target, now } = view;
  if (!link) throw new Error("a linked person without a link");
  if (target.kind === "missing") return planTargetMissing(link, rules, now);
  if (target.kind !== "found") return { kind: "confirm", because: "targetNotRead", afterMs: 1_000 };
  const user = target.user;
  if (!isExternal(user)) return { kind: "hold", code: "TARGET_NOT_EXTERNAL" };
  if (user.stamp !== null && user.stamp !== view.self.stamp) return { kind: "hold", code: "TARGET_TAKEN" };
  const managerId = managerChange(view, user.managerId);
  // Who is to be blocked is blocked at once, seen or not: we may have died before the block was written.
  const unblocked = source.accountEnabled && link.blockedByUs === true && user.accountEnabled && !user.softDeleted;
  const contradicts = unblocked || (link.state === "removed" ? !user.softDeleted : user.softDeleted);
  const unseen = notSeenYet(view, rules, contradicts);
  if (unseen) return unseen;
  // A block needs no mapping: it is written whatever the expressions say.
  const wished = job.mapper.wishes(source, view.moment, isNewcomer(link) ? "create" : "update");
  if (wished.kind !== "wished") return safetyBlock(view, job) ?? unmapped(wished);
  if (user.softDeleted) return planSoftDeleted(view, job, source, user, wished.wishes, managerId);
  return planLive(view, job, source, user, wished.wishes, managerId);
}

function planSoftDeleted(
  view: PersonView,
  job: Job,
  source: SourceUser,
  user: TargetUser,
  wishes: readonly Wish[],
  managerId: ManagerChange,
): Plan {
  const { link } = view;
  if (link?.state !== "removed" && !(link && deleteIsUnderWay(link, view.now)))
    return { kind: "hold", code: "TARGET_REMOVED_THERE" };
  const because = "disabledAndRemoved";
  if (!source.accountEnabled)
    return link?.state === "removed" ? { kind: "skip", because } : { kind: "delete", targetId: user.id, because };
  const ours = view.link?.blockedByUs === true; // a block that the target's administrators set outlives the absence
  const changes = comparedWith(user, wishes, view, ours);
  return { kind: "restore", targetId: user.id, job, managerId, changes, ...moreAfter(hasOtherType(user, job)) };
}

function planLive(
  view: PersonView,
  job: Job,
  source: SourceUser,
  user: TargetUser,
  wishes: readonly Wish[],
  managerId: ManagerChange,
): Plan {
  const blockedByUs = view.link?.blockedByUs === true;
  const finishing = view.link?.state === "invited";
  if (!source.accountEnabled && user.accountEnabled) {
    // A block waits for none of these.
    const more = finishing || hasOtherType(user, job) || (job.actions.update && managerId !== undefined);
    return {
      ...blockUpdate(user.id),
      changes: { ...(job.actions.update ? comparedWith(user, wishes, view, false) : {}), accountEnabled: false },
      job,
      ...moreAfter(more),
    };
  }
  const enable = source.accountEnabled && !user.accountEnabled && blockedByUs;
  const blockedThere = source.accountEnabled && !user.accountEnabled && !blockedByUs;
  const newcomer = isNewcomer(view.link);
  const occasion = newcomer ? "create" : "update";
  const enables = enable ? { accountEnabled: true } : {};
  const changes: Attributes = {
    ...(job.actions.update || finishing ? comparedWith(user, wishes, view, enable, occasion) : enables),
    ...(newcomer && user.userType !== graphUserType(job) ? { userType: graphUserType(job) } : {}),
  };
  const manager = job.actions.update || finishing ? managerId : undefined;
  const otherType = hasOtherType(user, job) && changes.userType === undefined;
  // What was begun is finished also where nothing differs: sponsors are to be named, and the log wants its row.
  if (finishing || Object.keys(changes).length > 0 || manager !== undefined) {
    const effect = newcomer ? "finish" : finishing ? "adopt" : "update";
    return { kind: "update", targetId: user.id, effect, changes, managerId: manager, job, ...moreAfter(otherType) };
  }
  // On its own and last: a type that the target refuses holds up nothing else.
  if (otherType) {
    const userType = { userType: graphUserType(job) };
    return { kind: "update", targetId: user.id, effect: "changeType", changes: userType, managerId: undefined, job };
  }
  return { kind: "keep", because: blockedThere ? "TARGET_BLOCKED_THERE" : "asWished", job };
}

/** Made by us, and not finished. */
const isNewcomer = (link: Link | undefined): boolean => link?.state === "invited" && link.adopted !== true;

/** Two 404 far apart: somebody else has removed the guest for good. One of ours is forgotten after its 30 days, and made anew. */
function planTargetMissing(link: Link, rules: PlanRules, now: number): Plan {
  const look = missingTooShort(link, rules, now);
  if (look) return look;
  if (link.state === "removed" || link.state === "invited") return { kind: "forget", because: "targetGone" };
  return { kind: "hold", code: "TARGET_REMOVED_THERE" };
}

/** One replica shows it live no more, and another one does not show it in the recycle bin yet. `undefined`: it is gone. */
function missingTooShort(link: Link | undefined, rules: PlanRules, now: number): Plan | undefined {
  const since = link?.targetMissingSince;
  const wait = (since ?? now) + rules.replicationAllowanceMs - now;
  if (since !== undefined && wait <= 0) return undefined;
  return { kind: "confirm", because: "targetNotFound", afterMs: Math.max(wait, 0), mark: "targetMissingSince" };
}

/** Attributes that differ, the stamp where it is missing, and sign-in where it is ours to allow. */
function comparedWith(
  user: TargetUser,
  wishes: readonly Wish[],
  view: PersonView,
  enable: boolean,
  occasion: Occasion = "update",
): Attributes {
  const changes: Attributes = updatesOf(wishes, user.attributes, occasion);
  return {
    ...changes,
    ...(user.stamp === view.self.stamp ? {} : { syncSource: view.self.stamp }),
    ...(enable && !user.accountEnabled ? { accountEnabled: true } : {}),
  };
}

/** We removed the target user, and it is not to be seen: a restoration of which we never heard the answer would show it. */
const isRemoved = ({ link, target }: PersonView): boolean =>
  link?.state === "removed" && !(target.kind === "found" && !target.user.softDeleted);

const isSoftDeleted = (target: TargetView): boolean => target.kind === "found" && target.user.softDeleted;
