import { LIMIT_KINDS } from "../domain/limits.ts";
import type { Rows } from "../ports/rows.ts";
import { readJobs } from "./job-state.ts";
import { markRestored, rebuildLinks } from "./recovery.ts";
import { pairKey, type Tables, type World } from "./world.ts";

/**
 * A copy of what protects people, as lines of JSON, and the way back. In it: links, owners of target users and addresses, limits and
 * held sets, states of jobs. Not in it: secrets of subscriptions, pace and watermarks, which are made anew; the logs, which are
 * history. Rows that came after the copy stay.
 */
export const COPIED = ["links", "targets", "limitparts", "limits", "jobs"] as const satisfies readonly (keyof Tables)[];
type Copied = (typeof COPIED)[number];

export interface CopiedRow {
  table: Copied;
  partition: string;
  row: string;
  value: unknown;
}

/** Every row, one after the other: a copy of a million people takes a thousand listings a table. */
export async function* exportTables(world: World): AsyncIterable<CopiedRow> {
  const jobs = await readJobs(world);
  const pairs = new Set([
    ...world.rules.pairs.map(({ source, target }) => pairKey(source.id, target.id)),
    ...jobs.map(({ sourceTenantId, targetTenantId }) => pairKey(sourceTenantId, targetTenantId)),
  ]);
  const targets = new Set([
    ...world.rules.pairs.map(({ target }) => target.id),
    ...jobs.map((job) => job.targetTenantId),
  ]);
  const limits = jobs.flatMap(({ jobId, sourceTenantId, targetTenantId }) =>
    LIMIT_KINDS.map((kind) => `${pairKey(sourceTenantId, targetTenantId)}_${jobId}_${kind}`),
  );
  const partitions: Readonly<Record<Copied, Iterable<string>>> = {
    links: pairs,
    targets,
    limits,
    limitparts: limits,
    jobs: ["jobs"],
  };
  for (const table of COPIED) {
    const rows: Rows<unknown> = world.tables[table];
    for (const partition of partitions[table])
      for await (const { row, value } of rows.list(partition)) yield { table, partition, row, value };
  }
}

/**
 * Puts the rows of a copy back; doing it again changes nothing. Claims of the copy are over: whoever had them is gone. What stands in
 * limits and job states now is newer than the copy and stays. Decisions are only shown from the first row on; then the stamps tell who
 * came after the copy, a full pass shows what would be done, and it is done. If the import breaks off, repeat it.
 */
export async function importTables(world: World, rows: AsyncIterable<CopiedRow>): Promise<number> {
  await markRestored(world);
  let count = 0;
  for await (const { table, partition, row, value } of rows) {
    if (!COPIED.includes(table)) throw new RangeError(`table ${table} is not part of a copy`);
    await putBack(world, table, partition, row, asObject(value));
    count++;
  }
  await markRestored(world);
  await rebuildLinks(world);
  return count;
}

type Fields = Readonly<Record<string, unknown>>;

/** The copy has parts of sets before the rows that name them. */
async function putBack(world: World, table: Copied, partition: string, row: string, value: Fields): Promise<void> {
  const into: Rows<unknown> = world.tables[table];
  if (table === "links") await into.put(partition, row, withoutClaim(value));
  else if (table === "limits") await into.write(partition, row, withoutApprovals(value), undefined);
  else if (table === "jobs") await into.write(partition, row, value, undefined);
  else await into.put(partition, row, value);
}

function asObject(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw new RangeError("the value of a row has to be an object");
  return value as Fields;
}

const withoutClaim = (value: Fields): Fields =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== "claim"));

/** What was approved before the copy may have been carried out or taken back since: it is asked again. */
function withoutApprovals(value: Fields): Fields {
  if (!Array.isArray(value.sets)) return value;
  const lapsed = (set: Fields) =>
    set.state === "approved" || set.state === "executed" ? { ...set, state: "expired" } : set;
  return { ...value, sets: value.sets.map((set) => lapsed(asObject(set))) };
}
