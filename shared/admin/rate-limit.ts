/** Calls that one principal may make at once, and how many a second come back. */
const BURST = 60;
const PER_SECOND = 2;
/** Principals that are remembered; they have proved who they are, so that nobody can make up names. */
const KNOWN_MAX = 10_000;

/** A bucket of calls for every principal, in this instance's memory. */
export class RateLimit {
  private readonly buckets = new Map<string, { calls: number; at: number }>();

  /** 0: go on; otherwise wait so many seconds. */
  take(principal: string, now: number): number {
    const before = this.buckets.get(principal) ?? { calls: BURST, at: now };
    const calls = Math.min(BURST, before.calls + ((now - before.at) / 1000) * PER_SECOND);
    if (!this.buckets.has(principal) && this.buckets.size >= KNOWN_MAX) this.buckets.clear();
    if (calls < 1) {
      this.buckets.set(principal, { calls, at: now });
      return Math.ceil((1 - calls) / PER_SECOND);
    }
    this.buckets.set(principal, { calls: calls - 1, at: now });
    return 0;
  }
}
