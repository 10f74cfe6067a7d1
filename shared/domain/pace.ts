/**
 * How fast one app registration may write to one target tenant: a token bucket, shared by all instances through one row.
 * Source: Graph `throttling-identity-and-access.md`, 3,000 writes per 150 s for an app and a tenant.
 */
export interface PaceState {
  /** Writes left; negative: slots were given out ahead of time. */
  tokens: number;
  /** When `tokens` was counted, ms since 1970. */
  countedAt: number;
  /** Graph asked everybody to wait until then. */
  blockedUntil: number;
}

export interface PaceLimits {
  /** Writes that the full bucket holds. */
  capacity: number;
  perMs: number;
  /** Kept back for people: bulk does not go below it. */
  reserve: number;
}

/** Leave 2 % of the flow unused: two clocks never agree. */
const SHARE = 0.98;
const RESERVE = 0.1;

export function paceLimits(quota: { writes: number; perSeconds: number }): PaceLimits {
  return {
    capacity: quota.writes * SHARE,
    perMs: (quota.writes * SHARE) / (quota.perSeconds * 1000),
    reserve: quota.writes * RESERVE,
  };
}

export type Grant =
  | { kind: "granted" }
  /** The writes are set aside for a hint that comes back after this time. */
  | { kind: "slot"; afterMs: number }
  /** Nobody may write before; nothing is set aside. */
  | { kind: "blocked"; afterMs: number };

export function takeWrites(
  before: PaceState | undefined,
  writes: number,
  lane: "changes" | "sweep",
  now: number,
  limits: PaceLimits,
): { state: PaceState; grant: Grant } {
  const state = refill(before, now, limits);
  if (state.blockedUntil > now) return { state, grant: { kind: "blocked", afterMs: state.blockedUntil - now } };
  const floor = lane === "sweep" ? limits.reserve : 0;
  const after = { ...state, tokens: state.tokens - writes };
  if (after.tokens >= floor) return { state: after, grant: { kind: "granted" } };
  return { state: after, grant: { kind: "slot", afterMs: Math.ceil((floor - after.tokens) / limits.perMs) } };
}

/** Graph's word counts more than our bucket. */
export function obeyRetryAfter(
  before: PaceState | undefined,
  now: number,
  retryAfterMs: number,
  limits: PaceLimits,
): PaceState {
  const state = refill(before, now, limits);
  return {
    ...state,
    tokens: Math.min(state.tokens, limits.reserve),
    blockedUntil: Math.max(state.blockedUntil, now + retryAfterMs),
  };
}

function refill(before: PaceState | undefined, now: number, limits: PaceLimits): PaceState {
  if (!before) return { tokens: limits.capacity, countedAt: now, blockedUntil: 0 };
  const passed = Math.max(0, now - before.countedAt);
  return {
    tokens: Math.min(limits.capacity, before.tokens + passed * limits.perMs),
    countedAt: Math.max(now, before.countedAt),
    blockedUntil: before.blockedUntil,
  };
}
