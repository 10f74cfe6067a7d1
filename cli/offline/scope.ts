import type { Command } from "commander";
import * as z from "zod";
import { compileScopingFilter, type FilterMistake, type ScopingFilter } from "../../shared/domain/scoping-filter.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { lines, parseJson, readJson } from "../files.ts";

const USER = z.record(z.string(), z.unknown());
const VALUE = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const OPERAND = z.object({ values: z.array(VALUE).nullish() }).nullish();
const CLAUSE = z.object({ sourceOperandName: z.string(), operatorName: z.string(), targetOperand: OPERAND });
const GROUP = z.object({
  name: z.string().nullish(),
  clauses: z
    .array(CLAUSE)
    .nullish()
    .transform((clauses) => clauses ?? []),
});
const GROUPS = z.array(GROUP).nullish();
const FILTER = z.object({ groups: GROUPS, inputFilterGroups: GROUPS, categoryFilterGroups: GROUPS });
const CASE = z.object({ filter: FILTER, user: USER });

/** One line of output. */
export type ScopeAnswer =
  | { inScope: boolean; clauses: Readonly<Record<string, boolean>> }
  | { error: { code: string; message: string; position: string }; errors?: readonly FilterMistake[] };

export function testScope(
  filter: ScopingFilter,
  user: Readonly<Record<string, unknown>>,
): { answer: ScopeAnswer; warnings: readonly FilterMistake[] } {
  const compiled = compileScopingFilter(filter);
  if (compiled.ok) {
    const { inScope, clauses } = compiled.test(user);
    return { answer: { inScope, clauses }, warnings: compiled.warnings };
  }
  const [first] = compiled.errors;
  const error = { code: "InvalidFilter", message: first?.message ?? "", position: first?.path ?? "" };
  return { answer: { error, ...(compiled.errors.length > 1 ? { errors: compiled.errors } : {}) }, warnings: [] };
}

async function test(options: { filter?: string; user?: string; cases?: string }): Promise<void> {
  const { filter, user, cases } = options;
  if (cases !== undefined) {
    if (filter !== undefined || user !== undefined)
      throw new UsageError("Give either --cases, or --filter and --user.");
    for await (const line of lines(cases)) {
      const parsed = parseJson(line, CASE);
      const answer =
        "wrong" in parsed
          ? { error: { code: "InvalidCase", message: parsed.wrong, position: "" } }
          : testScope(parsed.value.filter, parsed.value.user).answer;
      if ("wrong" in parsed) process.exitCode = EXIT.refused;
      process.stdout.write(`${JSON.stringify(answer)}\n`);
    }
    return;
  }
  if (filter === undefined || user === undefined)
    throw new UsageError("Give --filter FILE and --user FILE, or --cases FILE.");
  const { answer, warnings } = testScope(readJson(filter, FILTER), readJson(user, USER));
  for (const { path, message } of warnings) process.stderr.write(`warning at ${path}: ${message}\n`);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  if ("error" in answer) process.exitCode = EXIT.refused;
}

export function addScope(program: Command): void {
  const scope = program.command("scope").description("try scoping filters, without a tenant");
  scope
    .command("test")
    .description('prints {"inScope": …, "clauses": {…}}, each clause as the provisioning log shows it')
    .option("--filter <file>", 'JSON: {"groups": [{"name", "clauses": […]}]}, as in a synchronization schema')
    .option("--user <file>", "JSON object: the attributes of the user")
    .option("--cases <file>", 'one {"filter", "user"} a line')
    .action(test);
}
