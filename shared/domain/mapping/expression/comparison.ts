import type { Argument, Evaluator } from "./call.ts";
import { DateTime } from "./date-time.ts";
import { EvaluationFailure } from "./diagnostics.ts";
import type { Comparison } from "./tree.ts";
import { boolean, compareNumbers, isList, readsAsNumber, textOf, type Value } from "./value.ts";

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
};

/**
 * Numbers as numbers, dates as instants, everything else letter by letter. Nothing compares with null or empty, except
 * that `=""` and `<>""` ask for emptiness.
 */
export function compileComparison(operator: Comparison, left: Argument, right: Argument, at: number): Evaluator {
  const one = (value: Value): string | null => {
    if (!isList(value)) return textOf(value);
    throw new EvaluationFailure(
      "MultiValueNotSupported",
      "A list cannot be compared. Use Count, Item or Join first.",
      at + 1,
    );
  };
  const asksForEmptiness = left.constant === "" || right.constant === "";
  if (asksForEmptiness && (operator === "=" || operator === "<>")) {
    const asked = left.constant === "" ? right : left;
    return (evaluation) => boolean(((one(asked.run(evaluation)) ?? "") === "") === (operator === "="));
  }
  const holds = HOLDS[operator];
  return (evaluation) => {
    const [a, b] = [left.run(evaluation), right.run(evaluation)];
    if (a instanceof DateTime && b instanceof DateTime) return boolean(holds(a.compare(b)));
    const [first, second] = [one(a), one(b)];
    if (first === null || second === null || first === "" || second === "") return "False";
    if (readsAsNumber(first) && readsAsNumber(second)) {
      evaluation.spend(first.length + second.length, at + 1);
      return boolean(holds(compareNumbers(first, second)));
    }
    return boolean(holds(first === second ? 0 : first < second ? -1 : 1));
  };
}
