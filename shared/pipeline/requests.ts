import type { StoredRow } from "../ports/rows.ts";
import type { RequestRow, World } from "./world.ts";

/**
 * What one asks and somebody else decides. Whoever waits for a decision reads the row again and again (`requestState`) and
 * carries it out itself, so that no crash between a decision and its effect loses either.
 */

const PARTITION = "requests";

/** `void`: nobody decided in time, or what was approved was not used in time. */
export type RequestState = "open" | "approved" | "rejected" | "void";

export function requestState(row: RequestRow, now: number): RequestState {
  return now >= row.expiresAt && row.state !== "rejected" ? "void" : row.state;
}

export async function readRequest(world: World, id: string): Promise<RequestRow | undefined> {
  return (await world.tables.requests.read(PARTITION, id))?.value;
}

/** Oldest first as their ids sort; each with its id. */
export function listRequests(world: World, from?: string): AsyncIterable<StoredRow<RequestRow>> {
  return world.tables.requests.list(PARTITION, from === undefined ? undefined : { from });
}

export type NewRequest = Omit<RequestRow, "state" | "at" | "expiresAt" | "decidedBy" | "decidedAt" | "note">;

/**
 * Asks, under an id that follows from what is asked: asking again changes nothing. One that was rejected or is void is opened
 * anew only when `again` says so.
 */
export async function openRequest(
  world: World,
  id: string,
  asked: NewRequest,
  { livesMs, again }: { livesMs: number; again: boolean },
): Promise<RequestRow> {
  for (;;) {
    const stored = await world.tables.requests.read(PARTITION, id);
    const now = world.clock.now();
    const state = stored && requestState(stored.value, now);
    if (stored && (state === "open" || state === "approved" || !again)) return stored.value;
    const row: RequestRow = { ...asked, state: "open", at: now, expiresAt: now + livesMs };
    if ((await world.tables.requests.write(PARTITION, id, row, stored?.etag)).kind === "written") return row;
  }
}

export type Decision =
  /** Also when the same was decided before. */
  | { kind: "decided"; row: RequestRow }
  | { kind: "missing" }
  /** It is one's own. */
  | { kind: "own"; row: RequestRow }
  /** Otherwise, or too late. */
  | { kind: "settled"; row: RequestRow; state: RequestState };

/** `by`: as in the row of the request. Idempotent; of two who decide at once the first counts. */
export async function decideRequest(
  world: World,
  id: string,
  by: string,
  verdict: "approved" | "rejected",
  note?: string,
): Promise<Decision> {
  for (;;) {
    const stored = await world.tables.requests.read(PARTITION, id);
    if (!stored) return { kind: "missing" };
    const now = world.clock.now();
    const state = requestState(stored.value, now);
    if (state === verdict) return { kind: "decided", row: stored.value };
    if (state !== "open") return { kind: "settled", row: stored.value, state };
    if (verdict === "approved" && stored.value.by === by) return { kind: "own", row: stored.value };
    const row: RequestRow = {
      ...stored.value,
      state: verdict,
      decidedBy: by,
      decidedAt: now,
      ...(note === undefined ? {} : { note }),
    };
    if ((await world.tables.requests.write(PARTITION, id, row, stored.etag)).kind === "written")
      return { kind: "decided", row };
  }
}
