import type { StoredRow } from "./rows.ts";

/** Rows that are added and read, and never changed or taken away. */
export interface AppendOnly<T> {
  /** `exists`: there is a row of this name already; it stays as it is. */
  add(partition: string, row: string, value: T): Promise<"added" | "exists">;
  /** All rows of a partition in the order of their keys, optionally `from <= row`. */
  list(partition: string, range?: { from?: string }): AsyncIterable<StoredRow<T>>;
}
