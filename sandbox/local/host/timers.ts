import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxClock } from "../../clock.ts";
import type { AppFunction, RetryOptions } from "./core-api.ts";
import { type Settings, substitute } from "./host-settings.ts";
import type { Invoker, LogLine } from "./invoke.ts";
import { parseNcrontab } from "./ncrontab.ts";

/**
 * Timer triggers. The real host makes a timer a singleton through a lease on a blob; here only the instance that was told to
 * runs timers. It keeps each timer's status (`last`, `next`) in a file, as the real one does in a blob, so that a start after
 * the time has passed runs at once with `isPastDue`. Source: "Timer trigger for Azure Functions".
 */
export interface TimerParts {
  functions: readonly AppFunction[];
  invoker: Invoker;
  clock: SandboxClock;
  settings: Settings;
  log: (line: LogLine) => void;
  /** Where statuses are kept; absent: nowhere, and no timer is ever past due. */
  stateFolder?: string;
}

interface Status {
  Last: string;
  Next: string;
  LastUpdated: string;
}

const NEVER = "0001-01-01T00:00:00.000Z";
/** Schedules that come more often have no monitor: a missed run is caught up by the next. */
const MONITOR_FROM_MS = 60_000;
const DELAY_MS_MAX = 2 ** 31 - 1;

/** Starts all timers; the answer stops them. Throws when a schedule cannot be read. */
export function startTimers(parts: TimerParts): () => void {
  const stops = parts.functions.filter((fn) => fn.trigger.type === "timerTrigger").map((fn) => startTimer(fn, parts));
  return () => {
    for (const stop of stops) stop();
  };
}

function startTimer(fn: AppFunction, parts: TimerParts): () => void {
  const { clock, invoker, settings, stateFolder } = parts;
  const { name } = fn.metadata;
  const { schedule, runOnStartup, useMonitor } = fn.trigger;
  const plan = parseNcrontab(substitute(String(schedule), settings, `Function '${name}', schedule`));
  const first = plan.next(clock.now());
  const monitored = stateFolder !== undefined && useMonitor !== false && plan.next(first) - first >= MONITOR_FROM_MS;
  const file = join(stateFolder ?? "", `${name}.json`);
  let status = monitored ? readStatus(file) : undefined;
  let stopped = false;
  let cancel = () => {};

  const runOnce = async (isPastDue: boolean) => {
    const at = clock.now();
    const next = plan.next(at);
    const shown = status ?? { Last: NEVER, Next: new Date(next).toISOString(), LastUpdated: NEVER };
    const json = JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: monitored ? shown : null,
      IsPastDue: isPastDue,
    });
    await withRetries(fn.metadata.retryOptions, clock, (retry) =>
      invoker.invoke(fn, { data: { json }, ...(retry && { retry }) }),
    );
    // The next run is planned when this one has ended: a timer never overlaps itself.
    status = {
      Last: new Date(at).toISOString(),
      Next: new Date(plan.next(clock.now())).toISOString(),
      LastUpdated: new Date(clock.now()).toISOString(),
    };
    if (monitored) writeStatus(file, status);
  };

  const runAndPlan = (isPastDue: boolean) => {
    runOnce(isPastDue).then(waitForNext, (error: unknown) => {
      parts.log({ level: "error", function: name, message: `The timer could not run: ${String(error)}` });
      waitForNext();
    });
  };
  const waitForNext = () => {
    if (stopped) return;
    const wait = plan.next(clock.now()) - clock.now();
    cancel = wait > DELAY_MS_MAX ? clock.after(DELAY_MS_MAX, waitForNext) : clock.after(wait, () => runAndPlan(false));
  };

  const pastDue = status !== undefined && Date.parse(status.Next) < clock.now();
  if (pastDue || runOnStartup) runAndPlan(pastDue);
  else waitForNext();
  return () => {
    stopped = true;
    cancel();
  };
}

/** A retry policy of the function: the run is repeated in place. What fails at last was logged by the invoker. */
async function withRetries(
  policy: RetryOptions | undefined,
  clock: SandboxClock,
  attempt: (retry: { retryCount: number; maxRetryCount: number } | undefined) => Promise<unknown>,
): Promise<void> {
  const most = policy?.maxRetryCount ?? 0;
  for (let count = 0; ; count++) {
    try {
      await attempt(count === 0 ? undefined : { retryCount: count, maxRetryCount: most });
      return;
    } catch {
      if (most !== -1 && count >= most) return;
    }
    const least = (policy?.delayInterval ?? policy?.minimumInterval)?.seconds ?? 0;
    const longest = policy?.maximumInterval?.seconds ?? least;
    await clock.sleep(
      Math.min(least * (policy?.retryStrategy === "exponentialBackoff" ? 2 ** count : 1), longest) * 1000,
    );
  }
}

function readStatus(file: string): Status | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Status) : undefined;
}

function writeStatus(file: string, status: Status): void {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(status));
  renameSync(`${file}.new`, file);
}
