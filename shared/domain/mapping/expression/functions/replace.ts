import type { Call, Evaluator, FunctionSpec } from "../call.ts";
import { ALL_PATTERNS_INSTRUCTIONS_MAX, PATTERN_BASE_INSTRUCTIONS } from "../limits.ts";
import { didYouMean } from "../near-miss.ts";
import { Pattern } from "../pattern.ts";

const [SOURCE, OLD_VALUE, PATTERN, GROUP, REPLACEMENT, REPLACEMENT_ATTRIBUTE, TEMPLATE] = [
  0, 1, 2, 3, 4, 5, 6,
] as const;

/** By the positions that are given, besides source. Source: Entra `functions-for-customizing-application-data.md`, Replace. */
const FORMS: readonly { given: readonly number[]; compile: (call: Call) => Evaluator }[] = [
  { given: [OLD_VALUE, REPLACEMENT], compile: (call) => plain(call, SOURCE, REPLACEMENT) },
  { given: [OLD_VALUE, TEMPLATE], compile: (call) => plain(call, TEMPLATE, SOURCE) },
  { given: [PATTERN, REPLACEMENT], compile: byPattern },
  { given: [PATTERN, GROUP, REPLACEMENT], compile: byGroup },
  { given: [PATTERN, GROUP, REPLACEMENT_ATTRIBUTE], compile: fromOther },
];

export const REPLACE: FunctionSpec = {
  name: "Replace",
  params: [
    "source",
    "oldValue?",
    "regexPattern?",
    "regexGroupName?",
    "replacementValue?",
    "replacementAttributeName?",
    "template?",
  ],
  positions: 7,
  compile: (call) => {
    const given = [1, 2, 3, 4, 5, 6].filter((index) => call.has(index)).join();
    const form = FORMS.find((candidate) => candidate.given.join() === given);
    if (form) return form.compile(call);
    const message =
      "Replace cannot work with these arguments together. Give oldValue with replacementValue or template, or regexPattern " +
      "with replacementValue, or regexPattern and regexGroupName with replacementValue or replacementAttributeName.";
    call.diagnostics.error("InvalidCombination", message, call.at);
    return () => null;
  },
};

/** Every `oldValue` in one of the two becomes the other. */
function plain(call: Call, within: number, by: number): Evaluator {
  const [source, whole, old, replacement] = [
    call.text(SOURCE),
    call.text(within),
    call.textOrEmpty(OLD_VALUE),
    call.textOrEmpty(by),
  ];
  return (evaluation) => {
    if (source(evaluation) === null) return null;
    const [text, wanted, other] = [whole(evaluation) ?? "", old(evaluation), replacement(evaluation)];
    if (wanted === "") return text;
    evaluation.spend(text.length, call.at + 1);
    const parts = text.split(wanted);
    // Measured before it is made: a short text can become a very long one.
    evaluation.spend((parts.length - 1) * other.length, call.at + 1);
    return call.bounded(evaluation, parts.join(other));
  };
}

/** The pattern of the call; without one that works, everything has been told. */
function patternOf(call: Call): Pattern | undefined {
  const source = call.constant(PATTERN);
  if (source === undefined) {
    const message =
      "The pattern has to be a string constant, so that it can be checked when the configuration is loaded.";
    call.diagnostics.error("InvalidPattern", message, call.atOf(PATTERN));
    return undefined;
  }
  // Looked at before compiling, which is what takes the time; a refused one has taken some as well.
  const room = call.addPattern(0) + PATTERN_BASE_INSTRUCTIONS <= ALL_PATTERNS_INSTRUCTIONS_MAX;
  const pattern = room ? Pattern.compile(source) : undefined;
  if (pattern && !(pattern instanceof Pattern)) {
    call.addPattern(PATTERN_BASE_INSTRUCTIONS);
    call.diagnostics.error(pattern.code, pattern.message, call.atOf(PATTERN));
    return undefined;
  }
  if (pattern && call.addPattern(pattern.cost) <= ALL_PATTERNS_INSTRUCTIONS_MAX) return pattern;
  const message = "The patterns of this expression are too large together. Use fewer or smaller ones.";
  call.diagnostics.error("PatternTooLarge", message, call.atOf(PATTERN));
  return undefined;
}

function groupOf(call: Call, pattern: Pattern): string {
  const group = call.constant(GROUP) ?? "";
  if (!pattern.hasGroup(group)) {
    const known = pattern.groupNames;
    const hint = known.length === 0 ? " Write it as (?<name>...)." : didYouMean(group, known);
    call.diagnostics.error("InvalidArgument", `The pattern has no group '${group}'.${hint}`, call.atOf(GROUP));
  }
  return group;
}

function byPattern(call: Call): Evaluator {
  const pattern = patternOf(call);
  if (!pattern) return () => null;
  const [source, replacement] = [call.text(SOURCE), call.textOrEmpty(REPLACEMENT)];
  return (evaluation) => {
    const text = source(evaluation);
    if (text === null) return null;
    const template = replacement(evaluation);
    let out = "";
    let from = 0;
    for (const match of pattern.matches(text, (work) => evaluation.spend(work, call.at + 1))) {
      out += text.slice(from, match.start) + pattern.expand(template, match, text);
      call.fits(out.length);
      from = match.end;
    }
    return call.bounded(evaluation, out + text.slice(from));
  };
}

function byGroup(call: Call): Evaluator {
  const pattern = patternOf(call);
  if (!pattern) return () => null;
  const group = groupOf(call, pattern);
  const [source, replacement] = [call.text(SOURCE), call.textOrEmpty(REPLACEMENT)];
  return (evaluation) => {
    const text = source(evaluation);
    if (text === null) return null;
    const other = replacement(evaluation);
    let out = "";
    let from = 0;
    for (const match of pattern.matches(text, (work) => evaluation.spend(work, call.at + 1))) {
      const span = match.span(group);
      if (!span) continue;
      out += text.slice(from, span.start) + other;
      call.fits(out.length);
      from = span.end;
    }
    return call.bounded(evaluation, out + text.slice(from));
  };
}

/** The source where it has a value; otherwise what the group finds in the other attribute. */
function fromOther(call: Call): Evaluator {
  const pattern = patternOf(call);
  if (!pattern) return () => null;
  const group = groupOf(call, pattern);
  const [source, other] = [call.text(SOURCE), call.text(REPLACEMENT_ATTRIBUTE)];
  return (evaluation) => {
    const text = source(evaluation);
    if (text !== null && text !== "") return text;
    const searched = other(evaluation);
    if (searched === null) return null;
    for (const match of pattern.matches(searched, (work) => evaluation.spend(work, call.at + 1)))
      return match.group(group) ?? null;
    return null;
  };
}
