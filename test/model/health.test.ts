import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterCount,
  afterTime,
  type Health,
  type JobRow,
  NEXT_HEALTH,
  restarted,
  whyStopped,
} from "../../shared/domain/job-state.ts";

/** A job's health goes along the edges of its table only, and a job writes nothing exactly where the table says so. */

const HOUR_MS = 3_600_000;
const GOOD = { events: 10_000, failures: 10, referenceFailures: 0 };
const BAD = { events: 10_000, failures: 9_000, referenceFailures: 0 };
interface Model {
  now: number;
  health: Health;
}
interface Real {
  row: JobRow;
}

/** One thing that happens; `events`: what it may be in the table. */
class Happens implements fc.Command<Model, Real> {
  readonly name: string;
  readonly ms: number;
  readonly change: (row: JobRow, now: number) => JobRow;

  constructor(name: string, ms: number, change: (row: JobRow, now: number) => JobRow) {
    this.name = name;
    this.ms = ms;
    this.change = change;
  }

  check = () => true;

  run(m: Model, real: Real): void {
    m.now += this.ms;
    const step = (change: (row: JobRow, now: number) => JobRow) => {
      real.row = change(real.row, m.now);
      const edges = Object.values(NEXT_HEALTH[m.health]);
      expect([m.health, ...edges]).toContain(real.row.health);
      m.health = real.row.health;
    };
    step(afterTime);
    step(this.change);
    const stopped = { healthy: undefined, trying: undefined, quarantined: "JOB_QUARANTINED", disabled: "JOB_DISABLED" };
    expect(whyStopped(real.row)).toBe(stopped[m.health]);
    expect(real.row.quarantine === undefined).toBe(m.health === "healthy");
  }

  toString = () => `${this.name}${this.ms ? ` after ${this.ms / HOUR_MS} h` : ""}`;
}

const after = fc.constantFrom(0, HOUR_MS, 7 * HOUR_MS, 25 * HOUR_MS, 29 * 24 * HOUR_MS);
const commands = [
  after.map((ms) => new Happens("time", ms, afterTime)),
  after.map((ms) => new Happens("good count", ms, (row, now) => afterCount(row, GOOD, now))),
  after.map((ms) => new Happens("bad count", ms, (row, now) => afterCount(row, BAD, now))),
  after.map((ms) => new Happens("restart", ms, restarted)),
];

test("health follows its table in any order of counts, restarts and time", () => {
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 40 }), (told) => {
      const row: JobRow = { jobId: "a", sourceTenantId: "s", targetTenantId: "t", health: "healthy" };
      fc.modelRun(() => ({ model: { now: 0, health: "healthy" as Health }, real: { row } }), told);
    }),
    { numRuns: 300 },
  );
});
