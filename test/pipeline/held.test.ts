import { expect, test } from "vitest";
import { inTurn } from "../../shared/pipeline/held.ts";

test("sets that wait for somebody come first, the oldest of them before the others", () => {
  const sets = [
    { state: "executed", since: 1 },
    { state: "staged", since: 2 },
    { state: "held", since: 9 },
    { state: "rejected", since: 0 },
    { state: "held", since: 3 },
  ] as const;
  expect(inTurn(sets).map(({ state, since }) => `${state} ${since}`)).toEqual([
    "held 3",
    "held 9",
    "staged 2",
    "rejected 0",
    "executed 1",
  ]);
});
