import { expect, test } from "vitest";
import { type LinkSignal, type LinkState, NEXT } from "../../shared/domain/link.ts";

const SIGNALS = ["inviting", "invited", "settled", "marked", "removed", "restored", "forgotten"] as const;
/** The state that follows, in the order of the signals above. */
const CELLS: Readonly<Record<LinkState, readonly LinkState[]>> = {
  none: ["inviting", "invited", "none", "none", "none", "linked", "none"],
  inviting: ["inviting", "invited", "inviting", "inviting", "removed", "linked", "none"],
  invited: ["invited", "invited", "linked", "invited", "removed", "linked", "none"],
  linked: ["linked", "linked", "linked", "linked", "removed", "linked", "none"],
  removed: ["inviting", "invited", "linked", "removed", "removed", "linked", "none"],
};
const cells = Object.entries(CELLS).flatMap(([state, row]) =>
  row.map((next, index): [LinkState, LinkSignal, LinkState] => [
    state as LinkState,
    SIGNALS[index] as LinkSignal,
    next,
  ]),
);

test.each(cells)("a link that is %s, %s: %s", (state, signal, next) => expect(NEXT[state][signal]).toBe(next));

test("the table above has every cell", () =>
  expect(cells).toHaveLength(Object.values(NEXT).reduce((sum, row) => sum + Object.keys(row).length, 0)));
