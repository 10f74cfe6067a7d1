import type { ErrorCode } from "../domain/error.ts";
import type { Escrow } from "../domain/link.ts";

/** What became of one look at one person in one pair. */
export type Outcome =
  | { kind: "written"; targetId: string; action: string }
  | { kind: "unchanged"; because: string }
  | { kind: "skipped"; because: string }
  /** A rule or a person has to decide; looked at again when the escrow is due. */
  | { kind: "held" | "failed"; code: ErrorCode; escrow: Escrow }
  /** Not settled: look again. Never counted as a failure. */
  | {
      kind: "again";
      because: string;
      afterMs: number;
      paidWrites?: number;
      /** The tenant answered others: this counts, and after some times in a row it is a failure of the person. */
      counted?: boolean;
    };
