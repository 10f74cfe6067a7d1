import { DateTime, parseServiceText } from "./date-time.ts";
import { type Diagnostics, type EvaluationCode, EvaluationFailure } from "./diagnostics.ts";
import { ELEMENTS_MAX, VALUE_CHARACTERS_MAX, WORK_MAX } from "./limits.ts";
import { type ExpressionInput, fromAttribute, integerOf, isList, textOf, type Value } from "./value.ts";

/** One evaluation: what it may look at, and how much work it has done. */
export class Evaluation {
  readonly input: ExpressionInput;
  #work = 0;
  /** Lists are copied to be read: once is enough. */
  #lists: Map<string, Value> | undefined;

  constructor(input: ExpressionInput) {
    this.input = input;
  }

  attribute(name: string): Value {
    if (!Object.hasOwn(this.input.attributes, name)) return null;
    const raw = this.input.attributes[name];
    if (!Array.isArray(raw)) return fromAttribute(raw);
    this.#lists ??= new Map();
    const list = this.#lists.get(name) ?? fromAttribute(raw);
    this.#lists.set(name, list);
    return list;
  }

  spend(work: number, position: number): void {
    this.#work += work;
    if (this.#work > WORK_MAX) {
      const message = "This evaluation takes too much work. Use fewer steps, simpler patterns or shorter values.";
      throw new EvaluationFailure("EvaluationTooLarge", message, position);
    }
  }
}

export type Evaluator<T = Value> = (evaluation: Evaluation) => T;

export interface Argument {
  run: Evaluator;
  /** Known when the expression is loaded: a literal. */
  constant: string | undefined;
  /** The name of an identifier such as vbTextCompare. */
  identifier: string | undefined;
  /** The function that is called here. */
  calls: string | undefined;
  /** Offset from 0. */
  at: number;
}

/** What the compiler of a function is given: its arguments, in the forms that functions ask for. */
export class Call {
  readonly name: string;
  readonly at: number;
  readonly args: readonly (Argument | undefined)[];
  readonly diagnostics: Diagnostics;
  readonly #patterns: { instructions: number };

  constructor(options: {
    name: string;
    at: number;
    args: readonly (Argument | undefined)[];
    diagnostics: Diagnostics;
    patterns: { instructions: number };
  }) {
    this.name = options.name;
    this.at = options.at;
    this.args = options.args;
    this.diagnostics = options.diagnostics;
    this.#patterns = options.patterns;
  }

  has(index: number): boolean {
    return this.args[index] !== undefined;
  }

  constant(index: number): string | undefined {
    return this.args[index]?.constant;
  }

  atOf(index: number): number {
    return this.args[index]?.at ?? this.at;
  }

  /** Instructions of the patterns of the whole expression so far. */
  addPattern(instructions: number): number {
    this.#patterns.instructions += instructions;
    return this.#patterns.instructions;
  }

  fail(code: EvaluationCode, message: string): never {
    throw new EvaluationFailure(code, message, this.at + 1);
  }

  /** Not given: null. */
  value(index: number): Evaluator {
    return this.args[index]?.run ?? (() => null);
  }

  /** One value in its text form; a list is refused. */
  text(index: number): Evaluator<string | null> {
    const constant = this.constant(index);
    if (constant !== undefined) return () => constant;
    const run = this.value(index);
    return (evaluation) => this.one(run(evaluation));
  }

  /** Null counts as empty. */
  textOrEmpty(index: number): Evaluator<string> {
    const run = this.text(index);
    return (evaluation) => run(evaluation) ?? "";
  }

  one(value: Value): string | null {
    if (!isList(value)) return textOf(value);
    return this.fail("MultiValueNotSupported", `${this.name} takes one value, not a list. Use Item or Join first.`);
  }

  /** A whole number, as a number or as its digits. */
  integer(index: number, otherwise?: number): Evaluator<number> {
    if (otherwise !== undefined && !this.has(index)) return () => otherwise;
    const run = this.text(index);
    const read = (text: string | null): number => {
      const value = integerOf(text ?? "");
      if (value !== undefined) return value;
      return this.fail("InvalidNumber", `${this.name} needs a whole number, not ${told(text)}.`);
    };
    const constant = this.constant(index);
    if (constant === undefined) return (evaluation) => read(run(evaluation));
    const value = integerOf(constant);
    if (value === undefined) {
      this.diagnostics.error(
        "InvalidArgument",
        `${this.name} needs a whole number, not ${told(constant)}.`,
        this.atOf(index),
      );
    }
    return () => value ?? read(constant);
  }

  /** A date, or the text of one in the service's own form; any other text has to go through CDate. */
  date(index: number): Evaluator<DateTime> {
    const run = this.value(index);
    return (evaluation) => {
      const value = run(evaluation);
      if (value instanceof DateTime) return value;
      const text = this.one(value);
      const read = parseServiceText(text ?? "");
      if (read) return read;
      return this.fail("InvalidDate", `${this.name} needs a date, not ${told(text)}. Put the text into CDate.`);
    };
  }

  /** Every element of a list; one value counts as a list of one, null as none. */
  list(index: number): Evaluator<readonly string[]> {
    const run = this.value(index);
    return (evaluation) => {
      const value = run(evaluation);
      if (value === null) return [];
      if (isList(value)) return value;
      return [textOf(value) ?? ""];
    };
  }

  /** Takes account of the work, and refuses what has grown beyond the bounds. */
  bounded(evaluation: Evaluation, value: string): string {
    evaluation.spend(value.length, this.at + 1);
    this.fits(value.length);
    return value;
  }

  /** Refuses a result that is becoming too long. */
  fits(length: number): void {
    if (length > VALUE_CHARACTERS_MAX) {
      this.fail("ValueTooLong", `The result of ${this.name} has more than ${VALUE_CHARACTERS_MAX} characters.`);
    }
  }

  boundedList(evaluation: Evaluation, values: readonly string[]): readonly string[] {
    evaluation.spend(values.length, this.at + 1);
    if (values.length > ELEMENTS_MAX)
      this.fail("ValueTooLong", `The result of ${this.name} has more than ${ELEMENTS_MAX} elements.`);
    return values;
  }
}

const TOLD_MAX = 40;

/** A value in a message, short enough for a log; messages of evaluations may hold values of the object. */
export function told(text: string | null): string {
  if (text === null) return "null";
  return text.length > TOLD_MAX ? `'${text.slice(0, TOLD_MAX)}…'` : `'${text}'`;
}

/** A function of the language. */
export interface FunctionSpec {
  name: string;
  /** Other spellings, in expressions that Microsoft's pages print to be copied. */
  alsoSpelled?: readonly string[];
  /** In order; `name?` may be left empty. `name...` at the end repeats. Only identifiers fit a parameter in `identifiers`. */
  params: readonly string[];
  /** Least number of repetitions of the last parameter. */
  least?: number;
  /** Positions that have to be written even when they are empty. */
  positions?: number;
  /** Parameters that take one of these bare identifiers. */
  identifiers?: Readonly<Record<number, readonly string[]>>;
  /** Parameters that may be a comparison. */
  condition?: 0;
  compile(call: Call): Evaluator;
}
