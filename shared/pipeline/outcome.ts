import type { ErrorCode } from "../domain/error.ts";
import type { Reason } from "../messages/hint.ts";

/** What became of one look at one person in one pair. */
export type Outcome =
  | { kind: "written"; targetId: string; action: string }
  | { kind: "unchanged"; because: string }
  | { kind: "skipped"; because: string }
  /** A rule or a person has to decide; looked at again when the escrow is due. */
  | { kind: "held" | "failed"; code: ErrorCode; afterMs: number }
  /** Not settled: look again. Never counted as a failure. */
  | { kind: "again"; because: string; afterMs: number; reason?: Reason; paidWrites?: number };
