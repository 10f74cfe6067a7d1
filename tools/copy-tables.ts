import { createInterface } from "node:readline";
import * as z from "zod";
import { COPIED, type CopiedRow, exportTables, importTables } from "../shared/pipeline/copy-tables.ts";
import { app } from "../shared/wire.ts";

/** `export` writes lines of JSON, `import` reads them; the settings are those of the app. */

const Row = z.object({
  table: z.enum(COPIED),
  partition: z.string().min(1),
  row: z.string().min(1),
  value: z.record(z.string(), z.unknown()),
});

class LineInvalid extends Error {}

/** The row on a line of a copy. Throws `LineInvalid` with the number of the line, and nothing of what stands there. */
export function rowOf(line: string, number: number): CopiedRow {
  const remedy = "Mend it, or take the copy again, and repeat the import: rows that are back stay.";
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new LineInvalid(`Line ${number} is not JSON. ${remedy}`);
  }
  const row = Row.safeParse(json);
  if (row.success) return row.data;
  const wrong = row.error.issues.map(({ path }) => path.join(".") || "the whole").join(", ");
  throw new LineInvalid(`Line ${number} is no row of a copy (${wrong}). ${remedy}`);
}

async function* lines(): AsyncIterable<CopiedRow> {
  let number = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    number++;
    if (line.trim() !== "") yield rowOf(line, number);
  }
}

async function main(command: string | undefined): Promise<void> {
  if (command !== "export" && command !== "import") {
    process.stderr.write("Usage: node tools/copy-tables.ts export > copy.ndjson, or import < copy.ndjson\n");
    process.exitCode = 2;
    return;
  }
  const { world } = app();
  await world.ready();
  if (command === "export") {
    for await (const row of exportTables(world)) process.stdout.write(`${JSON.stringify(row)}\n`);
    return;
  }
  process.stderr.write(`${await importTables(world, lines())} rows are back.\n`);
}

if (import.meta.main)
  await main(process.argv[2]).catch((error: unknown) => {
    if (!(error instanceof LineInvalid)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
