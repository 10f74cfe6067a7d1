import { describe, expect, test } from "vitest";
import { type Expected, evaluate, type World } from "./evaluate.ts";

type Row = [expression: string, expected: Expected, attributes?: Record<string, unknown>, world?: World];

const LIST = { l: ["a", "b"] };
const MANY: Expected = { error: "MultiValueNotSupported" };
const BAD_DATE: Expected = { error: "InvalidDate" };
const ARGUMENT: Expected = { error: "InvalidArgument" };
const NUMBER: Expected = { error: "InvalidNumber" };

/** Every rule of the reference, null and empty included. `[none]` is absent, `[l]` a list. */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  Append: [
    ['Append([e], "-ext")', "77-ext", { e: "77" }],
    ['Append([none], "x")', "x"],
    ['Append("x", [none])', "x"],
    ["Append([none], [none])", ""],
    ['Append([l], "x")', MANY, LIST],
    ['Append([n], "x")', "7x", { n: 7 }],
    ['Prepend("x", [e])', "x77", { e: "77" }],
  ],
  "the sign &": [
    ['"t-" & [a] & 1', "t-kim1", { a: "kim" }],
    ['Append("a" & [none], "b")', "ab"],
    ['ToUpper("a" & "b")', "AB"],
  ],
  BitAnd: [
    ["BitAnd(12, 10)", "8"],
    ['BitAnd("12", &H0A)', "8"],
    ["BitAnd(&hF, 7)", "7"],
    ["BitAnd([none], 1)", NUMBER],
    ['BitAnd("x", 1)', NUMBER],
    ["BitAnd(1.5, 1)", NUMBER],
    ["BitAnd(4611686018427387905, 4611686018427387905)", "4611686018427387905"],
  ],
  CBool: [
    ["CBool(0)", "False"],
    ["CBool(-1)", "True"],
    ["CBool(0.0)", "False"],
    ['CBool("tRuE")', "True"],
    ['CBool("false")', "False"],
    ['CBool("")', "False"],
    ["CBool([none])", "False"],
    ['CBool("x")', { error: "InvalidBoolean" }],
    ["CBool(1 < 2)", "True"],
  ],
  CDate: [
    ['CDate("2026-02-01T00:30:00+01:00")', "1/31/2026 11:30:00 PM"],
    ['CDate("2026-02-01")', "2/1/2026 12:00:00 AM"],
    ['CDate("2026-02-01T13:05:06Z")', "2/1/2026 1:05:06 PM"],
    ['CDate("2026-02-01 13:05:06")', "2/1/2026 1:05:06 PM"],
    ['CDate("1/5/2026 3:04:05 PM")', "1/5/2026 3:04:05 PM"],
    ['CDate("1/5/2026 12:04:05 AM")', "1/5/2026 12:04:05 AM"],
    ['CDate(CDate("2026-02-01"))', "2/1/2026 12:00:00 AM"],
    ['CDate("2026-02-30")', BAD_DATE],
    ['CDate("tomorrow")', BAD_DATE],
    ['CDate("")', BAD_DATE],
    ["CDate([none])", BAD_DATE],
    ["CDate([l])", MANY, LIST],
  ],
  Coalesce: [
    ['Coalesce([n],[g],"n/a")', "Ana", { g: "Ana" }],
    ['Coalesce([n],[g],"n/a")', "n/a", { n: "", g: null }],
    ["Coalesce([n],[g])", null],
    ['Coalesce([n],"")', ""],
    ["Coalesce([l],[n])", ["a", "b"], LIST],
  ],
  ConvertToBase64: [
    ['ConvertToBase64("Hi")', "SABpAA=="],
    ['ConvertToBase64("")', ""],
    ["ConvertToBase64([none])", null],
  ],
  ConvertFromBase64: [
    ['ConvertFromBase64("SABpAA==")', "Hi"],
    ['ConvertFromBase64("SGk=", ASCII)', "Hi"],
    ['ConvertFromBase64("w6k=", UTF8)', "é"],
    ['ConvertFromBase64("?")', { error: "InvalidBase64" }],
    ["ConvertFromBase64([none])", null],
    ['ConvertFromBase64("SGk=", Utf8)', { error: "UnknownIdentifier" }],
    ['ConvertFromBase64("SGk=", "UTF8")', { error: "UnknownIdentifier" }],
  ],
  ConvertToUTF8Hex: [
    ['ConvertToUTF8Hex("né")', "6EC3A9"],
    ["ConvertToUTF8Hex([none])", null],
  ],
  Count: [
    ["Count([l])", "2", LIST],
    ["Count([none])", "0"],
    ["Count([x])", "0", { x: [] }],
    ['Count("x")', "1"],
  ],
  CStr: [
    ["CStr(12)", "12"],
    ["CStr(&H1F)", "31"],
    ["CStr(129699324000000001)", "129699324000000001"],
    ["CStr([b])", "True", { b: true }],
    ["CStr([b])", "False", { b: false }],
    ["CStr([r])", "42", { r: { id: "42" } }],
    ["CStr([none])", null],
    ["CStr([l])", MANY, LIST],
  ],
  DateAdd: [
    ['DateAdd("h", 36, CDate("2026-03-01"))', "3/2/2026 12:00:00 PM"],
    ['DateAdd("m", 1, CDate("2026-01-31"))', "2/28/2026 12:00:00 AM"],
    ['DateAdd("m", -1, CDate("2026-03-31"))', "2/28/2026 12:00:00 AM"],
    ['DateAdd("yyyy", 1, CDate("2024-02-29"))', "2/28/2025 12:00:00 AM"],
    ['DateAdd("n", "90", CDate("2026-03-01"))', "3/1/2026 1:30:00 AM"],
    ['DateAdd("s", -1, CDate("2026-03-01"))', "2/28/2026 11:59:59 PM"],
    ['DateAdd("d", 1, DateAdd("d", 1, Now()))', "2/2/2026 12:00:00 PM"],
    ['DateAdd("d", 1, "2026-03-01")', BAD_DATE],
    ['DateAdd("d", 1, "3/1/2026")', BAD_DATE],
    ['DateAdd("d", 1, "1/5/2026 3:04:05 PM")', "1/6/2026 3:04:05 PM"],
    ['DateAdd("d", 1, Append(Now(), ""))', "2/1/2026 12:00:00 PM"],
    ['DateAdd("d", 1, [none])', BAD_DATE],
    ['DateAdd("D", 1, Now())', ARGUMENT],
    ['DateAdd("d", "x", Now())', ARGUMENT],
    ['DateAdd("yyyy", 9000, Now())', { error: "DateOutOfRange" }],
    ['DateAdd("d", 99999999999999, Now())', { error: "DateOutOfRange" }],
  ],
  DateDiff: [
    ['DateDiff("n", CDate("2026-03-01"), CDate("2026-03-01T01:30:00Z"))', "90"],
    ['DateDiff("d", CDate("2026-03-02"), CDate("2026-03-01T01:00:00Z"))', "0"],
    ['DateDiff("yyyy", CDate("2025-12-31"), CDate("2026-01-01"))', "1"],
    ['DateDiff("m", CDate("2026-01-31"), CDate("2026-02-01"))', "1"],
    ['DateDiff("ww", CDate("2026-01-03"), CDate("2026-01-04"))', "1"],
    ['DateDiff("d", [none], Now())', BAD_DATE],
  ],
  DateFromNum: [
    ["DateFromNum(133801632000000000)", "1/1/2025 12:00:00 AM"],
    ["DateFromNum(0)", "1/1/1601 12:00:00 AM"],
    ["DateFromNum(9223372036854775807)", { error: "DateOutOfRange" }],
    ["DateFromNum([none])", NUMBER],
  ],
  DefaultDomain: [
    ["Append([m], DefaultDomain())", "kimcorp.example", { m: "kim" }, { defaultDomain: "corp.example" }],
    ["DefaultDomain()", { error: "NoDefaultDomain" }],
  ],
  DNComponent: [
    ["DNComponent([d], 2)", "a,b", { d: "cn=Joe,ou=a\\,b" }],
    ["DNComponent([d], 3)", { error: "IndexOutOfRange" }, { d: "cn=Joe,ou=x" }],
    ["DNComponent([none], 1)", null],
  ],
  Error: [
    ['Error("no")', { error: "CustomError" }],
    ['IIF(1=1, "a", Error("no"))', "a"],
  ],
  FormatDateTime: [
    ['FormatDateTime([h], , "dd.MM.yyyy", "yyyyMMdd")', "20251105", { h: "05.11.2025" }],
    ['FormatDateTime("5/1/26", "d/M/yy", "dddd, dd MMMM yyyy")', "Monday, 05 January 2026"],
    [
      'FormatDateTime("2026-01-05T15:04:05.1234567+02:00", "yyyy-MM-ddTHH:mm:ss.fffffffzzz", "h:mm:ss.fff tt zzz")',
      "3:04:05.123 PM +02:00",
    ],
    ['FormatDateTime(" 20260105 ", , "yyyyMMdd", "yyyy")', "2026"],
    ['FormatDateTime(" 20260105 ", "None", "yyyyMMdd", "yyyy")', BAD_DATE],
    [
      'FormatDateTime("2026-01-05 23:00 -02:00", "AdjustToUniversal", "yyyy-MM-dd HH:mm zzz", "yyyy-MM-dd HH:mm")',
      "2026-01-06 01:00",
    ],
    ['FormatDateTime("2026-13-01", , "yyyy-MM-dd", "yyyy")', BAD_DATE],
    ['FormatDateTime("x", , "yyyy-MM-dd", "yyyy")', BAD_DATE],
    ['FormatDateTime([none], , "yyyy-MM-dd", "yyyy")', null],
    ['FormatDateTime("2026-01-05", , "yyyy-MM-dd", "\'of\' d/M")', "of 5/1"],
    ['FormatDateTime("2026-01-05", "Sometimes", "yyyy-MM-dd", "yyyy")', ARGUMENT],
    ['FormatDateTime("2026-01-05", , "yyyy-MM-dd", "\'")', ARGUMENT],
  ],
  IgnoreFlowIfNullOrEmpty: [
    ["IgnoreFlowIfNullOrEmpty([none])", { ignored: "attribute" }],
    ['IgnoreFlowIfNullOrEmpty("")', { ignored: "attribute" }],
    ['IgnoreFlowIfNullOrEmpty("x")', "x"],
    ['IIF(IgnoreFlowIfNullOrEmpty([a])="x", "1", "2")', { ignored: "attribute" }],
    ['IIF(IgnoreFlowIfNullOrEmpty([a]), "1", "2")', { error: "MisplacedFunction" }],
  ],
  IIF: [
    ['IIF([f]>3,"high","low")', "high", { f: "5" }],
    ['IIF([f]>3,"high","low")', "low", {}],
    ['IIF([f]>"3","high","low")', "high", { f: 10 }],
    ['IIF([f]<>"x","a","b")', "b", {}],
    ['IIF([f]="","a","b")', "a", {}],
    ['IIF([f]<>"","a","b")', "a", { f: "x" }],
    ['IIF("b">"a","a","b")', "a"],
    ['IIF("a"="A","a","b")', "b"],
    ['IIF(9007199254740993=9007199254740992,"a","b")', "b"],
    ['IIF(1.50=1.5,"a","b")', "a"],
    ['IIF([on],"a","b")', "a", { on: true }],
    ['IIF([none],"a","b")', "b"],
    ['IIF("maybe","a","b")', { error: "InvalidBoolean" }],
    ['IIF(CDate("2026-01-02") > CDate("2026-01-01"),"a","b")', "a"],
    ['IIF([l]="a","a","b")', MANY, LIST],
    ['IIF(1=2, CDate("x"), "lazy")', "lazy"],
    ['IIF(1=1, , "b")', { error: "MissingArgument" }],
  ],
  InStr: [
    ['InStr("banana","na",4)', "5"],
    ['InStr("banana","x")', "0"],
    ['InStr("banana","NA")', "0"],
    ['InStr("banana","NA",,vbTextCompare)', "3"],
    ['InStr([none],"x")', "0"],
    ['InStr("a","a",0)', ARGUMENT],
    ['InStr("a","a",9)', "0"],
  ],
  IsNull: [
    ["IsNull([c])", "False", { c: "" }],
    ["IsNull([none])", "True"],
    ["IsNothing([none])", "True"],
  ],
  IsNullOrEmpty: [
    ["IsNullOrEmpty([c])", "False", { c: "Oslo" }],
    ["IsNullOrEmpty([c])", "True", { c: "" }],
    ["IsNullOrEmpty([none])", "True"],
    ["IsNullOrEmpty([l])", MANY, LIST],
  ],
  IsPresent: [
    ["IsPresent([m])", "True", { m: "555" }],
    ["IsPresent([m])", "False", { m: "" }],
    ["IsPresent([none])", "False"],
  ],
  IsString: [
    ['IsString("x")', "True"],
    ["IsString([none])", "False"],
    ["IsString([l])", "False", LIST],
  ],
  Item: [
    ["Item([l], 2)", "b", LIST],
    ["Item([l], 0)", { error: "IndexOutOfRange" }, LIST],
    ["Item([l], 3)", { error: "IndexOutOfRange" }, LIST],
    ["Item([none], 1)", { error: "IndexOutOfRange" }],
  ],
  Join: [
    ['Join("/", [c], [s], [t])', "NO/Oslo", { c: "NO", t: "Oslo" }],
    ['Join("/", [c], " ", "")', "NO/ ", { c: "NO" }],
    ['Join("", 10, [l])', "10ab", LIST],
    ['Join(",", [none])', ""],
    ['Join([none], "a", "b")', "ab"],
  ],
  Left: [
    ["Left([p], 2)", "90", { p: "90210" }],
    ["Left([p], 0)", "", { p: "90210" }],
    ["Left([p], -1)", "90210", { p: "90210" }],
    ["Left([p], 9)", "90210", { p: "90210" }],
    ["Left([none], 2)", ""],
  ],
  Len: [
    ['Len("Oslo")', "4"],
    ["Len(42.5)", "4"],
    ["Len([none])", "0"],
    ['Len("")', "0"],
    ['Len("😀")', "2"],
  ],
  Mid: [
    ['Mid("KX-2209", 4, 10)', "2209"],
    ['Mid("KX-2209", "4", "2")', "22"],
    ['Mid("KX", 9, 1)', ""],
    ["Mid([none], 1, 1)", ""],
    ['Mid("KX", 0, 1)', ARGUMENT],
    ['Mid("KX", 1, -1)', ARGUMENT],
    ['Mid("KX", 1)', { error: "MissingArgument" }],
  ],
  NormalizeDiacritics: [
    ['NormalizeDiacritics("Łukasz Şøren")', "Lukasz Soeren"],
    ['NormalizeDiacritics("äöüß ÆŒ œ ǣ œ̄ Œ̄ ı İ ǭ")', "aouss AEŒ œ ae oe OE i I o"],
    ['NormalizeDiacritics("がй")', "がй"],
    ["NormalizeDiacritics([none])", null],
  ],
  Not: [
    ['Not("True")', "False"],
    ["Not([b])", "False", { b: true }],
    ['Not("x")', "True"],
    ["Not([none])", "True"],
  ],
  NumFromDate: [
    ['NumFromDate("1601-01-01T00:00:10Z")', "100000000"],
    ['NumFromDate("2025-01-01 00:00:00+00:00")', "133801632000000000"],
    ['NumFromDate("2025-01-01T00:00:00.1234567Z")', "133801632001234567"],
    ['NumFromDate("1/1/2025 12:00:00 AM")', BAD_DATE],
    ['NumFromDate(CDate("1/1/2025 12:00:00 AM"))', "133801632000000000"],
    ["NumFromDate([none])", BAD_DATE],
  ],
  PCase: [
    ['PCase("mc donald/SMITH","/")', "Mc donald/Smith"],
    ['PCase("o\'neil-BERG_x\u00a0y+z")', "O'Neil-Berg_X\u00a0Y+Z"],
    ['PCase("3rd FLOOR")', "3Rd Floor"],
    ['PCase("ab cd", "")', "Ab cd"],
    ["PCase([none])", null],
  ],
  RemoveDuplicates: [
    ["RemoveDuplicates([x])", ["b", "B", "a"], { x: ["b", "B", "a", "b"] }],
    ["RemoveDuplicates([none])", null],
    ['RemoveDuplicates("x")', ["x"]],
  ],
  Replace: [
    ['Replace([p], , "^00(\\\\d{2})", , "+$1 ", , )', "+47 123", { p: "0047123" }],
    ['Replace("aXa", "a", , , "", , )', "X"],
    [`Replace("0047123", , "^00(?<cc>\\\\d{2})", , "+${"$"}{cc} ", , )`, "+47 123"],
    ['Replace("aXa", "A", , , "b", , )', "aXa"],
    ['Replace("aXa", , "(?i)x", , "b", , )', "aba"],
    ['Replace("aXa", , "(?x)x", , "b", , )', { error: "InvalidPattern" }],
    ['Replace([none], "a", , , "b", , )', null],
    ['Replace("", "a", , , "b", , )', ""],
    ['Replace("a", , "(?<g>x)", "g", , [none], )', "a"],
    ['Replace([none], , "(?<g>x)", "g", , [o], )', null, { o: "y" }],
    ['Replace([none], , "(?<g>x)", "g", , [none], )', null],
    ['Replace("ab", , "x*", , "-", , )', "-a-b-"],
    ['Replace("abc1", , "[a-z]*", , "-", , )', "--1-"],
    ['Replace("Zoé Ö", , "\\w+", , "<$0>", , )', "<Zoé> <Ö>"],
    ['Replace("ab", , "(?<n>a)(b)", , "$1$2$3$$", , )', "ba$3$"],
    ['Replace("2026", , "(?<y>\\d{2})(?<z>\\d{2})", "z", "$1", , )', "20$1"],
    ['Replace("a", "a", "b", , "c", , )', { error: "InvalidCombination" }],
    ['Replace("a", "a", , , "c")', { error: "WrongNumberOfArguments" }],
    ['Replace("a", , "(?=a)", , "", , )', { error: "InvalidPattern" }],
    ['Replace("a", , "(a)\\1", , "", , )', { error: "InvalidPattern" }],
    ['Replace("a", , "(", , "", , )', { error: "InvalidPattern" }],
    ['Replace("a", , [p], , "", , )', { error: "InvalidPattern" }],
    ['Replace("a", , "(?<g>a)", "h", "", , )', ARGUMENT],
    ['Replace("a", , "((a{9}){9}){99}", , "", , )', { error: "PatternTooLarge" }],
    ['Replace([l], "a", , , "b", , )', MANY, LIST],
  ],
  SelectUniqueValue: [
    ['SelectUniqueValue("k1","k2")', "k2", {}, { taken: ["K1"] }],
    ['SelectUniqueValue("k1","k2")', { error: "NoUniqueValue" }, {}, { taken: ["k1", "k2"] }],
    ['SelectUniqueValue([none],"","k2")', "k2"],
    ['SelectUniqueValue("k1", Error("x"))', "k1"],
    ['SelectUniqueValue("k1")', { error: "WrongNumberOfArguments" }],
    ['ToLower(SelectUniqueValue("k1","k2"))', { error: "MisplacedFunction" }],
  ],
  SingleAppRoleAssignment: [
    ["SingleAppRoleAssignment([r])", "Admin", { r: ["Admin"] }],
    ["SingleAppRoleAssignment([none])", null],
    ["AppRoleAssignments([l])", ["a", "b"], LIST],
    ["AppRoleAssignmentsComplex([r])", { error: "UnsupportedFunction" }],
  ],
  Split: [
    ['Split("red; blue;;", ";")', ["red", "blue"]],
    ['Split("a--b-c", "--")', ["a", "b-c"]],
    ['Split([none], ";")', []],
    ['Split("", ";")', []],
  ],
  StringFromSid: [
    ["StringFromSid([s])", "S-1-5-21-1-2-3", { s: "AQQAAAAAAAUVAAAAAQAAAAIAAAADAAAA" }],
    ["StringFromSid([s])", { error: "InvalidBase64" }, { s: "AQQ=" }],
  ],
  StripSpaces: [
    ['StripSpaces(" a b\t")', "ab\t"],
    ["StripSpaces([none])", null],
  ],
  Switch: [
    ['Switch([t], "none", "a", "gold", "", "unset")', "unset"],
    ['Switch([t], "none", "a", "gold")', "none", { t: "A" }],
    ['Switch([t], , "a", "gold")', null, { t: "x" }],
    ['Switch([t], CDate("x"), "a", "gold")', "gold", { t: "a" }],
    ['Switch([t], "d", "a")', { error: "WrongNumberOfArguments" }],
    ['Switch([t], "d", [k], [v])', "1", { t: "a", k: "a", v: 1 }],
    ['Switch(IsPresent([t]), "d", "True", "yes")', "yes", { t: "a" }],
    ['Switch([l], "d", "a", "b")', MANY, LIST],
  ],
  "ToLower and ToUpper": [
    ['ToUpper("straße ı ŉ")', "STRAßE ı ŉ"],
    ['ToLower("ΑΣ İ")', "ασ İ"],
    ['ToUpper("i", "tr-TR")', "İ"],
    ['ToLower("I", "tr-TR")', "ı"],
    ['ToLower("A", )', "a"],
    ['ToLower("A", "not a culture")', ARGUMENT],
    ["ToLower([none])", null],
    ["ToUpper([none])", null],
  ],
  Trim: [
    ['Trim(" a b ")', "a b"],
    ["Trim([x])", ["a", "b"], { x: [" a", "b "] }],
    ["Trim([none])", null],
  ],
  Word: [
    ['Word("ops:emea/oslo", 2, ":/")', "emea"],
    ['Word("a  b", 2, " ")', "b"],
    ['Word("a b", 0, " ")', ""],
    ['Word("a b", 3, " ")', ""],
    ['Word([none], 1, " ")', ""],
  ],
};

describe.each(Object.entries(TABLE))("%s", (_name, rows) => {
  test.each(rows)("%s is %j", (expression, expected, attributes, world) => {
    expect(evaluate(expression, attributes, world)).toEqual(expected);
  });
});

describe("chance", () => {
  test("RandomString keeps its numbers", () => {
    for (let seed = 1; seed < 60; seed++) {
      const bytes = Array.from({ length: 997 }, (_, index) => (index * seed * 31 + index * index * 7) % 256);
      const text = evaluate('RandomString(10,2,2,2,1,"?,")', {}, { bytes });
      expect(text).toMatch(/^[^?,]{10}$/);
      expect(String(text).match(/\d/g)?.length).toBeGreaterThanOrEqual(2);
      expect(String(text).match(/[A-Z]/g)?.length).toBeGreaterThanOrEqual(2);
      expect(String(text).match(/[a-z]/g)?.length).toBeGreaterThanOrEqual(1);
      expect(String(text).match(/[^A-Za-z0-9]/g)?.length).toBeGreaterThanOrEqual(2);
      expect(evaluate("RandomString(6,3,0,0,3)", {}, { bytes })).toMatch(/^[0-9a-z]{6}$/);
    }
  });

  test.each([
    ["RandomString(3,2,2,0,0)"],
    ["RandomString(257,0,0,0,0)"],
    ['RandomString(3,1,0,0,0,"0123456789")'],
    ["RandomString(3,-1,0,0,0)"],
  ])("%s cannot be", (expression) => {
    expect(evaluate(expression)).toEqual({ error: "InvalidArgument" });
  });

  test("Guid is a version 4 identifier made of the bytes it is given", () => {
    expect(evaluate("Guid()", {}, { bytes: [255] })).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
  });
});
