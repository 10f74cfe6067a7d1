import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NAMED } from "./contents.ts";

test.each(Object.entries(NAMED))("%s: is played", (_name, [file, title]) => {
  expect(readFileSync(`test/${file}`, "utf8")).toContain(title);
});
