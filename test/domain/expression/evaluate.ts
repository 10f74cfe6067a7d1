import { compileExpression, type ExpressionInput, firstFree } from "../../../shared/domain/mapping/expression/index.ts";

export interface World {
  now?: string;
  taken?: readonly string[];
  defaultDomain?: string;
  /** Bytes that the random source gives, over and over. */
  bytes?: readonly number[];
}

/** What a row of a table expects: a value, `{ ignored }`, or `{ error: code }`. */
export type Expected = string | null | readonly string[] | { ignored: "attribute" | "object" } | { error: string };

/** Compiles and evaluates as the command line does; the codes of all errors, joined, where there are several. */
export function evaluate(text: string, attributes: Record<string, unknown> = {}, world: World = {}): Expected {
  const compiled = compileExpression(text);
  if (!compiled.ok) return { error: compiled.errors.map(({ code }) => code).join() };
  const outcome = compiled.evaluate(inputOf(attributes, world));
  const taken = (world.taken ?? []).map((value) => value.toLowerCase());
  const chosen =
    outcome.kind === "candidates"
      ? firstFree(outcome.candidates, (value) => taken.includes(value.toLowerCase()))
      : outcome;
  if (chosen.kind === "ignored") return { ignored: chosen.what };
  return chosen.kind === "error" ? { error: chosen.error.code } : chosen.value;
}

export function inputOf(attributes: Readonly<Record<string, unknown>>, world: World = {}): ExpressionInput {
  const { bytes = [7, 200, 33, 90, 141, 2, 66], now = "2026-01-31T12:00:00Z", defaultDomain } = world;
  let next = 0;
  return {
    attributes,
    now: Date.parse(now),
    randomBytes: (count) => Uint8Array.from({ length: count }, () => bytes[next++ % bytes.length] ?? 0),
    ...(defaultDomain === undefined ? {} : { defaultDomain }),
  };
}
