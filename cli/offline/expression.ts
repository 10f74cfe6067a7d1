import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import * as z from "zod";
import {
  type CandidateOutcome,
  compileExpression,
  type Diagnostic,
  type ExpressionInput,
  firstFree,
} from "../../shared/domain/mapping/expression/index.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { lines, parseJson, write } from "../files.ts";
import { MOMENT, momentOf } from "./moment.ts";
import { readUser } from "./user-file.ts";

const ATTRIBUTES = z.record(z.string(), z.unknown());
const CASE = z.object({
  expression: z.string(),
  attributes: ATTRIBUTES.nullish(),
  /** Values that the target attribute has elsewhere, for SelectUniqueValue. */
  existingTargetValues: z.array(z.union([z.string(), z.number(), z.null()])).nullish(),
  now: MOMENT.nullish(),
  defaultDomain: z.string().nullish(),
});
type Case = z.infer<typeof CASE>;

/** One line of output. */
type ExpressionAnswer =
  | { value: string | readonly string[] | null }
  | { ignored: true }
  | { error: Diagnostic<string> };

function evaluateCase({ expression, attributes, existingTargetValues, now, defaultDomain }: Case): {
  answer: ExpressionAnswer;
  /** What else there is to say, beside the answer. */
  notes: readonly string[];
} {
  const compiled = compileExpression(expression);
  if (!compiled.ok) {
    const [error = { code: "SyntaxError", message: "The expression cannot be read.", position: 1 }, ...more] =
      compiled.errors;
    return { answer: { error }, notes: more.map(({ message, position }) => `also wrong at ${position}: ${message}`) };
  }
  const input: ExpressionInput = {
    attributes: attributes ?? {},
    now: now ?? Date.now(),
    randomBytes,
    ...(typeof defaultDomain === "string" ? { defaultDomain } : {}),
  };
  const outcome = compiled.evaluate(input);
  const taken = new Set((existingTargetValues ?? []).map((value) => String(value ?? "").toLowerCase()));
  const chosen =
    outcome.kind === "candidates" ? firstFree(outcome.candidates, (value) => taken.has(value.toLowerCase())) : outcome;
  return {
    answer: answerOf(chosen),
    notes: compiled.warnings.map(({ message, position }) => `warning at ${position}: ${message}`),
  };
}

function answerOf(outcome: CandidateOutcome): ExpressionAnswer {
  if (outcome.kind === "ignored") return { ignored: true };
  return outcome.kind === "error" ? { error: outcome.error } : { value: outcome.value };
}

interface Options {
  user?: string;
  cases?: string;
  now?: string;
  defaultDomain?: string;
}

async function evaluate(expression: string | undefined, options: Options): Promise<void> {
  if ((expression === undefined) === (options.cases === undefined)) {
    throw new UsageError("Give an expression, or --cases FILE with one a line.");
  }
  if (options.cases !== undefined) {
    if (options.user !== undefined)
      throw new UsageError("--user belongs to a single expression; a case names its attributes.");
    for await (const line of lines(options.cases)) {
      const parsed = parseJson(line, CASE);
      const answer: ExpressionAnswer =
        "wrong" in parsed
          ? { error: { code: "InvalidCase", message: parsed.wrong, position: 1 } }
          : evaluateCase(parsed.value).answer;
      if ("wrong" in parsed) process.exitCode = EXIT.refused;
      await write(answer);
    }
    return;
  }
  const now = momentOf(options.now);
  const { answer, notes } = evaluateCase({
    expression: expression ?? "",
    attributes: options.user === undefined ? {} : readUser(options.user),
    now,
    defaultDomain: options.defaultDomain,
  });
  for (const note of notes) process.stderr.write(`${note}\n`);
  await write(answer);
  if ("error" in answer) process.exitCode = EXIT.refused;
}

export function addExpression(program: Command): void {
  const expression = program.command("expression").description("try attribute-mapping expressions, without a tenant");
  expression
    .command("eval")
    .description('prints {"value": …}, {"ignored": true} or {"error": {…}}; ends with 1 on an error')
    .argument("[expression]", "such as 'ToLower([mail])'")
    .option("--user <file>", "JSON object: the attributes of the user, as Graph gives it")
    .option(
      "--cases <file>",
      'one {"expression", "attributes", "existingTargetValues"?, "now"?, "defaultDomain"?} a line',
    )
    .option("--now <moment>", "what Now() says, such as 2026-01-31T12:00:00Z")
    .option("--default-domain <name>", "what DefaultDomain() says")
    .action(evaluate);
}
