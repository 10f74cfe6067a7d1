import { DAYS, type DateFields, DateTime, MONTHS } from "./date-time.ts";

/**
 * .NET custom date and time format strings, invariant culture.
 * Source: Microsoft Learn, 'Custom date and time format strings'.
 */
const SHORT = 3;
const FRACTION_MAX = 7;
/** .NET reads two digits of a year as 1950 to 2049. */
const TWO_DIGIT_YEAR_MAX = 49;

type Token = { kind: "literal"; text: string } | { kind: "field"; letter: string; count: number };
export type DateFormat = readonly Token[];

const FIELDS = "dfFghHKmMstyz";

/** Standard formats of one letter, in the invariant culture. Source: Microsoft Learn, 'Standard date and time format strings'. */
const STANDARD: Readonly<Record<string, string>> = {
  d: "MM/dd/yyyy",
  D: "dddd, dd MMMM yyyy",
  f: "dddd, dd MMMM yyyy HH:mm",
  F: "dddd, dd MMMM yyyy HH:mm:ss",
  m: "MMMM dd",
  M: "MMMM dd",
  r: "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
  R: "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
  t: "HH:mm",
  T: "HH:mm:ss",
  y: "yyyy MMMM",
  Y: "yyyy MMMM",
  s: "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
  u: "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
  o: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  O: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  G: "MM/dd/yyyy HH:mm:ss",
  g: "MM/dd/yyyy HH:mm",
};

/** A sentence: what is wrong with the format. */
export function compileDateFormat(format: string): DateFormat | { wrong: string } {
  if (format === "") return { wrong: "A date format is missing, such as yyyy-MM-dd." };
  if (format.length === 1) {
    const standard = STANDARD[format];
    if (standard === undefined) return { wrong: `'${format}' alone is no date format; write %${format}.` };
    return compileDateFormat(standard);
  }
  const tokens: Token[] = [];
  for (let at = 0; at < format.length; ) {
    const char = format[at] ?? "";
    if (char === "'" || char === '"') {
      const end = format.indexOf(char, at + 1);
      if (end < 0) return { wrong: `The quotation ${char} in the date format is not closed.` };
      tokens.push({ kind: "literal", text: format.slice(at + 1, end) });
      at = end + 1;
    } else if (char === "\\" || (char === "%" && at + 1 < format.length)) {
      const next = format[at + 1];
      if (next === undefined) return { wrong: "The date format ends with a backslash." };
      if (char === "\\") tokens.push({ kind: "literal", text: next });
      at += char === "\\" ? 2 : 1;
    } else if (FIELDS.includes(char)) {
      let count = 1;
      while (format[at + count] === char) count++;
      if ((char === "f" || char === "F") && count > FRACTION_MAX) {
        return { wrong: `A fraction has at most ${FRACTION_MAX} digits.` };
      }
      tokens.push({ kind: "field", letter: char, count });
      at += count;
    } else {
      tokens.push({ kind: "literal", text: char });
      at++;
    }
  }
  return tokens;
}

/** A date as its text says it: nothing is moved to another time zone. */
export interface WrittenDate {
  /** The fields of the text read as UTC. */
  written: DateTime;
  /** Minutes east of UTC; `undefined`: the text named none. */
  offset: number | undefined;
}

export function formatDate({ written, offset }: WrittenDate, format: DateFormat): string {
  const date = new Date(written.ms);
  let text = "";
  for (const token of format) {
    if (token.kind === "literal") text += token.text;
    else if (token.letter === "F") {
      const fraction = fieldText(date, written, offset, "f", token.count).replace(/0+$/, "");
      text = fraction === "" && text.endsWith(".") ? text.slice(0, -1) : text + fraction;
    } else text += fieldText(date, written, offset, token.letter, token.count);
  }
  return text;
}

function fieldText(date: Date, { ticks }: DateTime, offset: number | undefined, letter: string, count: number): string {
  const digits = (value: number, most = 2) => String(value).padStart(Math.min(count, most), "0");
  switch (letter) {
    case "d":
      return count <= 2 ? digits(date.getUTCDate()) : name(DAYS[date.getUTCDay()], count);
    case "M":
      return count <= 2 ? digits(date.getUTCMonth() + 1) : name(MONTHS[date.getUTCMonth()], count);
    case "y":
      return count <= 2 ? digits(date.getUTCFullYear() % 100) : digits(date.getUTCFullYear(), count);
    case "h":
      return digits(date.getUTCHours() % 12 === 0 ? 12 : date.getUTCHours() % 12);
    case "H":
      return digits(date.getUTCHours());
    case "m":
      return digits(date.getUTCMinutes());
    case "s":
      return digits(date.getUTCSeconds());
    case "f": {
      const fraction = date.getUTCMilliseconds() * 10_000 + ticks;
      return String(fraction).padStart(FRACTION_MAX, "0").slice(0, count);
    }
    case "t":
      return (date.getUTCHours() < 12 ? "AM" : "PM").slice(0, count);
    case "g":
      return "A.D.";
    default:
      return zoneText(offset, letter, count);
  }
}

const name = (full = "", count: number): string => (count === SHORT ? full.slice(0, SHORT) : full);

function zoneText(offset: number | undefined, letter: string, count: number): string {
  if (letter === "K" && offset === undefined) return "";
  if (letter === "K" && offset === 0) return "Z";
  const minutes = Math.abs(offset ?? 0);
  const sign = (offset ?? 0) < 0 ? "-" : "+";
  const hours = String(Math.floor(minutes / 60));
  const full = `${sign}${hours.padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  if (letter === "K" || count >= SHORT) return full;
  return sign + hours.padStart(count, "0");
}

/** What was read so far, and where. */
interface Reading {
  text: string;
  at: number;
  fields: Partial<DateFields> & { half?: "A" | "P"; hour12?: number; weekday?: number };
}

export interface ReadingRules {
  leadingWhite: boolean;
  trailingWhite: boolean;
  innerWhite: boolean;
}

/** Exactly as the format says, as .NET's ParseExact. `undefined`: the text does not have this form, or there is no such day. */
export function readDate(text: string, format: DateFormat, rules: ReadingRules): WrittenDate | undefined {
  const reading: Reading = { text, at: rules.leadingWhite ? text.length - text.trimStart().length : 0, fields: {} };
  for (const token of format) {
    if (rules.innerWhite) skipWhite(reading);
    if (!(token.kind === "literal" ? readLiteral(reading, token.text) : readField(reading, token))) return undefined;
  }
  if (rules.trailingWhite) skipWhite(reading);
  if (reading.at !== text.length) return undefined;
  const { half, hour12, weekday, offset, year = 1, month = 1, day = 1, ...time } = reading.fields;
  if (hour12 !== undefined) {
    if (hour12 > 12) return undefined;
    time.hour = (hour12 % 12) + (half === "P" ? 12 : 0);
  }
  const written = DateTime.of({ year, month, day, ...time });
  if (!written || (weekday !== undefined && new Date(written.ms).getUTCDay() !== weekday)) return undefined;
  return { written, offset };
}

function skipWhite(reading: Reading): void {
  while (/\s/.test(reading.text[reading.at] ?? "")) reading.at++;
}

function readLiteral(reading: Reading, literal: string): boolean {
  if (literal === "Z" && (reading.text[reading.at] === "Z" || reading.text[reading.at] === "z")) {
    reading.fields.offset = 0;
    reading.at++;
    return true;
  }
  if (!reading.text.startsWith(literal, reading.at)) return false;
  reading.at += literal.length;
  return true;
}

function digits(reading: Reading, least: number, most: number): number | undefined {
  let end = reading.at;
  while (end - reading.at < most && /[0-9]/.test(reading.text[end] ?? "")) end++;
  if (end - reading.at < least) return undefined;
  const value = Number(reading.text.slice(reading.at, end));
  reading.at = end;
  return value;
}

function oneOf(reading: Reading, names: readonly string[]): number | undefined {
  const rest = reading.text.slice(reading.at, reading.at + 10).toLowerCase();
  const index = names.findIndex((candidate) => rest.startsWith(candidate.toLowerCase()));
  if (index < 0) return undefined;
  reading.at += names[index]?.length ?? 0;
  return index;
}

const names = (full: readonly string[], count: number) => full.map((one) => name(one, count));

/** Numbers of one or two digits, by the letter of the format. */
const TWO_DIGITS = { d: "day", M: "month", h: "hour12", H: "hour", m: "minute", s: "second" } as const;
const isTwoDigits = (letter: string): letter is keyof typeof TWO_DIGITS => letter in TWO_DIGITS;

function readField(reading: Reading, { letter, count }: { letter: string; count: number }): boolean {
  const { fields } = reading;
  if (letter === "d" && count > 2) {
    const index = oneOf(reading, names(DAYS, count));
    if (index !== undefined) fields.weekday = index;
    return index !== undefined;
  }
  if (letter === "M" && count > 2) {
    const index = oneOf(reading, names(MONTHS, count));
    if (index !== undefined) fields.month = index + 1;
    return index !== undefined;
  }
  if (isTwoDigits(letter)) {
    const value = digits(reading, Math.min(count, 2), 2);
    if (value !== undefined) fields[TWO_DIGITS[letter]] = value;
    return value !== undefined;
  }
  if (letter === "y") {
    const value = count <= 2 ? digits(reading, count, 2) : digits(reading, count, Math.max(count, 4));
    if (value === undefined) return false;
    fields.year = count <= 2 ? value + (value > TWO_DIGIT_YEAR_MAX ? 1900 : 2000) : value;
    return true;
  }
  if (letter === "f" || letter === "F") return readFraction(reading, letter === "f" ? count : 0, count);
  if (letter === "t") {
    const half = (reading.text[reading.at] ?? "").toUpperCase();
    if (half !== "A" && half !== "P") return false;
    if (count > 1 && (reading.text[reading.at + 1] ?? "").toUpperCase() !== "M") return false;
    fields.half = half;
    reading.at += Math.min(count, 2);
    return true;
  }
  if (letter === "g") return readLiteral(reading, "A.D.");
  return readZone(reading, letter, count);
}

function readFraction(reading: Reading, least: number, most: number): boolean {
  const start = reading.at;
  const value = digits(reading, least, most);
  if (value === undefined) return false;
  reading.fields.ticks = value * 10 ** (FRACTION_MAX - (reading.at - start));
  return true;
}

function readZone(reading: Reading, letter: string, count: number): boolean {
  const sign = reading.text[reading.at] ?? "";
  if (letter === "K" && sign.toUpperCase() === "Z") return readLiteral(reading, "Z");
  if (sign !== "+" && sign !== "-") return letter === "K";
  reading.at++;
  const hours = digits(reading, count === 1 && letter === "z" ? 1 : 2, 2);
  if (hours === undefined || hours > 14) return false;
  let minutes = 0;
  if (letter === "K" || count >= SHORT) {
    if (reading.text[reading.at] === ":") reading.at++;
    const read = digits(reading, 2, 2);
    if (read === undefined || read > 59) return false;
    minutes = read;
  }
  reading.fields.offset = (sign === "-" ? -1 : 1) * (hours * 60 + minutes);
  return true;
}
