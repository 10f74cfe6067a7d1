import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ATTRIBUTES, HOSTILE } from "../../../bench/hostile/texts.ts";
import { compileExpression } from "../../../shared/domain/mapping/expression/index.ts";
import { evaluate, inputOf } from "./evaluate.ts";

const errorsOf = (text: string, options = {}) => {
  const compiled = compileExpression(text, options);
  return compiled.ok ? [] : compiled.errors;
};
const nested = (depth: number) => `${"Not(".repeat(depth)}"a"${")".repeat(depth)}`;

describe("grammar", () => {
  test.each([
    ['Append ( "a" ,\n\t"b" )', "ab"],
    ['Append("a", "b", )', "ab"],
    ['Append("a\\"b\\\\", "\\d")', 'a"b\\\\d'],
    ["[a b.c]", "x"],
    ['"text"', "text"],
    ["CStr(-10)", "-10"],
    ["CStr(42.5)", "42.5"],
    ["CStr([extension_0a1b_x])", "ext"],
    ["Now( )", "1/31/2026 12:00:00 PM"],
  ])("%s", (text, expected) => {
    expect(evaluate(text, { "a b.c": "x", extension_0a1b_x: "ext" })).toEqual(expected);
  });

  test.each([
    ["", "SyntaxError", 1],
    ["  ", "SyntaxError", 1],
    ["Append('a', \"b\")", "SyntaxError", 8],
    ['Append("a", "b"', "SyntaxError", 7],
    ['Append("a", "b")x', "SyntaxError", 17],
    ['Append("a" "b")', "SyntaxError", 12],
    ['Append("a, b)', "SyntaxError", 8],
    ["Append([a, b)", "SyntaxError", 8],
    ['Append([], "b")', "SyntaxError", 8],
    ['IIF("a"="b"="c", "d", "e")', "SyntaxError", 12],
    ['Append("a"="b", "c")', "MisplacedComparison", 11],
    ['"a" = "b"', "MisplacedComparison", 5],
    ['tolower("a")', "UnknownFunction", 1],
    ["ToLower(mail)", "UnknownIdentifier", 9],
    ["ToLower()", "MissingArgument", 1],
    ['ToLower("a", "en-US", "b")', "WrongNumberOfArguments", 1],
    ['InStr("a", "b", 1, vbText)', "UnknownIdentifier", 20],
    [`"${"x".repeat(10_000)}"`, "ExpressionTooLong", 10_001],
    [nested(101), "ExpressionTooDeep", 401],
  ])("%s is refused", (text, code, position) => {
    expect(errorsOf(text)).toMatchObject([{ code, position }]);
  });

  test("says what was meant", () => {
    expect(errorsOf('tolower("a")')[0]?.message).toContain("Did you mean ToLower?");
    expect(errorsOf('IsNullorEmpty("a")')[0]?.message).toContain("Did you mean IsNullOrEmpty?");
    expect(errorsOf("ToLower([mial])", { attributes: new Set(["mail"]) })).toMatchObject([
      { code: "UnknownAttribute", position: 9, message: expect.stringContaining("Did you mean mail?") },
    ]);
  });

  test("finds everything at once, in order", () => {
    const errors = errorsOf('Join("", Lef("a", 1), \'x\', Mid("a", 1), DateAdd("q", 1, Now()), foo)');
    expect(errors.map(({ code, position }) => [code, position])).toEqual([
      ["UnknownFunction", 10],
      ["SyntaxError", 23],
      ["MissingArgument", 28],
      ["InvalidArgument", 49],
      ["UnknownIdentifier", 65],
    ]);
  });

  test("any documented depth is possible", () => {
    expect(evaluate(nested(100))).toBe("False");
  });

  test("names what it reads and calls, and what is advised against", () => {
    expect(compileExpression("Redact(Append([a], Append([b], [a])))")).toMatchObject({
      ok: true,
      attributes: ["a", "b"],
      functions: new Set(["Redact", "Append"]),
    });
    expect(compileExpression('Switch(IsPresent([a]), "x", "True", "y")')).toMatchObject({
      warnings: [{ position: 8 }],
    });
  });

  test("SelectUniqueValue is for creation only, and never for matching", () => {
    const text = 'SelectUniqueValue("a", "b")';
    const codes = (matching: boolean, flowType: string) =>
      errorsOf(text, { mapping: { matching, flowType } }).map(({ code }) => code);
    expect(codes(false, "ObjectAddOnly")).toEqual([]);
    expect(codes(false, "Always")).toEqual(["MisplacedFunction"]);
    expect(codes(true, "ObjectAddOnly")).toEqual(["MisplacedFunction"]);
  });

  test("attributes are the user's own, not JavaScript's", () => {
    expect(evaluate("CStr([constructor])")).toBeNull();
    expect(evaluate("CStr([__proto__])")).toBeNull();
  });
});

/** What does not end is found here; how long the rest takes is measured by the bench of expressions. */
const HANGS_MS = 2_000;
const attributes = { a: "Añ\u0000😀".repeat(300), b: "", n: 7, l: ["x", "y"], t: true, d: "2026-01-05" };

function finishes(text: string, of: Readonly<Record<string, unknown>> = attributes): void {
  const since = performance.now();
  const compiled = compileExpression(text);
  if (compiled.ok) compiled.evaluate(inputOf(of));
  expect(performance.now() - since).toBeLessThan(HANGS_MS);
}

describe("hostile text", () => {
  test.each(Object.keys(HOSTILE))("%s end soon", (name) => {
    finishes((HOSTILE[name] ?? "").slice(0, 10_000), ATTRIBUTES);
  });

  const name = fc.constantFrom(
    ...["Append", "Join", "Mid", "Replace", "Switch", "IIF", "Coalesce", "CDate", "DateAdd", "FormatDateTime", "Split"],
    ...[
      "PCase",
      "Word",
      "Item",
      "InStr",
      "Len",
      "NumFromDate",
      "BitAnd",
      "RandomString",
      "NormalizeDiacritics",
      "Trim",
    ],
  );
  const leaf = fc.oneof(
    fc.constantFrom(
      "[a]",
      "[b]",
      "[n]",
      "[l]",
      "[t]",
      "[d]",
      "[zz]",
      "",
      "Now()",
      "IgnoreAttributeFlow",
      "vbTextCompare",
    ),
    fc.integer({ min: -5, max: 300 }).map(String),
    fc.constantFrom('"yyyy-MM-dd"', '"d"', '"(?<g>a+)"', '"g"', '"a"', '"12"', '"M/d/yyyy h:mm:ss tt"'),
    fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc
        .tuple(name, fc.array(tie("expression"), { minLength: 1, maxLength: 7 }))
        .map(([called, args]) => `${called}(${args.join(",")})`),
      fc.tuple(tie("expression"), tie("expression")).map(([left, right]) => `IIF(${left}>=${right},${left},${right})`),
    ),
  }));

  test("whatever is written, it is refused or ends with an outcome", () => {
    fc.assert(
      fc.property(expression, (text) => finishes(text)),
      { numRuns: 1_500 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: fc.constantFrom(..."ToLower(,)\"[]\\&H<>=1a '") }), (text) =>
        finishes(text),
      ),
      {
        numRuns: 1_500,
      },
    );
  });

  test.each(["(?<g>?)", "(?<g>?:a)", "((?#x)?i)", "('g'?)"])(
    "a quantifier that follows nothing, %s, is refused or means itself",
    (text) => {
      const compiled = compileExpression(`Replace([a], , "${text}", , "${"$"}{g}", , )`);
      expect(compiled.ok).toBe(text === "('g'?)");
    },
  );

  test("whatever the pattern, it is refused or ends", () => {
    const piece = fc.constantFrom(
      "a",
      ".",
      "*",
      "+",
      "?",
      "(",
      ")",
      "|",
      "[",
      "]",
      "^",
      "$",
      "{1,30}",
      "\\\\w",
      "(?<g>",
      "\\\\",
      "-",
      "é",
    );
    const pattern = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(pattern, (text) => finishes(`Replace([a], , "${text}", , "$1", , )`)),
      { numRuns: 1_000 },
    );
  });
});

test.each(["'a'", "“a”", "„a“", "`a`"])("other quotation marks are named: %s", (text) => {
  const compiled = compileExpression(`Append(${text}, "b")`);
  const [error] = compiled.ok ? [] : compiled.errors;
  expect(error).toMatchObject({ position: 8, message: expect.stringContaining("double quotation marks") });
});
