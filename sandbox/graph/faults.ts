import type { Random } from "../random.ts";
import type { Fault } from "./api.ts";

type Place = Exclude<Fault["on"], "any">;

interface Active {
  fault: Fault;
  until: number;
  left: number;
}

/** What goes wrong at the moment. */
export class Faults {
  private active: Active[] = [];

  add(fault: Fault, now: number): void {
    this.active.push({
      fault,
      until: now + (fault.forMs ?? Number.POSITIVE_INFINITY),
      left: fault.times ?? Number.POSITIVE_INFINITY,
    });
  }

  clear(): void {
    this.active = [];
  }

  list(): readonly Fault[] {
    return this.active.map(({ fault }) => fault);
  }

  /** The fault that hits a call at these places, if one does. `named`: only where a fault names the place. */
  strike(tenant: string, places: readonly Place[], now: number, chance: Random, named = false): Fault | undefined {
    if (this.active.length === 0) return undefined;
    this.active = this.active.filter((active) => active.until > now && active.left > 0);
    for (const active of this.active) {
      const { fault } = active;
      if (fault.tenant !== undefined && fault.tenant !== tenant) continue;
      if (named && fault.on === "any") continue;
      if (fault.on !== "any" && !places.includes(fault.on)) continue;
      if ((fault.kind === "resync" || fault.kind === "resyncWithoutLocation") && !places.includes("delta")) continue;
      if (fault.probability !== undefined && !chance.chance(fault.probability)) continue;
      active.left--;
      return fault;
    }
    return undefined;
  }
}

/** Faults of the connection, not of an answer. */
export const breaksConnection = (fault: Fault): boolean =>
  fault.kind === "timeout" ||
  fault.kind === "timeoutAfterEffect" ||
  fault.kind === "refuse" ||
  fault.kind === "truncate";
