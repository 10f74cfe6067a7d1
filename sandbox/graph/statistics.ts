import type { TenantStatistics } from "./api.ts";

/** Counters of one tenant. */
export class Statistics {
  calls = 0;
  requests = 0;
  writes = 0;
  throttled = 0;
  beforeRetryAfter = 0;
  resourceUnits = 0;
  notificationsSent = 0;
  notificationsLost = 0;
  notificationsDoubled = 0;
  notificationsLate = 0;
  notificationsReordered = 0;
  staleReads = 0;
  staleSearches = 0;
  staleDeltas = 0;
  readonly faults: Record<string, number> = {};
  readonly byOperation: Record<string, number> = {};

  fault(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
  }

  operation(name: string): void {
    this.byOperation[name] = (this.byOperation[name] ?? 0) + 1;
  }

  snapshot(): TenantStatistics {
    return { ...this, faults: { ...this.faults }, byOperation: { ...this.byOperation } };
  }
}
