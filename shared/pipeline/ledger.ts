import type { Pair } from "../domain/job.ts";
import type { JobRow } from "../domain/job-state.ts";
import { DAY_MS, emptyLedger, type HeldSet, type Ledger, type LimitKind, passTime } from "../domain/limits.ts";
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

/** `own` wins over what the parts say. */
export interface StoredIds<V extends number | string> {
  own: Readonly<Record<string, V>>;
  /** Names of rows. */
  parts: readonly string[];
}

export interface LedgerPart {
  ids: Readonly<Record<string, number | string>>;
}

/** Ids in the row itself, of one set. */
const OWN_MAX = 250;

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

/** Reads and changes ledgers. Remembers parts, which never change. */
export class Ledgers {
  private readonly world: World;
  private readonly parts = new Map<string, LedgerPart["ids"]>();

  constructor(world: World) {
    this.world = world;
  }

  /** As it is at this moment; what is past is forgotten. */
  async read(key: LedgerKey): Promise<Ledger> {
    const stored = await this.world.tables.limits.read(partitionOf(key), HEAD);
    const ledger = stored ? await this.fromRow(key, stored.value) : await this.begun(key);
    passTime(ledger, this.world.clock.now());
    return ledger;
  }

  /** Changes it under its ETag; `change` may be called several times and answers for the time that counts. */
  async change<T>(key: LedgerKey, change: (ledger: Ledger) => T | Promise<T>): Promise<T> {
    const { limits } = this.world.tables;
    const partition = partitionOf(key);
    for (;;) {
      const stored = await limits.read(partition, HEAD);
      const ledger = stored ? await this.fromRow(key, stored.value) : await this.begun(key);
      passTime(ledger, this.world.clock.now());
      const answer = await change(ledger);
      const next = await this.toRow(key, ledger, stored?.value);
      if (stored && inOrder(next) === inOrder(stored.value)) return answer;
      if ((await limits.write(partition, HEAD, next, stored?.etag)).kind === "written") return answer;
    }
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
      const { done, immediate } = await this.fromRow(key, stored.value);
      for (const [userId, at] of done) ledger.done.set(userId, at);
      for (const [userId, at] of immediate) ledger.immediate.set(userId, at);
    }
    return ledger;
  }

  private async fromRow(key: LedgerKey, row: LedgerRow): Promise<Ledger> {
    const { done, immediate, first, sets, ...rest } = row;
    return {
      ...rest,
      done: await this.idsOf<number>(key, done),
      immediate: await this.idsOf<number>(key, immediate),
      first: await this.idsOf<number>(key, first),
      sets: await Promise.all(
        sets.map(async (set) => ({
          ...set,
          members: await this.idsOf<string>(key, set.members),
          acted: await this.idsOf<string>(key, set.acted),
        })),
      ),
    };
  }

  private async idsOf<V extends number | string>(
    key: LedgerKey,
    { own, parts }: StoredIds<V>,
  ): Promise<Map<string, V>> {
    const found = await Promise.all(parts.map((name) => this.part(key, name)));
    return new Map(Object.entries(Object.assign({}, ...found, own) as Record<string, V>));
  }

  private async part(key: LedgerKey, name: string): Promise<LedgerPart["ids"]> {
    const known = this.parts.get(name);
    if (known) return known;
    const stored = await this.world.tables.limitparts.read(partitionOf(key), name);
    if (!stored) throw new Error(`the part ${name} of the limits of ${key.jobId} is missing`);
    this.parts.set(name, stored.value.ids);
    return stored.value.ids;
  }

  private async toRow(key: LedgerKey, ledger: Ledger, before: LedgerRow | undefined): Promise<LedgerRow> {
    const { done, immediate, first, sets, ...rest } = ledger;
    const store = <V extends number | string>(ids: ReadonlyMap<string, V>, was: StoredIds<V> | undefined) =>
      this.stored(key, ids, was);
    return {
      ...rest,
      done: await store(done, before?.done),
      immediate: await store(immediate, before?.immediate),
      first: await store(first, before?.first),
      sets: await Promise.all(
        sets.map(async (set) => {
          const was = before?.sets.find(({ id }) => id === set.id);
          return { ...set, members: await store(set.members, was?.members), acted: await store(set.acted, was?.acted) };
        }),
      ),
    };
  }

  /** Parts none of whose ids is wanted any more are left out; a part is written before the row that names it. */
  private async stored<V extends number | string>(
    key: LedgerKey,
    ids: ReadonlyMap<string, V>,
    before: StoredIds<V> | undefined,
  ): Promise<StoredIds<V>> {
    const parts = (before?.parts ?? []).filter((name) => {
      const wanted = Object.keys(this.parts.get(name) ?? {}).some((userId) => ids.has(userId));
      if (!wanted) this.parts.delete(name);
      return wanted;
    });
    const inParts: Record<string, number | string> = Object.assign({}, ...parts.map((name) => this.parts.get(name)));
    const own = Object.fromEntries([...ids].filter(([userId, value]) => inParts[userId] !== value)) as Record<
      string,
      V
    >;
    if (Object.keys(own).length <= OWN_MAX) return { own, parts };
    const name = this.world.chance.uuid();
    await this.world.tables.limitparts.put(partitionOf(key), name, { ids: own });
    this.parts.set(name, own);
    return { own: {}, parts: [...parts, name] };
  }
}

/** The storage gives the columns of a row in an order of its own. */
const inOrder = (row: LedgerRow): string => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
