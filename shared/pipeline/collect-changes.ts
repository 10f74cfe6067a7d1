import type { PageMessage } from "../messages/hint.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import type { StoredRow } from "../ports/rows.ts";
import type { ChangePage, PageStart } from "../ports/source-changes.ts";
import { hintInBulk, hintSingly } from "./hints.ts";
import { markStructure } from "./limits.ts";
import { writeFailure } from "./provisioning-log.ts";
import { GROUPS_PER_STREAM, isGroupStream, type Needs, needsOf, USERS } from "./streams.ts";
import { type Checkpoint, pairKey, type World } from "./world.ts";

/** Links that are gone through at a time after a full round. */
const LINKS_PER_PAGE = 1_000;
/** A change of so few is somebody who waits, not bulk. */
const FEW = 20;

type Stored = StoredRow<Checkpoint> | undefined;
interface Stream {
  tenantId: string;
  stream: string;
  needs: Needs;
}

/**
 * One page: read it from where the checkpoint points, send its hints, save the checkpoint under its ETag, send the message
 * for the next one. Whatever is lost in between, a repetition of the message or the next timer goes on from the checkpoint.
 */
export async function collectChanges(
  world: World,
  message: PageMessage & { kind: "page" | "sweep" },
  log: DecisionLog,
): Promise<void> {
  const { tenantId, stream } = message;
  const needs = needsOf(world, tenantId);
  if (!needs) return log.warn("page of a tenant without jobs", { tenantId, stream });
  const stored = await world.tables.checkpoints.read(tenantId, stream);
  const at = { tenantId, stream, needs };
  if (message.kind === "sweep") return startRun(world, at, stored, log);
  if (!stored || stored.value.runId !== message.runId || stored.value.phase === "idle") return;
  if (message.seq !== stored.value.seq) return sendNext(world, at, stored.value); // behind: only the next is sent again
  return stored.value.phase === "links" ? hintLinks(world, at, stored, log) : readPage(world, at, stored, log);
}

/** Begins a run, or notes that another one is wanted after the one that goes on. */
async function startRun(world: World, at: Stream, stored: Stored, log: DecisionLog): Promise<void> {
  const now = world.clock.now();
  if (stored && stored.value.phase !== "idle") {
    const noted = await save(world, at, stored, { ...stored.value, again: true });
    if (noted) return sendNext(world, at, noted);
    const moved = await world.tables.checkpoints.read(at.tenantId, at.stream); // perhaps to its end
    return startRun(world, at, moved, log);
  }
  const tracks = await tracksOf(world, at);
  if (tracks === undefined) {
    if (stored) await world.tables.checkpoints.remove(at.tenantId, at.stream, stored.etag); // the stream has no group left
    return;
  }
  const anew = !stored || stored.value.tracks !== tracks;
  const link = anew ? undefined : stored.value.link;
  const next: Checkpoint = {
    runId: world.chance.uuid(),
    seq: 0,
    phase: "reading",
    ...(link ? { link } : {}),
    tracks,
    full: anew,
    startedAt: now,
    touchedAt: now,
  };
  if (await save(world, at, stored, next)) {
    log.info("run started", { tenantId: at.tenantId, stream: at.stream, runId: next.runId, full: anew });
    await sendNext(world, at, next);
  }
}

async function readPage(world: World, at: Stream, stored: StoredRow<Checkpoint>, log: DecisionLog): Promise<void> {
  const checkpoint = stored.value;
  const page = await fetchPage(world, at, checkpoint);
  if (page.kind === "reset") {
    log.warn("token was reset: full round", { tenantId: at.tenantId, stream: at.stream });
    const { link: _, ...rest } = checkpoint;
    const next = { ...rest, seq: checkpoint.seq + 1, full: true, touchedAt: world.clock.now() };
    const saved = await save(world, at, stored, next);
    if (saved) await sendNext(world, at, saved);
    return;
  }
  if (page.groups.some((group) => changesStructure(group, checkpoint))) await markStructure(world, at.tenantId);
  if (page.unreadable > 0) await tellUnreadable(world, at, page.unreadable, log);
  await hintPage(world, at, checkpoint, page);
  const saved = await save(world, at, stored, afterPage(world, at, checkpoint, page));
  if (!saved) return;
  log.info("page read", { tenantId: at.tenantId, stream: at.stream, seq: checkpoint.seq, users: page.userIds.length });
  await sendNext(world, at, saved);
}

async function tellUnreadable(world: World, at: Stream, items: number, log: DecisionLog): Promise<void> {
  log.warn("items unreadable", { tenantId: at.tenantId, stream: at.stream, items });
  for (const { source, target } of world.rules.pairs.filter((pair) => pair.source.id === at.tenantId)) {
    const detail = `${items} of stream ${at.stream}`;
    await writeFailure(world, { sourceTenantId: source.id, targetTenantId: target.id }, "ITEM_UNREADABLE", detail);
  }
}

function afterPage(world: World, at: Stream, checkpoint: Checkpoint, page: ChangePage & { kind: "page" }): Checkpoint {
  const structure = isGroupStream(at.stream) && page.groups.some((group) => changesStructure(group, checkpoint));
  const next = {
    ...checkpoint,
    seq: checkpoint.seq + 1,
    link: page.next.link,
    touchedAt: world.clock.now(),
    ...(structure ? { again: true, tracks: "structure changed" } : {}),
  };
  if (page.next.kind === "more") return next;
  if (!checkpoint.full) return { ...next, phase: "idle" };
  return { ...next, phase: "links", linksAt: next.touchedAt + world.settings.replicationAllowanceMs };
}

/** During a full round the groups within groups are news to nobody: they are in the closure that the round lists. */
const changesStructure = (
  group: { removed: boolean; addedGroupIds: readonly string[]; removedGroupIds: readonly string[] },
  { full }: Checkpoint,
) => !full && (group.removed || group.addedGroupIds.length > 0 || group.removedGroupIds.length > 0);

async function hintPage(
  world: World,
  at: Stream,
  { runId, seq, full }: Checkpoint,
  page: ChangePage & { kind: "page" },
): Promise<void> {
  // A page that is read again may hold more than it did: what is sent then must not be taken for what was sent before.
  const from = `${runId}:${seq}:${world.hash(page.next.link)}`;
  const reason = at.stream === USERS ? "sweep" : "membership";
  if (full && at.stream === USERS && seq === 0) {
    await hintInBulk(world, `${from}:named`, at.tenantId, at.needs.userIds, reason);
  }
  const few = !full && page.userIds.length <= FEW;
  await (few ? hintSingly : hintInBulk)(world, from, at.tenantId, page.userIds, reason);
  if (full) return; // the round lists the groups within groups, and everybody with a link is looked at after it
  // The replica that a look meets may be behind the one that gave the page: a second look when every replica has seen it.
  const { replicationAllowanceMs } = world.settings;
  await hintInBulk(world, `${from}:trailing`, at.tenantId, page.userIds, "trailing", replicationAllowanceMs);
  const moved = page.groups.flatMap((group) => [...group.addedGroupIds, ...group.removedGroupIds]);
  for (const groupId of new Set(moved)) {
    let part = 0;
    for await (const userIds of world.changes(at.tenantId).transitiveUsers(groupId)) {
      await hintInBulk(
        world,
        `${from}:${groupId}:${part++}:${userIds.length}:${userIds[0] ?? ""}`,
        at.tenantId,
        userIds,
        reason,
      );
    }
  }
}

/** After a full round everybody with a link is looked at, so that whoever was not listed is found too. */
async function hintLinks(world: World, at: Stream, stored: StoredRow<Checkpoint>, log: DecisionLog): Promise<void> {
  const checkpoint = stored.value;
  if ((checkpoint.linksAt ?? 0) > world.clock.now()) return sendNext(world, at, checkpoint);
  const { userIds, cursor } = await nextLinks(world, at, checkpoint.cursor);
  await hintInBulk(
    world,
    `${checkpoint.runId}:${checkpoint.seq}`,
    at.tenantId,
    userIds,
    at.stream === USERS ? "sweep" : "membership",
  );
  const { cursor: _cursor, linksAt: _linksAt, ...rest } = checkpoint;
  const phase = cursor === undefined ? "idle" : "links";
  const next: Checkpoint = {
    ...rest,
    seq: checkpoint.seq + 1,
    phase,
    touchedAt: world.clock.now(),
    ...(cursor ? { cursor } : {}),
  };
  const saved = await save(world, at, stored, next);
  if (!saved) return;
  log.info("links hinted", { tenantId: at.tenantId, stream: at.stream, users: userIds.length });
  await sendNext(world, at, saved);
}

/** Ids of linked people from a place on; a place is `{pair}|{user}`. */
async function nextLinks(
  world: World,
  at: Stream,
  cursor: string | undefined,
): Promise<{ userIds: string[]; cursor: string | undefined }> {
  const partitions = world.rules.pairs
    .filter(({ source }) => source.id === at.tenantId)
    .map((pair) => pairKey(pair.source.id, pair.target.id))
    .sort();
  const [from, after] = cursor?.split("|") ?? [];
  const userIds: string[] = [];
  for (const partition of partitions.filter((name) => from === undefined || name >= from)) {
    const range = partition === from && after ? { from: `${after}!` } : {};
    for await (const { row } of world.tables.links.list(partition, range)) {
      userIds.push(row); // also who has no target user now: they may have come back while nobody listened
      if (userIds.length >= LINKS_PER_PAGE) return { userIds, cursor: `${partition}|${row}` };
    }
  }
  return { userIds, cursor: undefined };
}

async function fetchPage(world: World, at: Stream, checkpoint: Checkpoint): Promise<ChangePage> {
  const changes = world.changes(at.tenantId);
  const from: PageStart = checkpoint.link ? { kind: "link", link: checkpoint.link } : { kind: "all" };
  if (isGroupStream(at.stream)) return changes.groups(from, groupsTracked(checkpoint));
  const start: PageStart = checkpoint.link || at.needs.allUsers ? from : { kind: "now" };
  return changes.users(start, at.needs.select);
}

/**
 * What a stream follows, as text: with the rules of the source, so that a change of rules is a new full round. A group
 * stream follows its share of the closure of all scope groups; `undefined`: there is nothing left for it.
 */
async function tracksOf(world: World, at: Stream): Promise<string | undefined> {
  if (!isGroupStream(at.stream)) return `${at.needs.rules}:${at.needs.allUsers}:${at.needs.select.join(",")}`;
  const closure = [...(await world.changes(at.tenantId).closure(at.needs.groupIds))].sort();
  const index = Number(at.stream.slice("groups-".length));
  if (index === 0) await startMissing(world, at, closure.length);
  const share = closure.slice(index * GROUPS_PER_STREAM, (index + 1) * GROUPS_PER_STREAM);
  return share.length === 0 ? undefined : `${at.needs.rules}:${share.join(",")}`;
}

const groupsTracked = ({ tracks }: Checkpoint): readonly string[] => tracks.slice(tracks.indexOf(":") + 1).split(",");

/** The first group stream starts the others. */
async function startMissing(world: World, at: Stream, groups: number): Promise<void> {
  for (let index = 1; index * GROUPS_PER_STREAM < groups; index++) {
    const stream = `groups-${index}`;
    if (await world.tables.checkpoints.read(at.tenantId, stream)) continue;
    const body: PageMessage = { version: 1, kind: "sweep", tenantId: at.tenantId, stream, reason: "operator" };
    await world.bus.send("pages", [{ id: world.chance.uuid(), body }]);
  }
}

/**
 * Under the ETag that was read; what was saved, or `undefined`: the run has moved on. Who only asked for another run
 * meanwhile has not moved it: the wish is kept.
 */
async function save(world: World, at: Stream, stored: Stored, next: Checkpoint): Promise<Checkpoint | undefined> {
  const { checkpoints } = world.tables;
  let wanted = next;
  for (let etag = stored?.etag; ; ) {
    const written = await checkpoints.write(at.tenantId, at.stream, wanted, etag);
    if (written.kind === "written") return wanted;
    const found = stored && (await checkpoints.read(at.tenantId, at.stream));
    if (!found || placeOf(found.value) !== placeOf(stored.value)) return undefined;
    etag = found.etag;
    if (found.value.again) wanted = { ...wanted, again: true };
  }
}

const placeOf = ({ runId, seq, phase }: Checkpoint): string => `${runId}:${seq}:${phase}`;

/** The message for the page that the checkpoint points at; after the last one a new run, if one was asked for meanwhile. */
async function sendNext(
  world: World,
  { tenantId, stream }: Stream,
  { runId, seq, phase, again, linksAt }: Checkpoint,
): Promise<void> {
  const minute = Math.floor(world.clock.now() / 60_000); // a message that was lost can be sent again in the next
  if (phase !== "idle") {
    const body: PageMessage = { version: 1, kind: "page", tenantId, stream, runId, seq };
    const early = linksAt !== undefined && linksAt > world.clock.now();
    return world.bus.send("pages", [
      { id: `${runId}:${seq}:${early ? linksAt : minute}`, body, ...(early ? { notBefore: linksAt } : {}) },
    ]);
  }
  if (!again) return;
  const body: PageMessage = { version: 1, kind: "sweep", tenantId, stream, reason: "operator" };
  return world.bus.send("pages", [{ id: `${runId}:again:${minute}`, body }]);
}
