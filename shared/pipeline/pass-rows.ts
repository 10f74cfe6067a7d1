/** Rows of the passes and of the recovery after a loss of tables. Times in ms since 1970. */

/** Where a pass stands. */
export interface PassRow {
  runId: string;
  /** The next step of the run. */
  seq: number;
  /** `idle`, or what the pass is at. */
  phase: string;
  /** Where the next page is; while idle the delta link, if the pass has one. */
  link?: string;
  /** The last link that was compared. */
  cursor?: string;
  /** Which of several listings is read. */
  part?: number;
  /** The next step is not to be done before. */
  notBefore?: number;
  /** Somebody waits: no pauses between pages. */
  hurried?: boolean;
  /** Somebody asked for another run while this one was going on. */
  again?: boolean;
  /** Pages of this listing so far, and of the last complete one: what the next is spread by. */
  pages?: number;
  pagesBefore?: number;
  /** Hash of the rules that the run follows: others mean that it begins again. */
  rules?: string;
  /** Of a rebuild: what its stamps were worth so far. */
  found?: RebuildFound;
  /** Holders of directory roles; absent where the app may not read them. */
  administrators?: readonly string[];
  startedAt: number;
  touchedAt: number;
  /** When a run last came to its end. */
  endedAt?: number;
}

/** Users with stamps of ours, by what became of them. A page that is read twice counts twice. */
export interface RebuildFound {
  /** Links made. */
  made: number;
  /** Their link was there. */
  known: number;
  /** The link or the owner's row names somebody else, or somebody is at work on it: nothing was changed. */
  contradicted: number;
  /** No job leads here from their source. */
  noJob: number;
}

/** Ids that one page of a listing showed, eight bytes each, base64. */
export interface PassPage {
  keys: string;
}

/** A target user with our stamp whom no link knows. */
export interface Orphan {
  stamp: string;
  foundAt: number;
}

/** In a table itself, so that it is lost with the table. */
export interface TableMark {
  generation: string;
}

/**
 * `on`: our tables are those that we know. `lost`: one of them is not, and nobody is created, changed or removed.
 * `restored`: a copy was put back, with which nothing is done either until what came after it is found by its stamps.
 * `observing`: the links were rebuilt, and a full pass shows what would be done.
 */
export interface RecoveryState {
  kind: "on" | "lost" | "restored" | "observing";
  generation: string;
  since: number;
}
