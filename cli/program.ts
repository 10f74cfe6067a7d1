import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import * as z from "zod";
import { EXIT, UsageError } from "./exit-code.ts";
import { readText } from "./files.ts";
import { addDoctor } from "./offline/doctor.ts";
import { addExpression } from "./offline/expression.ts";
import { addMap } from "./offline/map.ts";
import { addSchema } from "./offline/schema.ts";
import { addScope } from "./offline/scope.ts";
import { addOnline } from "./online/commands.ts";

const PACKAGE = fileURLToPath(new URL("../package.json", import.meta.url));
const VERSION = z.object({ version: z.string() }).parse(JSON.parse(readText(PACKAGE))).version;

/** `cross-cloud-sync`: results go to standard output as JSON lines, everything said to people to standard error. */
function program(asJson: boolean): Command {
  const command = new Command("cross-cloud-sync")
    .description("Keeps B2B users in target tenants equal to what your jobs say.")
    .version(VERSION, "--version")
    .option("--json", "wrong arguments are told as JSON too")
    .showHelpAfterError("(add --help for the options)")
    .addHelpText(
      "after",
      `\nEnds with ${EXIT.done} when done, ${EXIT.refused} on an error in the answer, ${EXIT.usage} on wrong arguments, ${EXIT.unreachable} when the app was not reached.`,
    )
    .exitOverride();
  addExpression(command);
  addScope(command);
  addOnline(command);
  addMap(command);
  addSchema(command);
  addDoctor(command);
  for (const group of command.commands) {
    group.copyInheritedSettings(command);
    for (const leaf of group.commands) leaf.copyInheritedSettings(group);
  }
  if (asJson) command.configureOutput({ writeErr: () => undefined });
  return command;
}

/** One command; `args` without the names of Node and of the program. The outcome is in `process.exitCode`. */
export async function run(args: readonly string[]): Promise<void> {
  const asJson = args.includes("--json");
  try {
    await program(asJson).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError) && !(error instanceof UsageError)) throw error;
    if (error instanceof CommanderError && error.exitCode === 0) return;
    process.exitCode = EXIT.usage;
    const message = error.message.replace(/^error: /, "");
    if (asJson) process.stdout.write(`${JSON.stringify({ error: { code: "Usage", message } })}\n`);
    else if (error instanceof UsageError) process.stderr.write(`error: ${message}\n`);
  }
}
