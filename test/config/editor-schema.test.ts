import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as z from "zod";
import { ConfigInvalid, loadConfig } from "../../shared/config/load.ts";
import { configWith } from "./entra/rules.ts";

/** Of JSON Schema, what says which keys go together. */
interface Rule {
  required?: readonly string[];
  not?: Rule;
  anyOf?: readonly Rule[];
  allOf?: readonly Rule[];
}
interface Node extends Rule {
  properties?: Record<string, unknown>;
  items?: unknown;
}
const Node = z.custom<Node>((value) => typeof value === "object" && value !== null);

function holds({ required = [], not, anyOf, allOf = [] }: Rule, value: object): boolean {
  return (
    required.every((key) => key in value) &&
    !(not && holds(not, value)) &&
    (!anyOf || anyOf.some((one) => holds(one, value))) &&
    allOf.every((one) => holds(one, value))
  );
}

const published = Node.parse(JSON.parse(readFileSync("docs/sync.config.schema.json", "utf8")));
const within = (node: unknown, key: string) => Node.parse(Node.parse(node).properties?.[key]);
const job = Node.parse(within(published, "jobs").items);
const mapping = Node.parse(within(job, "mappings").items);

const VALUES = { source: "city", constant: "x", expression: "ToLower([city])", defaultValue: "y" };
const keys = Object.keys(VALUES) as (keyof typeof VALUES)[];
const combinations = Array.from({ length: 2 ** keys.length }, (_, bits) =>
  keys.filter((_key, index) => bits & (1 << index)),
);

test.each(combinations.map((chosen) => [chosen]))(
  "an editor and the loader agree about a mapping with %j",
  (chosen) => {
    const one = { target: "city", ...Object.fromEntries(chosen.map((key) => [key, VALUES[key]])) };
    let loads = true;
    try {
      loadConfig(
        configWith({
          changeUserType: false,
          manager: false,
          flowNullValues: false,
          actions: { create: true, update: true, delete: true },
          scope: {},
          mappings: [one],
        }),
      );
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error;
      loads = false;
    }
    expect(holds(mapping, one)).toBe(loads);
  },
);

test("an editor knows both forms of a filter, and the key that names the schema", () => {
  const forms = within(within(job, "scope"), "filter").anyOf;
  expect(forms).toMatchObject([
    { type: "array", items: { properties: { clauses: {} } } },
    { type: "object", properties: { groups: {}, inputFilterGroups: {}, categoryFilterGroups: {} } },
  ]);
  expect(published.properties).toHaveProperty("$schema");
});
