import { takesSponsorsInInvitation } from "../domain/cloud.ts";
import { type ErrorCode, SyncError, unreachable } from "../domain/error.ts";
import { LEASE_MS, type Link, stampOf } from "../domain/link.ts";
import { graphUserType, type ManagerChange, type WritingPlan } from "../domain/plan.ts";
import type { Attributes } from "../domain/user.ts";
import { Writable } from "../domain/writable.ts";
import type { StoredRow } from "../ports/rows.ts";
import type { TargetTenant, WriteCall } from "../ports/target-tenant.ts";
import type { Applied, Work } from "./apply-plans.ts";
import { type LinkChange, writeLink } from "./claims.ts";
import { hintReports } from "./hints.ts";
import { recordLateInvitation } from "./late-effects.ts";
import { ownedOf, takeUser } from "./ownership.ts";
import { actionOf } from "./unrecorded.ts";
import type { LogRow } from "./world.ts";

/** The only file that writes to a target tenant. What was achieved on the way is put on record under the claim. */

/** A plan under its claim. */
export interface Held {
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

/** The target gave no answer that settles the work: the claim is released with what was achieved. */
export class Interrupted extends Error {
  readonly applied: Applied;
  constructor(applied: Applied) {
    super("interrupted");
    this.applied = applied;
  }
}

/** A replica that lags behind a creation answers 404: look again after this time. */
const TOO_NEW_MS = 2_000;

export interface Result {
  signal: "settled" | "marked" | "removed" | "restored";
  targetId: string;
  action: LogRow["action"];
  change: LinkChange;
}

export async function carryOut(held: Held): Promise<Result> {
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
  // Whoever is blocked half created is still to be finished.
  const halfCreated = held.stored.value.state === "invited" && plan.effect === "disable" && plan.unsettled;
  const signal = halfCreated ? "marked" : "settled";
  return { signal, targetId: plan.targetId, action: actionOf(plan), change };
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
