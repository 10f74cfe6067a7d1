import { SyncError } from "../domain/error.ts";
import type { Chance, Clock } from "../ports/clock.ts";

const FAILURES_TO_OPEN = 5;
const FIRST_PROBE_MS = 2_000;
const LAST_PROBE_MS = 30_000;
/** Hints that meet an open circuit come back spread over this long after the next probe. */
const SPREAD_MS = 20_000;

interface Circuit {
  failures: number;
  probeAt: number;
  probing: boolean;
}

/**
 * One circuit a tenant: after some failures in a row nobody calls it but one probe at a time. Kept by each instance for
 * itself: a circuit protects and spares, it decides nothing.
 */
export class Circuits {
  private readonly clock: Clock;
  private readonly chance: Chance;
  private readonly circuits = new Map<string, Circuit>();

  constructor(clock: Clock, chance: Chance) {
    this.clock = clock;
    this.chance = chance;
  }

  /** Throws with the time to come back when the tenant is not to be called now. */
  enter(tenantId: string): void {
    const circuit = this.circuits.get(tenantId);
    if (!circuit || circuit.failures < FAILURES_TO_OPEN) return;
    const now = this.clock.now();
    if (now >= circuit.probeAt && !circuit.probing) {
      circuit.probing = true;
      return;
    }
    const afterMs = Math.max(circuit.probeAt - now, 1_000) + this.chance.between(0, SPREAD_MS);
    throw new SyncError("TENANT_UNAVAILABLE", { tenantId, afterMs, detail: "not called: it has failed several times" });
  }

  succeeded(tenantId: string): void {
    this.circuits.delete(tenantId);
  }

  /** How long whoever met the failure should wait. */
  failed(tenantId: string): number {
    const failures = (this.circuits.get(tenantId)?.failures ?? 0) + 1;
    const wait = Math.min(FIRST_PROBE_MS * 2 ** Math.max(0, failures - FAILURES_TO_OPEN), LAST_PROBE_MS);
    this.circuits.set(tenantId, { failures, probeAt: this.clock.now() + wait, probing: false });
    return wait + this.chance.between(0, Math.min(SPREAD_MS, wait * 2));
  }
}
