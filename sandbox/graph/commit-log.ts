import type { Commit } from "./api.ts";

export interface LogEntry extends Commit {
  readonly seq: number;
  /** Of a membership change: the member left. */
  readonly removed?: boolean;
  /** Of a change of manager: who it was before. */
  readonly formerManagerId?: string;
}

/** Entries older than this are forgotten when the log is long: longer than any delta token lives. */
const KEPT_MS = 9 * 24 * 3600_000;
const PRUNE_EVERY = 10_000;

/** Everything that happened in one directory, in order. Delta rounds and notifications are read from it. */
export class CommitLog {
  private entries: LogEntry[] = [];
  private first = 1;
  private readonly listeners = new Set<(entry: LogEntry) => void>();

  /** The number of the newest entry. */
  get head(): number {
    return this.first + this.entries.length - 1;
  }

  append(commit: Omit<LogEntry, "seq">): LogEntry {
    const entry: LogEntry = { ...commit, seq: this.head + 1 };
    this.entries.push(entry);
    if (this.entries.length % PRUNE_EVERY === 0) this.prune(commit.at - KEPT_MS);
    for (const listener of this.listeners) listener(entry);
    return entry;
  }

  /** The newest entry that was there at a time. */
  seqAt(at: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle] as LogEntry).at <= at) low = middle + 1;
      else high = middle;
    }
    return this.first + low - 1;
  }

  /** When a commit was made; before everything when it is forgotten or there was none. */
  timeOf(seq: number): number {
    return this.entries[seq - this.first]?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** The oldest commit that is still known. */
  get oldest(): number {
    return this.first;
  }

  /** Entries with `after < seq <= upTo`. */
  *between(after: number, upTo: number): Iterable<LogEntry> {
    const end = Math.min(upTo, this.head);
    for (let seq = Math.max(after + 1, this.first); seq <= end; seq++) yield this.entries[seq - this.first] as LogEntry;
  }

  listen(listener: (entry: LogEntry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private prune(before: number): void {
    const keepFrom = this.entries.findIndex((entry) => entry.at >= before);
    if (keepFrom <= 0) return;
    this.entries = this.entries.slice(keepFrom);
    this.first += keepFrom;
  }
}
