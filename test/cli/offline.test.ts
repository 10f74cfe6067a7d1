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

describe("map", () => {
  const id = (n: number) => `${String(n).repeat(8)}-1111-4111-8111-111111111111`;
  const tenant = (n: number, name: string, cloud: string) => ({
    name,
    id: id(n),
    cloud,
    credential: { kind: "certificate", clientId: id(9), path: "app.pem" },
  });
  const config = (job: object) => ({
    version: 1,
    deployment: "contoso",
    tenants: [tenant(1, "emea", "global"), tenant(2, "hub", "usGov")],
    jobs: [{ id: "emea-to-hub", source: "emea", target: "hub", userType: "guest", scope: { allUsers: true }, ...job }],
  });
  const mappings = [
    { target: "displayName", expression: 'Join(" ", [givenName], [surname])' },
    { target: "city", source: "city", defaultValue: "Oslo" },
    { target: "mobilePhone", source: "mobile", flowNullValues: true },
    { target: "companyName", constant: "Contoso" },
    {
      target: "mailNickname",
      expression: 'SelectUniqueValue([givenName], Append([givenName], "2"))',
      flowType: "ObjectAddOnly",
    },
    { target: "jobTitle", expression: 'FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy")' },
  ];
  const sync = file("sync.json", config({ mappings, flowNullValues: true }));
  const ada = file("ada.json", {
    userPrincipalName: "ada@emea.example",
    mail: "lovelace@emea.example",
    givenName: "Ada",
    surname: "Lovelace",
  });
  const ask = (...more: readonly string[]) =>
    run("map", "--job", "emea-to-hub", "--user", ada, "--now", "2031-05-01T00:00:00Z", ...more);

  test("shows the target user that would be made, and by which mapping", () => {
    const taken = file("taken.json", { mailNickname: ["ADA"] });
    const { status, answers } = ask("--config", sync, "--taken", taken);
    expect(status).toBe(0);
    expect(answers).toMatchObject([
      {
        job: "emea-to-hub",
        occasion: "create",
        address: "ada@emea.example",
        userType: "guest",
        notes: ["the job's state is off: nothing is written"],
        attributes: [
          {
            target: "displayName",
            value: "Ada Lovelace",
            outcome: "written",
            type: "expression",
            mapping: mappings[0],
          },
          { target: "city", value: "Oslo", outcome: "default", type: "direct" },
          { target: "mobilePhone", value: null, outcome: "left" },
          { target: "companyName", value: "Contoso", type: "constant", flowType: "Always" },
          { target: "mailNickname", value: "Ada2", flowType: "ObjectAddOnly" },
          { target: "jobTitle", value: "2031" },
        ],
      },
    ]);
  });

  test("shows what would change in a target user", () => {
    const target = file("guest.json", { displayName: "ADA LOVELACE", mobilePhone: "+1", companyName: "Fabrikam" });
    const { status, answers } = ask("--config", sync, "--target", target);
    expect(status).toBe(0);
    expect(answers).toMatchObject([
      {
        occasion: "update",
        changes: { companyName: "Contoso", mobilePhone: null, jobTitle: "2031" },
        attributes: [
          { target: "displayName", value: "ADA LOVELACE", outcome: "kept" },
          { target: "city", outcome: "left" },
          { target: "mobilePhone", value: null, outcome: "cleared" },
          { target: "companyName", outcome: "written" },
          { target: "mailNickname", outcome: "left" },
          {},
        ],
      },
    ]);
  });

  test("without mappings shows the default set, and the filter's verdict", () => {
    const filter = [{ name: "Sales", clauses: [{ attribute: "department", operator: "EQUALS", value: "Sales" }] }];
    const defaults = file("defaults.json", config({ scope: { allUsers: true, filter } }));
    const [answer] = ask("--config", defaults).answers;
    expect(answer).toMatchObject({ scope: { inScope: false, clauses: { "Sales.department EQUALS 'Sales'": false } } });
    expect(answer).toHaveProperty("attributes.length", 18);
    expect(answer).toHaveProperty(
      "attributes.17",
      expect.objectContaining({ target: "mail", value: "ada@emea.example" }),
    );
  });

  test("a mapping that fails, and a configuration with mistakes, end with 1", () => {
    const failing = file("failing.json", config({ mappings: [{ target: "city", expression: "CDate([surname])" }] }));
    expect(ask("--config", failing)).toMatchObject({
      status: 1,
      answers: [{ error: { code: "MAPPING_FAILED", target: "city", reason: "InvalidDate" } }],
    });
    const mistaken = file("mistaken.json", config({ mappings: [{ target: "citty", source: "city" }] }));
    expect(ask("--config", mistaken)).toMatchObject({
      status: 1,
      answers: [{ error: { code: "CONFIG_INVALID" }, mistakes: [{ path: "jobs[0].mappings[0].target" }] }],
    });
  });

  test("a table for people", () => {
    const args = ["cli/main.ts", "map", "--table", "--job", "emea-to-hub", "--user", ada, "--config", sync];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(stdout).toMatch(/^displayName +Ada Lovelace +written +Join\(.*Always$/m);
  });

  test("a mistyped job is told, with what was probably meant", () => {
    const { status, stderr } = run("map", "--job", "emea-to-hup", "--user", ada, "--config", sync);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining("Did you mean emea-to-hub?") });
  });

  test("warnings of the configuration are told", () => {
    const warned = file("warned.json", config({ mappings: [{ target: "mail", source: "mail" }] }));
    expect(ask("--config", warned).stderr).toContain("warning: jobs[0].mappings[0].target: across clouds");
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
    [["mapp"], "Did you mean map?"],
    [["map", "--job", "a"], "--user <file>"],
    [
      ["map", "--job", "a", "--user", "nowhere.json", "--config", "nowhere.config.json"],
      "nowhere.config.json cannot be read",
    ],
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
