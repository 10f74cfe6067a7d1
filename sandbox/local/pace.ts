import type { Knobs } from "../graph/api.ts";

/** How fast the tenants are, and the settings of the app that follow from it. */
export interface Pace {
  knobs: Partial<Knobs>;
  settings: Readonly<Record<string, string>>;
  /** The longest that anything may take: the notification is lost, and the sweep's first look comes too early. */
  limitMs: number;
}

/** The day plays with these; `--realistic` leaves the documented defaults. Milliseconds. */
const NOTIFICATION_DELAY_MS = [200, 2_000] as const;
const LAG_MS = 2_000;
const SWEEP_SECONDS = 30;
/** Reading, writing, and somebody else's work on the same machine. */
const REST_MS = 30_000;
/** Documented write quota of an app in a tenant. */
const WRITES = 3_000;
const WRITE_SECONDS = 150;

/**
 * `speed` scales quotas, latencies and lags. Tokens, locks, leases and `Retry-After` stay in real seconds. What the app
 * allows for replicas and the search index is made from the tenants' own lags, with as much again for safety.
 */
export function paceOf({ realistic, speed }: { realistic: boolean; speed: number }): Pace {
  const schedules = {
    SWEEP_SCHEDULE: "*/5 * * * * *",
    PASS_SCHEDULE: "*/5 * * * * *",
    SUBSCRIPTION_SCHEDULE: "*/5 * * * * *",
  };
  const quota = { WRITE_QUOTA: `${Math.round(WRITES * speed)}/${WRITE_SECONDS}` };
  const seconds = (count: number) => String(Math.max(1, Math.ceil(count)));
  if (realistic) {
    const allowances = {
      REPLICATION_ALLOWANCE_SECONDS: seconds(90 / speed),
      INDEX_ALLOWANCE_SECONDS: seconds(300 / speed),
    };
    const sweep = { SWEEP_SECONDS: seconds(300 / speed) };
    const settings = { ...schedules, ...quota, ...allowances, ...sweep };
    return { knobs: { quotaScale: speed }, settings, limitMs: REST_MS + (300_000 + 90_000) / speed };
  }
  const lagMs = LAG_MS / speed;
  const [least, most] = NOTIFICATION_DELAY_MS;
  return {
    knobs: {
      quotaScale: speed,
      notificationDelayMs: [least / speed, most / speed],
      replicationLagMs: lagMs,
      indexLagMs: lagMs,
      deltaLagMs: lagMs,
    },
    settings: {
      ...schedules,
      ...quota,
      REPLICATION_ALLOWANCE_SECONDS: seconds((2 * lagMs) / 1000),
      INDEX_ALLOWANCE_SECONDS: seconds((2 * lagMs) / 1000),
      SWEEP_SECONDS: seconds(SWEEP_SECONDS / speed),
    },
    limitMs: REST_MS + (SWEEP_SECONDS * 1000) / speed + 2 * lagMs,
  };
}
