import { ERRORS, type ErrorCode, type ErrorEntry } from "./error.ts";

/**
 * Names that Entra's provisioning log gives for objects that were not written, or that failed. Sources: Entra
 * `provision-on-demand.md`, `concept-provisioning-logs.md`, `howto-analyze-provisioning-logs.md`.
 */
export type SkipReason =
  /** Out of scope: unassigned, filtered out, disabled and never provisioned. */
  | "NotEffectivelyEntitled"
  /** Left out while reading. */
  | "ImportSkipped"
  /** A rule of the job says that nothing is to be done. */
  | "EntrySynchronizationSkipped"
  /** Source and target match already; the only one that means success. */
  | "RedundantExport"
  /** The object type is switched off. */
  | "EntityTypeNotSupported"
  | "DuplicateSourceEntries"
  | "DuplicateTargetEntries"
  | "InvalidAnchor"
  | "InvitationCreationFailureAmbiguousUser"
  | "InvitationCreationFailureInvalidPropertyValue"
  | "InsufficientRights"
  | "AzureActiveDirectoryQuotaLimitExceeded"
  | "TooManyDeletes"
  | "EntryConflict"
  | "UnprocessableEntity"
  | "SchemaAttributeNotFound"
  | "TooManyRequests"
  | "InternalServerError"
  | "Unauthorized";

/** Every reason that a decision names, with the documented name beside it. */
export const SKIP_REASONS = {
  // nothing is to be done
  asWished: "RedundantExport",
  TARGET_BLOCKED_THERE: "RedundantExport",
  createIsOff: "EntrySynchronizationSkipped",
  jobIsGone: "EntrySynchronizationSkipped",
  IgnoreObjectFlow: "EntrySynchronizationSkipped",
  leftAlone: "ImportSkipped",
  // out of scope
  notAssigned: "NotEffectivelyEntitled",
  notListed: "NotEffectivelyEntitled",
  jobRetired: "NotEffectivelyEntitled",
  filteredOut: "NotEffectivelyEntitled",
  externalAtSource: "NotEffectivelyEntitled",
  guestAtSource: "NotEffectivelyEntitled",
  sourceDeleted: "NotEffectivelyEntitled",
  disabledAndNeverProvisioned: "NotEffectivelyEntitled",
  disabledAndRemoved: "NotEffectivelyEntitled",
  disabledBeforeUnassigned: "NotEffectivelyEntitled",
  // nobody, or nobody yet
  notFoundAtSource: "ImportSkipped",
  sourceGone: "ImportSkipped",
  invitationNotMade: "EntrySynchronizationSkipped",
  targetGone: "InvalidAnchor",
  // looked at again; never in the log
  invitationInterrupted: undefined,
  ownWriteNotSeenYet: undefined,
  targetNotRead: undefined,
  targetNotFound: undefined,
} as const satisfies Record<string, SkipReason | undefined>;

/** Why a decision writes nothing, or removes somebody. */
export type Because = keyof typeof SKIP_REASONS;

/** The documented name beside a reason or a code of ours; `undefined`: Entra has none. */
export function skipReasonOf(because: Because | ErrorCode): SkipReason | undefined {
  return isReason(because) ? SKIP_REASONS[because] : ENTRIES[because]?.entra;
}

const ENTRIES: Readonly<Record<string, ErrorEntry>> = ERRORS;
const isReason = (because: Because | ErrorCode): because is Because => because in SKIP_REASONS;
