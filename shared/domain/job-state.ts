import type { ErrorCode } from "./error.ts";

/**
 * How a job is, beside what the configuration says. Two things are kept apart: whether people have paused it, and how it
 * fares. Thresholds and times are Entra's. Source: Entra `application-provisioning-quarantine-status.md`.
 */
export type Health = "healthy" | "quarantined" | "trying" | "disabled";
export type HealthEvent = "fails" | "recovers" | "due" | "restarted" | "fourWeeksPassed";

/** Every state × every event. `trying`: out of quarantine for one evaluation. */
export const NEXT_HEALTH: Readonly<Record<Health, Readonly<Record<HealthEvent, Health>>>> = {
  healthy: {
    fails: "quarantined",
    recovers: "healthy",
    due: "healthy",
    restarted: "healthy",
    fourWeeksPassed: "healthy",
  },
  quarantined: {
    fails: "quarantined",
    recovers: "healthy",
    due: "trying",
    restarted: "healthy",
    fourWeeksPassed: "disabled",
  },
  trying: {
    fails: "quarantined",
    recovers: "healthy",
    due: "trying",
    restarted: "healthy",
    fourWeeksPassed: "disabled",
  },
  disabled: {
    fails: "disabled",
    recovers: "disabled",
    due: "disabled",
    restarted: "healthy",
    fourWeeksPassed: "disabled",
  },
};

/** Names as in Graph's `synchronizationQuarantine`. */
export type QuarantineReason =
  | "EncounteredQuarantineException"
  | "EncounteredEscrowProportionThreshold"
  | "EncounteredBaseEscrowThreshold"
  | "EncounteredTotalEscrowThreshold";

export interface Quarantine {
  reason: QuarantineReason;
  /** A code of the list, where the reason is one. */
  code?: ErrorCode;
  /** When this series of evaluations began, and the present one; ms since 1970. */
  seriesBegan: number;
  currentBegan: number;
  /** Evaluations that did not lift it. */
  seriesCount: number;
  nextAttempt: number;
}

/** The row of a job. It outlives the job's place in the configuration, so that what it leaves behind is seen. */
export interface JobRow {
  jobId: string;
  sourceTenantId: string;
  targetTenantId: string;
  /** People have stopped it. */
  paused?: { by: string; at: number; why: string };
  /** The target does not let it in; found out by looking, and taken back by looking. `until`: found out by trying, and tried again then. */
  refused?: { code: ErrorCode; at: number; until?: number };
  /** When it was seen first; absent in rows of earlier versions. */
  since?: number;
  health: Health;
  quarantine?: Quarantine;
  /** The attempt for which everybody was asked to be looked at. */
  awake?: number;
  /** When the target's policy was read last. */
  lookedAt?: number;
  /** When people and failures were counted last, and what was found. */
  counts?: JobCounts & { at: number };
}

export interface JobCounts {
  /** People about whom something is known. */
  events: number;
  /** Of them in escrow because of an error. */
  failures: number;
  /** Whose manager cannot be set; counted apart. */
  referenceFailures: number;
}

const ENOUGH = 5_000;
const PROPORTION = 0.4;
const BASE = 40_000;
const TOTAL = 60_000;
const HOUR_MS = 3_600_000;
/** After the first failure: 6, 12 and 24 hours, then daily. Source: reference of provisioning, back-off of quarantine. */
const ATTEMPTS_MS = [6 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS];
export const FOUR_WEEKS_MS = 28 * 24 * HOUR_MS;
/** An evaluation gets so long to bring the failures down. */
export const TRYING_MS = HOUR_MS;

/** Whether so many failures are a reason for quarantine. `undefined`: no. */
export function quarantineReason({ events, failures, referenceFailures }: JobCounts): QuarantineReason | undefined {
  if (failures + referenceFailures > TOTAL) return "EncounteredTotalEscrowThreshold";
  if (failures < ENOUGH) return undefined;
  if (failures > BASE) return "EncounteredBaseEscrowThreshold";
  return failures > PROPORTION * events ? "EncounteredEscrowProportionThreshold" : undefined;
}

/** The row after a count. */
export function afterCount(row: JobRow, counts: JobCounts, now: number): JobRow {
  const reason = quarantineReason(counts);
  const counted = { ...row, counts: { ...counts, at: now } };
  if (!reason) return row.health === "healthy" ? counted : recovered(counted);
  if (row.health === "disabled") return counted;
  const before = row.quarantine;
  const began = before?.seriesBegan ?? now;
  if (now - began >= FOUR_WEEKS_MS) return { ...counted, health: NEXT_HEALTH[row.health].fourWeeksPassed };
  if (row.health === "quarantined") return counted;
  const seriesCount = before ? before.seriesCount + 1 : 0;
  const quarantine = {
    reason,
    seriesBegan: began,
    currentBegan: now,
    seriesCount,
    nextAttempt: now + (ATTEMPTS_MS[Math.min(seriesCount, ATTEMPTS_MS.length - 1)] ?? 0),
  };
  return { ...counted, health: NEXT_HEALTH[row.health].fails, quarantine };
}

/** Time alone ends a quarantine's wait. */
export function afterTime(row: JobRow, now: number): JobRow {
  if (!row.quarantine || row.health === "disabled") return row;
  if (now - row.quarantine.seriesBegan >= FOUR_WEEKS_MS)
    return { ...row, health: NEXT_HEALTH[row.health].fourWeeksPassed };
  return now >= row.quarantine.nextAttempt ? { ...row, health: NEXT_HEALTH[row.health].due } : row;
}

export function restarted(row: JobRow): JobRow {
  const { quarantine: _, ...rest } = row;
  return { ...rest, health: NEXT_HEALTH[row.health].restarted };
}

function recovered(row: JobRow): JobRow {
  const { quarantine: _, ...rest } = row;
  const health = NEXT_HEALTH[row.health].recovers;
  return health === "healthy" ? { ...rest, health } : row;
}

/** A paused job that left the configuration this long ago is not the one that comes in its place. */
const RENAMED_MS = 7 * 24 * HOUR_MS;

/**
 * A job that was never seen takes over the pause of one between the same tenants that has just left the configuration: it is
 * most likely the same under another name, and a pause that was not meant is lifted with one command. `current`: ids of the
 * configuration.
 */
export function pauseInherited(
  { sourceTenantId, targetTenantId }: Pick<JobRow, "sourceTenantId" | "targetTenantId">,
  rows: readonly JobRow[],
  current: ReadonlySet<string>,
  now: number,
): JobRow["paused"] {
  return rows.find(
    (row) =>
      row.paused !== undefined &&
      !current.has(row.jobId) &&
      row.sourceTenantId === sourceTenantId &&
      row.targetTenantId === targetTenantId &&
      now - (row.lookedAt ?? row.paused.at) < RENAMED_MS,
  )?.paused;
}

/** Why the job writes nothing now; `undefined`: it does. */
export function whyStopped({ paused, refused, health }: JobRow): ErrorCode | undefined {
  if (paused) return "JOB_PAUSED";
  if (refused) return refused.code;
  if (health === "disabled") return "JOB_DISABLED";
  return health === "quarantined" ? "JOB_QUARANTINED" : undefined;
}
