/** What may happen to the claim of a link, and what follows. */

/** `live`: somebody has it and the lease runs. `over`: somebody has it, and the lease has run out. */
export const CLAIM_STATES = ["free", "live", "over"] as const;
export type ClaimState = (typeof CLAIM_STATES)[number];

export const CLAIM_EVENTS = [
  "asked",
  "askedOnOldRow",
  "askedAndAnswerLost",
  "recorded",
  "recordedAndAnswerLost",
  "released",
  "recordedByOneBefore",
  "leaseEnds",
] as const;
export type ClaimEvent = (typeof CLAIM_EVENTS)[number];

/** `told`: what the worker learns who asked or wrote. */
export type ClaimCell = { next: ClaimState; told: "written" | "waits" | "moved" | "nothing" } | { never: string };

const to = (next: ClaimState, told: "written" | "waits" | "moved" | "nothing"): ClaimCell => ({ next, told });
const NOBODY: ClaimCell = { never: "nobody has it" };

type Row = readonly [free: ClaimCell, live: ClaimCell, over: ClaimCell];

const ROWS: Readonly<Record<ClaimEvent, Row>> = {
  asked: [to("live", "written"), to("live", "waits"), to("live", "written")],
  askedOnOldRow: [to("free", "moved"), to("live", "moved"), to("over", "moved")],
  askedAndAnswerLost: [to("live", "written"), to("live", "waits"), to("live", "written")],
  recorded: [NOBODY, to("free", "written"), to("free", "written")],
  recordedAndAnswerLost: [NOBODY, to("free", "moved"), to("free", "moved")],
  released: [NOBODY, to("free", "written"), to("free", "written")],
  recordedByOneBefore: [to("free", "moved"), to("live", "moved"), to("over", "moved")],
  leaseEnds: [to("free", "nothing"), to("over", "nothing"), to("over", "nothing")],
};

export const claimCell = (state: ClaimState, event: ClaimEvent): ClaimCell =>
  ROWS[event][CLAIM_STATES.indexOf(state)] as ClaimCell;
