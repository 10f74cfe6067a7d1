import fc from "fast-check";
import { expect, test } from "vitest";
import {
  admitCreation,
  admitRemoval,
  creationCause,
  DAY_MS,
  emptyLedger,
  HOUR_MS,
  type Ledger,
  NEXT_SET,
  passTime,
  removalCause,
} from "../../shared/domain/limits.ts";
import { LIMITS } from "../domain/people.ts";

/** Whatever people do, and however often it is asked: nobody is let through beyond a limit unless people have said so. */

const START = 1_000_000_000_000;
const REMOVALS = { immediatePerHour: 2, perHour: 4, perDay: 6, percent: 100, minimumSource: 0 };
const limits = { ...LIMITS, removals: REMOVALS, creations: { perHour: 3, perDay: 5 }, settlingMs: 60_000 };
const causes = {
  person: removalCause("sourceDeleted", undefined, "rules"),
  rules: removalCause("filteredOut", { scopedBy: "before" }, "rules"),
};

interface Model {
  now: number;
  /** Who was let through, when, without a person's word. */
  removed: Map<string, number>;
  created: Map<string, number>;
  decided: Set<string>;
}
interface Real {
  removals: Ledger;
  creations: Ledger;
  sets: number;
}
type Command = fc.Command<Model, Real>;

const within = (passed: ReadonlyMap<string, number>, now: number, ms: number) =>
  [...passed.values()].filter((at) => at > now - ms).length;

function ask(m: Model, real: Real, kind: "remove" | "create", userId: string, cause: keyof typeof causes) {
  const terms = { limits, now: m.now, newId: () => `set-${++real.sets}` };
  return kind === "remove"
    ? admitRemoval(real.removals, { userId, cause: causes[cause] }, terms)
    : admitCreation(real.creations, { userId, cause: creationCause("rules") }, terms);
}

class Ask implements Command {
  readonly kind: "remove" | "create";
  readonly userId: string;
  readonly cause: keyof typeof causes;

  constructor(kind: "remove" | "create", userId: string, cause: keyof typeof causes) {
    this.kind = kind;
    this.userId = userId;
    this.cause = cause;
  }

  check = () => true;

  run(m: Model, real: Real): void {
    const first = ask(m, real, this.kind, this.userId, this.cause);
    const ledger = this.kind === "remove" ? real.removals : real.creations;
    const counted = ledger.done.size;
    const again = ask(m, real, this.kind, this.userId, this.cause);
    expect(ledger.done.size).toBe(counted);
    if (first.kind === "go") expect(again.kind).toBe("go");
    const key = `${this.kind}:${this.userId}`;
    const passed = this.kind === "remove" ? m.removed : m.created;
    const allowed = this.kind === "remove" ? REMOVALS : limits.creations;
    if (first.kind === "go" && !m.decided.has(key) && !passed.has(this.userId)) passed.set(this.userId, m.now);
    expect(within(passed, m.now, HOUR_MS)).toBeLessThanOrEqual(allowed.perHour);
    expect(within(passed, m.now, DAY_MS)).toBeLessThanOrEqual(allowed.perDay);
  }

  toString = () => `${this.kind}(${this.userId}, ${this.cause})`;
}

class Wait implements Command {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  check = () => true;

  run(m: Model, real: Real): void {
    m.now += this.ms;
    for (const passed of [m.removed, m.created])
      for (const [userId, at] of passed) if (at <= m.now - DAY_MS) passed.delete(userId);
    for (const ledger of [real.removals, real.creations]) {
      passTime(ledger, m.now);
      ledger.people = { count: 1_000, at: m.now };
    }
  }

  toString = () => `wait(${this.ms / 60_000} min)`;
}

class Decide implements Command {
  readonly verdict: "approve" | "reject";

  constructor(verdict: "approve" | "reject") {
    this.verdict = verdict;
  }

  check = () => true;

  run(m: Model, real: Real): void {
    for (const [kind, ledger] of [["remove", real.removals] as const, ["create", real.creations] as const]) {
      for (const set of ledger.sets.filter(({ state }) => state === "held")) {
        set.state = NEXT_SET[set.state][this.verdict];
        set.decided = { by: "bob", at: m.now, expiresAt: m.now + limits.approvalMs };
        if (this.verdict === "approve") for (const userId of set.members.keys()) m.decided.add(`${kind}:${userId}`);
      }
    }
  }

  toString = () => this.verdict;
}

const user = fc.integer({ min: 0, max: 11 }).map((index) => `u${index}`);
const commands: fc.Arbitrary<Command>[] = [
  fc
    .tuple(fc.constantFrom("remove", "create"), user, fc.constantFrom("person", "rules"))
    .map(([kind, userId, cause]) => new Ask(kind, userId, cause)),
  fc.constantFrom(30_000, 10 * 60_000, HOUR_MS, 25 * HOUR_MS).map((ms) => new Wait(ms)),
  fc.constantFrom("approve", "reject").map((verdict) => new Decide(verdict)),
];

test("limits hold in any order of questions, decisions and time", () => {
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 60 }), (told) => {
      const ledger = (): Ledger => ({ ...emptyLedger(), people: { count: 1_000, at: START } });
      const setup = () => ({
        model: { now: START, removed: new Map(), created: new Map(), decided: new Set<string>() },
        real: { removals: ledger(), creations: ledger(), sets: 0 },
      });
      fc.modelRun(setup, told);
    }),
    { numRuns: 300 },
  );
});
