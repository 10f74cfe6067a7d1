/**
 * How fast one app registration may write to one target tenant: a token bucket, shared by all instances through one row.
 * Source: Graph `throttling-identity-and-access.md`, 3,000 writes per 150 s for an app and a tenant.
 */
export interface PaceState {
  /** Writes that may be made now. */
  tokens: number;
  /** When `tokens` was counted, ms since 1970. */
  countedAt: number;
  /** Graph asked everybody to wait until then. */
  blockedUntil: number;
  /** The end of the last slot that was given out, by lane. A slot is a time to come back and sets no writes aside. */
  changesUntil?: number;
  sweepUntil?: number;
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
  /** Whoever comes back after this time finds the writes, unless people were quicker than bulk. */
  | { kind: "slot"; afterMs: number }
  /** Nobody may write before. */
  | { kind: "blocked"; afterMs: number };

/**
 * `waited`: this one comes back for its slot. Slots follow one another as fast as the bucket fills, so bulk uses all that
 * flows while nobody else writes. What people take meanwhile is missing to bulk, which then goes to the end of its line.
 */
export function takeWrites(
  before: PaceState | undefined,
  writes: number,
  lane: "changes" | "sweep",
  now: number,
  limits: PaceLimits,
  waited = false,
): { state: PaceState; grant: Grant } {
  const state = refill(before, now, limits);
  if (state.blockedUntil > now) return { state, grant: { kind: "blocked", afterMs: state.blockedUntil - now } };
  const until = lane === "sweep" ? "sweepUntil" : "changesUntil";
  const lineEnds = Math.max(now, state[until] ?? 0);
  const left = state.tokens - writes;
  if (left >= floorFor(lane, waited, lineEnds > now, limits)) {
    return { state: { ...state, tokens: left }, grant: { kind: "granted" } };
  }
  const short = Math.max(0, (lane === "sweep" ? limits.reserve : 0) - state.tokens);
  const slot = Math.max(lineEnds, now + short / limits.perMs) + writes / limits.perMs;
  return { state: { ...state, [until]: slot }, grant: { kind: "slot", afterMs: Math.ceil(slot - now) } };
}

/** Tokens that stay for others. */
function floorFor(lane: "changes" | "sweep", waited: boolean, others: boolean, { reserve }: PaceLimits): number {
  if (lane === "changes") return 0;
  if (waited) return reserve / 2; // nobody comes back to the millisecond
  return others ? 2 * reserve : reserve; // behind those who wait already, unless there is plenty
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
    ...before,
    tokens: Math.min(limits.capacity, before.tokens + passed * limits.perMs),
    countedAt: Math.max(now, before.countedAt),
  };
}
