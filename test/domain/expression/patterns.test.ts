import { describe, expect, test } from "vitest";
import { Pattern } from "../../../shared/domain/mapping/expression/pattern.ts";
import { type Expected, evaluate } from "./evaluate.ts";

/** Every match of the pattern becomes `#`. */
const replaced = (pattern: string, text: string): Expected =>
  evaluate(`Replace([t], , "${pattern.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}", , "#", , )`, { t: text });

describe("patterns of .NET's dialect", () => {
  test.each<[pattern: string, text: string, result: string]>([
    [String.raw`[\W_]+`, "a-b_ç !é", "a#b#ç#é"],
    [String.raw`[^\W_]`, "a_é-1", "#_#-#"],
    [String.raw`[^\w\s]`, "a_b c!", "a_b c#"],
    [String.raw`[\s\S]`, "a ", "##"],
    [String.raw`[^\x00-\x7F]`, "aé", "a#"],
    [String.raw`[^\u0000-\u007F]+`, "aéß b", "a# b"],
    [String.raw`\p{IsCyrillic}+`, "Ab Яж é", "Ab # é"],
    [String.raw`\P{IsBasicLatin}`, "aé", "a#"],
    [String.raw`[^\p{IsBasicLatin}\p{IsLatin-1Supplement}]`, "aéж", "aé#"],
    [String.raw`\p{Lu}`, "aBÉ", "a##"],
    [String.raw`\d`, "1٣x", "##x"],
    ["(?i:B)c", "bcBcBC", "##BC"],
    [String.raw`^\s+|\s+$`, "  a b ", "#a b#"],
    ["a{2}", "aaa", "#a"],
    ["a+?", "aaa", "###"],
    ["b*", "abc", "#a##c#"],
    [String.raw`\Aa|c\Z`, "abac", "#ba#"],
    [String.raw`[\[\]\-]`, "[a-b]", "#a#b#"],
    [String.raw`['"\\]`, `a'b"c\\d`, "a#b#c#d"],
    ["(?#a note)a", "ab", "#b"],
  ])("%s on %j", (pattern, text, result) => {
    expect(replaced(pattern, text)).toBe(result);
  });

  test.each([
    [String.raw`\p{IsCyrilic}`, "Did you mean IsCyrillic?"],
    [String.raw`[\P{IsCyrillic}]`, "is not supported"],
    ["(?<=a)b", "Look-around"],
    [String.raw`(a)\1`, "Back-references"],
    ["[a-z-[aeiou]]", "One class minus another"],
  ])("%s is refused with a way out", (pattern, told) => {
    expect(Pattern.compile(pattern)).toMatchObject({ code: "InvalidPattern", message: expect.stringContaining(told) });
  });
});
