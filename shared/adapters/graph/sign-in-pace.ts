import { SyncError } from "../../domain/error.ts";

/** The sign-in log grants an app five requests in ten seconds. Source: Graph `throttling-limits.md`, identity and access reports. */
const SPACING_MS = 2_500;
const SPACING_MAX_MS = 20_000;

/**
 * Who asks too early is told a time of its own, so that many who wait do not come together again. Wider after a 429, as
 * other instances ask too.
 */
export class SignInPace {
  private readonly tenantId: string;
  private readonly now: () => number;
  private spacingMs = SPACING_MS;
  private freeAt = 0;
  /** The last time that somebody was told. */
  private toldUntil = 0;

  constructor(tenantId: string, now: () => number) {
    this.tenantId = tenantId;
    this.now = now;
  }

  /** Throws `TENANT_THROTTLED` with the time at which to come. */
  enter(): void {
    const now = this.now();
    if (now >= this.freeAt) {
      this.freeAt = now + this.spacingMs;
      return;
    }
    this.toldUntil = Math.max(this.toldUntil, this.freeAt, now) + this.spacingMs;
    throw new SyncError("TENANT_THROTTLED", {
      tenantId: this.tenantId,
      afterMs: this.toldUntil - now,
      detail: "not called: the sign-in log has its own pace",
    });
  }

  answered(): void {
    this.spacingMs = Math.max(SPACING_MS, this.spacingMs * 0.9);
  }

  refused(afterMs: number): void {
    this.spacingMs = Math.min(SPACING_MAX_MS, this.spacingMs * 2);
    this.freeAt = Math.max(this.freeAt, this.now() + afterMs);
  }
}
