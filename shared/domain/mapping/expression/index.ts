import { Evaluation, type Evaluator } from "./call.ts";
import { compileTree, type KnownNames } from "./compile.ts";
import { type Diagnostic, Diagnostics, type EvaluationCode, EvaluationFailure, IgnoredFlow } from "./diagnostics.ts";
import { DIAGNOSTICS_MAX, EXPRESSION_CHARACTERS_MAX } from "./limits.ts";
import { parse } from "./parser.ts";
import { type ExpressionInput, isList, textOf } from "./value.ts";

export type { Diagnostic, EvaluationCode, ValidationCode } from "./diagnostics.ts";
export type { ExpressionInput } from "./value.ts";

/** What an expression says about one object. Values are as they leave Entra: text, lists of text, or null. */
export type ExpressionOutcome =
  | { kind: "value"; value: string | readonly string[] | null }
  /** The attribute is left out of the flow, without its default value; `object`: the object is not provisioned. */
  | { kind: "ignored"; what: "attribute" | "object" }
  /** SelectUniqueValue: in order; who knows the target takes the first that is free. */
  | { kind: "candidates"; candidates: readonly CandidateOutcome[] }
  | { kind: "error"; error: Diagnostic<EvaluationCode> };
export type CandidateOutcome = Exclude<ExpressionOutcome, { kind: "candidates" }>;

export interface ExpressionOptions {
  /** The names of the source schema; `undefined`: not known, and an unknown attribute is null. */
  attributes?: KnownNames;
  /** The mapping that the expression belongs to; SelectUniqueValue depends on it. */
  mapping?: { matching: boolean; flowType: string };
}

export interface Expression {
  ok: true;
  /** Depends on nothing but its input, and never throws. Can be called millions of times. */
  evaluate(input: ExpressionInput): ExpressionOutcome;
  /** The attributes that have to be loaded. */
  attributes: readonly string[];
  /** Names of the functions that are called. */
  functions: ReadonlySet<string>;
  /** Sound, but advised against. */
  warnings: readonly { message: string; position: number }[];
}

export interface RefusedExpression {
  ok: false;
  /** All of them, in order of position. */
  errors: readonly Diagnostic[];
}

/**
 * Parses and checks an expression of Entra's attribute mappings.
 * Source: Entra `functions-for-customizing-application-data.md`, cloud sync `reference-expressions.md`.
 */
export function compileExpression(text: string, options: ExpressionOptions = {}): Expression | RefusedExpression {
  const diagnostics = new Diagnostics(DIAGNOSTICS_MAX);
  const refused = (): RefusedExpression => ({
    ok: false,
    errors: diagnostics.errors.toSorted((a, b) => a.position - b.position),
  });
  if (text.length > EXPRESSION_CHARACTERS_MAX) {
    const message = `The expression has ${text.length} characters; ${EXPRESSION_CHARACTERS_MAX} are allowed. Shorten it.`;
    diagnostics.error("ExpressionTooLong", message, EXPRESSION_CHARACTERS_MAX);
    return refused();
  }
  const root = parse(text, diagnostics);
  const compiled = root && compileTree(root, diagnostics, options.attributes);
  if (compiled?.unique) checkUniqueUse(diagnostics, options.mapping);
  if (!compiled || diagnostics.errors.length > 0) return refused();
  const { candidates, unique, attributes, functions } = compiled;
  const [only] = candidates;
  const evaluate = (input: ExpressionInput): ExpressionOutcome => {
    const evaluation = new Evaluation(input);
    if (!unique && only) return outcomeOf(only, evaluation);
    return { kind: "candidates", candidates: candidates.map((candidate) => outcomeOf(candidate, evaluation)) };
  };
  return { ok: true, evaluate, attributes, functions, warnings: diagnostics.warnings };
}

function checkUniqueUse(diagnostics: Diagnostics, mapping: ExpressionOptions["mapping"]): void {
  if (mapping?.matching) {
    diagnostics.error("MisplacedFunction", "SelectUniqueValue cannot make the value of a matching attribute.", 0);
  }
  if (mapping && mapping.flowType !== "ObjectAddOnly") {
    diagnostics.error("MisplacedFunction", 'SelectUniqueValue needs the flowType "ObjectAddOnly".', 0);
  }
}

function outcomeOf(run: Evaluator, evaluation: Evaluation): CandidateOutcome {
  try {
    const value = run(evaluation);
    return { kind: "value", value: isList(value) ? value : textOf(value) };
  } catch (thrown) {
    if (thrown instanceof IgnoredFlow) return { kind: "ignored", what: thrown.what };
    if (thrown instanceof EvaluationFailure) return { kind: "error", error: thrown.diagnostic };
    throw thrown;
  }
}

/**
 * The first candidate that is not taken. Nothing and empty are never unique; all taken is an error of the object, which
 * is tried again later. Addresses and names do not differ by case alone in a directory.
 */
export function firstFree(
  candidates: readonly CandidateOutcome[],
  isTaken: (value: string) => boolean,
): CandidateOutcome {
  for (const candidate of candidates) {
    if (candidate.kind !== "value") return candidate;
    const { value } = candidate;
    if (isList(value)) {
      if (!value.some(isTaken)) return candidate;
    } else if (value !== null && value !== "" && !isTaken(value)) return candidate;
  }
  const message = "Every value that SelectUniqueValue offers is taken in the target. Add a rule.";
  return { kind: "error", error: { code: "NoUniqueValue", message, position: 1 } };
}
