import { describe, expect, test } from "vitest";
import {
  afterCount,
  afterTime,
  FOUR_WEEKS_MS,
  type Health,
  type HealthEvent,
  type JobCounts,
  type JobRow,
  NEXT_HEALTH,
  pauseInherited,
  quarantineReason,
  restarted,
  whyStopped,
} from "../../shared/domain/job-state.ts";
import { intoEscrow } from "../../shared/domain/link.ts";

const HOUR = 3_600_000;
const job: JobRow = { jobId: "a", sourceTenantId: "s", targetTenantId: "t", health: "healthy" };
const counts = (failures: number, successes: number, referenceFailures = 0): JobCounts => ({
  events: failures + successes,
  failures,
  referenceFailures,
});
const BAD = counts(6_000, 1_000);
const GOOD = counts(10, 7_000);

test.each<[number, number, number, string | undefined]>([
  [4_000, 0, 0, undefined],
  [45_000, 1_000_000, 0, "EncounteredBaseEscrowThreshold"],
  [30_000, 5_000, 0, "EncounteredEscrowProportionThreshold"],
  [20_000, 100_000, 0, undefined],
  [40_000, 1_000_000, 21_000, "EncounteredTotalEscrowThreshold"],
  [4_999, 0, 0, undefined],
  [5_000, 0, 0, "EncounteredEscrowProportionThreshold"],
])("%i failures, %i successes, %i managers: %s", (failures, successes, references, reason) =>
  expect(quarantineReason(counts(failures, successes, references))).toBe(reason),
);

describe("a job that is seen for the first time", () => {
  const WEEK = 7 * 24 * HOUR;
  const paused = { by: "hub/alice", at: 0, why: "maintenance" };
  const inherited = (before: Partial<JobRow>, current: readonly string[] = ["b"]) =>
    pauseInherited(
      { sourceTenantId: "s", targetTenantId: "t" },
      [{ ...job, paused, lookedAt: WEEK, ...before }],
      new Set(current),
      2 * WEEK - 1,
    );
  test("is paused where one of its tenants has just gone paused", () => expect(inherited({})).toBe(paused));
  test.each<[string, Partial<JobRow>, (readonly string[])?]>([
    ["the other one is still there", {}, ["a", "b"]],
    ["it went a week ago", { lookedAt: WEEK - 1 }],
    ["it has another source", { sourceTenantId: "x" }],
    ["it has another target", { targetTenantId: "x" }],
  ])("is not paused where %s", (_, before, current) => expect(inherited(before, current)).toBeUndefined());
});

describe("states of health", () => {
  const cells: readonly [Health, HealthEvent, Health][] = [
    ["healthy", "fails", "quarantined"],
    ["healthy", "recovers", "healthy"],
    ["healthy", "due", "healthy"],
    ["healthy", "restarted", "healthy"],
    ["healthy", "fourWeeksPassed", "healthy"],
    ["quarantined", "fails", "quarantined"],
    ["quarantined", "recovers", "healthy"],
    ["quarantined", "due", "trying"],
    ["quarantined", "restarted", "healthy"],
    ["quarantined", "fourWeeksPassed", "disabled"],
    ["trying", "fails", "quarantined"],
    ["trying", "recovers", "healthy"],
    ["trying", "due", "trying"],
    ["trying", "restarted", "healthy"],
    ["trying", "fourWeeksPassed", "disabled"],
    ["disabled", "fails", "disabled"],
    ["disabled", "recovers", "disabled"],
    ["disabled", "due", "disabled"],
    ["disabled", "restarted", "healthy"],
    ["disabled", "fourWeeksPassed", "disabled"],
  ];
  test.each(cells)("%s, %s: %s", (state, event, next) => expect(NEXT_HEALTH[state][event]).toBe(next));
  test("the table above has every cell", () =>
    expect(cells).toHaveLength(Object.values(NEXT_HEALTH).reduce((sum, row) => sum + Object.keys(row).length, 0)));

  test("is tried again after 6, 12 and 24 hours and then daily, and is over after 28 days", () => {
    let row = afterCount(job, BAD, 0);
    const waits: number[] = [];
    for (let now = 0; row.health !== "disabled"; ) {
      expect(row.health).toBe("quarantined");
      const next = row.quarantine?.nextAttempt ?? 0;
      waits.push((next - now) / HOUR);
      now = next;
      row = afterTime(row, now);
      if (row.health === "disabled") break;
      expect(row.health).toBe("trying");
      row = afterCount(row, BAD, now);
    }
    expect(waits.slice(0, 5)).toEqual([6, 12, 24, 24, 24]);
    expect(waits.reduce((sum, wait) => sum + wait, 0) * HOUR).toBeGreaterThanOrEqual(FOUR_WEEKS_MS);
    expect(whyStopped(row)).toBe("JOB_DISABLED");
    expect(whyStopped(restarted(row))).toBeUndefined();
  });

  test("is left as soon as the failures are few", () => {
    const row = afterCount(job, BAD, 0);
    expect(whyStopped(row)).toBe("JOB_QUARANTINED");
    const tried = afterTime(row, 6 * HOUR);
    expect(whyStopped(tried)).toBeUndefined();
    expect(afterCount(tried, GOOD, 6 * HOUR)).toMatchObject({ health: "healthy" });
    expect(afterCount(tried, GOOD, 6 * HOUR).quarantine).toBeUndefined();
  });
});

test("a person's failure is tried after 1 minute, 10 minutes, 1, 6, 12 and 24 hours, daily for 28 days, and hardly ever after", () => {
  let escrow = intoEscrow(undefined, "VALUE_REFUSED", 0);
  const waits: number[] = [];
  for (let now = 0; waits.length < 40; now = escrow.nextAt) {
    if (waits.length > 0) escrow = intoEscrow(escrow, "VALUE_REFUSED", now);
    waits.push((escrow.nextAt - now) / HOUR);
  }
  expect(waits.slice(0, 7)).toEqual([1 / 60, 1 / 6, 1, 6, 12, 24, 24]);
  const last = waits.indexOf(28 * 24);
  expect(waits.slice(0, last).reduce((sum, wait) => sum + wait, 0)).toBeGreaterThanOrEqual(28 * 24);
  expect(new Set(waits.slice(last))).toEqual(new Set([28 * 24]));
  expect(intoEscrow(escrow, "TARGET_REFUSED", 0)).toMatchObject({ failures: 1, nextAt: 60_000 });
});
