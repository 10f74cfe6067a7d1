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

test("what is no schema ends with 1, with place and remedy", async () => {
  writeFileSync(at("empty.json"), "{}");
  expect(await schema("import", at("empty.json"))).toMatchObject({
    status: 1,
    answers: [
      { error: { code: "SchemaInvalid", position: "synchronizationRules", message: expect.stringContaining("GET") } },
    ],
  });
});

test("a configuration with mistakes is not exported", async () => {
  writeFileSync(at("broken.json"), '{"version":1}');
  expect(await schema("export", "--config", at("broken.json"), "--job", "a")).toMatchObject({
    status: 1,
    answers: [{ error: { code: "ConfigInvalid" } }],
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
