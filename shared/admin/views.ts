import * as z from "zod";
import { covers, type Principal, touches } from "../domain/admin.ts";
import { ERRORS, type ErrorCode } from "../domain/error.ts";
import type { Pair } from "../domain/job.ts";
import { whyStopped } from "../domain/job-state.ts";
import type { Link } from "../domain/link.ts";
import { readJobs } from "../pipeline/job-state.ts";
import { killSwitch } from "../pipeline/kill-switch.ts";
import { listRequests, requestState } from "../pipeline/requests.ts";
import { type LogRow, pairKey, type RequestRow, type World } from "../pipeline/world.ts";
import { PAGE_MAX, Paging, parsed } from "./input.ts";
import { AdminError } from "./problem.ts";

/** What can be read over the admin API. Nothing of a target or job beyond the principal's scope is in any answer. */

/** Rows that one call goes through; a page may therefore be short, or empty, and still have a `cursor`. */
const ROWS_LOOKED_AT = 5_000;

export interface Page<T> {
  items: readonly T[];
  /** Give it with the next call; absent: that was all. */
  cursor?: string;
}

export const time = (ms: number): string => new Date(ms).toISOString();

/** Pairs of which the principal may see anything. */
export const visiblePairs = (world: World, principal: Principal): readonly Pair[] =>
  world.rules.pairs.filter(
    ({ target, jobs }) =>
      touches(principal, target.id) &&
      jobs.some(({ id }) => covers(principal, { targetTenantId: target.id, jobId: id })),
  );

const PairFilter = {
  /** Tenants by name or id. */
  source: z.string().max(64).optional(),
  target: z.string().max(64).optional(),
};
const PeopleQuery = z.strictObject({ ...PairFilter, ...Paging });
const LogQuery = z.strictObject({
  ...PairFilter,
  ...Paging,
  day: z.iso.date().optional(),
  status: z.enum(["success", "failure", "skipped", "warning"]).optional(),
  user: z.guid().toLowerCase().optional(),
});

const isNamed = (tenant: { id: string; name: string }, wanted: string | undefined): boolean =>
  wanted === undefined || tenant.name === wanted || tenant.id === wanted.toLowerCase();

const pairsAsked = (
  world: World,
  principal: Principal,
  asked: { source?: string | undefined; target?: string | undefined },
) =>
  visiblePairs(world, principal).filter(
    ({ source, target }) => isNamed(source, asked.source) && isNamed(target, asked.target),
  );

/** People whose last attempt failed (`escrows`) or whom a rule holds (`held`). */
export async function peopleWaiting(
  world: World,
  principal: Principal,
  query: Record<string, string>,
  held: boolean,
): Promise<Page<object>> {
  const asked = parsed(PeopleQuery, query);
  const partitions = pairsAsked(world, principal, asked).map(({ source, target }) => pairKey(source.id, target.id));
  return pageOf<Link>(asked, partitions, world.tables.links, (link, partition) => {
    if (!link.escrow || isHeld(link.escrow.code) !== held) return undefined;
    const [sourceTenantId, targetTenantId] = partition.split("_") as [string, string];
    if (!covers(principal, { targetTenantId, jobId: link.jobId })) return undefined;
    const { code, failures, since, nextAt } = link.escrow;
    const { meaning, remedy } = ERRORS[code];
    const { userId, targetId, jobId } = link;
    const times = { since: time(since), nextAt: time(nextAt) };
    return { sourceTenantId, targetTenantId, userId, targetId, jobId, code, failures, ...times, meaning, remedy };
  });
}

const isHeld = (code: ErrorCode): boolean => "held" in ERRORS[code];

/** The provisioning log of a day, pair by pair, newest first. */
export async function provisioningLog(
  world: World,
  principal: Principal,
  query: Record<string, string>,
): Promise<Page<object>> {
  const asked = parsed(LogQuery, query);
  const day = asked.day ?? time(world.clock.now()).slice(0, 10);
  const pairs = pairsAsked(world, principal, asked).map(({ source, target }) => pairKey(source.id, target.id));
  // Failures that cannot be laid at anybody's door are for those whom nothing narrows.
  const nobodys = covers(principal, {}) && asked.source === undefined && asked.target === undefined;
  const partitions = [...pairs, ...(nobodys ? [pairKey("unknown", "unknown")] : [])].map((pair) => `${pair}_${day}`);
  return pageOf<LogRow>(asked, partitions, world.tables.provisioninglog, (row) => {
    if (!covers(principal, { targetTenantId: row.targetTenantId, jobId: row.jobId })) return undefined;
    if (asked.status !== undefined && row.status !== asked.status) return undefined;
    if (asked.user !== undefined && row.userId !== asked.user) return undefined;
    return { ...row, at: time(row.at) };
  });
}

/** A page over partitions one after the other; the cursor names the partition and the last row that was looked at. */
async function pageOf<T>(
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  partitions: readonly string[],
  rows: { list(partition: string, range?: { from?: string }): AsyncIterable<{ row: string; value: T }> },
  show: (value: T, partition: string) => object | undefined,
): Promise<Page<object>> {
  const after = cursor === undefined ? undefined : positionOf(cursor);
  const start = after ? partitions.indexOf(after.partition) : 0;
  if (start < 0) throw invalidCursor();
  const items: object[] = [];
  let looked = 0;
  for (const partition of partitions.slice(start)) {
    const from = partition === after?.partition ? after.row : undefined;
    for await (const { row, value } of rows.list(partition, from === undefined ? undefined : { from })) {
      if (row === from) continue;
      const item = show(value, partition);
      if (item) items.push(item);
      if (++looked >= ROWS_LOOKED_AT || items.length >= limit)
        return { items, cursor: Buffer.from(`${partition}\n${row}`).toString("base64url") };
    }
  }
  return { items };
}

function positionOf(cursor: string): { partition: string; row: string } {
  const [partition, row, ...more] = Buffer.from(cursor, "base64url").toString().split("\n");
  if (!partition || !row || more.length > 0 || /[/\\#?%\p{Cc}]/u.test(row)) throw invalidCursor();
  return { partition, row };
}

const invalidCursor = () =>
  new AdminError("INVALID", { mistakes: [{ path: "cursor", problem: "not one that this list gave" }] });

const RequestsQuery = z.strictObject({ ...Paging, state: z.enum(["open", "approved", "rejected", "void"]).optional() });

export async function requestsView(
  world: World,
  principal: Principal,
  query: Record<string, string>,
): Promise<Page<object>> {
  const { limit, cursor, state } = parsed(RequestsQuery, query);
  const items: object[] = [];
  const from = cursor === undefined ? undefined : positionOf(cursor).row;
  for await (const { row, value } of listRequests(world, from)) {
    if (row === from) continue;
    const shown = requestView(world, row, value);
    if (!covers(principal, value) || (state !== undefined && shown.state !== state)) continue;
    items.push(shown);
    if (items.length >= limit) return { items, cursor: Buffer.from(`requests\n${row}`).toString("base64url") };
  }
  return { items };
}

export function requestView(world: World, id: string, row: RequestRow) {
  const { at, expiresAt, decidedAt, state: _, ...rest } = row;
  return {
    id,
    ...rest,
    state: requestState(row, world.clock.now()),
    at: time(at),
    expiresAt: time(expiresAt),
    ...(decidedAt === undefined ? {} : { decidedAt: time(decidedAt) }),
  };
}

export const AuditQuery = z.strictObject({
  from: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
});

/** Of the configuration, the switch, and every pair: its jobs and how fresh its source is. */
export async function statusView(running: World, principal: Principal, configuration: object): Promise<object> {
  const pairs = visiblePairs(running, principal);
  const on = await killSwitch(running);
  const stopped = new Map((await readJobs(running)).map((row) => [row.jobId, whyStopped(row)]));
  return {
    deployment: running.rules.deployment,
    configuration,
    killSwitch: on ? { on: true, by: on.by, since: time(on.at), reason: on.reason } : { on: false },
    pairs: pairs.map(({ source, target, jobs }) => ({
      source: { name: source.name, id: source.id, cloud: source.cloud },
      target: { name: target.name, id: target.id, cloud: target.cloud },
      jobs: jobs
        .filter(({ id }) => covers(principal, { targetTenantId: target.id, jobId: id }))
        .map(({ id, state }) => ({ id, state, stopped: stopped.get(id) ?? null })),
    })),
    sources: await Promise.all([...new Set(pairs.map(({ source }) => source.id))].map((id) => sourceView(running, id))),
  };
}

async function sourceView(world: World, tenantId: string): Promise<object> {
  const streams: object[] = [];
  for await (const { row, value } of world.tables.checkpoints.list(tenantId)) {
    streams.push({ stream: row, phase: value.phase, full: value.full, touchedAt: time(value.touchedAt) });
  }
  return { tenantId, streams };
}
