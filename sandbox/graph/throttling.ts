/** Token buckets. Sources: Graph `includes/throttling-identity-and-access.md`, `concepts/throttling-limits.md`. */
import type { QuotaFamily } from "./runtime.ts";

type Scope = "Tenant_Application" | "Tenant" | "Application";

export interface Quota {
  scope: Scope;
  limit: "Write" | "ReadWrite";
  information: "ResourceUnitLimitExceeded" | "WriteLimitExceeded" | "CPULimitExceeded";
  /** What is counted: resource units, or requests. */
  counts: "units" | "requests";
  capacity: (users: number) => number;
  windowMs: number;
}

const fixed = (capacity: number) => () => capacity;
/** S below 50 users, M to 500, L above. */
const unitsBySize = (users: number) => (users < 50 ? 3500 : users <= 500 ? 5000 : 8000);

export const QUOTAS: Readonly<Record<QuotaFamily, readonly Quota[]>> = {
  identity: [
    {
      scope: "Tenant_Application",
      limit: "ReadWrite",
      information: "ResourceUnitLimitExceeded",
      counts: "units",
      capacity: unitsBySize,
      windowMs: 10_000,
    },
    {
      scope: "Tenant_Application",
      limit: "Write",
      information: "WriteLimitExceeded",
      counts: "requests",
      capacity: fixed(3000),
      windowMs: 150_000,
    },
    {
      scope: "Tenant",
      limit: "Write",
      information: "WriteLimitExceeded",
      counts: "requests",
      capacity: fixed(18_000),
      windowMs: 300_000,
    },
    {
      scope: "Application",
      limit: "ReadWrite",
      information: "ResourceUnitLimitExceeded",
      counts: "units",
      capacity: fixed(150_000),
      windowMs: 20_000,
    },
    {
      scope: "Application",
      limit: "Write",
      information: "WriteLimitExceeded",
      counts: "requests",
      capacity: fixed(35_000),
      windowMs: 300_000,
    },
    {
      scope: "Application",
      limit: "ReadWrite",
      information: "CPULimitExceeded",
      counts: "requests",
      capacity: fixed(130_000),
      windowMs: 10_000,
    },
  ],
  subscriptions: [
    {
      scope: "Tenant_Application",
      limit: "Write",
      information: "WriteLimitExceeded",
      counts: "requests",
      capacity: fixed(1000),
      windowMs: 20_000,
    },
    {
      scope: "Tenant",
      limit: "Write",
      information: "WriteLimitExceeded",
      counts: "requests",
      capacity: fixed(2000),
      windowMs: 20_000,
    },
    {
      scope: "Tenant_Application",
      limit: "ReadWrite",
      information: "CPULimitExceeded",
      counts: "requests",
      capacity: fixed(5000),
      windowMs: 20_000,
    },
    {
      scope: "Tenant",
      limit: "ReadWrite",
      information: "CPULimitExceeded",
      counts: "requests",
      capacity: fixed(10_000),
      windowMs: 20_000,
    },
    {
      scope: "Application",
      limit: "ReadWrite",
      information: "CPULimitExceeded",
      counts: "requests",
      capacity: fixed(130_000),
      windowMs: 10_000,
    },
  ],
  // Identity and access reports.
  reports: [
    {
      scope: "Tenant_Application",
      limit: "ReadWrite",
      information: "CPULimitExceeded",
      counts: "requests",
      capacity: fixed(5),
      windowMs: 10_000,
    },
  ],
};

/** Low-priority requests leave this part of a bucket to the others. Microsoft says only that they are throttled first. */
const RESERVE = 0.05;
/** How far a bucket can be overdrawn by calls that do not wait: the documented maximum of the percentage header. */
const OVERDRAWN_MAX = 1.8;
/** The percentage header is sent above this. */
const PERCENTAGE_FROM = 0.8;
/** Timers of clients may fire a little early. */
const TOLERANCE_MS = 2;

interface Bucket {
  used: number;
  at: number;
  /** By app, and by app with `/low` for what only the reserve refused: until when it has been told to wait. */
  toldUntil: Map<string, number>;
}

export interface Ask {
  tenantId: string;
  appId: string;
  family: QuotaFamily;
  cost: number;
  write: boolean;
  low: boolean;
  users: number;
  now: number;
}

export type Verdict =
  | { kind: "granted"; percentage: number | undefined }
  | {
      kind: "refused";
      retryAfterSeconds: number;
      scope: string;
      information: string;
      percentage: number;
      /** The sender had been told to wait. */
      early: boolean;
      /** To be called when the answer goes out: from then on the sender knows. */
      told: () => void;
    };

export class Throttle {
  /** Quotas are multiplied by this; Infinity: no quotas. */
  scale = 1;
  private readonly buckets = new Map<string, Bucket>();

  ask(ask: Ask): Verdict {
    const { now, appId } = ask;
    let refusedBy: Quota | undefined;
    let waitMs = 0;
    let worst = 0;
    let early = false;
    let onlyReserve = true;
    for (const quota of QUOTAS[ask.family]) {
      if (quota.limit === "Write" && !ask.write) continue;
      const capacity = quota.capacity(ask.users) * this.scale;
      const bucket = this.bucket(quota, ask, capacity);
      const cost = quota.counts === "units" ? ask.cost : 1;
      const told = Math.max(
        bucket.toldUntil.get(appId) ?? 0,
        ask.low ? (bucket.toldUntil.get(`${appId}/low`) ?? 0) : 0,
      );
      let wait = 0;
      if (now + TOLERANCE_MS < told) {
        early = true;
        wait = told - now;
        bucket.used = Math.min(bucket.used + cost, capacity * OVERDRAWN_MAX);
      }
      const missing = bucket.used + cost + (ask.low ? capacity * RESERVE : 0) - capacity;
      // A request that costs more than the whole bucket passes when the bucket is full.
      if (missing > 1e-9 && bucket.used > 0)
        wait = Math.max(wait, (Math.min(missing, bucket.used) * quota.windowMs) / capacity);
      if (wait > 0 && missing > (ask.low ? capacity * RESERVE : 0)) onlyReserve = false;
      if (wait > waitMs) {
        waitMs = wait;
        refusedBy = quota;
      }
      worst = Math.max(worst, (bucket.used + cost) / capacity);
    }
    if (refusedBy) return this.refuse(ask, refusedBy, { waitMs, worst, early, onlyReserve: ask.low && onlyReserve });
    for (const quota of QUOTAS[ask.family]) {
      if (quota.limit === "Write" && !ask.write) continue;
      const bucket = this.buckets.get(keyOf(quota, ask)) as Bucket;
      bucket.used += quota.counts === "units" ? ask.cost : 1;
    }
    return { kind: "granted", percentage: worst > PERCENTAGE_FROM ? worst : undefined };
  }

  /** An app was told to wait by something else than these buckets. */
  tell(ask: Ask, until: number): void {
    const limit = ask.write ? "Write" : "ReadWrite";
    const quota = QUOTAS[ask.family].find((other) => other.scope === "Tenant_Application" && other.limit === limit);
    if (!quota) return;
    const bucket = this.bucket(quota, ask, quota.capacity(ask.users) * this.scale);
    bucket.toldUntil.set(ask.appId, Math.max(until, bucket.toldUntil.get(ask.appId) ?? 0));
  }

  private refuse(
    ask: Ask,
    quota: Quota,
    why: { waitMs: number; worst: number; early: boolean; onlyReserve: boolean },
  ): Verdict {
    const { waitMs, worst, early } = why;
    const key = why.onlyReserve ? `${ask.appId}/low` : ask.appId;
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    const until = ask.now + retryAfterSeconds * 1000;
    const bucket = this.buckets.get(keyOf(quota, ask)) as Bucket;
    return {
      kind: "refused",
      retryAfterSeconds,
      scope: `${quota.scope}/${quota.limit}/${ask.appId}/${ask.tenantId}`,
      information: quota.information,
      percentage: Math.min(Math.max(1, worst), OVERDRAWN_MAX),
      early,
      told: () => bucket.toldUntil.set(key, Math.max(until, bucket.toldUntil.get(key) ?? 0)),
    };
  }

  private bucket(quota: Quota, ask: Ask, capacity: number): Bucket {
    const key = keyOf(quota, ask);
    const bucket = this.buckets.get(key);
    if (!bucket) {
      const fresh: Bucket = { used: 0, at: ask.now, toldUntil: new Map() };
      this.buckets.set(key, fresh);
      return fresh;
    }
    if (ask.now > bucket.at) {
      bucket.used = Math.max(0, bucket.used - ((ask.now - bucket.at) * capacity) / quota.windowMs);
      bucket.at = ask.now;
    }
    return bucket;
  }
}

function keyOf(quota: Quota, ask: Pick<Ask, "tenantId" | "appId" | "family">): string {
  const whose =
    quota.scope === "Tenant"
      ? ask.tenantId
      : quota.scope === "Application"
        ? ask.appId
        : `${ask.appId}/${ask.tenantId}`;
  return `${ask.family}/${quota.scope}/${quota.limit}/${quota.counts}/${whose}`;
}
