import type { Command } from "commander";
import * as z from "zod";
import { filterOf } from "../../shared/config/filter.ts";
import { plainIssues } from "../../shared/config/issues.ts";
import { JobConfig } from "../../shared/config/schema.ts";
import { didYouMean } from "../../shared/domain/mapping/expression/near-miss.ts";
import {
  clauseValue,
  compileScopingFilter,
  type FilterMistake,
  type ScopingFilter,
} from "../../shared/domain/scoping-filter.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { lines, parseJson, readJson, write } from "../files.ts";
import { readUser } from "./user-file.ts";

const USER = z.record(z.string(), z.unknown());
const VALUE = z.union([z.string(), z.number(), z.boolean()]).transform(clauseValue);
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
const SETS = { groups: GROUPS, inputFilterGroups: GROUPS, categoryFilterGroups: GROUPS };
/** A filter that says nothing lets everybody in: a mistyped name must not do so. Annotations of OData are no setting. */
const OF_SCHEMA = z.looseObject(SETS).superRefine((filter, context) => {
  for (const key of Object.keys(filter).filter((name) => !Object.hasOwn(SETS, name) && !name.startsWith("@")))
    context.addIssue(`a filter has no ${key}.${didYouMean(key, Object.keys(SETS))}`);
});
/** As in `scope.filter` of a job. */
const OF_JOB = JobConfig.shape.scope.shape.filter.transform(
  (filter) => filterOf({ filter, inputFilter: undefined }) ?? {},
);
const FILTER = z.unknown().transform((raw, context): ScopingFilter => {
  const parsed = (Array.isArray(raw) ? OF_JOB : OF_SCHEMA).safeParse(raw);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues.flatMap(plainIssues))
    context.addIssue({ code: "custom", path: [...path], message });
  return z.NEVER;
});
const CASE = z.object({ filter: FILTER, user: USER });

/** One line of output. */
type ScopeAnswer =
  | { inScope: boolean; clauses: Readonly<Record<string, boolean>> }
  | { error: { code: "InvalidFilter" | "InvalidCase"; message: string; position: string } };

function testScope(
  filter: ScopingFilter,
  user: Readonly<Record<string, unknown>>,
): { answer: ScopeAnswer; warnings: readonly FilterMistake[]; mistakes: readonly FilterMistake[] } {
  const compiled = compileScopingFilter(filter);
  if (compiled.ok) {
    const { inScope, clauses } = compiled.test(user);
    return { answer: { inScope, clauses }, warnings: compiled.warnings, mistakes: [] };
  }
  const [first] = compiled.errors;
  const error = { code: "InvalidFilter", message: first?.message ?? "", position: first?.path ?? "" } as const;
  return { answer: { error }, warnings: [], mistakes: compiled.errors.slice(1) };
}

async function test(options: { filter?: string; user?: string; cases?: string }): Promise<void> {
  const { filter, user, cases } = options;
  if (cases !== undefined) {
    if (filter !== undefined || user !== undefined)
      throw new UsageError("Give either --cases, or --filter and --user.");
    for await (const line of lines(cases)) {
      const parsed = parseJson(line, CASE);
      const answer: ScopeAnswer =
        "wrong" in parsed
          ? { error: { code: "InvalidCase", message: parsed.wrong, position: "" } }
          : testScope(parsed.value.filter, parsed.value.user).answer;
      if ("wrong" in parsed) process.exitCode = EXIT.refused;
      await write(answer);
    }
    return;
  }
  if (filter === undefined || user === undefined)
    throw new UsageError("Give --filter FILE and --user FILE, or --cases FILE.");
  const { answer, warnings, mistakes } = testScope(readJson(filter, FILTER), readUser(user));
  for (const { path, message } of warnings) process.stderr.write(`warning at ${path}: ${message}\n`);
  for (const { path, message } of mistakes) process.stderr.write(`also wrong at ${path}: ${message}\n`);
  await write(answer);
  if ("error" in answer) process.exitCode = EXIT.refused;
}

export function addScope(program: Command): void {
  const scope = program.command("scope").description("try scoping filters, without a tenant");
  scope
    .command("test")
    .description('prints {"inScope": …, "clauses": {…}}, each clause as the provisioning log shows it')
    .option("--filter <file>", 'JSON: {"groups": [{"name", "clauses": […]}]} of a schema, or "filter" of a job')
    .option("--user <file>", "JSON object: the attributes of the user, as Graph gives it")
    .option("--cases <file>", 'one {"filter", "user"} a line')
    .action(test);
}
