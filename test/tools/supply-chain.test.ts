import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { verdictOf } from "../../tools/audit.ts";
import { sbom } from "../../tools/sbom.ts";

const Package = z.object({ dependencies: z.record(z.string(), z.string()) });
const Sbom = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z.array(z.object({ name: z.string(), group: z.string().optional() })),
});

test("the bill of materials is CycloneDX, and has every dependency of the deployed app and no tool", async () => {
  const { dependencies } = Package.parse(JSON.parse(await readFile("package.json", "utf8")));
  const { components } = Sbom.parse(JSON.parse(sbom()));
  const names = new Set(components.map(({ group, name }) => (group ? `${group}/${name}` : name)));
  expect(Object.keys(dependencies).filter((name) => !names.has(name))).toEqual([]);
  expect(["vitest", "typescript", "azurite", "esbuild"].filter((name) => names.has(name))).toEqual([]);
});

describe("the audit", () => {
  const answer = (high: number, critical: number, vulnerabilities: object = {}) =>
    JSON.stringify({
      metadata: { vulnerabilities: { info: 0, low: 3, moderate: 2, high, critical } },
      vulnerabilities,
    });

  test("is clean with nothing of high severity", () => expect(verdictOf(answer(0, 0)).status).toBe(0));
  test("names what is", () => {
    const verdict = verdictOf(answer(1, 0, { bad: { severity: "high", range: "<2" }, meh: { severity: "low" } }));
    expect(verdict).toMatchObject({ status: 1 });
    expect(verdict.lines.join("\n")).toContain("bad <2: high");
    expect(verdict.lines.join("\n")).not.toContain("meh");
  });
  test.each([
    ["nothing", ""],
    ["no JSON", "405 Method Not Allowed"],
    ["a refusal", JSON.stringify({ message: "405 Method Not Allowed", error: { summary: "", detail: "" } })],
    ["something else", "{}"],
  ])("that gets %s for an answer says so, and is not clean", (_, output) => {
    expect(verdictOf(output)).toMatchObject({ status: 2, lines: [expect.stringContaining("does not tell")] });
  });
});
