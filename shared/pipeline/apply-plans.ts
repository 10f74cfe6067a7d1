import { ADOPTED_BECAUSE } from "../domain/adoption.ts";
import { ERRORS, type ErrorCode, SyncError, unreachable } from "../domain/error.ts";
import type { Job } from "../domain/job.ts";
import { type Claim, LEASE_MARGIN_MS, LEASE_MS, stampOf } from "../domain/link.ts";
import type { WritingPlan } from "../domain/plan.ts";
import type { TargetUser } from "../domain/user.ts";
import { Writable } from "../domain/writable.ts";
import { BusUnavailable } from "../ports/bus.ts";
import { StorageUnavailable } from "../ports/rows.ts";
import { WriteUnsure } from "../ports/target-tenant.ts";
import { type LinkChange, type StoredLink, writeLink } from "./claims.ts";
import { hintVerify } from "./hints.ts";
import { killSwitchMustBeOff } from "./kill-switch.ts";
import { recordLateInvitation, recordLateWrite, verifyLateWrite } from "./late-effects.ts";
import type { Person } from "./look.ts";
import { rowAbout, writeLog } from "./provisioning-log.ts";
import { intended, union } from "./unrecorded.ts";
import type { LogRow, World } from "./world.ts";
import { carryOut, type Held, Interrupted, type Result } from "./write-target.ts";

/** A plan is carried out under a claim on the person's link: claimed, written, recorded, released. */

export interface Work {
  world: World;
  person: Person;
  stored: StoredLink;
  /** What is remembered of the decision; `undefined`: it is not settled by this write. */
  inputs: string | undefined;
  /** What the target user looks like once the plan is written. */
  shows: string | undefined;
  /** What is remembered of the scope in which the person was found. */
  scoped: LinkChange;
  job: Job | undefined;
  plan: WritingPlan;
  /** The target user of the plan as it was read; a creation has none. */
  read: TargetUser | undefined;
  /** Source users whom it may stand for, beside the person: in a transfer the one before. */
  mayStandFor?: readonly string[];
  /** Names the claim and the log row. */
  name: string;
  /** Something about the plan that people should know. */
  warning?: ErrorCode | undefined;
}

export type Applied =
  | { kind: "written"; targetId: string; action: LogRow["action"] }
  /** Somebody else has acted since the row was read. */
  | { kind: "moved" }
  | { kind: "refused"; code: ErrorCode; detail: string | undefined; stored: StoredLink }
  | { kind: "throttled"; afterMs: number }
  | { kind: "again"; because: string; afterMs: number; counted?: boolean };

/** What was read of the kill switch holds for so long. */
const SWITCH_BELIEVED_MS = 2_000;

/** Throws `KILL_SWITCH_ON`, before anything is claimed. */
export async function applyPlan(work: Work): Promise<Applied> {
  const { world } = work;
  const askedAt = world.clock.now();
  await killSwitchMustBeOff(world);
  const user = provenUser(work);
  const claim = await takeClaim(work);
  if (claim.kind === "moved") return { kind: "moved" };
  if (work.stored?.value.claim) await hintVerify(work.world, work.person, LEASE_MS); // taken over: the other may still write
  const held: Held = { work, user, stored: claim.stored, call: callWithin(work), written: [], warning: work.warning };
  try {
    // Whoever stood still between the switch and the claim asks again.
    if (world.clock.now() - askedAt > SWITCH_BELIEVED_MS) await killSwitchMustBeOff(world);
    const result = await carryOut(held);
    return await record(held, result);
  } catch (error) {
    return await release(held, error);
  } finally {
    held.call.stop();
  }
}

/** Before anything is claimed. Throws `TARGET_NOT_EXTERNAL` or `TARGET_TAKEN`: the person is in escrow then. */
function provenUser({ plan, read, person: { pair, userId }, world, mayStandFor = [] }: Work): Writable | undefined {
  if (plan.kind === "create") return undefined;
  if (read?.id !== plan.targetId) throw new Error("a plan for a target user that was not read");
  const stamps = [userId, ...mayStandFor].map((id) => stampOf(world.rules.deployment, pair.source.id, id));
  return Writable.read(pair.target.id, read, stamps);
}

async function takeClaim(work: Work) {
  const { world, person, stored, plan, name } = work;
  const blocks = plan.kind === "update" && plan.changes.accountEnabled === false;
  const claim: Claim = { id: name, plan: plan.kind, at: world.clock.now() };
  const jobId = work.job?.id ?? stored?.value.jobId;
  const unrecorded = intended(stored?.value, plan, { ...work, because: becauseOf(work) });
  // Under which rules the person was in scope is known now: whoever dies here must not make it look as if others put them out.
  const more = { ...work.scoped, ...(blocks ? { blockedByUs: true } : {}) };
  if (plan.kind !== "create") return writeLink(world, person, stored, "marked", { claim, unrecorded, jobId, ...more });
  return writeLink(world, person, stored, "inviting", {
    ...work.scoped,
    claim,
    unrecorded,
    jobId,
    address: plan.address,
    since: world.clock.now(),
    targetId: undefined,
  });
}

/** Aborts calls before the lease ends: what comes later could be the write of somebody who owns nothing any more. */
function callWithin({ world, person }: Work): Held["call"] {
  const late = new AbortController();
  const stopped = new AbortController();
  world.clock.sleep(LEASE_MS - LEASE_MARGIN_MS, stopped.signal).then(
    () => late.abort(new Error("the lease of the claim ends")),
    () => {},
  );
  return { lane: person.lane, signal: late.signal, stop: () => stopped.abort() };
}

/** Log first, then the row: whoever dies in between repeats both under the same names. */
async function record(held: Held, result: Result): Promise<Applied> {
  const { world, person, inputs, shows, scoped, job, name } = held.work;
  const begun = held.stored.value.unrecorded; // perhaps by somebody who died over it
  const properties = begun && begun.row !== name ? union(begun.properties, held.written) : held.written;
  await writeLog(world, begun?.row ?? name, {
    ...rowAbout(world, person),
    ...(job ? { jobId: job.id } : {}),
    targetId: result.targetId,
    action: begun?.action ?? result.action,
    status: held.warning ? "warning" : "success",
    because: begun?.because ?? becauseOf(held.work),
    ...(held.warning ? { code: held.warning, remedy: ERRORS[held.warning].remedy } : {}),
    ...(properties.length > 0 ? { properties } : {}),
  });
  const change: LinkChange = {
    because: undefined,
    ...scoped,
    ...result.change,
    inputs,
    shows,
    writtenAt: world.clock.now(),
    jobId: job?.id,
    claim: undefined,
    unrecorded: undefined,
    escrow: undefined,
    missingSince: undefined,
    outSince: undefined,
    targetMissingSince: undefined,
    ...(result.signal === "marked" ? {} : { adopted: undefined }),
    ...(result.signal === "removed" ? { lateDeleteSince: undefined } : {}),
  };
  const written = await writeLink(world, person, held.stored, result.signal, change);
  if (written.kind === "moved") {
    await recordLate(held);
    await verifyLateWrite(world, person);
  }
  return { kind: "written", targetId: result.targetId, action: result.action };
}

function becauseOf({ plan, person }: Work): string {
  if (plan.kind === "delete") return plan.because;
  if (plan.kind === "update" && plan.ground) return `adopted: ${ADOPTED_BECAUSE[plan.ground]}`;
  return plan.kind === "update" && plan.effect === "changeType" ? "changeUserType" : person.reason;
}

/** The work did not come to its end: the claim goes, what was achieved stays. */
async function release(held: Held, error: unknown): Promise<Applied> {
  const { world, person } = held.work;
  if (isOurs(error)) {
    await patiently(world, () => recordLate(held));
    throw error; // nothing else can be recorded now: the lease ends by itself
  }
  const applied = interpretation(error, world);
  if (applied?.kind === "moved") {
    await recordLate(held);
    await verifyLateWrite(world, person);
    return { kind: "again", because: "moved", afterMs: 2_000 };
  }
  const unsure = error instanceof WriteUnsure || applied === undefined;
  // What failed after the invitation had been answered leaves an invitation that is found again.
  const refused = held.written.length === 0 || applied?.kind === "refused";
  const notInvited = held.stored.value.state === "inviting" && !unsure && refused;
  const maybeRemoved = held.work.plan.kind === "delete" && unsure;
  const mayBeBlocked = unsure || held.written.includes("accountEnabled");
  // A verification that meets the same trouble comes back as itself and asks for no other.
  if (unsure && person.reason !== "verify") await hintVerify(world, person, world.settings.replicationAllowanceMs);
  const signal = notInvited ? "forgotten" : maybeRemoved ? "removed" : "marked";
  const begun = unsure || held.written.length > 0 || held.stored.value.state === "invited";
  const change: LinkChange = {
    claim: undefined,
    ...(begun ? {} : { unrecorded: held.work.stored?.value.unrecorded }),
    ...(notInvited ? { address: undefined, since: undefined } : {}),
    ...(unsure || held.written.length > 0 ? { writtenAt: world.clock.now() } : {}),
    ...(mayBeBlocked ? {} : { blockedByUs: held.work.stored?.value.blockedByUs }),
  };
  const record = async () => {
    const written = await writeLink(world, person, held.stored, signal, change);
    if (written.kind === "moved" && unsure) await recordLate(held);
    return written;
  };
  const written = await (unsure && held.work.plan.kind === "create" ? patiently(world, record) : record());
  if (applied === undefined) throw error; // a defect: loudly, and without a claim that would hide it
  if (written.kind === "moved") return { kind: "again", because: "moved", afterMs: 2_000 };
  return applied.kind === "refused" ? { ...applied, stored: written.stored } : applied;
}

/**
 * Whoever may have been invited after the link was given up is known to nobody else. The host lets a function run for five
 * minutes: within that a storage may come back.
 */
const PATIENCE_MS = 150_000;
const WAIT_MS = 5_000;

async function patiently<T>(world: World, act: () => Promise<T>): Promise<T> {
  const giveUpAt = world.clock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof StorageUnavailable) || world.clock.now() + WAIT_MS > giveUpAt) throw error;
      await world.clock.sleep(WAIT_MS + world.chance.between(0, WAIT_MS));
    }
  }
}

/** What may have arrived, or may yet, when others had gone on without it. */
async function recordLate({ work: { world, person, plan, name }, stored }: Held): Promise<void> {
  const { state, since } = stored.value;
  if (plan.kind === "create" && state === "inviting" && since !== undefined)
    await recordLateInvitation(world, person, { targetId: undefined, address: plan.address, since });
  const blocks = plan.kind === "update" && plan.changes.accountEnabled === false;
  if (blocks || plan.kind === "delete")
    await recordLateWrite(world, person, {
      targetId: plan.targetId,
      claimId: name,
      what: blocks ? "block" : "delete",
    });
}

const isOurs = (error: unknown): boolean =>
  error instanceof StorageUnavailable ||
  error instanceof BusUnavailable ||
  (error instanceof SyncError && error.blame === "ours");

/** What an error means for this person; `undefined`: it is a defect. */
function interpretation(error: unknown, world: World): Applied | undefined {
  if (error instanceof Interrupted) return error.applied;
  if (error instanceof WriteUnsure) {
    return {
      kind: "again",
      because: "writeUnsure",
      afterMs: world.chance.between(2_000, 6_000),
      counted: error.isolated,
    };
  }
  if (!(error instanceof SyncError)) return undefined;
  switch (error.blame) {
    case "object":
      return { kind: "refused", code: error.code, detail: error.detail, stored: undefined };
    case "pace":
      return { kind: "throttled", afterMs: error.afterMs ?? 10_000 };
    case "tenant":
      return {
        kind: "again",
        because: error.code,
        afterMs: error.afterMs ?? world.chance.between(2_000, 10_000),
        counted: error.isolated,
      };
    case "ours":
      return undefined;
    default:
      return unreachable(error.blame);
  }
}
