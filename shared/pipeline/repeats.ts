const WINDOW_FIRST_MS = 2_000;
const WINDOW_LAST_MS = 60_000;
/** People remembered; the memory only spares work, so it may be lost. */
const PEOPLE_MAX = 20_000;

interface Window {
  lengthMs: number;
  endsAt: number;
  pending: boolean;
}

/**
 * Repeated notifications for one person: the first is acted on at once, those that follow inside its window become one look
 * at the window's end. The window grows while they keep coming.
 */
export class Repeats {
  private readonly windows = new Map<string, Window>();

  /** When to look, ms from now; `undefined`: a look that is still to come covers this one. */
  delay(person: string, now: number): number | undefined {
    const window = this.windows.get(person);
    if (window && now < window.endsAt) {
      if (window.pending) return undefined;
      window.pending = true;
      return window.endsAt - now;
    }
    const keepComing = window !== undefined && now < window.endsAt + window.lengthMs;
    const lengthMs = keepComing ? Math.min(window.lengthMs * 2, WINDOW_LAST_MS) : WINDOW_FIRST_MS;
    this.remember(person, { lengthMs, endsAt: now + lengthMs, pending: false });
    return 0;
  }

  private remember(person: string, window: Window): void {
    this.windows.delete(person);
    this.windows.set(person, window);
    if (this.windows.size <= PEOPLE_MAX) return;
    const oldest = this.windows.keys().next();
    if (!oldest.done) this.windows.delete(oldest.value);
  }
}
