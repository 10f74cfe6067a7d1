import { claimIsLive, type Link, stampOf } from "../domain/link.ts";
import type { TargetUser } from "../domain/user.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import type { StoredRow } from "../ports/rows.ts";
import { hintInBulk } from "./hints.ts";
import { forgetListing, keepPage, listed, listingOf } from "./listed.ts";
import { targetAttributes } from "./look.ts";
import { ownerOf } from "./ownership.ts";
import type { PassRow } from "./pass-rows.ts";
import type { Pass, PassStep } from "./passes.ts";
import { logOutcomeOf, logRowName, writeLog } from "./provisioning-log.ts";
import { GONE, showsOf } from "./shows.ts";
import { type Origin, originOf, originOfLink } from "./target-owner.ts";
import { pairKey, type World } from "./world.ts";

/**
 * Finds in a target tenant what is not as we left it: changed, removed, restored, blocked or promoted by others, or owned by
 * nobody. It writes to no target; whoever differs is hinted, and the look decides. Links remember what was left (`shows`),
 * so that echoes of our own writes cost no call.
 */

const LINKS_PER_STEP = 1_000;
const READS_AT_ONCE = 32;
const GAP_MAX_MS = 60_000;
const MANY = 100;
const ADMINISTRATORS_MAX = 5_000;

/** Somebody of a target who differs, or does not. */
type Finding = { kind: "asLeft" } | { kind: "differs"; origin: Origin; afterMs: number };
const AS_LEFT: Finding = { kind: "asLeft" };

const attributesOf = (world: World, targetTenantId: string): readonly string[] => [
  ...new Set(world.rules.pairs.filter(({ target }) => target.id === targetTenantId).flatMap(targetAttributes)),
];

/** The target's own delta, from now on: everybody who was there before is the census' business. */
export const drift: Pass = {
  phases: { first: "changes" },
  everyMs: (world) => world.settings.driftMs,
  firstAfterInterval: false,
  byItself: true,
  async step(world, tenantId, row, log) {
    const page = await world.targetListing(tenantId).changes(row.link, attributesOf(world, tenantId));
    if (page.kind === "reset") {
      log.warn("token was reset: changes from now on, and a census", { tenantId });
      return { change: { link: undefined }, starts: "census" };
    }
    if (page.unreadable > 0) log.warn("items unreadable", { tenantId, pass: "drift", items: page.unreadable });
    const live = await inTurns(page.users, (user) => judge(world, tenantId, user, undefined));
    const removed = await inTurns(page.removedIds, (targetId) => judgeRemoved(world, tenantId, targetId));
    await hintAll(world, `drift:${row.runId}:${row.seq}`, [...live, ...removed], log);
    const { next: link, done } = page;
    return { change: done ? { phase: "idle", link, hurried: undefined } : { link } };
  },
};

/** Everybody in the target, then the links of whoever was not there. */
export const census: Pass = {
  phases: { first: "roles" },
  everyMs: (world) => world.settings.censusMs,
  firstAfterInterval: true,
  byItself: true,
  step(world, tenantId, row, log) {
    if (row.phase === "roles") return readRoles(world, tenantId, log);
    return row.phase === "users" ? compareUsers(world, tenantId, row, log) : compareLinks(world, tenantId, row, log);
  },
};

async function readRoles(world: World, tenantId: string, log: DecisionLog): Promise<PassStep> {
  const found = await world.targetListing(tenantId).administrators();
  if (!found) log.info("directory roles are not read: RoleManagement.Read.Directory is not granted", { tenantId });
  const tooMany = (found?.size ?? 0) > ADMINISTRATORS_MAX;
  if (tooMany)
    log.warn("too many holders of directory roles: they are not told apart", { tenantId, count: found?.size });
  return { change: { phase: "users", administrators: found && !tooMany ? [...found] : undefined, pages: 0 } };
}

async function compareUsers(world: World, tenantId: string, row: PassRow, log: DecisionLog): Promise<PassStep> {
  const page = await world.targetListing(tenantId).users(row.link, attributesOf(world, tenantId));
  if (page.kind === "expired") {
    log.warn("listing expired: it begins again, without pauses", { tenantId, seq: row.seq });
    return { change: { link: undefined, pages: 0, hurried: true } };
  }
  if (page.unreadable > 0) log.warn("items unreadable", { tenantId, pass: "census", items: page.unreadable });
  const roles = row.administrators && new Set(row.administrators);
  const ours = page.items.filter(({ stamp }) => originOf(world, tenantId, stamp) !== "foreign");
  await keepPage(
    world,
    listingOf(tenantId, "census", row),
    "live",
    row.seq,
    ours.map(({ id }) => id),
  );
  const findings = await inTurns(ours, (user) => judge(world, tenantId, user, roles));
  await hintAll(world, `census:${row.runId}:${row.seq}`, findings, log);
  const pages = (row.pages ?? 0) + 1;
  if (page.next === undefined) return { change: { phase: "links", link: undefined, cursor: undefined, pages } };
  const spread = Math.min(GAP_MAX_MS, world.settings.censusMs / Math.max(row.pagesBefore ?? 1, pages));
  const many = findings.filter(({ kind }) => kind === "differs").length > MANY;
  return { change: { link: page.next, pages }, afterMs: row.hurried ? (many ? GAP_MAX_MS : 0) : spread };
}

/** Links whose target user should live and was not listed with our stamp. */
async function compareLinks(world: World, tenantId: string, row: PassRow, log: DecisionLog): Promise<PassStep> {
  const pairs = world.rules.pairs
    .filter(({ target }) => target.id === tenantId)
    .sort((a, b) => (a.source.id < b.source.id ? -1 : 1));
  const [sourceId, after] = row.cursor?.split("|") ?? [];
  const pair = pairs.find(({ source }) => sourceId === undefined || source.id >= sourceId);
  const of = listingOf(tenantId, "census", row);
  if (!pair) return endCensus(world, tenantId, row);
  const live = await listed(world, of, "live");
  const findings: Finding[] = [];
  let [count, last] = [0, ""];
  const range = pair.source.id === sourceId && after ? { from: `${after}!` } : {};
  for await (const stored of world.tables.links.list(pairKey(pair.source.id, tenantId), range)) {
    last = stored.row;
    const { targetId, shows, writtenAt = 0 } = stored.value;
    const absent = targetId !== undefined && !live.has(targetId) && shows !== GONE && writtenAt < row.startedAt;
    if (absent && !isBusy(stored)) findings.push({ kind: "differs", origin: { pair, userId: last }, afterMs: 0 });
    if (++count >= LINKS_PER_STEP) break;
  }
  await hintAll(world, `census:${row.runId}:${row.seq}`, findings, log);
  const afterMs = findings.length > MANY ? GAP_MAX_MS : 0;
  if (count >= LINKS_PER_STEP) return { change: { cursor: `${pair.source.id}|${last}` }, afterMs };
  const next = pairs[pairs.indexOf(pair) + 1];
  return next ? { change: { cursor: `${next.source.id}|` }, afterMs } : endCensus(world, tenantId, row);
}

async function endCensus(world: World, tenantId: string, row: PassRow): Promise<PassStep> {
  await forgetListing(world, listingOf(tenantId, "census", row));
  const cleared = { link: undefined, cursor: undefined, administrators: undefined, hurried: undefined };
  return { change: { ...cleared, phase: "idle" } };
}

const isBusy = ({ value, ageMs }: StoredRow<Link>): boolean => claimIsLive(value, ageMs);

/** `roles`: who holds a directory role, where that is known. */
async function judge(
  world: World,
  tenantId: string,
  user: TargetUser,
  roles: ReadonlySet<string> | undefined,
): Promise<Finding> {
  const stamped = originOf(world, tenantId, user.stamp);
  if (stamped === "unknown") return AS_LEFT;
  const origin = stamped === "foreign" ? await originByRow(world, tenantId, user.id) : stamped;
  if (!origin) return AS_LEFT;
  const partition = pairKey(origin.pair.source.id, tenantId);
  const stored = await world.tables.links.read(partition, origin.userId);
  if (stored && isBusy(stored)) return AS_LEFT; // what we write ourselves is seen when it is settled
  if (!stored || stored.value.targetId !== user.id) {
    if (stamped !== "foreign") await recordOrphan(world, tenantId, origin, user);
    return AS_LEFT;
  }
  const promoted = roles?.has(user.id);
  if (promoted !== undefined && promoted !== (stored.value.administrator !== undefined)) {
    await markAdministrator(world, stored, promoted);
    return { kind: "differs", origin, afterMs: 0 };
  }
  return compare(world, origin, stored.value, showsOf(world, origin.pair, user));
}

async function judgeRemoved(world: World, tenantId: string, targetId: string): Promise<Finding> {
  const origin = await originByRow(world, tenantId, targetId);
  if (!origin) {
    await world.tables.orphans.remove(tenantId, targetId);
    return AS_LEFT;
  }
  const stored = await world.tables.links.read(pairKey(origin.pair.source.id, tenantId), origin.userId);
  if (!stored || isBusy(stored) || stored.value.targetId !== targetId) return AS_LEFT;
  return compare(world, origin, stored.value, GONE);
}

/** Until every replica has seen a write of ours, a listing may still show what was there before it: looked at afterwards. */
function compare(world: World, origin: Origin, link: Link, shows: string): Finding {
  if (link.shows === shows) return AS_LEFT;
  const unseenMs = (link.writtenAt ?? 0) + world.settings.replicationAllowanceMs - world.clock.now();
  return { kind: "differs", origin, afterMs: Math.max(0, unseenMs) };
}

async function originByRow(world: World, tenantId: string, targetId: string): Promise<Origin | undefined> {
  const name = await ownerOf(world, tenantId, targetId);
  return name === undefined ? undefined : originOfLink(world, tenantId, name);
}

/** Under the ETag that was read: who acts on the person at this moment is not disturbed, and the next census comes. */
async function markAdministrator(world: World, { partition, row, value, etag }: StoredRow<Link>, now: boolean) {
  const { administrator: _, ...rest } = value;
  const next = now ? { ...rest, administrator: world.clock.now() } : rest;
  await world.tables.links.write(partition, row, next, etag);
}

/** Nothing is written to the target: it may be somebody else's work, or what a lost table has left. */
async function recordOrphan(world: World, tenantId: string, { pair, userId }: Origin, user: TargetUser): Promise<void> {
  const stamp = stampOf(world.rules.deployment, pair.source.id, userId);
  const at = world.clock.now();
  const first = await world.tables.orphans.write(tenantId, user.id, { stamp, foundAt: at }, undefined);
  if (first.kind === "moved") return;
  await writeLog(world, logRowName(world), {
    at,
    sourceTenantId: pair.source.id,
    targetTenantId: tenantId,
    userId,
    targetId: user.id,
    action: "other",
    reason: "drift",
    afterMs: 0,
    ...logOutcomeOf("TARGET_WITHOUT_LINK"),
  });
}

async function hintAll(world: World, from: string, findings: readonly Finding[], log: DecisionLog): Promise<void> {
  const groups = new Map<string, { origin: Origin; afterMs: number; userIds: string[] }>();
  for (const finding of findings) {
    if (finding.kind === "asLeft") continue;
    const { origin, afterMs } = finding;
    const later = afterMs > 0;
    const key = `${origin.pair.source.id}:${later}`;
    const group = groups.get(key) ?? { origin, afterMs: 0, userIds: [] };
    group.afterMs = Math.max(group.afterMs, afterMs);
    group.userIds.push(origin.userId);
    groups.set(key, group);
  }
  for (const [key, { origin, afterMs, userIds }] of groups) {
    const { source, target } = origin.pair;
    log.info("drift", { sourceTenantId: source.id, targetTenantId: target.id, users: userIds.length });
    await hintInBulk(world, `${from}:${key}`, source.id, userIds, "drift", afterMs, target.id);
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<Finding>): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (let start = 0; start < items.length; start += READS_AT_ONCE) {
    found.push(...(await Promise.all(items.slice(start, start + READS_AT_ONCE).map(work))));
  }
  return found;
}
