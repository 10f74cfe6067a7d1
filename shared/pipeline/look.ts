import { SyncError } from "../domain/error.ts";
import { groupKey, type Job, type Pair } from "../domain/job.ts";
import { type Link, linkName, stampOf } from "../domain/link.ts";
import { readAttributes } from "../domain/mapping/attributes.ts";
import type { MappingMoment } from "../domain/mapping/map.ts";
import { invitationAddress } from "../domain/matching.ts";
import { type ManagerView, needsTarget, type PersonView, type TargetView } from "../domain/plan.ts";
import { type ScopeDecision, type SourceView, scopeOf } from "../domain/scope.ts";
import type { Reason } from "../messages/hint.ts";
import type { Lane } from "../ports/source-tenant.ts";
import { readCandidates } from "./candidates.ts";
import { ownerOf } from "./ownership.ts";
import { askWhoHasThem } from "./uniqueness.ts";
import { pairKey, type World } from "./world.ts";

/** One person in one pair, and why we look. */
export interface Person {
  pair: Pair;
  userId: string;
  lane: Lane;
  reason: Reason;
  noticedAt: number;
  /** Writes for which this look has waited: it comes back for its slot. */
  paidWrites: number;
  /** How often this look was already counted as failed. */
  attempt: number;
}

/** `inputs`: hash over all that the decision looked at in the source and in the rules. */
export type Look = { kind: "asBefore"; link: Link } | { kind: "seen"; view: PersonView; inputs: string };

export type Seen = Extract<Look, { kind: "seen" }>;

/** Reasons that trust no hash: something beside the source user may have changed. */
const LOOKS_DEEPER: ReadonlySet<Reason> = new Set(["verify", "manager", "operator", "drift"]);

/** Reads the target only where the inputs have changed or nothing is known. The link was read before the source was. */
export async function lookAt(world: World, person: Person, link: Link | undefined, source: SourceView): Promise<Look> {
  const { pair, userId } = person;
  const scope = scopeOf(source, pair);
  const inputs = inputsHash(world, pair, scope);
  const restless = scope.kind === "in" && scope.job.mapper.restless;
  if (link && !restless && isAsBefore(link, inputs, person.reason, world.clock.now()))
    return { kind: "asBefore", link };
  const [target, groupsHealthy] = await Promise.all([
    readTarget(world, person, link, scope),
    readGroups(world, pair, link, scope),
  ]);
  const manager = await readManager(world, pair, link, scope, target);
  const nobody = await hasOurManagerForNobody(world, pair, scope, target);
  const self = {
    link: linkName(pair.source.id, userId),
    stamp: stampOf(world.rules.deployment, pair.source.id, userId),
  };
  const now = world.clock.now();
  const moment = await askWhoHasThem(world, person, link, scope, target, momentOf(world, pair));
  return {
    kind: "seen",
    inputs,
    view: { now, link, scope, target, manager: nobody ? { kind: "remove" } : manager, groupsHealthy, moment, self },
  };
}

/** How a link remembers a manager: the source user and the target user. */
export const managerNames = (managerId: string, targetId: string): string => `${managerId}/${targetId}`;

/** What mappings evaluate with, beside the user. */
export const momentOf = (world: Pick<World, "clock" | "chance">, { source }: Pair): MappingMoment => ({
  now: world.clock.now(),
  randomBytes: (count) => Buffer.from(world.chance.secret(count), "base64url"),
  ...(source.defaultDomain === undefined ? {} : { defaultDomain: source.defaultDomain }),
});

/** One reading of a source user that serves all of these pairs. */
export async function readSource(
  world: World,
  userId: string,
  pairs: readonly Pair[],
  lane: Lane,
): Promise<SourceView> {
  const [first] = pairs;
  if (!first) throw new Error("a reading for no pair");
  const tenant = world.source(first.source.id);
  const groups = new Map(
    pairs.flatMap(({ jobs }) => jobs.flatMap(({ scope }) => scope.groups)).map((group) => [groupKey(group), group]),
  );
  const attributes = [...new Set(pairs.flatMap(sourceAttributes))];
  const [user, memberOf] = await Promise.all([
    tenant.user(userId, attributes, lane),
    groups.size > 0 ? tenant.memberOf(userId, [...groups.values()], lane) : new Set<string>(),
  ]);
  if (user && memberOf) return { kind: "found", user, memberOf };
  // Somebody who is there and of whose groups nothing was said: no proof of anything, and soon a visible failure.
  if (user) {
    const detail = "404 for the groups of a user who exists";
    throw new SyncError("TENANT_UNAVAILABLE", { tenantId: first.source.id, detail, isolated: true });
  }
  return { kind: (await tenant.isSoftDeleted(userId, lane)) ? "deleted" : "missing" };
}

/** Nothing has changed since the last decision, and nothing is under way that time alone moves on. */
export function isAsBefore(link: Link, inputs: string, reason: Reason, now: number): boolean {
  if (link.inputs !== inputs || link.claim || LOOKS_DEEPER.has(reason)) return false;
  if (link.missingSince !== undefined || link.outSince !== undefined || link.targetMissingSince !== undefined)
    return false;
  if (link.state === "inviting" || link.state === "invited") return false;
  return link.escrow === undefined ? link.unrecorded === undefined : now < link.escrow.nextAt;
}

/** What a link remembers of all inputs of its last decision. */
export const inputsHash = (world: Pick<World, "hash">, pair: Pair, scope: ScopeDecision): string =>
  world.hash(JSON.stringify(inputsOf(pair, scope)));

function inputsOf(pair: Pair, scope: ScopeDecision): unknown {
  if (scope.kind === "missing") return [pair.rulesHash, scope.kind];
  if (scope.kind === "out") {
    const { because, user, leftAloneBy } = scope;
    return [pair.rulesHash, scope.kind, because, user?.accountEnabled ?? null, ...(leftAloneBy ?? [])];
  }
  const { user, job } = scope;
  const names = sourceAttributes(pair);
  return [
    pair.rulesHash,
    job.id,
    user.userPrincipalName,
    user.mail,
    user.accountEnabled,
    user.managerId ?? null,
    names.map((name) => [name, user.attributes[name] ?? null]),
  ];
}

/** Properties of source users that decide in the jobs of this pair. */
export function sourceAttributes(pair: Pair): readonly string[] {
  return readAttributes(
    pair.jobs.flatMap(({ mapper, scope }) => [...mapper.sources, ...(scope.filter?.attributes ?? [])]),
  );
}

/** Properties of target users that the jobs of this pair write. */
export function targetAttributes(pair: Pair): readonly string[] {
  return [...new Set(pair.jobs.flatMap(({ mapper }) => mapper.targets))];
}

async function readTarget(
  world: World,
  person: Person,
  link: Link | undefined,
  scope: ScopeDecision,
): Promise<TargetView> {
  const { pair, lane } = person;
  if (!needsTarget(link, scope)) return { kind: "unread" };
  const tenant = world.target(pair.target.id);
  if (link?.targetId && link.state !== "inviting") {
    const user = await tenant.read(link.targetId, targetAttributes(pair), lane);
    return user ? { kind: "found", user } : { kind: "missing" };
  }
  const address =
    link?.state === "inviting"
      ? link.address
      : scope.kind === "in"
        ? invitationAddress(scope.user, pair.clouds)
        : undefined;
  const stamp = stampOf(world.rules.deployment, pair.source.id, person.userId);
  const searched = scope.kind === "in" && link?.state !== "inviting";
  const newcomer = searched ? { newcomer: { ...scope, moment: momentOf(world, pair) } } : {};
  return readCandidates(world, person, { address, stamp, attributes: targetAttributes(pair), ...newcomer });
}

/** Whoever shows the manager that was found the last time is not asked for again. */
async function readManager(
  world: World,
  pair: Pair,
  link: Link | undefined,
  scope: ScopeDecision,
  target: TargetView,
): Promise<ManagerView> {
  if (scope.kind !== "in" || !scope.job.manager || !scope.user.managerId) return { kind: "leave" };
  const shown = target.kind === "found" ? target.user.managerId : undefined;
  if (shown !== undefined && link?.manager === managerNames(scope.user.managerId, shown))
    return { kind: "set", targetId: shown };
  const found = (await world.tables.links.read(pairKey(pair.source.id, pair.target.id), scope.user.managerId))?.value;
  const present = found?.state === "linked" || found?.state === "invited";
  return present && found.targetId ? { kind: "set", targetId: found.targetId } : { kind: "leave" };
}

/**
 * There is no manager at the source (any more), and the target user's is one that this pair made: it is to go. A manager whom
 * the target's administrators have set is theirs.
 */
async function hasOurManagerForNobody(
  world: World,
  pair: Pair,
  scope: ScopeDecision,
  target: TargetView,
): Promise<boolean> {
  if (scope.kind !== "in" || !scope.job.manager || scope.user.managerId !== undefined) return false;
  if (target.kind !== "found" || target.user.managerId === undefined) return false;
  const owner = await ownerOf(world, pair.target.id, target.user.managerId);
  return owner?.startsWith(linkName(pair.source.id, "")) === true;
}

/** Before somebody is removed for a membership, the groups themselves have to be believable. */
async function readGroups(world: World, pair: Pair, link: Link | undefined, scope: ScopeDecision): Promise<boolean> {
  if (scope.kind !== "out" || scope.because !== "notAssigned" || !link?.targetId || link.state === "removed")
    return true;
  const groups = jobGroups(pair.jobs);
  const states = await Promise.all(groups.map((id) => world.source(pair.source.id).groupState(id)));
  return states.every((state) => state === "present");
}

const jobGroups = (jobs: readonly Job[]): readonly string[] => [
  ...new Set(jobs.flatMap(({ state, scope }) => (state === "retire" ? [] : scope.groups.map(({ id }) => id)))),
];
