import fc from "fast-check";
import { expect, test } from "vitest";
import { nestingOf } from "../../shared/domain/json.ts";

const depthOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
};

test("is as deep as what is read from it, whatever brackets stand in strings", () => {
  const strings = fc.constantFrom("[[[", "{{", '\\"[', '"]}', "\\", "\\\\[");
  const json = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small" }, strings, fc.array(tie("any")), fc.dictionary(strings, tie("any"))),
  })).any;
  fc.assert(fc.property(json, (value) => nestingOf(JSON.stringify(value)) === depthOf(value)));
});

test.each([
  ["", 0],
  ['"[[[', 0],
  ["]]]", 0],
  ["[".repeat(100_000), 100_000],
])("of %.20s", (text, depth) => expect(nestingOf(text)).toBe(depth));
