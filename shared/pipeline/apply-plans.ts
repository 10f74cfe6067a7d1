import { ADOPTED_BECAUSE } from "../domain/adoption.ts";
import { takesSponsorsInInvitation } from "../domain/cloud.ts";
import { ERRORS, type ErrorCode, SyncError, unreachable } from "../domain/error.ts";
import type { Job } from "../domain/job.ts";
import { type Claim, LEASE_MARGIN_MS, LEASE_MS, type Link, stampOf } from "../domain/link.ts";
import { graphUserType, type ManagerChange, type WritingPlan } from "../domain/plan.ts";
import type { Attributes, TargetUser } from "../domain/user.ts";
import { Writable } from "../domain/writable.ts";
import { BusUnavailable } from "../ports/bus.ts";
import { StorageUnavailable, type StoredRow } from "../ports/rows.ts";
import { type TargetTenant, type WriteCall, WriteUnsure } from "../ports/target-tenant.ts";
import { type LinkChange, type StoredLink, writeLink } from "./claims.ts";
import { hintReports, hintVerify } from "./hints.ts";
import { killSwitchMustBeOff } from "./kill-switch.ts";
import { recordLateInvitation, verifyLateWrite } from "./late-effects.ts";
import type { Person } from "./look.ts";
import { ownedOf, takeUser } from "./ownership.ts";
import { rowAbout, writeLog } from "./provisioning-log.ts";
import { actionOf, intended, union } from "./unrecorded.ts";
import type { LogRow, World } from "./world.ts";

/** The only file that writes to a target tenant. Everything happens under a claim on the person's link. */

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

/** A replica that lags behind a creation answers 404: look again after this time. */
const TOO_NEW_MS = 2_000;

/** What was read of the kill switch holds for so long. */
const SWITCH_BELIEVED_MS = 2_000;

/** The target gave no answer that settles the work: the claim is released with what was achieved. */
class Interrupted extends Error {
  readonly applied: Applied;
  constructor(applied: Applied) {
    super("interrupted");
    this.applied = applied;
  }
}

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

interface Held {
  work: Work;
  /** `undefined`: of a creation, until the invitation is answered. */
  user: Writable | undefined;
  /** The row as last written under the claim. */
  stored: StoredRow<Link>;
  call: WriteCall & { stop: () => void };
  /** Names of the properties that were written. */
  written: string[];
  /** Something about the result that people should know. */
  warning: ErrorCode | undefined;
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

interface Result {
  signal: "settled" | "removed" | "restored";
  targetId: string;
  action: LogRow["action"];
  change: LinkChange;
}

async function carryOut(held: Held): Promise<Result> {
  const { plan, person, world } = held.work;
  const target = world.target(person.pair.target.id);
  if (plan.kind === "create") return create(held, plan, target);
  const { user } = held;
  if (!user) throw new Error("a write without a target user");
  switch (plan.kind) {
    case "update":
      return update(held, plan, user, target);
    case "restore":
      return restore(held, plan, user, target);
    case "delete":
      await target.softDelete(user, held.call); // already gone is as good
      return { signal: "removed", targetId: plan.targetId, action: "delete", change: { because: plan.because } };
    default:
      return unreachable(plan);
  }
}

async function restore(
  held: Held,
  plan: WritingPlan & { kind: "restore" },
  user: Writable,
  target: TargetTenant,
): Promise<Result> {
  const { targetId, changes, managerId } = plan;
  must(await target.restore(user, held.call));
  held.written.push("deletedDateTime");
  // A replica that has not seen it refuses what follows. Whoever goes on then knows that it is there.
  await progress(held, { targetId, inputs: undefined }, "restored");
  await writeAttributes(held, target, user, changes, managerId);
  const lifted = changes.accountEnabled === true ? { blockedByUs: undefined } : {};
  return { signal: "restored", targetId, action: "update", change: { targetId, ...lifted } };
}

async function create(held: Held, plan: WritingPlan & { kind: "create" }, target: TargetTenant): Promise<Result> {
  const { world, person } = held.work;
  const displayName = typeof plan.wanted.displayName === "string" ? plan.wanted.displayName : undefined;
  const { redirectUrl, cloud } = person.pair.target;
  const { userType } = plan.job;
  const sponsors = takesSponsorsInInvitation(cloud) ? plan.job.sponsors : [];
  const invited = await target.invite(
    { address: plan.address, displayName, redirectUrl, userType, sponsors },
    held.call,
  );
  const { targetId } = invited;
  const user = Writable.invited(person.pair.target.id, invited);
  held.written.push("userPrincipalName", "userType");
  const guest = await target.invited(targetId, held.call.lane);
  refuseOlder(held, guest?.createdAt);
  if ((await takeUser(world, ownedOf(person), targetId)).kind === "owned") throw new SyncError("TARGET_TAKEN");
  await progress(held, { targetId, address: undefined, since: undefined }); // the id is ours before anything else is written
  await writeAttributes(
    held,
    target,
    user,
    {
      ...beyondInvitation(plan),
      ...(invited.userType === userType ? {} : { userType: graphUserType(plan.job) }),
      syncSource: stampFor(held),
    },
    plan.managerId,
  );
  if (!invited.hasSponsors) await addSponsors(held, target, user, plan.job.sponsors);
  warnOfContact(held, guest?.addresses);
  if (plan.job.manager) await hintReports(world, person);
  return { signal: "settled", targetId, action: "create", change: { targetId, blockedByUs: undefined } };
}

/** What the invitation has not set already. */
function beyondInvitation({ wanted, address }: WritingPlan & { kind: "create" }): Attributes {
  const invited = ([name, value]: [string, unknown]) =>
    name === "displayName" ||
    (name === "mail" && typeof value === "string" && value.toLowerCase() === address.toLowerCase());
  return Object.fromEntries(Object.entries(wanted).filter((entry) => !invited(entry)));
}

async function update(
  held: Held,
  plan: WritingPlan & { kind: "update" },
  user: Writable,
  target: TargetTenant,
): Promise<Result> {
  const { world, person } = held.work;
  if (plan.rebindBy !== undefined) {
    const { redirectUrl } = person.pair.target;
    must(await target.resetRedemption(user, { address: plan.rebindBy, redirectUrl }, held.call));
    held.written.push("identities");
  }
  if (plan.effect === "adopt") await progress(held, { targetId: plan.targetId, adopted: true });
  await writeAttributes(held, target, user, plan.changes, plan.managerId);
  const arrives = plan.effect === "adopt" || plan.effect === "finish";
  if (arrives && plan.job?.manager) await hintReports(world, person);
  if (plan.effect === "finish") {
    await addSponsors(held, target, user, plan.job?.sponsors ?? []);
    warnOfContact(held, (await target.invited(plan.targetId, held.call.lane))?.addresses);
  }
  const blocked = plan.changes.accountEnabled;
  const change: LinkChange = {
    targetId: plan.targetId,
    ...(blocked === undefined ? {} : { blockedByUs: blocked === false || undefined }),
  };
  return { signal: "settled", targetId: plan.targetId, action: actionOf(plan), change };
}

async function writeAttributes(
  held: Held,
  target: TargetTenant,
  user: Writable,
  changes: Attributes,
  managerId: ManagerChange,
): Promise<void> {
  if (Object.keys(changes).length > 0) {
    must(await target.update(user, changes, held.call));
    held.written.push(...Object.keys(changes));
  }
  if (managerId !== undefined) {
    mustHaveManager(held, await target.setManager(user, managerId, held.call));
    held.written.push("manager");
  }
}

/** So often a sponsor who is not found may be a replica that has not seen the new user. */
const SPONSOR_ATTEMPTS = 3;

/** Whoever is created exists, with or without sponsors. */
async function addSponsors(
  held: Held,
  target: TargetTenant,
  user: Writable,
  sponsors: readonly string[],
): Promise<void> {
  for (const sponsorId of sponsors) {
    const answer = await target.addSponsor(user, sponsorId, held.call);
    if (answer === "missing" && held.work.person.attempt < SPONSOR_ATTEMPTS) throw tooNewFor(held, "sponsorNotFound");
    if (answer === "missing") held.warning = "SPONSOR_NOT_FOUND";
  }
  if (sponsors.length > 0) held.written.push("sponsors");
}

/** Clocks of two services may differ by this much. */
const CLOCK_SKEW_MS = 120_000;

/** Graph answers an invitation for an address that it knows with the guest that exists: the search index had not seen it. */
function refuseOlder({ work: { world } }: Held, createdAt: number | undefined): void {
  if (createdAt === undefined) return; // too new for the replica that answered: ours
  if (createdAt < world.clock.now() - LEASE_MS - CLOCK_SKEW_MS) throw new SyncError("GUEST_NOT_ADOPTED");
}

/** A guest whose address a contact has is created without its addresses. Source: Entra `troubleshoot.md` for B2B. */
function warnOfContact(held: Held, addresses: readonly string[] | undefined): void {
  if (addresses?.length === 0) held.warning = "CONTACT_HAS_ADDRESS";
}

/** A write that was answered by 404: the object is too new for the replica, or gone; the next look tells which. */
function must(answer: "done" | "missing"): void {
  if (answer === "missing") throw new Interrupted({ kind: "again", because: "targetTooNew", afterMs: TOO_NEW_MS });
}

/** Graph does not say which of the two it misses. A manager whom the target has removed stays missing: tried at growing distance, and counted. */
function mustHaveManager(held: Held, answer: "done" | "missing"): void {
  if (answer === "missing") throw tooNewFor(held, "managerNotFound");
}

function tooNewFor({ work: { person } }: Held, because: string): Interrupted {
  const afterMs = TOO_NEW_MS * 2 ** Math.min(person.attempt, 5);
  return new Interrupted({ kind: "again", because, afterMs, counted: true });
}

const stampFor = ({ work: { world, person } }: Held) =>
  stampOf(world.rules.deployment, person.pair.source.id, person.userId);

async function progress(held: Held, change: LinkChange, signal: "invited" | "restored" = "invited"): Promise<void> {
  const { world, person } = held.work;
  const written = await writeLink(world, person, held.stored, signal, { ...change, writtenAt: world.clock.now() });
  if (written.kind === "moved") {
    const { plan } = held.work;
    const { since } = held.stored.value;
    if (plan.kind === "create" && change.targetId !== undefined && since !== undefined)
      await recordLateInvitation(world, person, { targetId: change.targetId, address: plan.address, since });
    throw new Interrupted({ kind: "moved" });
  }
  held.stored = written.stored;
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
    adopted: undefined,
    ...(result.signal === "settled" ? {} : { lateDeleteSince: undefined }),
  };
  const written = await writeLink(world, person, held.stored, result.signal, change);
  if (written.kind === "moved") await verifyLateWrite(world, person);
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
  if (isOurs(error)) throw error; // nothing can be recorded now: the lease ends by itself
  const applied = interpretation(error, world);
  if (applied?.kind === "moved") {
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
  const written = await writeLink(world, person, held.stored, signal, {
    claim: undefined,
    ...(begun ? {} : { unrecorded: held.work.stored?.value.unrecorded }),
    ...(notInvited ? { address: undefined, since: undefined } : {}),
    ...(unsure || held.written.length > 0 ? { writtenAt: world.clock.now() } : {}),
    ...(mayBeBlocked ? {} : { blockedByUs: held.work.stored?.value.blockedByUs }),
  });
  if (written.kind === "moved" && unsure) await recordMaybeInvited(held);
  if (applied === undefined) throw error; // a defect: loudly, and without a claim that would hide it
  if (written.kind === "moved") return { kind: "again", because: "moved", afterMs: 2_000 };
  return applied.kind === "refused" ? { ...applied, stored: written.stored } : applied;
}

/** The invitation may have arrived when the link had been given up already. */
async function recordMaybeInvited({ work: { world, person, plan }, stored }: Held): Promise<void> {
  const { state, since } = stored.value;
  if (plan.kind !== "create" || state !== "inviting" || since === undefined) return;
  await recordLateInvitation(world, person, { targetId: undefined, address: plan.address, since });
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
