import { Ids } from "../domain/ids.ts";
import type { Pair } from "../domain/job.ts";
import type { JobRow } from "../domain/job-state.ts";
import { DAY_MS, emptyLedger, type HeldSet, type Ledger, type LimitKind, passTime } from "../domain/limits.ts";
import type { ReadRow } from "../ports/rows.ts";
import { LedgerIds, type StoredIds } from "./ledger-ids.ts";
import { pairKey, type World } from "./world.ts";

/**
 * What is counted about a job, in Table Storage. One row is changed under its ETag; ids beyond a few hundred lie in parts,
 * rows of their own that never change, so that sets of any size keep the row small (1 MiB an entity).
 */
export interface LedgerRow {
  done: StoredIds<number>;
  immediate: StoredIds<number>;
  first: StoredIds<number>;
  firstCycle?: { since: number; admitted: number };
  sets: readonly (Omit<HeldSet, "members" | "acted"> & { members: StoredIds<string>; acted: StoredIds<string> })[];
  structureAt?: number;
  people?: { count: number; at: number };
}

export interface LedgerKey {
  pair: Pick<Pair, "source" | "target">;
  jobId: string;
  kind: LimitKind;
}

const partitionOf = ({ pair, jobId, kind }: LedgerKey): string =>
  `${pairKey(pair.source.id, pair.target.id)}_${jobId}_${kind}`;
const HEAD = "head";
const JOBS = "jobs";
/** Jobs of one roll-out are seen within this time. */
const TOGETHER_MS = 60_000;
/** A part is written before the row that names it, by then. */
const PART_SETTLED_MS = 3_600_000;

/** Removes parts that no set names any more. */
export async function cleanParts(world: World, key: LedgerKey): Promise<number> {
  const partition = partitionOf(key);
  const unnamed: string[] = [];
  for await (const { row, ageMs } of world.tables.limitparts.list(partition))
    if (ageMs > PART_SETTLED_MS) unnamed.push(row);
  if (unnamed.length === 0) return 0;
  // Read after the parts: whatever it names and was listed stays, and a part that is not named now never will be.
  const head = (await world.tables.limits.read(partition, HEAD))?.value;
  const named = new Set(
    [
      head?.done,
      head?.immediate,
      head?.first,
      ...(head?.sets ?? []).flatMap(({ members, acted }) => [members, acted]),
    ].flatMap((ids) => ids?.parts ?? []),
  );
  const forgotten = unnamed.filter((name) => !named.has(name));
  for (const name of forgotten) await world.tables.limitparts.remove(partition, name);
  return forgotten.length;
}

/** A ledger as it was written or read last. */
interface Kept {
  ledger: Ledger;
  etag: string;
  /** The storage's time of that, and this instance's at that moment. */
  at: number;
  keptAt: number;
}

/** For so long the storage's time is what it was plus what has passed here. */
const KEPT_MS = 60_000;

/**
 * Reads and changes ledgers, in the storage's time: an instance whose clock is wrong opens no window early. Keeps those that it has
 * changed, so that the next change costs what has become different since, by whomever; where nobody else has written, a write.
 */
export class Ledgers {
  private readonly world: World;
  private readonly ids: LedgerIds;
  private readonly kept = new Map<string, Kept>();

  constructor(world: World) {
    this.world = world;
    this.ids = new LedgerIds(world);
  }

  /** As it is at this moment; what is past is forgotten. */
  async read(key: LedgerKey): Promise<Ledger> {
    const partition = partitionOf(key);
    const stored = await this.world.tables.limits.read(partition, HEAD);
    const ledger = stored ? await this.brought(partition, emptyLedger(), stored) : await this.begun(key);
    passTime(ledger, stored?.readAt ?? this.world.clock.now());
    return ledger;
  }

  /**
   * Changes it under its ETag; `change` may be called several times and answers for the time that counts. The ledger is that
   * call's own: afterwards it belongs to the next.
   */
  async change<T>(key: LedgerKey, change: (ledger: Ledger, now: number) => T | Promise<T>): Promise<T> {
    const { limits } = this.world.tables;
    const partition = partitionOf(key);
    const kept = this.kept.get(partition);
    this.kept.delete(partition);
    if (kept && this.isFresh(kept)) {
      const done = await this.attempt(partition, kept, change);
      if (done.kind === "written") return done.answer;
      // What changes nothing is told by the row: somebody else may have written. Until then the ledger is this call's own.
      this.kept.delete(partition);
    }
    let ledger = kept?.ledger ?? emptyLedger();
    for (;;) {
      const stored = await limits.read(partition, HEAD);
      if (!stored) {
        await limits.write(partition, HEAD, await this.toRow(partition, await this.begun(key)), undefined);
        continue;
      }
      ledger = await this.brought(partition, ledger, stored);
      const { etag, readAt: at } = stored;
      const done = await this.attempt(partition, { ledger, etag, at, keptAt: this.world.clock.now() }, change);
      if (done.kind !== "moved") return done.answer;
    }
  }

  private isFresh({ keptAt }: Kept): boolean {
    const passed = this.world.clock.now() - keptAt;
    return passed >= 0 && passed < KEPT_MS;
  }

  /** Changes what is kept, and writes it under the ETag that it was read or written with. */
  private async attempt<T>(
    partition: string,
    kept: Kept,
    change: (ledger: Ledger, now: number) => T | Promise<T>,
  ): Promise<{ kind: "written" | "unchanged"; answer: T } | { kind: "moved" }> {
    const { ledger, etag, at, keptAt } = kept;
    const now = at + this.world.clock.now() - keptAt;
    const before = withoutIds(ledger);
    passTime(ledger, now);
    const answer = await change(ledger, now);
    const changed = withoutIds(ledger) !== before || idsOf(ledger).some(({ touched }) => touched.size > 0);
    if (!changed) {
      this.kept.set(partition, kept);
      return { kind: "unchanged", answer };
    }
    const row = await this.toRow(partition, ledger);
    const written = await this.world.tables.limits.write(partition, HEAD, row, etag);
    if (written.kind === "moved") return { kind: "moved" };
    for (const ids of idsOf(ledger)) this.ids.agreeOnRow(ids);
    this.kept.set(partition, {
      ledger,
      etag: written.etag,
      at: written.writtenAt,
      keptAt: this.world.clock.now(),
    });
    return { kind: "written", answer };
  }

  /**
   * A job that is new beside others of its pair, or in their place, begins with what they have counted: no limit begins anew
   * because a job has another name, or is two jobs now.
   */
  private async begun({ pair, jobId, kind }: LedgerKey): Promise<Ledger> {
    const ledger = emptyLedger();
    const rows: JobRow[] = [];
    for await (const { value } of this.world.tables.jobs.list(JOBS)) rows.push(value);
    const since = rows.find((row) => row.jobId === jobId)?.since ?? this.world.clock.now();
    if (since < this.world.clock.now() - DAY_MS) return ledger;
    const before = rows.filter(
      (row) =>
        row.jobId !== jobId &&
        row.sourceTenantId === pair.source.id &&
        row.targetTenantId === pair.target.id &&
        (row.since ?? 0) < since - TOGETHER_MS,
    );
    for (const other of before) {
      const key = { pair, jobId: other.jobId, kind };
      const stored = await this.world.tables.limits.read(partitionOf(key), HEAD);
      if (!stored) continue;
      const { done, immediate } = await this.brought(partitionOf(key), emptyLedger(), stored);
      for (const [userId, at] of done) ledger.done.set(userId, at);
      for (const [userId, at] of immediate) ledger.immediate.set(userId, at);
    }
    return ledger;
  }

  /** The ledger that the row tells of, with the ids of one that was kept. */
  private async brought(partition: string, kept: Ledger, { value }: ReadRow<LedgerRow>): Promise<Ledger> {
    const { done, immediate, first, sets, ...rest } = value;
    const known = new Map(kept.sets.map((set) => [set.id, set]));
    const bring = async <V extends number | string, I extends Ids<V>>(ids: I, row: StoredIds<V>): Promise<I> => {
      await this.ids.bring(partition, ids, row);
      return ids;
    };
    return {
      ...rest,
      done: await bring(kept.done, done),
      immediate: await bring(kept.immediate, immediate),
      first: await bring(kept.first, first),
      sets: await Promise.all(
        sets.map(async (set) => ({
          ...set,
          members: await bring(known.get(set.id)?.members ?? new Ids<string>(), set.members),
          acted: await bring(known.get(set.id)?.acted ?? new Ids<string>(), set.acted),
        })),
      ),
    };
  }

  /** Parts are written before the row that names them. */
  private async toRow(partition: string, ledger: Ledger): Promise<LedgerRow> {
    const { done, immediate, first, sets, ...rest } = ledger;
    return {
      ...rest,
      done: await this.ids.toRow(partition, done),
      immediate: await this.ids.toRow(partition, immediate),
      first: await this.ids.toRow(partition, first),
      sets: await Promise.all(
        sets.map(async (set) => ({
          ...set,
          members: await this.ids.toRow(partition, set.members),
          acted: await this.ids.toRow(partition, set.acted),
        })),
      ),
    };
  }
}

const idsOf = ({ done, immediate, first, sets }: Ledger) => [
  done,
  immediate,
  first,
  ...sets.flatMap(({ members, acted }) => [members, acted]),
];

/** Everything else, to compare. */
const withoutIds = ({ done: _, immediate: __, first: ___, sets, ...rest }: Ledger): string =>
  JSON.stringify([rest, sets.map(({ members: _, acted: __, ...set }) => set)]);
