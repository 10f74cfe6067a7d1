import type { Clock } from "../shared/ports/clock.ts";

/** A clock that can also call back: what simulators live by. Everything in the sandbox takes its time from one of these. */
export interface SandboxClock extends Clock {
  /** Calls `action` once, `ms` from now; the answer cancels it. */
  after(ms: number, action: () => void): () => void;
}

/** The machine's time. `unref`: a timer of the sandbox never keeps a process alive. */
export function realClock(): SandboxClock {
  const after = (ms: number, action: () => void) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  };
  return { now: () => Date.now(), after, sleep: sleeper(after) };
}

/** Simulated time: stands still until `run` moves it, then jumps from timer to timer. */
export interface SimulatedClock extends SandboxClock {
  /** Runs everything that falls due within the next `ms`, each timer after the work of the one before has come to rest. */
  runFor(ms: number): Promise<void>;
  /** Runs until `done` says so; throws when `limitMs` of simulated time have passed without it. */
  runUntil(done: () => boolean, limitMs: number): Promise<void>;
  /** Timers that wait. */
  readonly waiting: number;
}

/** The same time as somebody reads it whose clock is ahead by so much, or behind. */
export function skewed(clock: SandboxClock, aheadMs: number): SandboxClock {
  return { now: () => clock.now() + aheadMs, after: clock.after, sleep: clock.sleep };
}

interface Timer {
  at: number;
  order: number;
  action: () => void;
}

export function simulatedClock(start = Date.UTC(2026, 0, 5, 8)): SimulatedClock {
  const heap: Timer[] = [];
  let now = start;
  let order = 0;

  const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);
  const swap = (i: number, j: number) => {
    const a = heap[i] as Timer;
    heap[i] = heap[j] as Timer;
    heap[j] = a;
  };
  const push = (timer: Timer) => {
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i] as Timer, heap[parent] as Timer)) break;
      swap(i, parent);
      i = parent;
    }
  };
  const pop = (): Timer | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < heap.length && before(heap[left] as Timer, heap[least] as Timer)) least = left;
      if (right < heap.length && before(heap[right] as Timer, heap[least] as Timer)) least = right;
      if (least === i) return first;
      swap(i, least);
      i = least;
    }
  };

  const after = (ms: number, action: () => void) => {
    const timer: Timer = { at: now + Math.max(0, ms), order: order++, action };
    push(timer);
    return () => {
      timer.action = () => {};
    };
  };
  const step = (until: number): boolean => {
    const next = heap[0];
    if (!next || next.at > until) return false;
    pop();
    now = Math.max(now, next.at);
    next.action();
    return true;
  };

  return {
    now: () => now,
    after,
    sleep: sleeper(after),
    get waiting() {
      return heap.length;
    },
    async runFor(ms) {
      const until = now + ms;
      await settle();
      while (step(until)) await settle();
      now = until;
    },
    async runUntil(done, limitMs) {
      const until = now + limitMs;
      await settle();
      while (!done()) {
        if (!step(until)) throw new Error(`not done after ${limitMs} simulated ms (${heap.length} timers wait)`);
        await settle();
      }
    },
  };
}

/** Lets everything that is ready run: promises and what the platform queues behind them. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function sleeper(after: SandboxClock["after"]): Clock["sleep"] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = after(ms, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
}
