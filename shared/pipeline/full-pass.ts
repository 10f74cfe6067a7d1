import { groupKey, type Pair, type ScopeGroup } from "../domain/job.ts";
import { claimIsLive, type Link } from "../domain/link.ts";
import type { SourceView } from "../domain/scope.ts";
import type { SourceUser } from "../domain/user.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { hintInBulk } from "./hints.ts";
import { isNews, isSettledOut, judgeListed } from "./judge-listed.ts";
import { forgetListing, type IdSet, keepPage, type Listing, listed, listingOf } from "./listed.ts";
import { sourceAttributes } from "./look.ts";
import type { PassRow } from "./pass-rows.ts";
import type { Pass, PassStep } from "./passes.ts";
import { needsOf } from "./streams.ts";
import { pairKey, type World } from "./world.ts";

/**
 * Lists a source tenant and the members of its scope groups, decides as a look would what each person's inputs are now,
 * and hints whoever's link remembers others; then goes through the links for people who were not listed. No call to a
 * target, and none for a person: the hints do what there is to do, with the proofs and limits of every look.
 */

/** Links that are compared in one step. */
const LINKS_PER_STEP = 1_000;
/** Rows that are read at once. */
const READS_AT_ONCE = 32;
/** Between two pages at most: Graph keeps the place in a listing for a while only. */
const GAP_MAX_MS = 60_000;
/** More hints from one step than this and the next one waits: whatever was listed wrong, the bulk lane is not flooded. */
const MANY = 100;

export const full: Pass = {
  phases: { first: "groups" },
  everyMs: (world) => world.settings.fullPassMs,
  firstAfterInterval: true,
  byItself: true,
  async step(world, tenantId, row, log) {
    const needs = needsOf(world, tenantId);
    if (!needs) return end(world, tenantId, row, {});
    if (row.rules !== undefined && row.rules !== needs.rules) {
      return end(world, tenantId, row, { again: true, rules: undefined });
    }
    const step = await phaseOf(row)(world, tenantId, { ...row, rules: needs.rules }, log);
    return { ...step, change: { rules: needs.rules, ...step.change } };
  },
};

const phaseOf = ({ phase }: PassRow) =>
  phase === "groups" ? readMembers : phase === "users" ? compareUsers : compareLinks;

const pairsFrom = (world: World, tenantId: string): readonly Pair[] =>
  world.rules.pairs.filter(({ source }) => source.id === tenantId);

/** Groups of all scopes, each in each reading that a scope asks for. */
function groupsOf(pairs: readonly Pair[]): readonly ScopeGroup[] {
  const groups = pairs.flatMap(({ jobs }) => jobs.flatMap(({ scope }) => scope.groups));
  return [...new Map(groups.map((group) => [groupKey(group), group])).values()];
}

const membersOf = (group: ScopeGroup) => `members:${group.transitive ? "all" : "direct"}:${group.id}`;
const judgedFor = (pair: Pair) => `judged:${pair.target.id}`;

/** Where a set of ids is expected, an earlier run's or none would make differences of everybody: one set a group and run. */
async function readMembers(world: World, tenantId: string, row: PassRow, log: DecisionLog): Promise<PassStep> {
  const part = row.part ?? 0;
  const group = groupsOf(pairsFrom(world, tenantId))[part];
  if (!group) return { change: { phase: "users", part: undefined, link: undefined, pages: 0 } };
  const page = await world.sourceListing(tenantId).members(group, row.link);
  if (page.kind === "expired") return { change: { link: undefined } }; // what was kept of it stays true
  if (page.unreadable > 0) log.warn("items unreadable", { tenantId, pass: "full", items: page.unreadable });
  await keepPage(world, listingOf(tenantId, "full", row), membersOf(group), row.seq, page.items);
  if (page.next !== undefined) return { change: { link: page.next } };
  return { change: { part: part + 1, link: undefined } };
}

async function compareUsers(world: World, tenantId: string, row: PassRow, log: DecisionLog): Promise<PassStep> {
  const pairs = pairsFrom(world, tenantId);
  const attributes = [...new Set(pairs.flatMap(sourceAttributes))];
  const page = await world.sourceListing(tenantId).users(row.link, attributes);
  if (page.kind === "expired") {
    log.warn("listing expired: it begins again, without pauses", { tenantId, seq: row.seq });
    return { change: { link: undefined, pages: 0, hurried: true } };
  }
  if (page.unreadable > 0) log.warn("items unreadable", { tenantId, pass: "full", items: page.unreadable });
  const of = listingOf(tenantId, "full", row);
  const views = await viewsOf(world, of, pairs, page.items);
  let hinted = 0;
  for (const pair of pairs) {
    const judged: string[] = [];
    const differ = await different(world, pair, views, judged);
    await keepPage(world, of, judgedFor(pair), row.seq, judged);
    await hintPair(world, `${row.runId}:${row.seq}`, pair, differ);
    hinted += differ.length;
  }
  const pages = (row.pages ?? 0) + 1;
  if (page.next === undefined) return { change: { phase: "links", link: undefined, cursor: undefined, pages } };
  const spread = Math.min(GAP_MAX_MS, world.settings.fullPassMs / Math.max(row.pagesBefore ?? 1, pages));
  return { change: { link: page.next, pages }, afterMs: row.hurried ? (hinted > MANY ? GAP_MAX_MS : 0) : spread };
}

type View = SourceView & { kind: "found" };

async function viewsOf(
  world: World,
  of: Listing,
  pairs: readonly Pair[],
  users: readonly SourceUser[],
): Promise<readonly View[]> {
  const members: [string, IdSet][] = [];
  for (const group of groupsOf(pairs)) members.push([groupKey(group), await listed(world, of, membersOf(group))]);
  return users.map((user) => {
    const memberOf = new Set(members.filter(([, set]) => set.has(user.id)).map(([key]) => key));
    return { kind: "found", user, memberOf };
  });
}

/** Ids of people whose links remember other inputs; `judged` gets everybody whose link was compared. */
async function different(
  world: World,
  pair: Pair,
  views: readonly View[],
  judged: string[],
): Promise<readonly string[]> {
  const differ: string[] = [];
  // Whoever is out for want of an assignment, as most people are, is told by the absence of a mark: no row is read.
  const wanted = views
    .map((view) => ({ view, now: judgeListed(world, pair, view) }))
    .filter(({ now }) => !now.unassigned);
  judged.push(...wanted.map(({ view }) => view.user.id));
  const compare = async ({ view, now }: (typeof wanted)[number]) => {
    const link = await readLinkOf(world, pair, view.user.id);
    if (link !== "busy" && isNews(world, now, link)) differ.push(view.user.id);
  };
  for (let start = 0; start < wanted.length; start += READS_AT_ONCE) {
    await Promise.all(wanted.slice(start, start + READS_AT_ONCE).map(compare));
  }
  return differ;
}

/** `busy`: somebody is writing; what they leave is seen by their own looks. */
async function readLinkOf(world: World, pair: Pair, userId: string): Promise<Link | undefined | "busy"> {
  const stored = await world.tables.links.read(pairKey(pair.source.id, pair.target.id), userId);
  return stored && claimIsLive(stored.value, stored.ageMs) ? "busy" : stored?.value;
}

/** Links of people who were not listed, or not as assigned: hinted unless they already say so. */
async function compareLinks(world: World, tenantId: string, row: PassRow, log: DecisionLog): Promise<PassStep> {
  const pairs = [...pairsFrom(world, tenantId)].sort((a, b) => (a.target.id < b.target.id ? -1 : 1));
  const [targetId, after] = row.cursor?.split("|") ?? [];
  const pair = pairs.find(({ target }) => targetId === undefined || target.id >= targetId);
  if (!pair) return end(world, tenantId, row, {});
  const judged = await listed(world, listingOf(tenantId, "full", row), judgedFor(pair));
  const differ: string[] = [];
  let [count, last] = [0, ""];
  const range = pair.target.id === targetId && after ? { from: `${after}!` } : {};
  const partition = pairKey(pair.source.id, pair.target.id);
  for await (const { row: userId, value, ageMs } of world.tables.links.list(partition, range)) {
    last = userId;
    if (!judged.has(userId) && !claimIsLive(value, ageMs) && !isSettledOut(world, pair, value)) differ.push(userId);
    if (++count >= LINKS_PER_STEP) break;
  }
  await hintPair(world, `${row.runId}:${row.seq}`, pair, differ);
  if (differ.length > MANY) log.warn("many links are not in the listing", { tenantId, count: differ.length });
  const afterMs = differ.length > MANY ? GAP_MAX_MS : 0;
  if (count >= LINKS_PER_STEP) return { change: { cursor: `${pair.target.id}|${last}` }, afterMs };
  const next = pairs[pairs.indexOf(pair) + 1];
  return next ? { change: { cursor: `${next.target.id}|` }, afterMs } : end(world, tenantId, row, {});
}

const hintPair = (world: World, from: string, pair: Pair, userIds: readonly string[]) =>
  hintInBulk(world, `full:${from}:${pair.target.id}`, pair.source.id, userIds, "fullPass", 0, pair.target.id);

async function end(world: World, tenantId: string, row: PassRow, change: PassStep["change"]): Promise<PassStep> {
  await forgetListing(world, listingOf(tenantId, "full", row));
  const cleared = {
    link: undefined,
    cursor: undefined,
    part: undefined,
    hurried: change.again ? row.hurried : undefined,
  };
  return { change: { ...cleared, ...change, phase: "idle" } };
}
