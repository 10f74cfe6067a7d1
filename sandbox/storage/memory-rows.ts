import { checkKey, type ReadRow, type Rows } from "../../shared/ports/rows.ts";
import type { SandboxClock } from "../clock.ts";

/** What is done to a table; a listing counts once for every page of a thousand rows, as Table Storage would be asked. */
export type Operation = "read" | "write" | "put" | "remove" | "list";

/** Called around every operation; `row` is empty for listings. What they throw, the caller of the operation gets. */
export interface StoreHooks {
  /** Nothing has happened yet: what is thrown here is a call that never arrived. */
  before?: ((operation: Operation, table: string, partition: string, row: string) => void | Promise<void>) | undefined;
  /** It has taken effect: what is thrown here is an answer that was lost. */
  after?: ((operation: Operation, table: string, partition: string, row: string) => void | Promise<void>) | undefined;
}

/** Table Storage in memory: the same port, on the world's clock. */
export interface MemoryStore {
  rows<T>(table: string): Rows<T>;
  /** May be exchanged while the world runs. */
  hooks: StoreHooks;
  /** Operations so far, by table. */
  readonly operations: Readonly<Record<string, Readonly<Record<Operation, number>>>>;
  /** All rows of a table, without counting or hooks: for oracles and tests. */
  dump(table: string): readonly { partition: string; row: string; value: unknown }[];
  /** Somebody else writes the row as it is: whoever has read it before is refused. False: there is no such row. */
  touch(table: string, partition: string, row: string): boolean;
  /** Loses everything in a table: what an operator's mistake does. */
  clear(table: string): void;
}

const ROWS_PER_PAGE = 1_000;

interface Entry {
  json: string;
  etag: string;
  writtenAt: number;
}

interface Partition {
  entries: Map<string, Entry>;
  /** The keys in order; made when somebody lists, kept in order afterwards. */
  order: string[] | undefined;
}

interface Table {
  partitions: Map<string, Partition>;
  counts: Record<Operation, number>;
}

export function memoryStore(clock: SandboxClock, hooks: StoreHooks = {}): MemoryStore {
  const tables = new Map<string, Table>();
  const operations: Record<string, Record<Operation, number>> = {};
  let writes = 0;

  const tableOf = (name: string): Table => {
    let table = tables.get(name);
    if (!table) {
      table = { partitions: new Map(), counts: { read: 0, write: 0, put: 0, remove: 0, list: 0 } };
      tables.set(name, table);
      operations[name] = table.counts;
    }
    return table;
  };
  const store: MemoryStore = {
    hooks,
    operations,
    rows: <T>(name: string) => rowsOf<T>(name, tableOf(name)),
    dump: (name) =>
      [...tableOf(name).partitions].flatMap(([partition, { entries }]) =>
        [...entries].map(([row, { json }]) => ({ partition, row, value: JSON.parse(json) as unknown })),
      ),
    touch: (name, partition, row) => {
      const entry = tableOf(name).partitions.get(partition)?.entries.get(row);
      if (entry) entry.etag = `W/"${++writes}"`;
      return entry !== undefined;
    },
    clear: (name) => tableOf(name).partitions.clear(),
  };

  /** The storage's clock as its answers show it: whole seconds. */
  const answeredAt = () => Math.floor(clock.now() / 1000) * 1000;

  function set(table: Table, partition: string, row: string, value: unknown): string {
    let into = table.partitions.get(partition);
    if (!into) {
      into = { entries: new Map(), order: undefined };
      table.partitions.set(partition, into);
    }
    if (into.order && !into.entries.has(row)) into.order.splice(place(into.order, row), 0, row);
    const etag = `W/"${++writes}"`;
    into.entries.set(row, { json: jsonOf(value), etag, writtenAt: clock.now() });
    return etag;
  }

  function unset(table: Table, partition: string, row: string): void {
    const from = table.partitions.get(partition);
    if (!from?.entries.delete(row)) return;
    from.order?.splice(place(from.order, row), 1);
    if (from.entries.size === 0) table.partitions.delete(partition);
  }

  function rowsOf<T>(name: string, table: Table): Rows<T> {
    const entryOf = (partition: string, row: string) => table.partitions.get(partition)?.entries.get(row);
    const stored = (partition: string, row: string, entry: Entry): ReadRow<T> => ({
      partition,
      row,
      value: JSON.parse(entry.json) as T,
      etag: entry.etag,
      ageMs: Math.max(0, answeredAt() - entry.writtenAt),
      readAt: answeredAt(),
    });

    async function around<R>(operation: Operation, partition: string, row: string, effect: () => R): Promise<R> {
      table.counts[operation]++;
      if (store.hooks.before) await store.hooks.before(operation, name, partition, row);
      const result = effect();
      if (store.hooks.after) await store.hooks.after(operation, name, partition, row);
      return result;
    }

    return {
      async read(partition, row) {
        checkKeys(partition, row);
        return around("read", partition, row, () => {
          const entry = entryOf(partition, row);
          return entry && stored(partition, row, entry);
        });
      },
      async write(partition, row, value, etag) {
        checkKeys(partition, row);
        return around("write", partition, row, () =>
          entryOf(partition, row)?.etag === etag
            ? { kind: "written", etag: set(table, partition, row, value), writtenAt: answeredAt() }
            : { kind: "moved" },
        );
      },
      async put(partition, row, value) {
        checkKeys(partition, row);
        await around("put", partition, row, () => set(table, partition, row, value));
      },
      async remove(partition, row, etag) {
        checkKeys(partition, row);
        return around("remove", partition, row, () => {
          const entry = entryOf(partition, row);
          if (entry && etag !== undefined && entry.etag !== etag) return "moved";
          unset(table, partition, row);
          return "removed";
        });
      },
      async *list(partition, range = {}) {
        checkKeys(partition, ...Object.values(range));
        let from = range.from ?? "";
        for (let more = true; more; ) {
          const page = await around("list", partition, "", () => {
            const found = table.partitions.get(partition);
            if (!found) return [];
            found.order ??= [...found.entries.keys()].sort(ordinal);
            const end = range.before === undefined ? found.order.length : place(found.order, range.before);
            const keys = found.order.slice(place(found.order, from), end).slice(0, ROWS_PER_PAGE);
            return keys.map((key) => stored(partition, key, found.entries.get(key) as Entry));
          });
          yield* page;
          more = page.length === ROWS_PER_PAGE;
          from = `${page.at(-1)?.row}\0`; // the least text that comes after the last one
        }
      },
    };
  }

  return store;
}

function jsonOf(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("a row must be an object");
  }
  return JSON.stringify(value);
}

function checkKeys(...keys: readonly string[]): void {
  for (const key of keys) checkKey(key);
}

/** By code units, as Table Storage orders keys. */
const ordinal = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Where `key` is, or would be. */
function place(order: readonly string[], key: string): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((order[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
