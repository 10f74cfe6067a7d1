import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "cross-cloud-sync-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, ...content: readonly (string | object)[]): string {
  const path = join(folder, name);
  writeFileSync(path, content.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return path;
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
  ])("%s", async (expression, answer) => {
    expect(await run("expression", "eval", expression, "--user", user)).toMatchObject({
      status: 0,
      stderr: "",
      answers: [answer],
    });
  });

  test("a user as Graph gives it: nested attributes by their path, and the directory's older names", async () => {
    const graph = file("graph.json", {
      mobilePhone: "+47",
      businessPhones: ["+1"],
      employeeOrgData: { division: "D" },
      onPremisesExtensionAttributes: { extensionAttribute3: "three" },
    });
    const names = ["mobile", "telephoneNumber", "employeeOrgData.division", "extensionAttribute3", "accountEnabled"];
    const expression = `Join("|", ${names.map((name) => `[${name}]`).join(", ")}, [objectId])`;
    expect(await run("expression", "eval", expression, "--user", graph)).toMatchObject({
      answers: [{ value: "+47|+1|D|three" }],
    });
  });

  test("an error has code, message and position, and ends with 1", async () => {
    expect(await run("expression", "eval", 'CDate("x")')).toMatchObject({
      status: 1,
      answers: [{ error: { code: "InvalidDate", message: expect.any(String), position: 1 } }],
    });
  });

  test("of several errors the first is the answer, and the others are told beside it", async () => {
    const { answers, status, stderr } = await run("expression", "eval", 'Join(Foo("a"), Bar("b"))');
    expect(status).toBe(1);
    expect(answers).toEqual([{ error: { code: "UnknownFunction", message: expect.any(String), position: 6 } }]);
    expect(stderr).toContain("also wrong at 16: There is no function Bar");
  });

  test("cases are answered in order, whatever is in them", async () => {
    const cases = file(
      "cases.ndjson",
      { expression: "ToUpper([a])", attributes: { a: "x" } },
      '{"expression":"CStr([a])","attributes":{"a":129699324000000001}}',
      "",
      { expression: 'SelectUniqueValue("a","b")', attributes: {}, existingTargetValues: ["A"] },
      { expression: "Now()", attributes: {}, now: "2026-01-05T15:04:05Z" },
      { expression: "Now()", attributes: {}, now: "2026-01-05T15:04:05" },
      { expression: "DefaultDomain()", attributes: {}, defaultDomain: "corp.example" },
      { expression: "Nope()", attributes: {} },
    );
    expect(await run("expression", "eval", "--cases", cases)).toMatchObject({
      status: 0,
      answers: [
        { value: "X" },
        { value: "129699324000000001" },
        { value: "b" },
        { value: "1/5/2026 3:04:05 PM" },
        { value: "1/5/2026 3:04:05 PM" },
        { value: "corp.example" },
        { error: { code: "UnknownFunction", position: 1 } },
      ],
    });
  });

  test("a line that is no case is answered too, and ends with 1", async () => {
    const cases = file("broken.ndjson", "{", { attributes: {} }, { expression: '"a"' });
    expect(await run("expression", "eval", "--cases", cases)).toMatchObject({
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

  test("one filter, one user", async () => {
    expect(await run("scope", "test", "--filter", file("filter.json", filter), "--user", user)).toMatchObject({
      status: 0,
      stderr: "",
      answers: [answer],
    });
  });

  test("cases", async () => {
    const wrong = { groups: [{ name: "x", clauses: [{ sourceOperandName: "a", operatorName: "LIKE" }] }] };
    const cases = file(
      "scopes.ndjson",
      { filter, user: { department: "sales" } },
      { filter, user: {} },
      { filter: wrong, user: {} },
    );
    expect(await run("scope", "test", "--cases", cases)).toMatchObject({
      status: 0,
      answers: [answer, { inScope: false }, { error: { code: "InvalidFilter", position: "groups[0].clauses[0]" } }],
    });
  });

  test("a filter as a job has it, and one that says nothing because of a mistyped name", async () => {
    const ofJob = [{ name: "Sales", clauses: [{ attribute: "department", operator: "equals", value: "sales" }] }];
    const cases = file(
      "forms.ndjson",
      { filter: ofJob, user: { department: "sales" } },
      { filter: { ...filter, "@odata.type": "#microsoft.graph.filter" }, user: {} },
      { filter: { group: filter.groups }, user: {} },
      { filter: [{ clauses: [{ attribute: "department" }] }], user: {} },
      { user: {} },
    );
    const invalid = (told: string) => ({ error: { code: "InvalidCase", message: expect.stringContaining(told) } });
    expect(await run("scope", "test", "--cases", cases)).toMatchObject({
      status: 1,
      answers: [
        answer,
        { inScope: false },
        invalid("Did you mean groups?"),
        invalid("filter.0.clauses.0.operator"),
        invalid("filter: "),
      ],
    });
  });

  test("of several mistakes the first is the answer, and the others are told beside it", async () => {
    const clauses = ["LIKE", "BETWEEN"].map((operatorName) => ({ sourceOperandName: "a", operatorName }));
    const wrong = file("wrong.json", { groups: [{ name: "x", clauses }] });
    const { status, answers, stderr } = await run("scope", "test", "--filter", wrong, "--user", user);
    expect(status).toBe(1);
    expect(answers).toEqual([
      { error: { code: "InvalidFilter", message: expect.any(String), position: "groups[0].clauses[0]" } },
    ]);
    expect(stderr).toContain("also wrong at groups[0].clauses[1]: There is no operator BETWEEN");
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

  test("shows the target user that would be made, and by which mapping", async () => {
    const taken = file("taken.json", { mailNickname: ["ADA"] });
    const { status, answers } = await ask("--config", sync, "--taken", taken);
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

  test("shows what would change in a target user", async () => {
    const target = file("guest.json", { displayName: "ADA LOVELACE", mobilePhone: "+1", companyName: "Fabrikam" });
    const { status, answers } = await ask("--config", sync, "--target", target);
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

  test("without mappings shows the default set, and the filter's verdict", async () => {
    const filter = [{ name: "Sales", clauses: [{ attribute: "department", operator: "EQUALS", value: "Sales" }] }];
    const defaults = file("defaults.json", config({ scope: { allUsers: true, filter } }));
    const [answer] = (await ask("--config", defaults)).answers;
    expect(answer).toMatchObject({ scope: { inScope: false, clauses: { "Sales.department EQUALS 'Sales'": false } } });
    expect(answer).toHaveProperty("attributes.length", 18);
    expect(answer).toHaveProperty(
      "attributes.17",
      expect.objectContaining({ target: "mail", value: "ada@emea.example" }),
    );
  });

  test("a mapping that fails, and a configuration with mistakes, end with 1", async () => {
    const failing = file("failing.json", config({ mappings: [{ target: "city", expression: "CDate([surname])" }] }));
    expect(await ask("--config", failing)).toMatchObject({
      status: 1,
      answers: [{ error: { code: "MAPPING_FAILED", target: "city", reason: "InvalidDate" } }],
    });
    const mistaken = file("mistaken.json", config({ mappings: [{ target: "citty", source: "city" }] }));
    expect(await ask("--config", mistaken)).toMatchObject({
      status: 1,
      answers: [{ error: { code: "CONFIG_INVALID" }, mistakes: [{ path: "jobs[0].mappings[0].target" }] }],
    });
  });

  test("a table for people", async () => {
    const { stdout } = await run("map", "--table", "--job", "emea-to-hub", "--user", ada, "--config", sync);
    expect(stdout).toMatch(/^displayName +Ada Lovelace +written +Join\(.*Always$/m);
  });

  test("a mistyped job is told, with what was probably meant", async () => {
    const { status, stderr } = await run("map", "--job", "emea-to-hup", "--user", ada, "--config", sync);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining("Did you mean emea-to-hub?") });
  });

  test("warnings of the configuration are told", async () => {
    const warned = file("warned.json", config({ mappings: [{ target: "mail", source: "mail" }] }));
    expect((await ask("--config", warned)).stderr).toContain("warning: jobs[0].mappings[0].target: across clouds");
  });
});

describe("wrong arguments end with 2", () => {
  test.each([
    [["expresion"], "Did you mean expression?"],
    [["expression", "evil"], "Did you mean eval?"],
    [["expression", "eval"], "Give an expression"],
    [["expression", "eval", '"a"', "--usr", "x"], "Did you mean --user?"],
    [
      ["expression", "eval", '"a"', "--user", "nowhere.json"],
      "nowhere.json cannot be read: there is no such file in /",
    ],
    [["expression", "eval", "--cases", "nowhere.ndjson"], "nowhere.ndjson cannot be read: there is no such file in /"],
    [["scope", "test", "--filter", "nowhere.json", "--user", user], "there is no such file"],
    [["expression", "eval", "--cases", folder], "it is a directory"],
    [["expression", "eval", '"a"', "--now", "later"], "is no moment"],
    [["expression", "eval", '"a"', "--now", "0"], "is no moment"],
    [["scope", "test"], "Give --filter"],
    [["mapp"], "Did you mean map?"],
    [["map", "--job", "a"], "--user <file>"],
    [["map", "--job", "a", "--user", "nowhere.json", "--config", "nowhere.config.json"], "there is no such file in /"],
    [
      ["map", "--job", "a", "--user", user, "--config", folder],
      "it is a directory, not a file. Name the configuration",
    ],
    [
      ["doctor", "permissions", "--config", "nowhere.json"],
      "Name the configuration with --config or SYNC_CONFIG; docs/configuration.md shows how to write one.",
    ],
  ])("%j", async (args, said) => {
    const { status, stderr, answers } = await run(...args);
    expect({ status, answers }).toEqual({ status: 2, answers: [] });
    expect(stderr).toContain(said);
  });

  test("as JSON when asked for", async () => {
    expect(await run("--json", "expresion")).toMatchObject({
      status: 2,
      stderr: "",
      answers: [{ error: { code: "Usage" } }],
    });
  });

  test("the version is that of the package", async () => {
    const { status, stdout } = await run("--version");
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });

  test("help is no error", async () => {
    const { status, stdout } = await run("expression", "eval", "--help");
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("--cases <file>") });
  });
});

describe("as a process of its own", () => {
  const spawn = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["cli/main.ts", ...args], { encoding: "utf8" });
    return { status, stdout, stderr };
  };

  test.each([
    [["expression", "eval", "ToLower([mail])", "--user", user], 0, '{"value":"a@b.example"}\n', ""],
    [["expression", "eval", 'Error("no")'], 1, '{"error":{"code":"CustomError","message":"no","position":1}}\n', ""],
    [["expresion"], 2, "", expect.stringContaining("Did you mean expression?")],
    [["--help"], 0, expect.stringContaining("Ends with 0 when done"), ""],
  ])("%j ends with %i", (args, status, stdout, stderr) => {
    expect(spawn(...args)).toEqual({ status, stdout, stderr });
  });

  test("a reader who has seen enough is no failure", () => {
    const line = { expression: '"a"', attributes: {} };
    const cases = file("many.ndjson", ...Array.from({ length: 20_000 }, () => line));
    const command = `"${process.execPath}" cli/main.ts expression eval --cases "${cases}" | head -n 1`;
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: '{"value":"a"}\n', stderr: "" });
  });
});
