import { expect, test } from "vitest";
import { rowOf } from "../../tools/copy-tables.ts";

const ROW = { table: "links", partition: "a_b", row: "c", value: { state: "linked" } };

test("a line of a copy is the row that was copied", () => {
  expect(rowOf(JSON.stringify(ROW), 1)).toEqual(ROW);
});

test.each([
  ["kim@contoso.com", "Line 3 is not JSON."],
  ["[]", "Line 3 is no row of a copy (the whole)."],
  [JSON.stringify({ ...ROW, table: "subscriptions" }), "(table)"],
  [JSON.stringify({ ...ROW, partition: undefined, row: "" }), "(partition, row)"],
  [JSON.stringify({ ...ROW, value: ["kim@contoso.com"] }), "(value)"],
])("%s is told by its number, with a remedy and nothing of what it says", (line, said) => {
  const told = () => rowOf(line, 3);
  expect(told).toThrow(said);
  expect(told).toThrow("repeat the import");
  expect(told).not.toThrow("kim");
});
