import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pages } from "../tools/docs.ts";

test.each(Object.entries(pages()))("%s is fresh (npm run docs)", (path, text) => {
  expect(readFileSync(path, "utf8")).toBe(text);
});

test("every key has a description and an example", () => {
  const lines =
    pages()
      ["docs/configuration.md"]?.split("\n")
      .filter((line) => /^\| `\w/.test(line) && line.split("|").length >= 6) ?? [];
  expect(lines.filter((line) => line.includes("`undefined`"))).toEqual([]);
  expect(lines.length).toBeGreaterThan(25);
});
