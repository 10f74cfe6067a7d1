/** Ticks of 100 ns, as Active Directory and .NET count. */
const TICKS_PER_MS = 10_000n;
/** 1601-01-01 as epoch milliseconds. */
const FILE_TIME_START_MS = BigInt(Date.UTC(1601, 0, 1));
const YEAR_MAX = 9999;
const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
const DAYS_PER_WEEK = 7;
const FRACTION_DIGITS = 7;

/** As .NET's invariant culture has them. */
export const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;
export const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** What a date text says, before it is placed in UTC. */
export interface DateFields {
  year: number;
  month: number;
  day: number;
  hour?: number;
  minute?: number;
  second?: number;
  /** 100 ns within the second. */
  ticks?: number;
  /** Minutes east of UTC; `undefined`: the text names none. */
  offset?: number | undefined;
}

export const INTERVALS = ["yyyy", "m", "d", "ww", "h", "n", "s"] as const;
export type Interval = (typeof INTERVALS)[number];

/** Reuses the calendar of the platform's `Date`; only the ticks below a millisecond are kept beside it. */
export class DateTime {
  /** Epoch milliseconds, UTC. */
  readonly ms: number;
  /** 0 to 9,999, within the millisecond. */
  readonly ticks: number;

  constructor(ms: number, ticks = 0) {
    this.ms = ms;
    this.ticks = ticks;
  }

  /** `undefined`: there is no such day or time. Without an offset the fields are UTC. */
  static of(fields: DateFields): DateTime | undefined {
    const { year, month, day, hour = 0, minute = 0, second = 0, ticks = 0, offset = 0 } = fields;
    if (year < 1 || year > YEAR_MAX || hour > 23 || minute > 59 || second > 59) return undefined;
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
    date.setUTCHours(hour, minute, second, Math.floor(ticks / Number(TICKS_PER_MS)));
    return inRange(new DateTime(date.getTime() - offset * MS_PER_MINUTE, ticks % Number(TICKS_PER_MS)));
  }

  static fromFileTime(value: bigint): DateTime | undefined {
    if (value < 0n) return undefined;
    return inRange(new DateTime(Number(value / TICKS_PER_MS + FILE_TIME_START_MS), Number(value % TICKS_PER_MS)));
  }

  toFileTime(): bigint {
    return (BigInt(this.ms) - FILE_TIME_START_MS) * TICKS_PER_MS + BigInt(this.ticks);
  }

  /** `undefined`: outside the years 1 to 9999. Months and years end on the last day of a shorter month. */
  add(interval: Interval, value: number): DateTime | undefined {
    const date = new Date(this.ms);
    if (interval === "yyyy" || interval === "m") {
      const day = date.getUTCDate();
      date.setUTCMonth(date.getUTCMonth() + (interval === "yyyy" ? value * 12 : value));
      if (date.getUTCDate() !== day) date.setUTCDate(0);
    } else if (interval === "d" || interval === "ww") {
      date.setUTCDate(date.getUTCDate() + (interval === "ww" ? value * DAYS_PER_WEEK : value));
    } else if (interval === "h") date.setUTCHours(date.getUTCHours() + value);
    else if (interval === "n") date.setUTCMinutes(date.getUTCMinutes() + value);
    else date.setUTCSeconds(date.getUTCSeconds() + value);
    return inRange(new DateTime(date.getTime(), this.ticks));
  }

  /** Whole intervals from this to `other`, counted as VB.NET's DateDiff does. */
  until(other: DateTime, interval: Interval): number {
    const [from, to] = [new Date(this.ms), new Date(other.ms)];
    const years = to.getUTCFullYear() - from.getUTCFullYear();
    if (interval === "yyyy") return years;
    if (interval === "m") return years * 12 + to.getUTCMonth() - from.getUTCMonth();
    if (interval === "ww") {
      from.setUTCDate(from.getUTCDate() - from.getUTCDay());
      to.setUTCDate(to.getUTCDate() - to.getUTCDay());
      return whole(Math.trunc((to.getTime() - from.getTime()) / MS_PER_DAY) / DAYS_PER_WEEK);
    }
    const length = { d: MS_PER_DAY, h: 60 * MS_PER_MINUTE, n: MS_PER_MINUTE, s: 1000 }[interval];
    return whole((other.ms - this.ms + (other.ticks - this.ticks) / Number(TICKS_PER_MS)) / length);
  }

  compare(other: DateTime): number {
    return this.ms - other.ms || this.ticks - other.ticks;
  }

  /** `M/d/yyyy h:mm:ss tt`, UTC, invariant culture. */
  toString(): string {
    const date = new Date(this.ms);
    const hour = date.getUTCHours();
    const two = (value: number) => String(value).padStart(2, "0");
    const day = `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${String(date.getUTCFullYear()).padStart(4, "0")}`;
    const time = `${hour % 12 === 0 ? 12 : hour % 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
    return `${day} ${time} ${hour < 12 ? "AM" : "PM"}`;
  }
}

/** Towards zero, and never -0. */
const whole = (value: number): number => Math.trunc(value) + 0;

function inRange(date: DateTime): DateTime | undefined {
  const year = new Date(date.ms).getUTCFullYear();
  return year >= 1 && year <= YEAR_MAX ? date : undefined;
}

/** Longer than any date text; a pattern with blanks in several places must not see thousands of them. */
const DATE_TEXT_MAX = 64;
const ISO =
  /^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-]\d{2}:?(?:\d{2})?)?\s*$/;
const SERVICE =
  /^\s*(\d{1,2})\/(\d{1,2})\/(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:\s*([AaPp])[Mm])?)?\s*(Z|z|[+-]\d{2}:?(?:\d{2})?)?\s*$/;

const WORDS =
  /^(?:([A-Za-z]{3,9}), ?)?(?:(\d{1,2}) ([A-Za-z]{3,9}) (\d{4})|([A-Za-z]{3,9}) (\d{1,2}), (\d{4})|(\d{4})\/(\d{1,2})\/(\d{1,2}))(?: (\d{1,2}):(\d{2})(?::(\d{2}))?(?: (?:([AaPp])[Mm]|GMT))?)?$/;

/** ISO 8601: a date, or a date and a time, each with or without an offset. `undefined`: not such a text. */
export function parseIso(text: string): DateTime | undefined {
  const trimmed = text.trim();
  if (trimmed.length > DATE_TEXT_MAX) return undefined;
  const [matched, year, month, day, hour, minute, second, fraction, zone] = ISO.exec(trimmed) ?? [];
  if (matched === undefined) return undefined;
  return placed({ year, month, day, hour, minute, second, fraction, zone });
}

/** What `CDate` reads: ISO 8601, and the service's own `M/d/yyyy h:mm:ss tt`. */
export function parseDateText(text: string): DateTime | undefined {
  const trimmed = text.trim();
  if (trimmed.length > DATE_TEXT_MAX) return undefined;
  const [matched, month, day, year, hour, minute, second, fraction, half, zone] = SERVICE.exec(trimmed) ?? [];
  if (matched === undefined) return parseIso(text);
  if (half === undefined) return placed({ year, month, day, hour, minute, second, fraction, zone });
  const hours = hour24(hour, half);
  return hours === undefined ? undefined : placed({ year, month, day, hour: hours, minute, second, fraction, zone });
}

/**
 * Dates in English words and with the year before slashes, as .NET reads them in the invariant culture.
 * Source: Entra `functions-for-customizing-application-data.md`, CDate ('any valid string that represents a date/time');
 * Microsoft Learn, 'Parse date and time strings in .NET'.
 */
export function parseDateWords(text: string): DateTime | undefined {
  const trimmed = text.trim();
  if (trimmed.length > DATE_TEXT_MAX) return undefined;
  const found = WORDS.exec(trimmed);
  if (!found) return undefined;
  const [, weekday, day1, month1, year1, month2, day2, year2, year3, month3, day3, hour, minute, second, half] = found;
  const month = month3 ?? numberOf(month1 ?? month2 ?? "", MONTHS);
  const hours = half === undefined ? hour : hour24(hour, half);
  if (month === undefined || (half !== undefined && hours === undefined)) return undefined;
  const date = placed({
    year: year1 ?? year2 ?? year3,
    month,
    day: day1 ?? day2 ?? day3,
    hour: hours,
    minute,
    second,
    fraction: undefined,
    zone: undefined,
  });
  if (!date || weekday === undefined) return date;
  return numberOf(weekday, DAYS) === String(new Date(date.ms).getUTCDay() + 1) ? date : undefined;
}

/** Counted from 1, by its name or the first three letters of it. */
function numberOf(name: string, names: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const index = names.findIndex((full) => lower === full.toLowerCase() || lower === full.slice(0, 3).toLowerCase());
  return index < 0 ? undefined : String(index + 1);
}

/** Of an hour from 1 to 12 and the first letter of AM or PM. */
function hour24(hour: string | undefined, half: string): string | undefined {
  if (Number(hour) < 1 || Number(hour) > 12) return undefined;
  return String((Number(hour) % 12) + (half.toLowerCase() === "p" ? 12 : 0));
}

/** Only the service's own text, in which Now and DateAdd give their results. */
export const parseServiceText = (text: string): DateTime | undefined =>
  /^\d[\d/]* [\d:]+ [AP]M$/.test(text) ? parseDateText(text) : undefined;

type Piece = "year" | "month" | "day" | "hour" | "minute" | "second" | "fraction" | "zone";

function placed(pieces: Record<Piece, string | undefined>): DateTime | undefined {
  const offset = offsetOf(pieces.zone);
  if (Number.isNaN(offset)) return undefined;
  return DateTime.of({
    year: Number(pieces.year),
    month: Number(pieces.month),
    day: Number(pieces.day),
    hour: Number(pieces.hour ?? 0),
    minute: Number(pieces.minute ?? 0),
    second: Number(pieces.second ?? 0),
    ticks: Number((pieces.fraction ?? "").padEnd(FRACTION_DIGITS, "0").slice(0, FRACTION_DIGITS)),
    offset,
  });
}

/** Minutes east of UTC; NaN: no such offset. */
function offsetOf(zone: string | undefined): number {
  if (zone === undefined || zone === "Z" || zone === "z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", ""))];
  if (hours > 14 || minutes > 59) return Number.NaN;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
