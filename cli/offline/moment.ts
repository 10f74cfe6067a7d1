import * as z from "zod";
import { UsageError } from "../exit-code.ts";

/** A date and time, as text or in ms since 1970; gives ms. */
export const MOMENT = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = new Date(value).getTime();
  if (Number.isNaN(ms)) context.addIssue({ code: "custom", message: "is no moment; write 2026-01-31T12:00:00Z" });
  return ms;
});

/** Of the option `--now`; absent: now. */
export function momentOf(now: string | undefined): number {
  if (now === undefined) return Date.now();
  const parsed = MOMENT.safeParse(now);
  if (!parsed.success) throw new UsageError(`--now ${now} is no moment; write 2026-01-31T12:00:00Z.`);
  return parsed.data;
}
