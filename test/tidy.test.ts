import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { IMPORTS } from "../tools/imports.ts";

const LINES_PER_FUNCTION_MAX = 70;
const LINES_PER_FILE_MAX = 500;

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts"], { encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "");
const text = (file: string) => readFileSync(file, "utf8");
const within = (file: string, folder: string) => file === `${folder}.ts` || file.startsWith(`${folder}/`);

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`. */
const importsOf = (file: string) =>
  [
    ...text(file).matchAll(
      /(?:^|\n)\s*(?:import|export)[^"';]*?from\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3]) as string);

describe("imports point inward", () => {
  test.each(Object.entries(IMPORTS))("%s", (folder, allowed) => {
    const wrong = files
      .filter((file) => within(file, folder))
      .flatMap((file) =>
        importsOf(file)
          .filter((specifier) => {
            if (!specifier.startsWith(".")) {
              return !allowed.packages.some((name) =>
                name.endsWith(":")
                  ? specifier.startsWith(name)
                  : specifier === name || specifier.startsWith(`${name}/`),
              );
            }
            const target = normalize(join(dirname(file), specifier)).replace(/\.ts$/, "");
            return ![folder, ...allowed.folders].some((inside) => target === inside || target.startsWith(`${inside}/`));
          })
          .map((specifier) => `${file} imports ${specifier}`),
      );
    expect(wrong).toEqual([]);
  });

  test("only the product's own parts are in the product", () => {
    const wrong = files
      .filter((file) => within(file, "shared") || within(file, "functions"))
      .flatMap((file) =>
        importsOf(file)
          .filter((s) => /(^|\/)(sandbox|test|tools|cli)\//.test(s))
          .map((s) => `${file} imports ${s}`),
      );
    expect(wrong).toEqual([]);
  });

  test("every folder of the product is in the table, and only wire.ts imports adapters", () => {
    const known = [...Object.keys(IMPORTS), "shared/wire", "shared/admin", "shared/governance"];
    expect(files.filter((file) => within(file, "shared") && !known.some((folder) => within(file, folder)))).toEqual([]);
  });
});

test("time and chance come from the injected clock", () => {
  const from = /Date\.now\(|new Date\(\)|Math\.random\(|randomUUID\(|setTimeout\(|setInterval\(|performance\.now\(/;
  const pure = [
    "shared/domain",
    "shared/pipeline",
    "shared/admin",
    "shared/governance",
    "shared/messages",
    "shared/config",
    "functions",
  ];
  expect(files.filter((file) => pure.some((folder) => within(file, folder)) && from.test(text(file)))).toEqual([]);
});

test(`no file is longer than ${LINES_PER_FILE_MAX} lines`, () => {
  const long = files
    .filter((file) => !file.startsWith("test/"))
    .map((file) => ({ file, lines: text(file).split("\n").length }));
  expect(long.filter(({ lines }) => lines > LINES_PER_FILE_MAX)).toEqual([]);
});

test(`no function of the product is longer than ${LINES_PER_FUNCTION_MAX} lines`, () => {
  const long = files
    .filter((file) => within(file, "shared") || within(file, "functions"))
    .flatMap((file) => longFunctions(file));
  expect(long).toEqual([]);
});

/** Functions that begin and end at the same indentation, as the formatter leaves them. */
function longFunctions(file: string): string[] {
  const lines = text(file).split("\n");
  return lines.flatMap((line, start) => {
    const opens =
      /^(\s*)(?:export\s+)?(?:async\s+)?(?:function\b|(?:const|let)\s+\w+.*=>|(?:private\s+|async\s+)*\w+\(.*\).*)\s*.*\{$/.exec(
        line,
      );
    if (!opens || /^\s*(if|for|while|switch|catch|return)\b/.test(line)) return [];
    const end = lines.findIndex((other, index) => index > start && new RegExp(`^${opens[1]}\\}`).test(other));
    return end - start + 1 > LINES_PER_FUNCTION_MAX ? [`${file}:${start + 1} has ${end - start + 1} lines`] : [];
  });
}

test("nothing is left behind in tests", () => {
  const left = /\.(only|skip|todo)\(/;
  expect(
    files.filter((file) => file.startsWith("test/") && file !== "test/tidy.test.ts" && left.test(text(file))),
  ).toEqual([]);
});

test("no type escapes", () => {
  const escapes = /\bas any\b|: any\b|@ts-(ignore|expect-error|nocheck)|as unknown as/;
  expect(files.filter((file) => file !== "test/tidy.test.ts" && escapes.test(text(file)))).toEqual([]);
});

test("the lock file names no host", () => {
  expect(text("package-lock.json")).not.toMatch(/"resolved"/);
});
