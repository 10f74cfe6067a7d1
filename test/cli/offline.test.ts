import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "cross-cloud-sync-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, ...content: readonly (string | object)[]): string {
  const path = join(folder, name);
  writeFileSync(path, content.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return path;
}

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["cli/main.ts", ...args], { encoding: "utf8" });
  return {
    status,
    stderr,
    answers: stdout
      .split("\n")
      .filter(Boolean)
      .map((line): unknown => JSON.parse(line)),
  };
}

const user = file("user.json", { mail: "A@b.example", n: 7, on: true, list: ["x"], department: "sales" });

describe("expression eval", () => {
  test.each([
    ["ToLower([mail])", { value: "a@b.example" }],
    ["CStr([n])", { value: "7" }],
    ["Coalesce([on])", { value: "True" }],
    ["RemoveDuplicates([list])", { value: ["x"] }],
    ["Coalesce([gone])", { value: null }],
    ["IgnoreFlowIfNullOrEmpty([gone])", { ignored: true }],
  ])("%s", (expression, answer) => {
    expect(run("expression", "eval", expression, "--user", user)).toEqual({ status: 0, stderr: "", answers: [answer] });
  });

  test("an error has code, message and position, and ends with 1", () => {
    expect(run("expression", "eval", 'CDate("x")')).toMatchObject({
      status: 1,
      answers: [{ error: { code: "InvalidDate", message: expect.any(String), position: 1 } }],
    });
    const { answers, status } = run("expression", "eval", 'Join(Foo("a"), Bar("b"))');
    expect(status).toBe(1);
    expect(answers).toMatchObject([
      { error: { code: "UnknownFunction", position: 6 }, errors: [{}, { position: 16 }] },
    ]);
  });

  test("cases are answered in order, whatever is in them", () => {
    const cases = file(
      "cases.ndjson",
      { expression: "ToUpper([a])", attributes: { a: "x" } },
      '{"expression":"CStr([a])","attributes":{"a":129699324000000001}}',
      "",
      { expression: 'SelectUniqueValue("a","b")', attributes: {}, existingTargetValues: ["A"] },
      { expression: "Now()", attributes: {}, now: "2026-01-05T15:04:05Z" },
      { expression: "DefaultDomain()", attributes: {}, defaultDomain: "corp.example" },
      { expression: "Nope()", attributes: {} },
    );
    expect(run("expression", "eval", "--cases", cases)).toMatchObject({
      status: 0,
      answers: [
        { value: "X" },
        { value: "129699324000000001" },
        { value: "b" },
        { value: "1/5/2026 3:04:05 PM" },
        { value: "corp.example" },
        { error: { code: "UnknownFunction", position: 1 } },
      ],
    });
  });

  test("a line that is no case is answered too, and ends with 1", () => {
    const cases = file("broken.ndjson", "{", { attributes: {} }, { expression: '"a"' });
    expect(run("expression", "eval", "--cases", cases)).toMatchObject({
      status: 1,
      answers: [{ error: { code: "InvalidCase" } }, { error: { code: "InvalidCase" } }, { value: "a" }],
    });
  });
});

describe("scope test", () => {
  const filter = {
    groups: [
      {
        name: "Sales",
        clauses: [{ sourceOperandName: "department", operatorName: "EQUALS", targetOperand: { values: ["sales"] } }],
      },
    ],
  };
  const answer = { inScope: true, clauses: { "Sales.department EQUALS 'sales'": true } };

  test("one filter, one user", () => {
    expect(run("scope", "test", "--filter", file("filter.json", filter), "--user", user)).toEqual({
      status: 0,
      stderr: "",
      answers: [answer],
    });
  });

  test("cases", () => {
    const wrong = { groups: [{ name: "x", clauses: [{ sourceOperandName: "a", operatorName: "LIKE" }] }] };
    const cases = file(
      "scopes.ndjson",
      { filter, user: { department: "sales" } },
      { filter, user: {} },
      { filter: wrong, user: {} },
    );
    expect(run("scope", "test", "--cases", cases)).toMatchObject({
      status: 0,
      answers: [answer, { inScope: false }, { error: { code: "InvalidFilter", position: "groups[0].clauses[0]" } }],
    });
  });
});

describe("wrong arguments end with 2", () => {
  test.each([
    [["expresion"], "Did you mean expression?"],
    [["expression", "evil"], "Did you mean eval?"],
    [["expression", "eval"], "Give an expression"],
    [["expression", "eval", '"a"', "--usr", "x"], "Did you mean --user?"],
    [["expression", "eval", '"a"', "--user", "nowhere.json"], "nowhere.json cannot be read"],
    [["expression", "eval", "--cases", "nowhere.ndjson"], "nowhere.ndjson cannot be read"],
    [["expression", "eval", '"a"', "--now", "later"], "is no moment"],
    [["scope", "test"], "Give --filter"],
  ])("%j", (args, said) => {
    const { status, stderr, answers } = run(...args);
    expect({ status, answers }).toEqual({ status: 2, answers: [] });
    expect(stderr).toContain(said);
  });

  test("as JSON when asked for", () => {
    expect(run("--json", "expresion")).toMatchObject({
      status: 2,
      stderr: "",
      answers: [{ error: { code: "Usage" } }],
    });
  });

  test("help is no error", () => {
    const { status, stdout } = spawnSync(process.execPath, ["cli/main.ts", "expression", "eval", "--help"], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("--cases <file>") });
  });
});
