/**
 * One table of rows that change only under their ETag. Keys are object ids, hashes and names of ours: never `/ \ # ?` or
 * control characters. Source of the limits and conditions: Azure Table Storage (1 MiB an entity, 412 on a stale ETag).
 */
export interface Rows<T> {
  /** `undefined`: there is no such row. A store that cannot answer throws; it never looks empty. */
  read(partition: string, row: string): Promise<ReadRow<T> | undefined>;
  /**
   * Writes the whole row. With an ETag only if the row still has it; with `undefined` only if there is no row.
   * `moved`: somebody else has written (or created, or removed) it since.
   */
  write(partition: string, row: string, value: T, etag: string | undefined): Promise<Written>;
  /** Creates or replaces without a condition: for rows whose key already says who wrote them. */
  put(partition: string, row: string, value: T): Promise<void>;
  /** Removes the row; with an ETag only if it still has it. A row that is not there is fine. */
  remove(partition: string, row: string, etag?: string): Promise<"removed" | "moved">;
  /** All rows of a partition in the order of their keys, optionally `from <= row < before`. */
  list(partition: string, range?: { from?: string; before?: string }): AsyncIterable<StoredRow<T>>;
}

export interface StoredRow<T> {
  partition: string;
  row: string;
  value: T;
  etag: string;
  /** Milliseconds since the row was last written, by the storage's own clock (resolution: a second). */
  ageMs: number;
}

/** `readAt`: when it was read, by the storage's own clock (ms since 1970; resolution: a second). */
export interface ReadRow<T> extends StoredRow<T> {
  readAt: number;
}

/** `writtenAt`: as `readAt`. */
export type Written = { kind: "written"; etag: string; writtenAt: number } | { kind: "moved" };

const KEY_LENGTH_MAX = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: Table Storage refuses exactly these in keys.
const REFUSED_IN_KEYS = /[/\\#?%\u0000-\u001f\u007f-\u009f]/;

/**
 * Throws a RangeError for a key that Table Storage would refuse: empty, longer than 512 characters (1 KiB), or with one
 * of `/ \ # ? %` or a control character. Every implementation of `Rows` calls it, so that a bad key never works in one
 * store only.
 */
export function checkKey(key: string): void {
  if (key === "" || key.length > KEY_LENGTH_MAX || REFUSED_IN_KEYS.test(key)) {
    throw new RangeError(
      `${JSON.stringify(key.slice(0, 100))} cannot be a key of a row: use 1 to ${KEY_LENGTH_MAX} characters without / \\ # ? % and control characters`,
    );
  }
}

/** The store gave no answer, or an error of its own: nothing is known, and a write may have happened. */
export class StorageUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StorageUnavailable";
  }
}
