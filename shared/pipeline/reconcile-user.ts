import { ADOPTED_BECAUSE } from "../domain/adoption.ts";
import { type ErrorCode, unreachable } from "../domain/error.ts";
import type { Job } from "../domain/job.ts";
import { claimIsLive, intoEscrow, type Link } from "../domain/link.ts";
import { type Plan, type PlanRules, planUser, type WritingPlan } from "../domain/plan.ts";
import { type ScopeDecision, type SourceView, scopingDetails } from "../domain/scope.ts";
import { type Because, skipReasonOf } from "../domain/skip-reason.ts";
import type { TargetUser } from "../domain/user.ts";
import { type Admission, admit, isSafetyBlock, meanwhile } from "./admission.ts";
import { applyPlan } from "./apply-plans.ts";
import { collisionCode } from "./candidates.ts";
import { isRecorded, type LinkChange, readLink, type StoredLink, writeLink } from "./claims.ts";
import type { Deployment } from "./deployment.ts";
import { hintReports, hintVerify } from "./hints.ts";
import { type JobDesk, stopRefused } from "./job-state.ts";
import { expectLateDelete } from "./late-effects.ts";
import type { LimitDesk } from "./limits.ts";
import { lookAt, type Person, readSource, type Seen } from "./look.ts";
import type { Outcome } from "./outcome.ts";
import { ownedOf, takeAddress, takeUser } from "./ownership.ts";
import type { Pace } from "./pace.ts";
import { logOutcomeOf, logRowName, rowAbout, writeLog } from "./provisioning-log.ts";
import type { Recovery } from "./recovery.ts";
import type { SeatDesk } from "./seats.ts";
import { showsAfter } from "./shows.ts";
import { finishTransfer, REMOVAL } from "./transfer-link.ts";
import { reserveValues } from "./uniqueness.ts";
import { recordIntended } from "./unrecorded.ts";
import { costOf, mailWarning, mayBeUnseen, scopedBy, whatShows } from "./what-follows.ts";
import type { LogRow, World } from "./world.ts";

/** Times that a look starts over because somebody else has written in between, before the hint goes back to the queue. */
const ROUNDS_MAX = 4;

export interface Desk {
  world: World;
  pace(targetTenantId: string): Pace;
  deployment: Deployment;
  limits: LimitDesk;
  jobs: JobDesk;
  recovery: Recovery;
  seats: SeatDesk;
}

type Step = { kind: "done"; outcome: Outcome } | { kind: "startOver" };
const done = (outcome: Outcome): Step => ({ kind: "done", outcome });

/** What was read already, for all pairs of the person at once: the links first, then the source. */
export interface FirstReading {
  stored: StoredLink;
  source: () => Promise<SourceView>;
}

/** Read, decide, claim, apply, record: one person in one pair. Throws `SyncError` and `StorageUnavailable` where no answer about the person was had. */
export async function reconcileUser(desk: Desk, person: Person, first: FirstReading): Promise<Outcome> {
  const { world } = desk;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const stored = round === 0 ? first.stored : await readLink(world, person);
    if (stored && claimIsLive(stored.value, stored.ageMs)) {
      return { kind: "again", because: "claimed", afterMs: world.chance.between(1_000, 15_000) };
    }
    if (stored?.value.claim?.plan === "delete" && stored.value.targetId !== undefined) {
      await expectLateDelete(world, person, stored);
      continue;
    }
    const transferred = stored?.value.transfer && (await goOnTransferring(desk, person, stored));
    if (transferred) return transferred;
    if (stored && waitsInEscrow(stored.value, person, world.clock.now()))
      return { kind: "unchanged", because: "inEscrow" };
    const source =
      round === 0 ? await first.source() : await readSource(world, person.userId, [person.pair], person.lane);
    const look = await lookAt(world, person, stored?.value, source);
    if (look.kind === "asBefore") return { kind: "unchanged", because: look.link.because ?? "inputsUnchanged" };
    const plan = planUser(look.view, rulesOf(world, person));
    const step = await carryOut(desk, person, stored, look, plan);
    if (step.kind === "done") return step.outcome;
  }
  return { kind: "again", because: "othersWrite", afterMs: world.chance.between(1_000, 5_000) };
}

/** A transfer was begun and not finished. `undefined`: the old guest has to be removed first, as anybody's who has left. */
async function goOnTransferring(
  { world, deployment }: Desk,
  person: Person,
  stored: NonNullable<StoredLink>,
): Promise<Outcome | undefined> {
  await deployment.mayWrite();
  const transferred = await finishTransfer(world, person, stored);
  switch (transferred.kind) {
    case "done":
      return { kind: "unchanged", because: "transferred" };
    case "again":
      return transferred.because === REMOVAL ? undefined : transferred;
    case "refused":
      return { kind: "again", because: "transferGivenUp", afterMs: 500 };
    case "unfinished": {
      const detail = [transferred.code, transferred.detail].filter(Boolean).join(": ");
      const now = await readLink(world, person);
      const step = await hold(world, person, now, now?.value.inputs ?? "", "TRANSFER_UNFINISHED", detail);
      return step.kind === "done" ? step.outcome : { kind: "again", because: "moved", afterMs: 1_000 };
    }
    default:
      return unreachable(transferred);
  }
}

/** Nobody could even be read: bulk waits until the escrow is due, whoever asks for this person may try. */
function waitsInEscrow(link: Link, person: Person, now: number): boolean {
  return link.escrow !== undefined && link.inputs === undefined && now < link.escrow.nextAt && isBulk(person);
}

const isBulk = ({ lane, reason }: Person): boolean => lane === "sweep" && reason !== "operator";

async function carryOut(desk: Desk, person: Person, stored: StoredLink, look: Seen, plan: Plan): Promise<Step> {
  const { world } = desk;
  switch (plan.kind) {
    case "create":
    case "update":
    case "restore":
    case "delete":
      return write(desk, person, stored, look, plan);
    case "keep":
      return keep(world, person, stored, look, plan);
    case "skip":
      return skip(world, person, stored, look, plan.because);
    case "hold":
      return hold(world, person, stored, look.inputs, plan.code, plan.detail, whatShows(world, person, look));
    case "confirm":
      return confirm(world, person, stored, plan, look.view.now);
    case "found":
      return recordFound(world, person, stored, plan.targetId);
    case "forget":
      return forget(world, person, stored, look, plan.because);
    case "gone":
      return recordGone(world, person, stored, look, plan.because);
    default:
      return unreachable(plan);
  }
}

/** Marks that a settled decision takes away. */
const SETTLED = {
  claim: undefined,
  unrecorded: undefined,
  escrow: undefined,
  missingSince: undefined,
  outSince: undefined,
  targetMissingSince: undefined,
  adopted: undefined,
} satisfies LinkChange;

async function keep(
  world: World,
  person: Person,
  stored: StoredLink,
  look: Seen,
  plan: Plan & { kind: "keep" },
): Promise<Step> {
  const because = plan.because === "asWished" ? undefined : plan.because;
  if (stored?.value.claim || mayBeUnseen(world, stored, look)) await verifyLater(world, person);
  const finished = stored?.value.state === "invited";
  if (finished && plan.job?.manager) await hintReports(world, person);
  await recordIntended(world, person, stored?.value, look.inputs);
  const { target } = look.view;
  const blocked = target.kind === "found" && !target.user.accountEnabled;
  const change = {
    ...SETTLED,
    inputs: look.inputs,
    because,
    jobId: plan.job?.id ?? stored?.value.jobId,
    blockedByUs: (blocked && stored?.value.blockedByUs) || undefined,
    ...whatShows(world, person, look),
    ...scopedBy(person, stored, look),
  };
  if (!(await settle(world, person, stored, "settled", change))) return { kind: "startOver" };
  if (because && because !== stored?.value.because) await logSkip(world, person, because, look.view.scope);
  return done({ kind: "unchanged", because: plan.because });
}

/** When every replica has seen what was written until now. */
const verifyLater = (world: World, person: Person) => hintVerify(world, person, world.settings.replicationAllowanceMs);

/** Reasons that are worth a row although the person was never provisioned: somebody assigned them and will ask. */
const TOLD = new Set(["externalAtSource", "guestAtSource", "disabledAndNeverProvisioned", "createIsOff"]);

/** Whoever was assigned by name, or as a member, and not as everybody. */
function isNamed(scope: ScopeDecision): boolean {
  if (scope.kind !== "out" || (scope.because !== "filteredOut" && scope.because !== "notAssigned")) return false;
  return scope.assignedTo?.some((job) => !job.scope.allUsers) === true;
}

async function skip(world: World, person: Person, stored: StoredLink, look: Seen, because: Because): Promise<Step> {
  const unknown = because === "notFoundAtSource" && !stored?.value.targetId;
  const allowed = person.noticedAt + world.settings.replicationAllowanceMs - look.view.now;
  if (unknown && allowed > 0) return done({ kind: "again", because: "notYetAtSource", afterMs: allowed });
  if (!stored && !TOLD.has(because) && !isNamed(look.view.scope)) return done({ kind: "skipped", because });
  await recordIntended(world, person, stored?.value, look.inputs);
  const change = { ...SETTLED, inputs: look.inputs, because, ...whatShows(world, person, look) };
  if (!(await settle(world, person, stored, "marked", change))) return { kind: "startOver" };
  if (because !== stored?.value.because) await logSkip(world, person, because, look.view.scope);
  return done({ kind: "skipped", because });
}

async function hold(
  world: World,
  person: Person,
  stored: StoredLink,
  inputs: string,
  code: ErrorCode,
  detail?: string,
  seen: LinkChange = {},
): Promise<Step> {
  const now = world.clock.now();
  const before = stored?.value.escrow;
  const due = !before || before.code !== code || now >= before.nextAt;
  const escrow = due ? intoEscrow(before, code, now) : before;
  const change = {
    claim: undefined,
    inputs,
    because: code,
    escrow,
    missingSince: undefined,
    targetMissingSince: undefined,
    ...seen,
  };
  if (!(await settle(world, person, stored, "marked", change))) return { kind: "startOver" };
  const outcome = logOutcomeOf(code);
  const skipReason = skipReasonOf(code);
  const more = { ...(detail ? { detail } : {}), ...(skipReason ? { skipReason } : {}) };
  const action = code === "REMOVALS_HELD" ? "stagedDelete" : "other";
  if (before?.code !== code) await log(world, person, { action, ...outcome, ...more });
  return done({ kind: outcome.status === "failure" ? "failed" : "held", code, escrow });
}

async function confirm(
  world: World,
  person: Person,
  stored: StoredLink,
  plan: Plan & { kind: "confirm" },
  now: number,
): Promise<Step> {
  if (plan.mark && stored?.value[plan.mark] === undefined) {
    const written = await writeLink(world, person, stored, "marked", { claim: undefined, [plan.mark]: now });
    if (written.kind === "moved") return { kind: "startOver" };
  }
  return done({ kind: "again", because: plan.because, afterMs: Math.max(plan.afterMs, 500) });
}

async function recordFound(world: World, person: Person, stored: StoredLink, targetId: string): Promise<Step> {
  const taking = await takeUser(world, ownedOf(person), targetId);
  if (taking.kind === "owned") return hold(world, person, stored, stored?.value.inputs ?? "", "TARGET_TAKEN");
  const change = { targetId, address: undefined, since: undefined, claim: undefined, writtenAt: world.clock.now() };
  await writeLink(world, person, stored, "invited", change);
  return { kind: "startOver" };
}

async function forget(world: World, person: Person, stored: StoredLink, look: Seen, because: Because): Promise<Step> {
  const goesOn = look.view.scope.kind === "in" || stored?.value.state === "inviting";
  const change: LinkChange = {
    ...SETTLED,
    targetId: undefined,
    address: undefined,
    since: undefined,
    blockedByUs: undefined,
    inputs: goesOn ? undefined : look.inputs,
    because: goesOn ? undefined : because,
  };
  const written = await writeLink(world, person, stored, "forgotten", change);
  if (written.kind === "moved" || goesOn) return { kind: "startOver" };
  return toldGone(world, person, because);
}

/** From now on it is as if we had removed the target user: whoever restores it sees it removed again, unless the person is back. */
async function recordGone(
  world: World,
  person: Person,
  stored: StoredLink,
  look: Seen,
  because: Because,
): Promise<Step> {
  const change = { ...SETTLED, inputs: look.inputs, because, ...whatShows(world, person, look) };
  if ((await writeLink(world, person, stored, "removed", change)).kind === "moved") return { kind: "startOver" };
  return toldGone(world, person, because);
}

async function toldGone(world: World, person: Person, because: Because): Promise<Step> {
  await log(world, person, {
    action: "other",
    status: "success",
    because: `${because}: the target user was gone already`,
  });
  return done({ kind: "unchanged", because });
}

async function write(desk: Desk, person: Person, stored: StoredLink, look: Seen, planned: WritingPlan): Promise<Step> {
  let plan = planned;
  const { world } = desk;
  const scoped = scopedBy(person, stored, look);
  const job = plan.kind === "delete" ? jobOf(person, stored?.value.jobId) : plan.job;
  const safety = isSafetyBlock(plan, look);
  // What has to be blocked is never held up: where links were lost, this one was not.
  const observes = !safety && (await desk.recovery.observes());
  if (observes || job?.state === "observe")
    return observed(world, person, stored, look, plan, job, observes ? undefined : look.inputs);
  await desk.deployment.mayWrite();
  const stopped = job && (await desk.jobs.whyStopped(job.id));
  const blocksStill = (stopped === "JOB_QUARANTINED" || stopped === "JOB_DISABLED") && safety;
  if (stopped && !blocksStill) return done({ kind: "skipped", because: stopped });
  const admission = await admit(desk.limits, person, stored, look, plan, job);
  if (admission.kind === "waits") {
    const instead = job && meanwhile(admission, look, rulesOf(world, person), job, plan);
    if (!instead) return wait(world, person, stored, look, admission);
    plan = instead;
    if (planned.kind === "delete" && admission.code !== "REMOVALS_REJECTED") scoped.leaving = true;
  }
  const mayNot = (await refusal(world, person, plan)) ?? (await desk.seats.refusal(person, plan, stored?.value));
  if (mayNot) return hold(world, person, stored, look.inputs, mayNot);
  if (plan.kind === "create" && !(await reserveValues(world, person, plan.job.mapper.uniques, plan.wanted)))
    return { kind: "startOver" };
  const unsettled =
    stored?.value.transfer !== undefined ||
    ((plan.kind === "update" || plan.kind === "restore") && plan.unsettled === true);
  const cost = costOf(plan);
  const grant = await desk.pace(person.pair.target.id).take(cost, person.lane, person.paidWrites >= cost);
  if (grant.kind === "slot") return done({ kind: "again", because: "pace", afterMs: grant.afterMs, paidWrites: cost });
  if (grant.kind === "blocked") {
    return done({ kind: "again", because: "pace", afterMs: grant.afterMs + world.chance.between(0, 2_000) });
  }
  if (mayBeUnseen(world, stored, look)) await verifyLater(world, person);
  const applied = await applyPlan({
    world,
    person,
    stored,
    inputs: unsettled ? undefined : look.inputs,
    shows: showsAfter(world, person.pair, look.view, plan),
    scoped,
    warning: mailWarning(person, look, plan),
    job,
    plan,
    read: readOf(look, plan),
    name: logRowName(world),
  });
  switch (applied.kind) {
    case "moved":
      return { kind: "startOver" };
    case "refused":
      return hold(world, person, applied.stored, look.inputs, applied.code, applied.detail);
    case "throttled":
      await desk.pace(person.pair.target.id).throttled(applied.afterMs);
      return done({ kind: "again", because: "throttled", afterMs: applied.afterMs + world.chance.between(0, 3_000) });
    case "again":
      if (applied.because !== "INBOUND_INVITATIONS_BLOCKED" || !job) return done(applied);
      await stopRefused(world, job, applied.because);
      return done({ kind: "skipped", because: applied.because });
    case "written":
      if (unsettled) return done({ kind: "again", because: "moreToDo", afterMs: 500 });
      return done({ kind: "written", targetId: applied.targetId, action: applied.action });
    default:
      return unreachable(applied);
  }
}

/** Not now: counted first, or until somebody decides. Marks of proofs stay, so that nobody is proved anew for having waited. */
async function wait(
  world: World,
  person: Person,
  stored: StoredLink,
  look: Seen,
  { code, afterMs, change }: Admission & { kind: "waits" },
): Promise<Step> {
  if (afterMs === undefined) return hold(world, person, stored, look.inputs, code, undefined, change);
  if (stored?.value.because !== code) {
    if (!(await settle(world, person, stored, "marked", { claim: undefined, because: code })))
      return { kind: "startOver" };
    await log(world, person, { action: "stagedDelete", ...logOutcomeOf(code) });
  }
  return done({ kind: "again", because: code, afterMs: afterMs + world.chance.between(0, 1_000) });
}

/** What our own tables forbid: addresses and users that others own. */
async function refusal(world: World, person: Person, plan: WritingPlan): Promise<ErrorCode | undefined> {
  const owned = ownedOf(person);
  if (plan.kind === "create") {
    const taking = await takeAddress(world, owned, plan.address, world.target(person.pair.target.id));
    return taking.kind === "owned" ? collisionCode(world, person, taking.by, plan.address) : undefined;
  }
  const takes = plan.kind === "restore" || (plan.kind === "update" && plan.effect === "adopt");
  if (!takes) return undefined;
  return (await takeUser(world, owned, plan.targetId)).kind === "owned" ? "TARGET_TAKEN" : undefined;
}

/** The target user of the plan, as the look has read it. */
function readOf({ view: { target } }: Seen, plan: WritingPlan): TargetUser | undefined {
  if (plan.kind === "create") return undefined;
  if (target.kind === "found") return target.user;
  return target.kind === "candidates"
    ? target.candidates.find(({ user }) => user.id === plan.targetId)?.user
    : undefined;
}

async function observed(
  world: World,
  person: Person,
  stored: StoredLink,
  look: Seen,
  plan: WritingPlan,
  job: Job | undefined,
  inputs: string | undefined,
): Promise<Step> {
  const adopts = plan.kind === "update" && plan.effect === "adopt";
  const because = `observed:${adopts ? "adopt" : plan.kind}`;
  const change = { ...SETTLED, inputs, because, ...whatShows(world, person, look) };
  if (!(await settle(world, person, stored, "marked", change))) return { kind: "startOver" };
  const of = job ? { jobId: job.id } : {};
  if (because !== stored?.value.because)
    await log(world, person, { action: "other", status: "skipped", because, ...of, ...grounds(plan) });
  return done({ kind: "skipped", because });
}

/** Whom a job that only observes would take over, and why. */
function grounds(plan: WritingPlan): Partial<LogRow> {
  if (plan.kind !== "update" || !plan.ground) return {};
  return { targetId: plan.targetId, detail: `would adopt: ${ADOPTED_BECAUSE[plan.ground]}` };
}

/** Writes the row unless it already says so; `false`: somebody else has written. */
async function settle(
  world: World,
  person: Person,
  stored: StoredLink,
  signal: "settled" | "marked",
  change: LinkChange,
): Promise<boolean> {
  if (isRecorded(stored, signal, change)) return true;
  return (await writeLink(world, person, stored, signal, change)).kind === "written";
}

async function log(
  world: World,
  person: Person,
  row: Pick<LogRow, "action" | "status" | "because"> & Partial<LogRow>,
): Promise<void> {
  await writeLog(world, logRowName(world), { ...rowAbout(world, person), ...row });
}

async function logSkip(world: World, person: Person, because: Because, scope: ScopeDecision): Promise<void> {
  const skipReason = skipReasonOf(because);
  const scoping = skipReason === "RedundantExport" ? undefined : scopingDetails(scope);
  const more = { ...(skipReason ? { skipReason } : {}), ...(scoping ? { scoping } : {}) };
  await log(world, person, { action: "other", status: "skipped", because, ...more });
}

const rulesOf = (world: World, { pair }: Person): PlanRules => ({ pair, ...world.settings });
const jobOf = ({ pair }: Person, jobId: string | undefined) => pair.jobs.find(({ id }) => id === jobId);
