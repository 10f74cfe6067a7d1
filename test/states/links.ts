import { type LinkSignal, type LinkState, NEXT } from "../../shared/domain/link.ts";
import type { Plan } from "../../shared/domain/plan.ts";

/** What a look may find, and what follows for a link in each state. */

export const LINK_STATES = Object.keys(NEXT) as LinkState[];

/** In scope, unless it says otherwise, and the target user is as we left it. `There`: in the target, by others. */
export const FINDINGS = [
  "inScope",
  "changed",
  "disabled",
  "enabledAgain",
  "left",
  "filteredOut",
  "deleted",
  "notFoundOnce",
  "notFoundTwice",
  "groupsUnreadable",
  "jobGone",
  "changedThere",
  "blockedThere",
  "redeemedThere",
  "removedThere",
  "restoredThere",
  "missingThereOnce",
  "missingThereTwice",
  "takenThere",
  "internalThere",
  "administratorThere",
  "leftAndRemovedThere",
  "leftAndRestoredThere",
] as const;
export type Finding = (typeof FINDINGS)[number];

/** What is decided, with what it is decided for, and the state when that is done; or why it cannot be found. */
export type LinkCell = { plan: string; next: LinkState } | { never: string };
const to = (plan: string, next: LinkState): LinkCell => ({ plan, next });
const never = (why: string): LinkCell => ({ never: why });

const NOBODY = "no target user is linked";
const IN_BIN = "the target user is in the recycle bin";
const made = to("create", "linked");
const found = to("found", "invited");
const finished = to("update finish", "linked");
const kept = to("keep", "linked");
const restored = to("restore", "linked");
const removed = to("delete", "removed");
const nobody = to("skip", "none");
const away = to("skip", "removed");

type Row = readonly [none: LinkCell, inviting: LinkCell, invited: LinkCell, linked: LinkCell, removed: LinkCell];
const leaving: Row = [nobody, found, removed, removed, away];

const ROWS: Readonly<Record<Finding, Row>> = {
  inScope: [made, found, finished, kept, restored],
  changed: [made, found, finished, to("update", "linked"), restored],
  disabled: [nobody, found, to("update disable", "invited"), to("update disable", "linked"), away],
  enabledAgain: [made, found, finished, to("update", "linked"), restored],
  left: leaving,
  filteredOut: leaving,
  deleted: leaving,
  notFoundOnce: [nobody, found, to("confirm", "invited"), to("confirm", "linked"), away],
  notFoundTwice: leaving,
  groupsUnreadable: [
    nobody,
    found,
    to("hold SCOPE_GROUP_UNREADABLE", "invited"),
    to("hold SCOPE_GROUP_UNREADABLE", "linked"),
    away,
  ],
  jobGone: [nobody, found, kept, kept, away],
  changedThere: [never(NOBODY), found, finished, to("update", "linked"), never(IN_BIN)],
  blockedThere: [never(NOBODY), found, finished, to("keep TARGET_BLOCKED_THERE", "linked"), never(IN_BIN)],
  redeemedThere: [never(NOBODY), found, finished, kept, never(IN_BIN)],
  removedThere: [
    restored,
    found,
    to("hold TARGET_REMOVED_THERE", "invited"),
    to("hold TARGET_REMOVED_THERE", "linked"),
    never(IN_BIN),
  ],
  restoredThere: [to("update adopt", "linked"), found, finished, kept, kept],
  missingThereOnce: [
    never(NOBODY),
    to("confirm", "inviting"),
    to("confirm", "invited"),
    to("confirm", "linked"),
    to("confirm", "removed"),
  ],
  missingThereTwice: [
    never(NOBODY),
    to("forget", "none"),
    to("forget", "none"),
    to("hold TARGET_REMOVED_THERE", "linked"),
    to("forget", "none"),
  ],
  takenThere: [
    to("hold ADDRESS_REUSED", "none"),
    to("forget", "none"),
    to("hold TARGET_TAKEN", "invited"),
    to("hold TARGET_TAKEN", "linked"),
    to("hold TARGET_TAKEN", "removed"),
  ],
  internalThere: [
    to("hold INTERNAL_USER_HAS_ADDRESS", "none"),
    to("forget", "none"),
    to("hold TARGET_NOT_EXTERNAL", "invited"),
    to("hold TARGET_NOT_EXTERNAL", "linked"),
    to("hold TARGET_NOT_EXTERNAL", "removed"),
  ],
  administratorThere: [
    never(NOBODY),
    never("the role is noticed on a linked target user"),
    to("hold TARGET_IS_ADMINISTRATOR", "invited"),
    to("hold TARGET_IS_ADMINISTRATOR", "linked"),
    to("hold TARGET_IS_ADMINISTRATOR", "removed"),
  ],
  leftAndRemovedThere: [never(NOBODY), found, to("gone", "removed"), to("gone", "removed"), away],
  leftAndRestoredThere: [never(NOBODY), found, removed, removed, removed],
};

export const linkCell = (state: LinkState, finding: Finding): LinkCell =>
  ROWS[finding][LINK_STATES.indexOf(state)] as LinkCell;

/** What carrying a plan out tells the link, in order. */
function signalsOf(plan: Plan): readonly LinkSignal[] {
  switch (plan.kind) {
    case "create":
      return ["inviting", "invited", "settled"];
    case "update":
      if (plan.effect === "adopt") return ["invited", "settled"];
      return plan.effect === "disable" && plan.unsettled ? ["marked"] : ["settled"];
    case "restore":
      return ["restored"];
    case "delete":
    case "gone":
      return ["removed"];
    case "found":
      return ["invited"];
    case "forget":
      return ["forgotten"];
    case "keep":
      return ["settled"];
    default:
      return ["marked"];
  }
}

export const stateAfter = (state: LinkState, plan: Plan): LinkState =>
  signalsOf(plan).reduce((before, signal) => NEXT[before][signal], state);

/** What may happen to the app while there is something to do for a link in each state. */
export const APP_EVENTS = ["hintsLost", "hintsDoubled", "workerDies", "rowMoved", "limitHolds", "jobPaused"] as const;
export type AppEvent = (typeof APP_EVENTS)[number];

/** Where a link comes to rest; a job that is paused is still paused then, and only looks for what an invitation has left. */
export function appCell(state: LinkState, event: AppEvent): LinkState {
  if (event === "jobPaused") return state === "inviting" ? "invited" : state;
  return event === "limitHolds" && state === "none" ? "none" : "linked";
}
