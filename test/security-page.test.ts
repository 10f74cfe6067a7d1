import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Every line of the threat model names a test, and the test is there. */
const page = readFileSync("docs/security.md", "utf8");
const lines = page.split("\n").filter((line) => /^\| [STRIDE] \|/.test(line));

test("there are threats of every kind, for every arrow", () => {
  expect(lines.length).toBeGreaterThan(35);
  for (const section of page.split("### ").slice(1, 7)) {
    const title = section.split("\n")[0] ?? "";
    for (const letter of "STRIDE") {
      if (letter === "D" || letter === "S" || letter === "I")
        expect(section, `${title}: ${letter}`).toContain(`| ${letter} |`);
    }
  }
});

test.each(lines.map((line) => [line.split("|")[2]?.trim() ?? "", line]))("%s", (_, line) => {
  const [, file = "", title = ""] = /\| `(test\/[\w/.-]+\.test\.ts)`: ?(.*?) ?\|$/.exec(line) ?? [];
  expect(existsSync(file), line).toBe(true);
  expect(title, line).not.toBe("");
  const text = readFileSync(file, "utf8").replace(/\\(["'`])/g, "$1");
  expect(text.includes(title), `${file} has no "${title}"`).toBe(true);
});
