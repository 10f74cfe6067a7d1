import type { DayEvent } from "./day-stage.ts";
import { duration, plain, table } from "./render.ts";

export interface DayReport {
  events: readonly DayEvent[];
  /** Everything that was played came out as expected. */
  ok: boolean;
}

/** One event with what came of it in each target, for people to read. */
export function eventLines({ name, what, outcomes, skipped }: DayEvent): string {
  const lines = outcomes.map(({ target, what: result, ms, problem }) =>
    problem === undefined
      ? `    ✓ ${target}: ${result} after ${duration(ms ?? 0)}`
      : `    ✗ ${target}: ${result}: ${plain(problem)}`,
  );
  return [`  ${name}: ${plain(what)}`, ...(skipped === undefined ? lines : [`    – not played: ${skipped}`])].join(
    "\n",
  );
}

/** The whole day as a table. */
export function dayTable(report: DayReport): string {
  return table(
    [
      { title: "event", max: 34 },
      { title: "target", max: 16 },
      { title: "what happened", max: 34 },
      { title: "after", align: "right" },
    ],
    report.events.flatMap(({ name, outcomes, skipped }) =>
      skipped !== undefined
        ? [[name, "", "not played", ""]]
        : outcomes.map(({ target, what, ms, problem }, index) => [
            index === 0 ? name : "",
            target,
            what,
            problem === undefined ? duration(ms ?? 0) : "failed",
          ]),
    ),
  );
}
