/**
 * NCRONTAB: `{second} {minute} {hour} {day} {month} {day-of-week}` in UTC; five fields mean second 0. Day and day of week
 * must both hold. Source: "Timer trigger for Azure Functions, NCRONTAB expressions", NCrontab.
 */
export interface Schedule {
  /** The first time after `after` (ms since 1970), whole seconds. */
  next(after: number): number;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS = [
  { name: "second", min: 0, max: 59, names: [] },
  { name: "minute", min: 0, max: 59, names: [] },
  { name: "hour", min: 0, max: 23, names: [] },
  { name: "day", min: 1, max: 31, names: [] },
  { name: "month", min: 1, max: 12, names: MONTHS },
  { name: "day of week", min: 0, max: 6, names: DAYS },
] as const;
type Field = (typeof FIELDS)[number];

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;
/** 29 February on a given day of the week comes back within 40 years. */
const DAYS_MAX = 366 * 41;

/** Throws, naming the field, when the expression cannot be read. */
export function parseNcrontab(expression: string): Schedule {
  const parts = expression.trim().split(/\s+/);
  if (parts.length === 5) parts.unshift("0");
  if (parts.length !== 6) {
    throw new Error(
      `'${expression}' is no NCRONTAB expression: it needs six fields, {second} {minute} {hour} {day} {month} {day-of-week}.`,
    );
  }
  const sets = FIELDS.map((field, index) => parseField(parts[index] ?? "", field, expression));
  const [seconds, minutes, hours, days, months, weekdays] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];

  const next = (after: number): number => {
    const start = Math.floor(after / SECOND) * SECOND + SECOND;
    let at = start;
    for (let tried = 0; tried < DAYS_MAX; tried++) {
      const date = new Date(at);
      if (months.has(date.getUTCMonth() + 1) && days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay())) {
        const inDay = firstInDay(date, hours, minutes, seconds);
        if (inDay !== undefined) return inDay;
      }
      at = Math.floor(at / DAY) * DAY + DAY;
    }
    throw new Error(`'${expression}' never comes true.`);
  };
  return { next };
}

/** The first time of this day that is not before `from`. */
function firstInDay(from: Date, hours: Set<number>, minutes: Set<number>, seconds: Set<number>): number | undefined {
  const day = Math.floor(from.getTime() / DAY) * DAY;
  for (let hour = from.getUTCHours(); hour < 24; hour++) {
    if (!hours.has(hour)) continue;
    for (let minute = 0; minute < 60; minute++) {
      if (!minutes.has(minute)) continue;
      const start = day + (hour * 3600 + minute * 60) * SECOND;
      if (start + 59 * SECOND < from.getTime()) continue;
      for (let second = 0; second < 60; second++) {
        if (seconds.has(second) && start + second * SECOND >= from.getTime()) return start + second * SECOND;
      }
    }
  }
  return undefined;
}

function parseField(text: string, field: Field, expression: string): Set<number> {
  const wrong = () => new Error(`'${text}' is no ${field.name} in the NCRONTAB expression '${expression}'.`);
  const number = (part: string): number => {
    const named = (field.names as readonly string[]).findIndex((name) => part.toLowerCase().startsWith(name));
    if (named >= 0 && /^[a-z]+$/i.test(part)) return named + field.min;
    // Sunday may be written as 7.
    const value = field.name === "day of week" && part === "7" ? 0 : Number(part);
    if (!/^\d+$/.test(part) || value < field.min || value > field.max) throw wrong();
    return value;
  };
  const found = new Set<number>();
  for (const item of text.split(",")) {
    const [range = "", stepText, extra] = item.split("/");
    if (extra !== undefined || (stepText !== undefined && !/^[1-9]\d*$/.test(stepText))) throw wrong();
    const step = Number(stepText ?? 1);
    const [low, high] = range.split("-");
    let from: number = field.min;
    let to: number = field.max;
    if (range !== "*") {
      from = number(low ?? "");
      to = high !== undefined ? number(high) : stepText !== undefined ? field.max : from;
      if (to < from) throw wrong();
    }
    for (let value = from; value <= to; value += step) found.add(value);
  }
  return found;
}
