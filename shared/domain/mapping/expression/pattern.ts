import { RE2JS } from "re2js";
import {
  INSTRUCTIONS_PER_CLASS_WEIGHT,
  PATTERN_BASE_INSTRUCTIONS,
  PATTERN_CHARACTERS_MAX,
  PATTERN_CLASSES_MAX,
  PATTERN_INPUT_CHARACTERS_MAX,
  PATTERN_INSTRUCTIONS_MAX,
} from "./limits.ts";
import { type Groups, translate } from "./pattern-dialect.ts";
import { sizeOf } from "./pattern-size.ts";

/** How much an estimate of a pattern's size may exceed the limit before the pattern is refused uncompiled. */
const ESTIMATE_TOLERANCE = 1.5;

/** A pattern that cannot be used, and what to do about it. */
export interface PatternRefusal {
  code: "InvalidPattern" | "PatternTooLarge";
  message: string;
}

/** Where a match, and each of its groups, begins and ends; `undefined`: the group took no part. */
export interface Match {
  start: number;
  end: number;
  group(name: string): string | undefined;
  span(name: string): { start: number; end: number } | undefined;
}

/**
 * A regular expression in .NET's dialect, run in linear time whatever the pattern and the input: the engine has no
 * back-tracking. Look-around and back-references are therefore refused, with a word on how to do without.
 */
export class Pattern {
  /** Instructions of the compiled pattern: work grows with them times the characters looked at. */
  readonly instructions: number;
  /** What compiling it has cost, in instructions. */
  readonly cost: number;
  readonly #groups: Groups;
  readonly #engine: RE2JS;

  private constructor(engine: RE2JS, groups: Groups, classWeight: number) {
    this.#engine = engine;
    this.#groups = groups;
    this.instructions = engine.programSize();
    this.cost = PATTERN_BASE_INSTRUCTIONS + this.instructions + classWeight * INSTRUCTIONS_PER_CLASS_WEIGHT;
  }

  /**
   * `whole`: the whole value has to match, unless the pattern says itself where the value begins or ends (`^`, `$`); then
   * it is looked for, as in Microsoft's example `(?:^|\W)Sales|Marketing`.
   * Source: Entra `how-to-attribute-mapping-entra-to-active-directory.md`, 'Using Regular Expressions to filter on'.
   */
  static compile(source: string, where: "anywhere" | "whole" = "anywhere"): Pattern | PatternRefusal {
    if (source.length > PATTERN_CHARACTERS_MAX) {
      const message = `The pattern has ${source.length} characters; ${PATTERN_CHARACTERS_MAX} are allowed. Shorten it.`;
      return { code: "PatternTooLarge", message };
    }
    const translated = translate(source);
    if ("refused" in translated) return { code: "InvalidPattern", message: translated.refused };
    const { classWeight } = translated;
    if (classWeight > PATTERN_CLASSES_MAX) {
      const message =
        "The pattern has too many classes such as \\w, \\s and \\p{L}. Use fewer, or write the characters, as in [a-z0-9].";
      return { code: "PatternTooLarge", message };
    }
    const size = sizeOf(translated.pattern);
    if (size.unbalanced) return refusalOf("missing or unexpected )");
    // The size is an estimate; what is far beyond the limit is not compiled at all.
    if (size.instructions > ESTIMATE_TOLERANCE * PATTERN_INSTRUCTIONS_MAX) return tooLarge(size.instructions);
    const whole = where === "whole" && !translated.anchored;
    let engine: RE2JS;
    try {
      engine = RE2JS.compile(whole ? `\\A(?:${translated.pattern})\\z` : translated.pattern);
    } catch (error) {
      if (!(error instanceof Error) || !error.name.startsWith("RE2JS")) throw error;
      return refusalOf(error.message);
    }
    const pattern = new Pattern(engine, translated.groups, classWeight);
    if (pattern.instructions > PATTERN_INSTRUCTIONS_MAX) return tooLarge(pattern.instructions);
    return pattern;
  }

  hasGroup(name: string): boolean {
    return this.#groups.indexOf(name) !== undefined;
  }

  get groupNames(): readonly string[] {
    return this.#groups.names;
  }

  /** True if it matches within the first characters of the input, or the whole of it when compiled so. */
  test(input: string): boolean {
    return this.#engine.matcher(cut(input)).find();
  }

  /**
   * Every match from left to right, as .NET finds them: an empty one may follow directly on another. `spend` is told
   * before each search what it may cost, because many searches through a long value are no longer linear.
   */
  *matches(input: string, spend: (work: number) => void): Generator<Match> {
    const text = cut(input);
    const matcher = this.#engine.matcher(text);
    for (let from = 0; from <= text.length; ) {
      spend((text.length - from + 1) * this.instructions);
      if (!matcher.find(from)) return;
      const match = { start: matcher.start(), end: matcher.end() };
      const span = (name: string) => {
        const index = this.#groups.indexOf(name);
        if (index === undefined || matcher.start(index) < 0) return undefined;
        return { start: matcher.start(index), end: matcher.end(index) };
      };
      const group = (name: string) => {
        const found = span(name);
        return found && text.slice(found.start, found.end);
      };
      yield { ...match, group, span };
      from = match.end > match.start ? match.end : match.end + (isPair(text, match.end) ? 2 : 1);
    }
  }

  /** .NET's replacement patterns: `$1`, `${name}`, `$$`, `$&`. What names no group stays as it is written. */
  expand(template: string, match: Match, input: string): string {
    if (!template.includes("$")) return template;
    return template.replace(/\$(?:(\$)|(&|0|\{0\})|(\d+)|\{(\w+)\})/g, (all, dollar, whole, number, name) => {
      if (dollar) return "$";
      if (whole) return input.slice(match.start, match.end);
      const wanted: string = number ?? name;
      return this.hasGroup(wanted) ? (match.group(wanted) ?? "") : all;
    });
  }
}

const cut = (input: string): string => input.slice(0, PATTERN_INPUT_CHARACTERS_MAX);

const isPair = (text: string, at: number): boolean => (text.codePointAt(at) ?? 0) > 0xffff;

function tooLarge(instructions: number): PatternRefusal {
  const message = `The pattern compiles to ${instructions} instructions; ${PATTERN_INSTRUCTIONS_MAX} are allowed. Use smaller repeat counts.`;
  return { code: "PatternTooLarge", message };
}

/** The engine's words name its syntax only; the remedy is ours. */
function refusalOf(said: string): PatternRefusal {
  const reason = said.replace(/^error parsing regexp: /, "");
  if (/repeat count|too large/.test(reason)) {
    return { code: "PatternTooLarge", message: `${reason}: repeats, multiplied, may not exceed 1000.` };
  }
  return { code: "InvalidPattern", message: `The pattern cannot be read: ${reason}.` };
}
