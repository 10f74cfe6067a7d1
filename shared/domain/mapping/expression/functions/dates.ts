import { type Call, type Evaluator, type FunctionSpec, told } from "../call.ts";
import {
  compileDateFormat,
  type DateFormat,
  formatDate,
  type ReadingRules,
  readDate,
  type WrittenDate,
} from "../date-format.ts";
import { DateTime, INTERVALS, type Interval, parseDateText, parseDateWords, parseIso } from "../date-time.ts";
import { isList, textOf } from "../value.ts";

const MS_PER_MINUTE = 60_000;

const isInterval = (text: string | null): text is Interval => INTERVALS.some((known) => known === text);
const noInterval = (text: string | null) => `${told(text)} is no interval. Use one of ${INTERVALS.join(", ")}.`;

function interval(call: Call): Evaluator<Interval> {
  const constant = call.constant(0);
  if (constant !== undefined && !isInterval(constant)) {
    call.diagnostics.error("InvalidArgument", noInterval(constant), call.atOf(0));
  }
  const run = call.text(0);
  return (evaluation) => {
    const text = run(evaluation);
    return isInterval(text) ? text : call.fail("InvalidArgument", noInterval(text));
  };
}

const dateAdd: FunctionSpec = {
  name: "DateAdd",
  params: ["interval", "value", "dateTime"],
  compile: (call) => {
    const [unit, value, date] = [interval(call), call.integer(1), call.date(2)];
    return (evaluation) =>
      date(evaluation).add(unit(evaluation), value(evaluation)) ??
      call.fail("DateOutOfRange", "The date leaves the years 1 to 9999.");
  },
};

const dateDiff: FunctionSpec = {
  name: "DateDiff",
  params: ["interval", "date1", "date2"],
  compile: (call) => {
    const [unit, from, to] = [interval(call), call.date(1), call.date(2)];
    return (evaluation) => String(from(evaluation).until(to(evaluation), unit(evaluation)));
  },
};

const cDate: FunctionSpec = {
  name: "CDate",
  params: ["expression"],
  compile: (call) => {
    const source = call.value(0);
    return (evaluation) => {
      const value = source(evaluation);
      if (value instanceof DateTime) return value;
      const text = call.one(value) ?? "";
      const read = parseDateText(text) ?? parseDateWords(text);
      if (read) return read;
      const remedy = "Use yyyy-MM-dd, with or without time and offset, or M/d/yyyy h:mm:ss tt.";
      return call.fail("InvalidDate", `CDate cannot read ${told(call.one(value))}. ${remedy}`);
    };
  },
};

const dateFromNum: FunctionSpec = {
  name: "DateFromNum",
  params: ["value"],
  compile: (call) => {
    const source = call.text(0);
    return (evaluation) => {
      const text = source(evaluation);
      if (text === null || !/^\d{1,19}$/.test(text))
        return call.fail("InvalidNumber", `DateFromNum needs a whole number, not ${told(text)}.`);
      return DateTime.fromFileTime(BigInt(text)) ?? call.fail("DateOutOfRange", `${text} lies after the year 9999.`);
    };
  },
};

const numFromDate: FunctionSpec = {
  name: "NumFromDate",
  params: ["value"],
  compile: (call) => {
    const source = call.value(0);
    return (evaluation) => {
      const value = source(evaluation);
      const text = isList(value) ? call.one(value) : textOf(value);
      const date = value instanceof DateTime ? value : parseIso(text ?? "");
      if (!date)
        return call.fail(
          "InvalidDate",
          `NumFromDate needs an ISO 8601 date, not ${told(text)}. Use FormatDateTime first.`,
        );
      if (date.ms < Date.UTC(1601, 0, 1)) return call.fail("DateOutOfRange", "NumFromDate counts from 1601-01-01.");
      return date.toFileTime().toString();
    };
  },
};

/** .NET's names; those that change nothing here are accepted. */
const STYLES = [
  "None",
  "AllowLeadingWhite",
  "AllowTrailingWhite",
  "AllowInnerWhite",
  "AllowWhiteSpaces",
  "NoCurrentDateDefault",
  "AdjustToUniversal",
  "AssumeLocal",
  "AssumeUniversal",
  "RoundtripKind",
] as const;

interface Styles extends ReadingRules {
  toUniversal: boolean;
}

const DEFAULT_STYLES: Styles = { leadingWhite: true, trailingWhite: true, innerWhite: false, toUniversal: false };

function readStyles(text: string): Styles | { wrong: string } {
  const names = text.split(/[,|]/).map((name) => name.trim().replace(/^DateTimeStyles\./, ""));
  const wrong = names.find((name) => !STYLES.some((known) => known === name));
  if (wrong !== undefined) return { wrong: `'${wrong}' is none of .NET's DateTimeStyles: ${STYLES.join(", ")}.` };
  const has = (name: (typeof STYLES)[number]) =>
    names.includes(name) || (name.startsWith("Allow") && names.includes("AllowWhiteSpaces"));
  return {
    leadingWhite: has("AllowLeadingWhite"),
    trailingWhite: has("AllowTrailingWhite"),
    innerWhite: has("AllowInnerWhite"),
    toUniversal: has("AdjustToUniversal"),
  };
}

/** Made once for a literal, and for every evaluation otherwise. */
function prepared<T extends object>(
  call: Call,
  index: number,
  make: (text: string) => T | { wrong: string },
): Evaluator<T> {
  const constant = call.constant(index);
  const run = call.textOrEmpty(index);
  if (constant === undefined) {
    return (evaluation) => {
      const made = make(run(evaluation));
      return "wrong" in made ? call.fail("InvalidArgument", made.wrong) : made;
    };
  }
  const made = make(constant);
  if (!("wrong" in made)) return () => made;
  call.diagnostics.error("InvalidArgument", made.wrong, call.atOf(index));
  return () => call.fail("InvalidArgument", made.wrong);
}

const formatDateTime: FunctionSpec = {
  name: "FormatDateTime",
  params: ["source", "dateTimeStyles?", "inputFormat", "outputFormat"],
  compile: (call) => {
    const [input, output] = [
      prepared<DateFormat>(call, 2, compileDateFormat),
      prepared<DateFormat>(call, 3, compileDateFormat),
    ];
    const styles =
      call.has(1) && call.constant(1) !== "" ? prepared<Styles>(call, 1, readStyles) : () => DEFAULT_STYLES;
    const source = call.value(0);
    return (evaluation) => {
      const value = source(evaluation);
      const text = call.one(value);
      if (text === null || text === "") return null;
      const rules = styles(evaluation);
      evaluation.spend(text.length, call.at + 1);
      // A date that comes from another function need not be read again: Microsoft's own examples name formats that do not fit it.
      const read =
        readDate(text, input(evaluation), rules) ??
        (value instanceof DateTime ? { written: value, offset: 0 } : undefined);
      if (!read) return call.fail("InvalidDate", `${told(text)} does not have the input format of FormatDateTime.`);
      return call.bounded(evaluation, formatDate(rules.toUniversal ? inUniversalTime(read) : read, output(evaluation)));
    };
  },
};

function inUniversalTime({ written, offset = 0 }: WrittenDate): WrittenDate {
  return { written: new DateTime(written.ms - offset * MS_PER_MINUTE, written.ticks), offset: 0 };
}

export const DATES: readonly FunctionSpec[] = [
  cDate,
  dateAdd,
  dateDiff,
  dateFromNum,
  numFromDate,
  formatDateTime,
  {
    name: "Now",
    params: [],
    compile: () => (evaluation) => new DateTime(Math.floor(evaluation.input.now / 1000) * 1000),
  },
];
