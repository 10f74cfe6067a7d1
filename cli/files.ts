import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type * as z from "zod";
import { NESTING_MAX, nestingOf } from "../shared/domain/json.ts";
import { UsageError } from "./exit-code.ts";

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Whole numbers beyond JavaScript's stay exact: as their digits. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? (context?.source ?? value)
    : value;
}

/** A sentence: what is wrong with the text. */
export function parseJson<T>(
  text: string,
  schema: z.ZodType<T>,
  nestingMax = NESTING_MAX,
): { value: T } | { wrong: string } {
  let raw: unknown;
  if (nestingOf(text) > nestingMax) return { wrong: `lists and objects lie more than ${nestingMax} deep` };
  try {
    raw = JSON.parse(text, keepDigits);
  } catch (error) {
    return { wrong: asError(error).message };
  }
  const parsed = schema.safeParse(raw);
  return parsed.success ? { value: parsed.data } : { wrong: toldIn(parsed.error) };
}

const toldIn = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => `${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`).join("; ");

/** One line of standard output. Waits for a slow reader, so that answers do not pile up in memory. */
export async function write(answer: unknown): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(answer)}\n`)) await once(process.stdout, "drain");
}

/** What could not be read, why, and what to do. */
function unreadable(file: string, error: unknown, remedy: string): UsageError {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  const why =
    code === "ENOENT"
      ? `there is no such file${isAbsolute(file) ? "" : ` in ${process.cwd()}`}`
      : code === "EISDIR"
        ? "it is a directory, not a file"
        : code === "EACCES"
          ? "it may not be read by whoever runs this"
          : asError(error).message;
  return new UsageError(`${file} cannot be read: ${why}. ${remedy}`);
}

const CHECK_NAME = "Check its name.";

export function readText(file: string, remedy = CHECK_NAME): string {
  try {
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw unreadable(file, error, remedy);
  }
}

export function readJson<T>(file: string, schema: z.ZodType<T>, nestingMax = NESTING_MAX): T {
  const parsed = parseJson(readText(file), schema, nestingMax);
  if ("wrong" in parsed) throw new UsageError(`${file}: ${parsed.wrong}`);
  return parsed.value;
}

/** One line after the other, empty ones left out; the file is never in memory as a whole. */
export async function* lines(file: string): AsyncGenerator<string> {
  const handle = await open(file).catch((error: unknown) => {
    throw unreadable(file, error, CHECK_NAME);
  });
  if ((await handle.stat()).isDirectory()) {
    await handle.close();
    throw unreadable(file, { code: "EISDIR" }, CHECK_NAME);
  }
  // The handle closes itself at the end, and when nobody asks for more.
  for await (const line of handle.readLines({ encoding: "utf8" })) {
    const text = line.replace(/^\uFEFF/, "");
    if (text.trim() !== "") yield text;
  }
}
