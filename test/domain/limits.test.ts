import { describe, expect, test } from "vitest";
import {
  admitCreation,
  admitRemoval,
  type Cause,
  creationCause,
  DAY_MS,
  emptyLedger,
  HOUR_MS,
  type Ledger,
  type Limits,
  NEXT_SET,
  passTime,
  removalCause,
  SET_KEPT_MS,
  type SetEvent,
  type SetState,
  type Verdict,
} from "../../shared/domain/limits.ts";
import { LIMITS } from "./people.ts";

const MINUTE = 60_000;
const START = 1_000_000_000_000;
const RULES = "rules-of-today";
const LEFT = removalCause("notAssigned", { scopedBy: RULES }, RULES);
const TYPO = removalCause("filteredOut", { scopedBy: "rules-of-yesterday" }, RULES);

/** A ledger, its clock, and people who ask it. */
function desk(limits: Partial<Limits> = {}, people = 1_000) {
  const ledger: Ledger = { ...emptyLedger(), people: { count: people, at: START } };
  let now = START;
  let sets = 0;
  const terms = () => ({ limits: { ...LIMITS, ...limits }, now, newId: () => `set-${++sets}` });
  return {
    ledger,
    wait: (ms: number) => {
      now += ms;
      passTime(ledger, now);
      if (ledger.people) ledger.people = { ...ledger.people, at: now };
    },
    leave: (userId: string, cause: Cause = LEFT) => admitRemoval(ledger, { userId, cause }, terms()),
    come: (userId: string, rules = RULES) => admitCreation(ledger, { userId, cause: creationCause(rules) }, terms()),
    decide: (verdict: "approve" | "reject") => {
      for (const set of ledger.sets) {
        set.state = NEXT_SET[set.state][verdict];
        set.decided = { by: "bob", at: now, expiresAt: now + LIMITS.approvalMs };
      }
    },
  };
}
const kinds = (verdicts: readonly Verdict[]) => verdicts.map(({ kind }) => kind);
const many = (count: number, prefix = "u") => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe("causes", () => {
  test.each([
    ["an account that was deleted, under any rules", "sourceDeleted", { scopedBy: "others" }, "person"],
    ["a group that was left under the rules that let in", "notAssigned", { scopedBy: RULES }, "person"],
    ["a group that other rules ask for", "notAssigned", { scopedBy: "others" }, "configuration"],
    ["a filter that other rules ask", "filteredOut", { scopedBy: "others" }, "configuration"],
    ["nobody knows under which rules", "notAssigned", {}, "configuration"],
    ["taken out of the list", "notListed", { scopedBy: RULES }, "configuration"],
    ["a job that ends", "jobRetired", { scopedBy: RULES }, "configuration"],
  ])("%s", (_, because, link, kind) => expect(removalCause(because, link, RULES).class).toBe(kind));
});

describe("removals", () => {
  test("the immediate few go at once, the next ones are counted first and go when nobody has joined for a while", () => {
    const d = desk();
    expect(kinds(many(8).map((id) => d.leave(id)))).toEqual([...Array(5).fill("go"), ...Array(3).fill("staged")]);
    d.wait(4 * MINUTE);
    expect(d.leave("u9").kind).toBe("staged");
    d.wait(2 * MINUTE);
    expect(d.leave("u5")).toMatchObject({ kind: "staged" });
    d.wait(3 * MINUTE);
    expect(kinds(["u5", "u6", "u7", "u9"].map((id) => d.leave(id)))).toEqual(Array(4).fill("go"));
    expect(d.ledger.sets.map(({ state }) => state)).toEqual(["executed"]);
  });

  test("asking again neither counts twice nor uses up what is immediate", () => {
    const d = desk();
    for (let i = 0; i < 50; i++) expect(d.leave("u1").kind).toBe("go");
    expect(d.ledger.done.size).toBe(1);
    expect(d.ledger.immediate.size).toBe(1);
  });

  test("nobody goes at once because of the configuration", () => {
    const d = desk();
    expect(d.leave("u1", TYPO).kind).toBe("staged");
  });

  test("whoever waits because of the rules and is deleted then goes at once", () => {
    const d = desk();
    expect(d.leave("u1", TYPO).kind).toBe("staged");
    expect(d.leave("u1", removalCause("sourceDeleted", { scopedBy: "others" }, RULES)).kind).toBe("go");
  });

  test("an approval and a rejection are for one leaving: whoever came back and leaves again is asked about anew", () => {
    for (const verdict of ["approve", "reject"] as const) {
      const d = desk({ removals: { ...LIMITS.removals, perHour: 10 } });
      const cause = (link: { returned?: number }) => removalCause("sourceDeleted", link, RULES);
      const people = many(16);
      for (const id of people) d.leave(id, cause({}));
      d.decide(verdict);
      const after = kinds(people.slice(5).map((id) => d.leave(id, cause({}))));
      expect(new Set(after)).toEqual(new Set([verdict === "approve" ? "go" : "rejected"]));
      d.wait(HOUR_MS);
      const again = kinds(people.map((id) => d.leave(id, cause({ returned: START }))));
      expect(again.filter((kind) => kind === "go")).toHaveLength(5);
      expect(d.ledger.sets.at(-1)?.state).toBe("held");
    }
  });

  test("a lost membership is laid at the groups' door for an hour after their structure has changed", () => {
    const d = desk();
    d.ledger.structureAt = START;
    expect(d.leave("u1").kind).toBe("staged");
    expect(d.leave("u2", removalCause("sourceDeleted", undefined, RULES)).kind).toBe("go");
    d.wait(HOUR_MS);
    expect(d.leave("u3").kind).toBe("go");
  });

  test.each<[string, Partial<Limits["removals"]>, number, string]>([
    ["in an hour", { perHour: 10, percent: 100 }, 1_000, "perHour"],
    ["in a day", { perHour: 1_000, perDay: 10, percent: 100 }, 1_000, "perDay"],
    ["of a hundred, ten in a hundred", {}, 100, "percent"],
    ["of eleven, one has to remain", { perHour: 1_000 }, 11, "minimumSource"],
  ])("past the limit the set is held, and nobody of it goes: %s", (_, removals, people, which) => {
    const d = desk({ removals: { ...LIMITS.removals, ...removals } }, people);
    const verdicts = many(11).map((id) => d.leave(id, TYPO));
    expect(kinds(verdicts)).toEqual([...Array(10).fill("staged"), "held"]);
    d.wait(HOUR_MS);
    expect(new Set(kinds(many(11).map((id) => d.leave(id, TYPO))))).toEqual(new Set(["held"]));
    expect(d.ledger.sets[0]?.exceeded).toMatchObject({ which, wanted: 11 });
  });

  test("below fifty people no percentage is asked", () => {
    const d = desk({}, 49);
    for (const id of many(10)) d.leave(id, TYPO);
    d.wait(10 * MINUTE);
    expect(d.leave("u1", TYPO).kind).toBe("go");
  });

  test("what is held does not drain a few an hour, and a single leaver still goes", () => {
    const d = desk();
    for (const id of many(40)) d.leave(id);
    for (let hour = 0; hour < 5; hour++) {
      d.wait(2 * HOUR_MS);
      expect(
        new Set(
          kinds(
            many(40)
              .slice(5)
              .map((id) => d.leave(id)),
          ),
        ),
      ).toEqual(new Set(["held"]));
    }
    expect(d.leave("leaver").kind).toBe("go");
  });

  test("a slow drain is stopped by the day's limit", () => {
    const d = desk({}, 10_000);
    let gone = 0;
    for (let hour = 0; hour < 24; hour++) {
      const ids = many(15, `h${hour}-`);
      for (const id of ids) d.leave(id);
      d.wait(30 * MINUTE);
      gone += ids.filter((id) => d.leave(id).kind === "go").length;
      d.wait(29 * MINUTE);
    }
    expect(gone).toBeLessThanOrEqual(LIMITS.removals.perDay + 24 * LIMITS.removals.immediatePerHour);
    expect(d.ledger.sets.some(({ state }) => state === "held")).toBe(true);
  });

  test("an approval lets exactly its members go, for the cause that was shown, and expires", () => {
    const d = desk();
    for (const id of many(30)) d.leave(id, TYPO);
    d.decide("approve");
    expect(d.leave("u1", TYPO).kind).toBe("go");
    expect(d.leave("u1", TYPO).kind).toBe("go");
    expect(d.leave("u2", { ...TYPO, key: "another cause" }).kind).toBe("staged");
    expect(d.leave("newcomer", TYPO).kind).toBe("staged");
    d.wait(DAY_MS);
    expect(d.leave("u3", TYPO).kind).not.toBe("go");
    expect(d.ledger.sets[0]?.state).toBe("expired");
  });

  test("whoever was rejected stays until the cause is another one", () => {
    const d = desk();
    for (const id of many(30)) d.leave(id, TYPO);
    d.decide("reject");
    expect(d.leave("u1", TYPO).kind).toBe("rejected");
    expect(d.leave("u1", { ...TYPO, key: "another cause" }).kind).toBe("staged");
  });

  test("nobody is counted as small enough while it is not known how many people there are", () => {
    const d = desk();
    delete d.ledger.people;
    d.leave("u1", TYPO);
    d.wait(HOUR_MS);
    expect(d.leave("u1", TYPO).kind).toBe("staged");
  });
});

describe("creations", () => {
  const few = { creations: { perHour: 10, perDay: 15 } };

  test("go as they come, and past the limit wait for somebody", () => {
    const d = desk(few);
    expect(kinds(many(12).map((id) => d.come(id)))).toEqual([...Array(10).fill("go"), "held", "held"]);
    expect(d.come("u3").kind).toBe("go");
    d.wait(2 * HOUR_MS);
    expect(d.come("u11").kind).toBe("held");
    d.decide("approve");
    expect(kinds([d.come("u10"), d.come("u11")])).toEqual(["go", "go"]);
  });

  test("the first cycle has its own number, also after a restart and for a week", () => {
    const d = desk({ ...few, firstCycle: 20 });
    expect(new Set(kinds(many(20).map((id) => d.come(id))))).toEqual(new Set(["go"]));
    expect(new Set(kinds(many(20).map((id) => d.come(id))))).toEqual(new Set(["go"]));
    d.wait(8 * DAY_MS);
    expect(kinds(many(11, "late").map((id) => d.come(id)))).toEqual([...Array(10).fill("go"), "held"]);
  });

  test("a rejected creation is asked again under other rules", () => {
    const d = desk(few);
    for (const id of many(12)) d.come(id);
    d.decide("reject");
    expect(d.come("u11").kind).toBe("rejected");
    d.wait(DAY_MS);
    expect(d.come("u11", "other-rules").kind).toBe("go");
  });
});

describe("states of a set", () => {
  const cells: readonly [SetState, SetEvent, SetState][] = [
    ["staged", "joined", "staged"],
    ["staged", "exceeded", "held"],
    ["staged", "settled", "approved"],
    ["staged", "approve", "approved"],
    ["staged", "reject", "rejected"],
    ["staged", "finished", "staged"],
    ["staged", "timePassed", "expired"],
    ["held", "joined", "held"],
    ["held", "exceeded", "held"],
    ["held", "settled", "held"],
    ["held", "approve", "approved"],
    ["held", "reject", "rejected"],
    ["held", "finished", "held"],
    ["held", "timePassed", "expired"],
    ["approved", "joined", "approved"],
    ["approved", "exceeded", "approved"],
    ["approved", "settled", "approved"],
    ["approved", "approve", "approved"],
    ["approved", "reject", "rejected"],
    ["approved", "finished", "executed"],
    ["approved", "timePassed", "expired"],
    ["rejected", "joined", "rejected"],
    ["rejected", "exceeded", "rejected"],
    ["rejected", "settled", "rejected"],
    ["rejected", "approve", "rejected"],
    ["rejected", "reject", "rejected"],
    ["rejected", "finished", "rejected"],
    ["rejected", "timePassed", "expired"],
    ...(["executed", "expired"] as const).flatMap((state) =>
      (["joined", "exceeded", "settled", "approve", "reject", "finished", "timePassed"] as const).map(
        (event): [SetState, SetEvent, SetState] => [state, event, state],
      ),
    ),
  ];
  test.each(cells)("%s, %s: %s", (state, event, next) => expect(NEXT_SET[state][event]).toBe(next));
  test("the table above has every cell", () => {
    expect(cells).toHaveLength(Object.values(NEXT_SET).reduce((sum, row) => sum + Object.keys(row).length, 0));
  });
  test("what nobody decides about expires, and is forgotten later", () => {
    const d = desk();
    for (const id of many(30)) d.leave(id, TYPO);
    d.wait(SET_KEPT_MS);
    expect(d.ledger.sets[0]?.state).toBe("expired");
    expect(d.leave("u1", TYPO).kind).toBe("staged");
    d.wait(2 * SET_KEPT_MS);
    expect(d.ledger.sets.filter(({ id }) => id === "set-1")).toEqual([]);
  });
});
