import { expect, test } from "vitest";
import { told } from "../../shared/domain/weakening.ts";

test("weakenings are told a line each, and never more than a row of the storage holds", () => {
  expect(told([{ path: "jobs.a.limits", what: "is removed" }])).toEqual(["jobs.a.limits: is removed"]);
  const many = Array.from({ length: 3_000 }, (_, n) => ({ path: `jobs.${n}.limits`, what: "x".repeat(2_000) }));
  const lines = told(many);
  expect(lines.at(-1)).toBe("and 2950 more, which `status` lists");
  expect(JSON.stringify(lines).length).toBeLessThan(32_000);
});
