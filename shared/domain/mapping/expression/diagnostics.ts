/** What an expression can be refused for when the configuration is loaded. */
export type ValidationCode =
  | "ExpressionTooLong"
  | "ExpressionTooDeep"
  | "SyntaxError"
  | "UnknownFunction"
  | "UnsupportedFunction"
  | "UnknownIdentifier"
  | "UnknownAttribute"
  | "WrongNumberOfArguments"
  | "MissingArgument"
  | "InvalidArgument"
  | "InvalidCombination"
  | "InvalidPattern"
  | "PatternTooLarge"
  | "MisplacedComparison"
  | "MisplacedFunction";

/** What a sound expression can fail with for one object; the object is retried, the job goes on. */
export type EvaluationCode =
  | "MultiValueNotSupported"
  | "InvalidNumber"
  | "InvalidBoolean"
  | "InvalidDate"
  | "InvalidBase64"
  | "InvalidArgument"
  | "IndexOutOfRange"
  | "DateOutOfRange"
  | "NoDefaultDomain"
  | "NoUniqueValue"
  | "ValueTooLong"
  | "EvaluationTooLarge"
  | "CustomError";

/** `position` counts characters from 1, as an editor shows them. */
export interface Diagnostic<Code extends string = ValidationCode> {
  code: Code;
  message: string;
  position: number;
}

/** Ends an evaluation; `evaluate` turns it into an outcome. Made without a stack: it may happen for every object. */
export class EvaluationFailure {
  readonly diagnostic: Diagnostic<EvaluationCode>;
  constructor(code: EvaluationCode, message: string, position: number) {
    this.diagnostic = { code, message, position };
  }
}

/** Ends an evaluation because the attribute, or the whole object, is to be left out of the flow. */
export class IgnoredFlow {
  readonly what: "attribute" | "object";
  constructor(what: "attribute" | "object") {
    this.what = what;
  }
}

/** Finds everything wrong before it gives up. */
export class Diagnostics {
  readonly errors: Diagnostic[] = [];
  readonly warnings: { message: string; position: number }[] = [];
  readonly #max: number;
  constructor(max: number) {
    this.#max = max;
  }

  get full(): boolean {
    return this.errors.length >= this.#max;
  }

  /** `offset` counts from 0. */
  error(code: ValidationCode, message: string, offset: number): void {
    if (!this.full) this.errors.push({ code, message, position: offset + 1 });
  }

  warn(message: string, offset: number): void {
    this.warnings.push({ message, position: offset + 1 });
  }
}
