import { describe, expect, test } from "vitest";
import { duration, fitted, plain, progressBar, table, widthOf } from "../../../sandbox/organization/render.ts";

describe("width", () => {
  test.each([
    ["", 0],
    ["abc", 3],
    ["Müller", 6],
    ["Mu\u0308ller", 6],
    ["王小明", 6],
    ["김민준", 6],
    ["𠮷田", 4],
    ["ｱｲｳ", 3],
    ["محمد", 4],
    ["👩‍👩‍👧 x", 4],
    ["🇩🇪", 2],
    ["\u001b[31mred\u001b[0m", 3],
    ["प्रिया", 2],
  ])("%j takes %i columns", (text, width) => expect(widthOf(text)).toBe(width));
});

test.each([
  ["abc", 5, "left", "abc  "],
  ["abc", 5, "right", "  abc"],
  ["abcdef", 4, "left", "abc…"],
  ["王小明", 5, "left", "王小…"],
  ["王小明", 4, "left", "王… "],
  ["王", 2, "left", "王"],
] as const)("fitted(%j, %i, %s)", (text, width, align, expected) => {
  expect(fitted(text, width, align)).toBe(expected);
  expect(widthOf(fitted(text, width, align))).toBe(width);
});

test("what comes from a tenant cannot drive the terminal", () => {
  expect(plain("a\u001b[2Jb\nc\u202ed\u0007")).toBe("ab c d ");
});

test.each([
  [40, "0.0 s"],
  [1_250, "1.3 s"],
  [59_900, "59.9 s"],
  [125_000, "2 min 5 s"],
])("%i ms is %s", (ms, text) => expect(duration(ms)).toBe(text));

test("a table lines up with wide characters", () => {
  const text = table(
    [
      { title: "who", max: 8 },
      { title: "took", align: "right" },
    ],
    [
      ["王小明", "1.0 s"],
      ["Ann", "12.5 s"],
      ["a very long name", "0.1 s"],
    ],
  );
  expect(text.split("\n")).toEqual([
    "who         took",
    "────────  ──────",
    "王小明     1.0 s",
    "Ann       12.5 s",
    "a very …   0.1 s",
  ]);
  expect(new Set(text.split("\n").map(widthOf)).size).toBe(1);
});

describe("progress", () => {
  const output = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, isTTY, columns: 60, write: (text: string) => written.push(text) };
  };

  test("in a terminal the bar moves in its line and leaves nothing behind", () => {
    const out = output(true);
    const bar = progressBar(out, "First cycle");
    bar.update(0, 300);
    bar.update(150, 300);
    bar.update(150, 300);
    bar.end("First cycle: 300 people in 4.2 s");
    expect(out.written).toHaveLength(4);
    expect(out.written[1]).toBe(`\r\u001b[2K${"█".repeat(15)}${"░".repeat(15)}  50 %  First cycle: 150 of …`);
    expect(out.written.slice(2)).toEqual(["\r\u001b[2K", "First cycle: 300 people in 4.2 s\n"]);
  });

  test("elsewhere a line for every tenth", () => {
    const out = output(false);
    const bar = progressBar(out, "First cycle");
    for (let done = 0; done <= 300; done++) bar.update(done, 300);
    bar.end();
    expect(out.written).toHaveLength(11);
    expect(out.written.join("")).not.toContain("\u001b");
    expect(out.written.at(-1)).toBe("First cycle: 300 of 300\n");
  });

  test("nothing to do is no division by nothing", () => {
    const out = output(false);
    progressBar(out, "x").update(0, 0);
    expect(out.written).toEqual(["x: 0 of 0\n"]);
  });
});
