import type { AuditRow, World } from "../pipeline/world.ts";
import type { DecisionLog } from "../ports/decision-log.ts";

/**
 * What people did, in rows that are only added. Each row holds the hash of the one before it, so that a row that was changed,
 * taken out or moved shows. How far the log is known to reach stands in another table, and every addition is a line of the app's
 * own log with number and hash: two witnesses that whoever cuts off the end would have to change too.
 */

const PARTITION = "audit";
const HEAD = "head";
const DIGITS = 12;
const ROW = new RegExp(`^\\d{${DIGITS}}$`);
const rowOf = (seq: number): string => seq.toString().padStart(DIGITS, "0");

export interface AuditEntry {
  /** `{tenant}/{object id}`. */
  who: string;
  appId: string | undefined;
  verb: string;
  /** Ids; no names, no addresses. */
  subjects: readonly string[];
}

/** Appends one entry; of two instances at once each gets a number of its own. */
export async function appendAudit(world: World, entry: AuditEntry, log: DecisionLog): Promise<AuditRow> {
  for (;;) {
    const { seq, hash: previous } = await lastOf(world);
    const content = {
      seq: seq + 1,
      at: world.clock.now(),
      who: entry.who,
      appId: entry.appId ?? "",
      verb: entry.verb,
      subjects: [...entry.subjects],
      previous,
    };
    const row = { ...content, hash: hashOf(world, content) };
    if ((await world.tables.audit.add(PARTITION, rowOf(row.seq), row)) === "exists") continue;
    log.info("audit", { seq: row.seq, hash: row.hash, verb: row.verb });
    await moveHead(world, row);
    return row;
  }
}

/** The newest row: looked for from where the log is known to reach. */
async function lastOf(world: World): Promise<{ seq: number; hash: string }> {
  const head = (await world.tables.audithead.read(PARTITION, HEAD))?.value;
  let last = head ?? { seq: 0, hash: "" };
  for await (const { row, value } of world.tables.audit.list(PARTITION, { from: rowOf(last.seq) })) {
    // What a row says of its number may have been changed; its key may not, and there is always a next one.
    if (ROW.test(row)) last = { seq: Number(row), hash: value.hash };
  }
  return last;
}

async function moveHead(world: World, { seq, hash }: AuditRow): Promise<void> {
  for (;;) {
    const stored = await world.tables.audithead.read(PARTITION, HEAD);
    if (stored && stored.value.seq >= seq) return;
    const written = await world.tables.audithead.write(PARTITION, HEAD, { seq, hash }, stored?.etag);
    if (written.kind === "written") return;
  }
}

function hashOf(world: World, { seq, at, who, appId, verb, subjects, previous }: Omit<AuditRow, "hash">): string {
  return world.hash(JSON.stringify([seq, at, who, appId, verb, subjects, previous]));
}

/** Rows from a number on, oldest first. */
export async function readAudit(world: World, from: number, limit: number): Promise<readonly AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const { value } of world.tables.audit.list(PARTITION, { from: rowOf(from) })) {
    rows.push(value);
    if (rows.length >= limit) break;
  }
  return rows;
}

export type AuditVerdict =
  | { kind: "sound"; rows: number; hash: string }
  /** `seq`: the first number at which something is wrong. */
  | { kind: "broken"; seq: number; what: string };

/** Goes through the whole log. `expected`: a number and its hash, as the app's own log once said. */
export async function verifyAudit(world: World, expected?: { seq: number; hash: string }): Promise<AuditVerdict> {
  const head = (await world.tables.audithead.read(PARTITION, HEAD))?.value;
  const witnesses = [head, expected].filter((witness) => witness !== undefined);
  let seq = 0;
  let hash = "";
  for await (const { row, value } of world.tables.audit.list(PARTITION)) {
    seq++;
    const broken = (what: string): AuditVerdict => ({ kind: "broken", seq, what });
    if (row !== rowOf(seq)) return broken(`row ${seq} is missing`);
    if (value.seq !== seq) return broken(`row ${seq} says that it is row ${value.seq}`);
    if (value.previous !== hash) return broken(`row ${seq} does not follow the row before it`);
    if (value.hash !== hashOf(world, value)) return broken(`row ${seq} was changed`);
    if (witnesses.some((witness) => witness.seq === seq && witness.hash !== value.hash))
      return broken(`row ${seq} is another one than was written`);
    hash = value.hash;
  }
  const furthest = Math.max(0, ...witnesses.map((witness) => witness.seq));
  if (furthest > seq)
    return { kind: "broken", seq: seq + 1, what: `row ${seq + 1} is missing: ${furthest} were written` };
  return { kind: "sound", rows: seq, hash };
}
