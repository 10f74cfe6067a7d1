import { SyncError } from "../../domain/error.ts";
import type { Chance, Clock } from "../../ports/clock.ts";

const FAILURES_TO_OPEN = 5;
const FIRST_PROBE_MS = 2_000;
const LAST_PROBE_MS = 30_000;
/** A probe that never ends does not keep the circuit open for ever. */
const PROBE_LIFE_MS = 60_000;
/** Who meets an open circuit comes back spread over this long after the next probe. */
const SPREAD_MS = 20_000;

/**
 * After some failures in a row nobody calls the tenant but one probe at a time. Kept by each instance for itself: a circuit
 * protects and spares, it decides nothing.
 */
export class Circuit {
  private readonly tenantId: string;
  private readonly clock: Clock;
  private readonly chance: Chance;
  private failures = 0;
  private probeAt = 0;
  private probingUntil = 0;
  private failedAt = 0;

  constructor(tenantId: string, clock: Clock, chance: Chance) {
    this.tenantId = tenantId;
    this.clock = clock;
    this.chance = chance;
  }

  /** Throws with the time to come back when the tenant is not to be called now. */
  enter(): void {
    if (this.failures < FAILURES_TO_OPEN) return;
    const now = this.clock.now();
    if (now >= this.probeAt && now >= this.probingUntil) {
      this.probingUntil = now + PROBE_LIFE_MS;
      return;
    }
    const afterMs = Math.max(this.probeAt - now, 1_000) + this.chance.between(0, SPREAD_MS);
    throw new SyncError("TENANT_UNAVAILABLE", {
      tenantId: this.tenantId,
      afterMs,
      detail: "not called: it has failed several times",
    });
  }

  succeeded(): void {
    this.failures = 0;
    this.probingUntil = 0;
  }

  /** Items of one batch fail at the same moment and count once. True: the call before this one was answered. */
  failed(): boolean {
    const now = this.clock.now();
    if (now === this.failedAt) return this.failures === 1;
    this.failedAt = now;
    this.failures++;
    this.probingUntil = 0;
    const wait = Math.min(FIRST_PROBE_MS * 2 ** Math.max(0, this.failures - FAILURES_TO_OPEN), LAST_PROBE_MS);
    this.probeAt = now + wait;
    return this.failures === 1;
  }
}
