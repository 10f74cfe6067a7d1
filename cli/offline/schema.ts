import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import * as z from "zod";
import { exportSchema } from "../../shared/config/entra/export.ts";
import { importSchema, type NotCarried, SchemaInvalid } from "../../shared/config/entra/import.ts";
import { rulesOfJob } from "../../shared/config/entra/rules.ts";
import { didYouMean } from "../../shared/domain/mapping/expression/near-miss.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { readJson } from "../files.ts";
import { configOption, readConfig, refusalOf } from "./config-file.ts";

/** A hundred calls within each other are allowed, and each lies three deep in the tree of an expression. */
const SCHEMA_NESTING_MAX = 400;

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function say(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** To the file, for people and version control, or to standard output in one line. */
function give(document: unknown, file: string | undefined, summary: object): void {
  if (file === undefined) {
    say(document);
    return;
  }
  try {
    writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${asError(error).message}`);
  }
  say({ file, ...summary });
}

function importFile(file: string, { out }: { out?: string }): void {
  const json = readJson(file, z.unknown(), SCHEMA_NESTING_MAX);
  try {
    const { rules, notCarried } = importSchema(json);
    const rulesOnly = notCarried.filter(({ weight }) => weight === "rule");
    for (const one of rulesOnly) process.stderr.write(`${lineOf(one)}\n`);
    const notes = notCarried.length - rulesOnly.length;
    give({ job: rules, notCarried }, out, { mappings: rules.mappings.length, rules: rulesOnly.length, notes });
  } catch (error) {
    if (!(error instanceof SchemaInvalid)) throw error;
    const { path, problem, remedy } = error.mistake;
    say({ error: { code: "SchemaInvalid", message: `${problem}. ${remedy}`, position: path } });
    process.exitCode = EXIT.refused;
  }
}

const lineOf = ({ path, was, why, remedy }: NotCarried): string => `${path}: ${was}. ${why}. ${remedy}`;

function exportJob({ config, job, beta, out }: { config: string; job: string; beta?: boolean; out?: string }): void {
  try {
    const loaded = readConfig(config).config;
    const found = loaded.jobs.find(({ id }) => id === job);
    const ids = loaded.jobs.map(({ id }) => id);
    if (!found) throw new UsageError(`There is no job ${job}.${didYouMean(job, ids)} Use one of: ${ids.join(", ")}.`);
    const rules = rulesOfJob(loaded, found);
    give(exportSchema(rules, { beta: beta === true }), out, { mappings: rules.mappings.length });
  } catch (error) {
    say(refusalOf(error));
    process.exitCode = EXIT.refused;
  }
}

export function addSchema(program: Command): void {
  const schema = program.command("schema").description("move a job's rules between Entra and here, by file");
  schema
    .command("import")
    .description(
      'reads a synchronizationSchema of Microsoft Graph: {"job": the rules, "notCarried": what they do not say}',
    )
    .argument("<file>", "the schema, as Graph or the schema editor gives it")
    .option("--out <file>", "write the answer there, and a summary to standard output")
    .action(importFile);
  schema
    .command("export")
    .description("writes the rules of a job as a synchronizationSchema")
    .addOption(configOption())
    .requiredOption("--job <name>", "id of the job")
    .option("--beta", "in the shape of Graph's beta version")
    .option("--out <file>", "write the schema there, and a summary to standard output")
    .action(exportJob);
}
