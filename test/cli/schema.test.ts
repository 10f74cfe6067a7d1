import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { configWith } from "../config/entra/rules.ts";
import { run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "cross-cloud-sync-schema-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const json = (file: string): Record<string, unknown> => JSON.parse(readFileSync(file, "utf8"));

const schema = (...args: readonly string[]) => run("schema", ...args);

test("import, into a configuration, export, import: the same rules", async () => {
  const imported = at("imported.json");
  const first = await schema("import", "test/fixtures/schema/full.json", "--out", imported);
  expect(first).toMatchObject({ status: 0, answers: [{ file: imported, mappings: 15 }] });
  expect(first.stderr).toContain("attributeMappings[2]: the mapping to accountEnabled. Sign-in always follows");
  const { job } = json(imported);

  writeFileSync(at("config.json"), configWith(job as Parameters<typeof configWith>[0]));
  const exported = at("schema.json");
  expect(await schema("export", "--config", at("config.json"), "--job", "a", "--out", exported)).toMatchObject({
    status: 0,
    stderr: "",
    answers: [{ file: exported, mappings: 15 }],
  });
  expect(await schema("import", exported)).toMatchObject({ status: 0, stderr: "", answers: [{ job, notCarried: [] }] });
});

test("the shortened example of Graph's page is read, and everything in it listed", async () => {
  const userName = { source: {}, targetAttributeName: "userName" };
  const users = { sourceObjectName: "User", targetObjectName: "User", attributeMappings: [userName, {}] };
  const names = { sourceDirectoryName: "Azure Active Directory", targetDirectoryName: "Salesforce" };
  const directory = {
    name: "Azure Active Directory",
    objects: [{ name: "User", attributes: [{ name: "userPrincipalName", type: "string" }] }],
  };
  const document = {
    directories: [directory, { name: "Salesforce", objects: [{}] }],
    synchronizationRules: [{ name: "USER_TO_USER", ...names, objectMappings: [users, {}] }, {}],
  };
  writeFileSync(at("page.json"), JSON.stringify(document));
  const { status, answers } = await schema("import", at("page.json"));
  expect({ status, answers }).toMatchObject({ status: 0, answers: [{ job: { mappings: [] } }] });
  const paths = JSON.stringify(answers);
  for (const path of ["attributeMappings[0]", "attributeMappings[1]", "objectMappings[1]", "synchronizationRules[1]"])
    expect(paths).toContain(path);
});

test("a text that is nested too deep is refused in words", async () => {
  writeFileSync(at("deep.json"), "[".repeat(100_000) + "]".repeat(100_000));
  expect(await schema("import", at("deep.json"))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("lie more than 400 deep"),
  });
});

test("expressions may be nested as deep as the language allows, as trees too", async () => {
  const attribute = { type: "Attribute", name: "city", expression: "[city]" };
  const nested = (calls: number): object =>
    calls === 0
      ? attribute
      : { type: "Function", name: "ToLower", parameters: [{ key: "source", value: nested(calls - 1) }] };
  const mapping = { targetAttributeName: "city", source: nested(90) };
  const users = { sourceObjectName: "User", targetObjectName: "User", attributeMappings: [mapping] };
  writeFileSync(at("nested.json"), JSON.stringify({ synchronizationRules: [{ objectMappings: [users] }] }));
  const expression = `${"ToLower(".repeat(90)}[city]${")".repeat(90)}`;
  expect((await schema("import", at("nested.json"))).answers).toMatchObject([
    { job: { mappings: [{ target: "city", expression }] } },
  ]);
});

test("what is no schema ends with 1, with place and remedy", async () => {
  writeFileSync(at("empty.json"), "{}");
  expect(await schema("import", at("empty.json"))).toMatchObject({
    status: 1,
    answers: [
      { error: { code: "SchemaInvalid", position: "synchronizationRules", message: expect.stringContaining("GET") } },
    ],
  });
});

test("an object of PowerShell is told apart from the answer of Graph", async () => {
  writeFileSync(at("powershell.json"), '{"Directories":[],"SynchronizationRules":[]}');
  expect(await schema("import", at("powershell.json"))).toMatchObject({
    status: 1,
    answers: [{ error: { code: "SchemaInvalid", message: expect.stringContaining("as PowerShell writes objects") } }],
  });
});

test("a configuration with mistakes is not exported", async () => {
  writeFileSync(at("broken.json"), '{"version":1}');
  expect(await schema("export", "--config", at("broken.json"), "--job", "a")).toMatchObject({
    status: 1,
    answers: [{ error: { code: "CONFIG_INVALID" } }],
  });
});

test.each([
  [["import"], "missing required argument"],
  [["import", "nowhere.json"], "nowhere.json cannot be read"],
  [["export"], "--job"],
  [["export", "--config", "nowhere.json", "--job", "a"], "nowhere.json cannot be read"],
])("wrong arguments end with 2: %j", async (args, said) => {
  const { status, stderr } = await schema(...args);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(said) });
});
