import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { HOSTILE } from "./hostile.ts";

const run = promisify(execFile);
const MS_MAX = 50;
/** Work of the process, not time on the wall; on a busy machine even that is dearer now and then. */
const TRIES = 4;

/** Those that take longest; the others are tried in a process that has evaluated before. */
const DEAREST = [
  ...["unknown functions", "growth", "many small repeats", "multiplied repeats", "alternatives", "nested groups"],
  ...["classes without letter case", "wide ranges", "properties", "many patterns", "many patterns beside each other"],
  ...["title case of a long text", "letter case of a culture", "words", "random text", "identifiers", "candidates"],
  ...["a long list, counted often", "long concatenations", "dates of blanks"],
];

test.each(DEAREST)("%s: refused or finished within 50 ms, also the first time", async (name) => {
  expect(HOSTILE).toHaveProperty(name);
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least > MS_MAX; tries++) {
    const { stdout } = await run(process.execPath, ["test/domain/expression/cold.ts", name]);
    least = Math.min(least, Number(stdout));
  }
  expect(least).toBeLessThan(MS_MAX);
});
