import fc from "fast-check";
import { expect, test } from "vitest";
import { Ids, Times } from "../../shared/domain/ids.ts";

test("ids know which of them were touched: a value that is the same and an id that is not there are nothing new", () => {
  const ids = new Ids<string>().set("a", "1").set("b", "1");
  expect([...ids.touched]).toEqual(["a", "b"]);
  ids.touched.clear();
  ids.set("a", "1");
  ids.delete("nobody");
  expect([...ids.touched]).toEqual([]);
  ids.set("a", "2");
  ids.delete("b");
  expect([...ids.touched]).toEqual(["a", "b"]);
  expect([...ids]).toEqual([["a", "2"]]);
});

const id = fc.integer({ min: 0, max: 9 }).map((index) => `u${index}`);
const at = fc.integer({ min: 0, max: 20 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), id, at }),
  fc.record({ kind: fc.constant("delete" as const), id, at }),
  fc.record({ kind: fc.constant("forget" as const), id, at: fc.integer({ min: 0, max: 8 }) }),
);

test("times count and forget as if each of them were looked at, whatever the order they came in", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), at, (steps, after) => {
      const times = new Times();
      const plain = new Map<string, number>();
      for (const one of steps) {
        if (one.kind === "set") times.set(one.id, one.at);
        if (one.kind === "set") plain.set(one.id, one.at);
        if (one.kind === "delete") expect(times.delete(one.id)).toBe(plain.delete(one.id));
        if (one.kind !== "forget") continue;
        const before = new Map(plain);
        times.touched.clear();
        times.forgetUntil(one.at);
        for (const [known, then] of before) if (then <= one.at) plain.delete(known);
        expect([...times.touched].sort()).toEqual([...before.keys()].filter((known) => !plain.has(known)).sort());
      }
      expect(new Map(times)).toEqual(plain);
      expect(times.countAfter(after)).toBe([...plain.values()].filter((then) => then > after).length);
    }),
  );
});
