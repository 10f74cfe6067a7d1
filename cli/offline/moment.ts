import * as z from "zod";
import { parseDateText } from "../../shared/domain/mapping/expression/date-time.ts";
import { UsageError } from "../exit-code.ts";

/** A date and time, as text (UTC unless it names an offset) or in ms since 1970; gives ms. */
export const MOMENT = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = typeof value === "number" ? new Date(value).getTime() : parseDateText(value)?.ms;
  if (ms !== undefined && !Number.isNaN(ms)) return ms;
  context.addIssue("is no moment; write 2026-01-31T12:00:00Z");
  return z.NEVER;
});

/** Of the option `--now`; absent: now. */
export function momentOf(now: string | undefined): number {
  if (now === undefined) return Date.now();
  const parsed = MOMENT.safeParse(now);
  if (!parsed.success) throw new UsageError(`--now ${now} is no moment; write 2026-01-31T12:00:00Z.`);
  return parsed.data;
}
