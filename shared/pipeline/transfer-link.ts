import { CLOUDS } from "../domain/cloud.ts";
import { ERRORS, type ErrorCode } from "../domain/error.ts";
import type { Job, Pair } from "../domain/job.ts";
import { claimIsLive, LEASE_MS, type Link, stampOf, type Transfer } from "../domain/link.ts";
import { invitationAddress } from "../domain/matching.ts";
import type { WritingPlan } from "../domain/plan.ts";
import { isExternal, isInternalMember, type TargetUser } from "../domain/user.ts";
import type { StoredRow } from "../ports/rows.ts";
import { type Applied, applyPlan } from "./apply-plans.ts";
import { readLink, writeLink } from "./claims.ts";
import { Deployment } from "./deployment.ts";
import { hintOperator } from "./hints.ts";
import { JobDesk } from "./job-state.ts";
import { type Person, readSource, targetAttributes } from "./look.ts";
import { handOver, ownedOf } from "./ownership.ts";
import { logRowName, writeLog } from "./provisioning-log.ts";
import { recoveryState } from "./recovery.ts";
import type { World } from "./world.ts";

/**
 * `links transfer`: somebody was hired again under a new object id, or another person got the address of somebody who is
 * gone. The intent goes into the old link first, so that whoever looks at it afterwards finishes what a crash has left, and
 * nothing else is done with it meanwhile. Every step may be the last, and may be done again.
 */
export interface TransferRequest {
  sourceTenantId: string;
  targetTenantId: string;
  /** The old source user, who is gone. */
  fromUserId: string;
  toUserId: string;
  how: Transfer["how"];
  /** Who asks, `{tenant}/{object id}`. */
  by: string;
}

/** By then the last write of a transfer has been made. */
const LOOK_AFTER_MS = 5_000;

/** A transfer that was begun and may not be finished now is looked at again after this time. */
const STOPPED_MS = 60_000;

/** The old guest is still there, and is removed in the usual way. */
export const REMOVAL = "oldGuestIsStillThere";

export type TransferOutcome =
  | { kind: "done"; targetId: string | undefined }
  /** Asking again after this time goes on where this has stopped. */
  | { kind: "again"; because: string; afterMs: number }
  /** Nothing was changed. */
  | { kind: "refused"; code: ErrorCode; problem: string; remedy: string }
  /** Begun, and it cannot be finished as things are. */
  | { kind: "unfinished"; code: ErrorCode; detail: string | undefined };

/** Throws `SyncError` and `StorageUnavailable` where a tenant or the storage gives no answer: asking again is safe. */
export async function transferLink(world: World, request: TransferRequest): Promise<TransferOutcome> {
  const { fromUserId, toUserId, how } = request;
  const pair = world.rules.pairs.find(
    ({ source, target }) => source.id === request.sourceTenantId && target.id === request.targetTenantId,
  );
  if (!pair)
    return refused("TRANSFER_REFUSED", "no job goes from this source to this target", "Name the two tenants of a job.");
  if (fromUserId === toUserId)
    return refused("TRANSFER_REFUSED", "both are the same object id", "Name two source users.");
  await new Deployment(world).mayWrite();
  const from = personOf(world, pair, fromUserId);
  const stored = await readLink(world, from);
  if (stored && !stored.value.transfer && stored.value.releasedTo === toUserId) {
    await hintOperator(world, personOf(world, pair, toUserId), `transferred:${fromUserId}:${world.chance.uuid()}`, 0);
    return { kind: "done", targetId: stored.value.targetId };
  }
  if (!stored?.value.targetId || stored.value.state === "inviting") {
    return refused("TRANSFER_REFUSED", "the old user has no target user here", "Nothing has to be transferred.");
  }
  if (claimIsLive(stored.value, stored.ageMs)) return { kind: "again", because: "claimed", afterMs: 5_000 };
  const { transfer } = stored.value;
  if (!transfer) return begin(world, pair, from, stored, request);
  if (transfer.toUserId === toUserId && transfer.how === how) return goOn(world, from, stored);
  return refused("TRANSFER_REFUSED", "another transfer of this user is under way", "Let it finish first.");
}

async function begin(
  world: World,
  pair: Pair,
  from: Person,
  stored: StoredRow<Link>,
  request: TransferRequest,
): Promise<TransferOutcome> {
  const { toUserId, how, by } = request;
  const stopped = await whyStopped(world, pair, stored.value);
  if (stopped) return refused(stopped, ERRORS[stopped].meaning, ERRORS[stopped].remedy);
  const proof = await provenGone(world, from, stored);
  if (proof !== "gone") return proof;
  const objection = await objectionTo(world, pair, request, stored.value);
  if (objection) return objection;
  const at = world.clock.now();
  // Whoever dies from here on has left word.
  await hintOperator(world, from, `transfer:${from.userId}:${toUserId}:${at}`, LEASE_MS);
  const written = await writeLink(world, from, stored, "marked", {
    transfer: { how, toUserId, by, at },
    claim: undefined,
  });
  if (written.kind === "moved") return { kind: "again", because: "moved", afterMs: 1_000 };
  return goOn(world, from, written.stored);
}

/** What stops every other write of the job stops this one too. */
async function whyStopped(world: World, pair: Pair, link: Link): Promise<ErrorCode | undefined> {
  if ((await recoveryState(world)).kind !== "on") return "TABLES_LOST";
  const job = jobOf(pair, link);
  return job && new JobDesk(world).whyStopped(job.id);
}

async function goOn(world: World, from: Person, stored: StoredRow<Link>): Promise<TransferOutcome> {
  const outcome = await finishTransfer(world, from, stored);
  const waits = outcome.kind === "again" && outcome.because === REMOVAL;
  if (waits) await hintOperator(world, from, `release:${from.userId}:${world.chance.uuid()}`, 0);
  return outcome;
}

/** Graph has said that the old user was deleted, or does not know it, twice, far enough apart. */
async function provenGone(world: World, from: Person, stored: StoredRow<Link>): Promise<"gone" | TransferOutcome> {
  const source = await readSource(world, from.userId, [from.pair], from.lane);
  if (source.kind === "found") {
    return refused("TRANSFER_REFUSED", "the old user still exists in the source", "Delete it there first.");
  }
  if (source.kind === "deleted" || stored.value.state === "removed") return "gone";
  const now = world.clock.now();
  const wait = (stored.value.missingSince ?? now) + world.settings.replicationAllowanceMs - now;
  if (stored.value.missingSince !== undefined && wait <= 0) return "gone";
  if (stored.value.missingSince === undefined) {
    const marked = await writeLink(world, from, stored, "marked", { missingSince: now, claim: undefined });
    if (marked.kind === "moved") return { kind: "again", because: "moved", afterMs: 1_000 };
  }
  return { kind: "again", because: "notFoundAtSource", afterMs: wait };
}

async function objectionTo(
  world: World,
  pair: Pair,
  { toUserId, how }: TransferRequest,
  link: Link,
): Promise<TransferOutcome | undefined> {
  const job = jobOf(pair, link);
  if (job?.state !== "on")
    return refused("TRANSFER_REFUSED", "the job does not write", "Set the job's `state` to `on`.");
  if (how === "newPerson" && !job.actions.delete && link.state !== "removed") {
    return refused(
      "TRANSFER_REFUSED",
      "the job removes nobody",
      "Set `actions.delete`, or remove the old guest by hand.",
    );
  }
  const to = personOf(world, pair, toUserId);
  const source = await readSource(world, toUserId, [pair], to.lane);
  if (source.kind !== "found" || !isInternalMember(source.user)) {
    return refused("TRANSFER_REFUSED", "the new user is not an internal member of the source", "Name its object id.");
  }
  if (how === "samePerson" && !source.user.accountEnabled) {
    return refused("TRANSFER_REFUSED", "the new user's account is disabled", "Enable it first.");
  }
  const stored = await readLink(world, to);
  if (stored && claimIsLive(stored.value, stored.ageMs)) return { kind: "again", because: "claimed", afterMs: 5_000 };
  const { targetId, state } = stored?.value ?? {};
  if (state === "inviting" || (targetId !== undefined && targetId !== link.targetId)) {
    return refused("TRANSFER_REFUSED", "the new user has a target user already", "Keep one of the two by hand.");
  }
  return undefined;
}

/** Goes on with a transfer whose intent is recorded. The reconciler calls it too, for what a crash has left. */
export async function finishTransfer(world: World, from: Person, stored: StoredRow<Link>): Promise<TransferOutcome> {
  const { transfer, targetId } = stored.value;
  if (!transfer || !targetId) throw new Error("a transfer without its intent");
  const stopped = await whyStopped(world, from.pair, stored.value);
  if (stopped) return { kind: "again", because: stopped, afterMs: STOPPED_MS };
  const guest = await world.target(from.pair.target.id).read(targetId, targetAttributes(from.pair), from.lane);
  const samePerson = transfer.how === "samePerson";
  const outcome = await (samePerson ? giveTo(world, from, stored, transfer, guest) : release(guest));
  if (outcome) return outcome;
  const at = world.clock.now();
  await writeLog(world, logRowName(world), {
    at,
    sourceTenantId: from.pair.source.id,
    targetTenantId: from.pair.target.id,
    userId: from.userId,
    targetId,
    action: "other",
    status: "success",
    because: `transferred:${transfer.how}`,
    detail: `to ${transfer.toUserId}`,
    requestedBy: transfer.by,
    reason: "operator",
    afterMs: at - transfer.at,
  });
  const to = personOf(world, from.pair, transfer.toUserId);
  // Before the last write, so that a crash repeats it, and looked at after that write.
  await hintOperator(world, to, `transferred:${from.userId}:${world.chance.uuid()}`, LOOK_AFTER_MS);
  const now = await readLink(world, from);
  const over = { transfer: undefined, releasedTo: transfer.toUserId, claim: undefined, escrow: undefined };
  const given = { targetId: undefined, blockedByUs: undefined, inputs: undefined, because: "transferred" };
  const change = samePerson ? { ...over, ...given } : over;
  const written = await writeLink(world, from, now, samePerson ? "forgotten" : "marked", change);
  return written.kind === "written" ? { kind: "done", targetId } : { kind: "again", because: "moved", afterMs: 1_000 };
}

/** The target user goes over to the new source user: row, link and stamp. `undefined`: it has. */
async function giveTo(
  world: World,
  from: Person,
  stored: StoredRow<Link>,
  transfer: Transfer,
  guest: TargetUser | undefined,
): Promise<TransferOutcome | undefined> {
  const { pair } = from;
  if (!guest || !isExternal(guest))
    return abandon(world, from, stored, "the target user is gone for good, or not external");
  const to = personOf(world, pair, transfer.toUserId);
  const mine = await readLink(world, to);
  if (mine && claimIsLive(mine.value, mine.ageMs)) return { kind: "again", because: "claimed", afterMs: 5_000 };
  if (mine?.value.targetId && mine.value.targetId !== guest.id)
    return abandon(world, from, stored, "the new user has a target user already");
  if (!(await handOver(world, ownedOf(from), ownedOf(to), guest.id)))
    return abandon(world, from, stored, "somebody else owns the target user");
  const rebindBy = await addressToRebind(world, to, guest);
  const stamp = stampOf(world.rules.deployment, pair.source.id, transfer.toUserId);
  const isDone = guest.stamp === stamp && !guest.softDeleted && mine?.value.targetId === guest.id;
  const job = jobOf(pair, stored.value);
  if ((isDone && rebindBy === undefined) || !job) return undefined;
  const lifts = stored.value.blockedByUs === true && !guest.accountEnabled;
  const changes = { syncSource: stamp, ...(lifts ? { accountEnabled: true } : {}) };
  const common = { targetId: guest.id, changes, managerId: undefined, job };
  const write = async (plan: WritingPlan) =>
    unless(
      await applyPlan({
        world,
        person: to,
        stored: await readLink(world, to),
        inputs: undefined,
        shows: undefined,
        scoped: {},
        job,
        plan,
        read: guest,
        mayStandFor: [from.userId],
        name: logRowName(world),
      }),
    );
  const restored = guest.softDeleted ? await write({ kind: "restore", ...common }) : undefined;
  if (restored || (guest.softDeleted && rebindBy === undefined)) return restored;
  return write({ kind: "update", effect: "adopt", ...common, ...(rebindBy === undefined ? {} : { rebindBy }) });
}

/**
 * A redeemed guest is bound to the account that is gone: it is bound anew, where its addresses and the cloud allow it.
 * Source: Entra `reset-redemption-status.md`.
 */
async function addressToRebind(world: World, to: Person, guest: TargetUser): Promise<string | undefined> {
  if (guest.externalUserState !== "Accepted" || !CLOUDS[to.pair.target.cloud].resetRedemption) return undefined;
  const source = await readSource(world, to.userId, [to.pair], to.lane);
  const address = source.kind === "found" ? invitationAddress(source.user, to.pair.clouds) : undefined;
  const has = [guest.mail, ...guest.otherMails].some((mail) => mail?.toLowerCase() === address?.toLowerCase());
  return has ? address : undefined;
}

/**
 * The old guest goes to the recycle bin as anybody's who has left, with the same proofs and within the same limits: that is
 * the reconciler's work. `undefined`: it is there, or gone.
 */
async function release(guest: TargetUser | undefined): Promise<TransferOutcome | undefined> {
  return !guest || guest.softDeleted ? undefined : { kind: "again", because: REMOVAL, afterMs: 5_000 };
}

/** Nothing has been given away yet: the intent goes, and everything is as it was. */
async function abandon(world: World, from: Person, stored: StoredRow<Link>, problem: string): Promise<TransferOutcome> {
  const written = await writeLink(world, from, stored, "marked", { transfer: undefined });
  if (written.kind === "moved") return { kind: "again", because: "moved", afterMs: 1_000 };
  return refused("TRANSFER_REFUSED", problem, "Look at the two users and the target user, and ask again.");
}

function unless(applied: Applied): TransferOutcome | undefined {
  switch (applied.kind) {
    case "written":
      return undefined;
    case "refused":
      return { kind: "unfinished", code: applied.code, detail: applied.detail };
    case "moved":
      return { kind: "again", because: "moved", afterMs: 1_000 };
    case "throttled":
      return { kind: "again", because: "throttled", afterMs: applied.afterMs };
    default:
      return { kind: "again", because: applied.because, afterMs: applied.afterMs };
  }
}

const personOf = (world: World, pair: Pair, userId: string): Person => ({
  pair,
  userId,
  lane: "changes",
  reason: "operator",
  noticedAt: world.clock.now(),
  paidWrites: 0,
  attempt: 0,
});

const jobOf = (pair: Pair, { jobId }: Link): Job | undefined =>
  pair.jobs.find(({ id }) => id === jobId) ?? pair.jobs[0];

const refused = (code: ErrorCode, problem: string, remedy: string): TransferOutcome => ({
  kind: "refused",
  code,
  problem,
  remedy,
});
