import { afterEach, expect, test } from "vitest";
import { skewed } from "../../sandbox/clock.ts";
import type { Instance } from "../../sandbox/world.ts";
import type { Job, Pair } from "../../shared/domain/job.ts";
import { LIMIT_KINDS, type LimitKind, removalCause } from "../../shared/domain/limits.ts";
import { keepJobs } from "../../shared/pipeline/keep-jobs.ts";
import { Ledgers } from "../../shared/pipeline/ledger.ts";
import { LimitDesk } from "../../shared/pipeline/limits.ts";
import { HOUR, MINUTE } from "../scenario/contoso.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";

/** What is counted about a job, in its rows. */

let c: TwoTenants;
afterEach(() => c.world.close());

const DAY = 24 * HOUR;
const worldOf = () => (c.world.instances.at(-1) as Instance).world;
const pairOf = () => worldOf().rules.pairs[0] as Pair;
const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** A pair whose job `a` has been seen `age` ago, and `b` now; `a` has let `people` go at this moment. */
async function withCounts(age: number, people: readonly string[], kind: LimitKind = "removals") {
  c = twoTenants({ seed: 5, timerMs: 0 });
  const world = worldOf();
  const [a, b] = pairOf().jobs;
  const now = c.world.clock.now();
  for (const [job, since] of [
    [a, now - age],
    [b, now],
  ] as const)
    if (job) {
      const { id: jobId, sourceTenantId, targetTenantId } = job;
      await world.tables.jobs.put("jobs", jobId, { jobId, sourceTenantId, targetTenantId, since, health: "healthy" });
    }
  const ledgers = new Ledgers(world);
  await ledgers.change({ pair: pairOf(), jobId: "a", kind }, (ledger) => {
    for (const id of people) {
      ledger.done.set(id, now);
      ledger.immediate.set(id, now);
    }
  });
  return ledgers;
}

test.each(LIMIT_KINDS)(
  "a job with a new name, or a half of the old one, begins with what was counted: %s",
  async (kind) => {
    const ledgers = await withCounts(30 * DAY, ["u1", "u2"], kind);
    for (const jobId of ["b", "not-seen-yet"]) {
      const { done, immediate } = await ledgers.read({ pair: pairOf(), jobId, kind });
      expect([[...done.keys()], [...immediate.keys()]]).toEqual([
        ["u1", "u2"],
        ["u1", "u2"],
      ]);
    }
    await ledgers.change({ pair: pairOf(), jobId: "b", kind }, (ledger) => ledger.done.set("u3", c.world.clock.now()));
    expect((await ledgers.read({ pair: pairOf(), jobId: "b", kind })).done.size).toBe(3);
    expect((await ledgers.read({ pair: pairOf(), jobId: "a", kind })).done.size).toBe(2);
  },
);

test("jobs of one roll-out count for themselves, and so does a job that is old", async () => {
  const ledgers = await withCounts(10_000, ["u1"]);
  expect((await ledgers.read({ pair: pairOf(), jobId: "b", kind: "removals" })).done.size).toBe(0);
  await c.world.clock.runFor(25 * HOUR);
  await ledgers.change({ pair: pairOf(), jobId: "a", kind: "removals" }, (ledger) =>
    ledger.done.set("u2", c.world.clock.now()),
  );
  expect((await ledgers.read({ pair: pairOf(), jobId: "b", kind: "removals" })).done.size).toBe(0);
});

test("parts that no set names any more are removed by the timer, and the others stay", async () => {
  const ledgers = await withCounts(DAY, []);
  const key = { pair: pairOf(), jobId: "a", kind: "removals" } as const;
  const begin = (first: number) =>
    ledgers.change(key, (ledger) => {
      for (let i = first; i < first + 300; i++) ledger.done.set(`user-${i}`, c.world.clock.now());
    });
  const parts = () => c.world.store.dump("limitparts").length;
  await begin(0);
  await c.world.clock.runFor(23 * HOUR);
  await begin(1_000);
  expect(parts()).toBe(2);
  await c.world.clock.runFor(2 * HOUR);
  await ledgers.change(key, (ledger) => ledger.done.set("now", c.world.clock.now()));
  expect(parts()).toBe(2);
  const kept = keepJobs(worldOf(), silent);
  await c.world.clock.runFor(MINUTE);
  await kept;
  expect(parts()).toBe(1);
  expect((await new Ledgers(worldOf()).read(key)).done.size).toBe(301);
  await c.world.clock.runFor(30 * MINUTE);
});

test("an instance whose clock is ahead opens no window early, and one that is behind keeps none open", async () => {
  c = twoTenants({ seed: 5, timerMs: 0 });
  const pair = pairOf();
  const usual = pair.jobs[0] as Job;
  const removals = { ...usual.limits.removals, immediatePerHour: 3 };
  const job = { ...usual, limits: { ...usual.limits, removals, settlingMs: DAY } };
  const deskOf = (aheadMs: number) => new LimitDesk({ ...worldOf(), clock: skewed(c.world.clock, aheadMs) });
  const [ahead, behind, right] = [deskOf(2 * HOUR), deskOf(-2 * HOUR), deskOf(0)];
  const leave = (desk: LimitDesk, userId: string) => {
    const cause = removalCause("sourceDeleted", undefined, "rules");
    return desk.ask(pair, job, "removals", { userId, cause }).then(({ kind }) => kind);
  };
  for (const [index, desk] of [behind, ahead, right].entries()) expect(await leave(desk, `u${index}`)).toBe("go");
  for (const desk of [ahead, behind, right]) {
    await c.world.clock.runFor(MINUTE);
    expect(await leave(desk, "another")).not.toBe("go");
  }
  await c.world.clock.runFor(HOUR);
  for (const [index, desk] of [behind, ahead, right].entries()) expect(await leave(desk, `later${index}`)).toBe("go");
});

test("whoever asks again within a minute costs a write; what somebody else has written meanwhile is seen first", async () => {
  c = twoTenants({ seed: 5, timerMs: 0 });
  const key = { pair: pairOf(), jobId: "a", kind: "creations" } as const;
  const [mine, others] = [new Ledgers(worldOf()), new Ledgers(worldOf())];
  const count = (ledgers: Ledgers, userId: string) =>
    ledgers.change(key, (ledger, now) => {
      ledger.done.set(userId, now);
      return [...ledger.done.keys()];
    });
  await count(mine, "u1");
  const operations: string[] = [];
  c.world.store.hooks = { before: (operation) => void operations.push(operation) };
  expect(await count(mine, "u2")).toEqual(["u1", "u2"]);
  expect(operations).toEqual(["write"]);
  await count(others, "u3");
  operations.length = 0;
  expect(new Set(await count(mine, "u4"))).toEqual(new Set(["u1", "u2", "u3", "u4"]));
  expect(operations).toEqual(["write", "read", "write"]);
  for (const minutes of [0.9, 0.9, 1]) {
    await c.world.clock.runFor(minutes * MINUTE);
    operations.length = 0;
    await count(mine, `after ${minutes} min`);
    expect(operations).toEqual(minutes < 1 ? ["write"] : ["read", "write"]);
  }
});
