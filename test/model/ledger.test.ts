import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { simulatedClock } from "../../sandbox/clock.ts";
import { memoryStore } from "../../sandbox/storage/memory-rows.ts";
import { Ids } from "../../shared/domain/ids.ts";
import type { Pair } from "../../shared/domain/job.ts";
import { DAY_MS, HOUR_MS, type Ledger } from "../../shared/domain/limits.ts";
import { cleanParts, Ledgers } from "../../shared/pipeline/ledger.ts";
import type { World } from "../../shared/pipeline/world.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";

/**
 * Several instances change one ledger, each with what it remembers of it, and the storage loses questions and answers. What each of
 * them is shown has to be what somebody reads who remembers nothing, and what was acknowledged has to be in it.
 */

let c: TwoTenants;
beforeAll(() => {
  c = twoTenants({ seed: 3, timerMs: 0 });
});
afterAll(() => c.world.close());

const INSTANCES = 3;
/** More than lie in a row, and sometimes more than lie in a part. */
const people = fc.record({ from: fc.integer({ min: 0, max: 1_500 }), count: fc.constantFrom(1, 5, 120, 260, 1_100) });
const instance = fc.integer({ min: 0, max: INSTANCES - 1 });
const fault = fc.constantFrom("none", "none", "none", "lostQuestion", "lostAnswer", "othersFirst", "throws");
const some = { instance, people, fault };
const set = fc.constantFrom("s1", "s2");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("count" as const), ...some }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("join" as const), set, ...some }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), set, ...some }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("nothing" as const), ...some }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), hours: fc.constantFrom(0.01, 0.1, 2, 13) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lost" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Change = Exclude<Step, { kind: "wait" | "lost" }>;

/** Who is counted by somebody in between. */
const OTHER = "other";

/** What a ledger says, in an order that does not matter. */
const told = ({ done, sets }: Ledger) => ({
  done: Object.fromEntries([...done].filter(([id]) => id !== OTHER).sort()),
  sets: sets.map(({ id, members }) => [id, Object.fromEntries([...members].sort())]),
});

function apply(ledger: Ledger, now: number, one: Change): void {
  const ids = Array.from({ length: one.people.count }, (_, index) => `u${one.people.from + index}`);
  if (one.kind === "count") for (const id of ids) ledger.done.set(id, now);
  if (one.kind === "drop") ledger.sets = ledger.sets.filter(({ id }) => id !== one.set);
  if (one.kind !== "join") return;
  let set = ledger.sets.find(({ id }) => id === one.set);
  if (!set) {
    const begun = { id: one.set, class: "person", state: "held", because: "x", since: now, joinedAt: now } as const;
    set = { ...begun, members: new Ids(), acted: new Ids() };
    ledger.sets.push(set);
  }
  for (const id of ids) set.members.set(id, `cause ${one.people.count}`);
}

function desks() {
  const clock = simulatedClock();
  const store = memoryStore(clock);
  const base = c.world.instances[0]?.world as World;
  const tables = { ...base.tables, limits: store.rows("limits"), limitparts: store.rows("limitparts") };
  const world = { ...base, clock, tables } as World;
  const key = { pair: world.rules.pairs[0] as Pair, jobId: "a", kind: "removals" } as const;
  return { clock, store, world, key, ledgers: Array.from({ length: INSTANCES }, () => new Ledgers(world)) };
}
type Desks = ReturnType<typeof desks>;

/** One change with its fault; whether it was acknowledged. */
async function play({ store, world, key, ledgers }: Desks, one: Change): Promise<boolean> {
  let met = false;
  const once = (when: boolean) => {
    const first = when && !met;
    met ||= when;
    return first;
  };
  store.hooks = {
    before: async (operation, table) => {
      if (operation !== "write" || table !== "limits") return;
      if (once(one.fault === "lostQuestion")) throw new StorageUnavailable("lost");
      if (!once(one.fault === "othersFirst")) return;
      await new Ledgers(world).change(key, (ledger, now) => void ledger.done.set(OTHER, now));
    },
    after: (operation, table) => {
      if (operation === "write" && table === "limits" && once(one.fault === "lostAnswer"))
        throw new StorageUnavailable("lost");
    },
  };
  const changed = await ledgers[one.instance]
    ?.change(key, (ledger, now) => {
      apply(ledger, now, one);
      if (one.fault === "throws") throw new StorageUnavailable("elsewhere");
    })
    .then(
      () => true,
      (error) => {
        expect(error).toBeInstanceOf(StorageUnavailable);
        return false;
      },
    );
  store.hooks = {};
  return changed ?? false;
}

test("whatever an instance remembers of a ledger, it is shown what the storage says", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const d = desks();
      for (const one of steps) {
        if (one.kind === "lost") d.store.clear("limits");
        if (one.kind === "wait") {
          await d.clock.runFor(one.hours * HOUR_MS);
          await cleanParts(d.world, d.key);
        }
        if (one.kind === "wait" || one.kind === "lost") continue;
        const afresh = () => new Ledgers(d.world).read(d.key);
        const [before, after] = [await afresh(), await afresh()];
        apply(after, Math.floor(d.clock.now() / 1_000) * 1_000, one);
        const acknowledged = await play(d, one);
        const stored = await afresh();
        expect(acknowledged ? [told(after)] : [told(before), told(after)]).toContainEqual(told(stored));
        for (const ledgers of d.ledgers) {
          let shown: unknown; // at last: what is kept may be tried first, and counts only where it is what the storage says
          await ledgers.change(d.key, (ledger) => {
            shown = told(ledger);
          });
          expect(shown).toEqual(told(stored));
        }
        const oldest = d.clock.now() - DAY_MS - 1_000;
        expect([...stored.done.values()].every((at) => at > oldest)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});
