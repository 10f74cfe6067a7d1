import { expect, test } from "vitest";
import { table, told } from "../../cli/online/render.ts";

test("tenants are told by name, and what a code means once", () => {
  const row = { sourceTenantId: "a", targetTenantId: "b", code: "CODE", meaning: "It is so.", remedy: "Do this." };
  const text = told(
    [
      { ...row, userId: "1" },
      { ...row, userId: "2", targetTenantId: "unknown" },
    ],
    new Map([
      ["a", "contoso"],
      ["b", "contoso-gov"],
    ]),
  );
  expect(text.split("\n")).toEqual([
    "source   target       code  userId",
    "contoso  contoso-gov  CODE  1",
    "contoso  unknown      CODE  2",
    "",
    "CODE: It is so. Do this.",
    "",
  ]);
});

test("ids are as wide as they are, a sentence does not widen its column beyond sixty", () => {
  const id = "x".repeat(80);
  const sentence = `a ${"y".repeat(100)}`;
  const [head, first, second] = table([
    { id, said: sentence, last: 1 },
    { id: "short", said: "b", last: 2 },
  ]).split("\n");
  expect(head?.indexOf("said")).toBe(82);
  expect(first).toContain(sentence);
  expect(second?.indexOf("2")).toBe(82 + 62);
});

test("nothing is told as such, and no control character reaches the terminal", () => {
  expect(told([], new Map())).toBe("Nothing.\n");
  expect(table([{ name: "a\u001b[31mb" }])).not.toContain("\u001b");
});
