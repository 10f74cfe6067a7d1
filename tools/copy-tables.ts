import { createInterface } from "node:readline";
import { type CopiedRow, exportTables, importTables } from "../shared/pipeline/copy-tables.ts";
import { app } from "../shared/wire.ts";

/** `export` writes lines of JSON, `import` reads them; the settings are those of the app. */

async function* lines(): AsyncIterable<CopiedRow> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== "") yield JSON.parse(line) as CopiedRow;
  }
}

const { world } = app();
await world.ready();
switch (process.argv[2]) {
  case "export":
    for await (const row of exportTables(world)) process.stdout.write(`${JSON.stringify(row)}\n`);
    break;
  case "import":
    process.stderr.write(`${await importTables(world, lines())} rows are back.\n`);
    break;
  default:
    process.stderr.write("Usage: node tools/copy-tables.ts export > copy.ndjson, or import < copy.ndjson\n");
    process.exitCode = 2;
}
