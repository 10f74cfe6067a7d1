import fc from "fast-check";
import { expect, test } from "vitest";
import { claimIsLive, LEASE_MS } from "../../shared/domain/link.ts";
import { readLink, type StoredLink, writeLink } from "../../shared/pipeline/claims.ts";
import type { Person } from "../../shared/pipeline/look.ts";
import type { World } from "../../shared/pipeline/world.ts";
import { twoTenants } from "../scenario/two-tenants.ts";

/** Of any number of workers on one link only the one that claimed it last records, and nobody claims what is held. */

const WORKERS = ["a", "b", "c"] as const;
type Worker = (typeof WORKERS)[number];

interface Model {
  now: number;
  /** Who wrote the row last, and whether under a claim that stands. */
  last: Worker | undefined;
  held: boolean;
  writtenAt: number;
}
interface Real {
  world: World;
  person: Person;
  /** The row as each worker has it. */
  rows: Map<Worker, StoredLink>;
  wait(ms: number): Promise<void>;
}

class Step implements fc.AsyncCommand<Model, Real> {
  readonly what: "claim" | "record" | "wait";
  readonly worker: Worker;

  constructor(what: "claim" | "record" | "wait", worker: Worker) {
    this.what = what;
    this.worker = worker;
  }

  check = () => true;

  async run(m: Model, real: Real): Promise<void> {
    if (this.what === "wait") {
      m.now += LEASE_MS / 2;
      return real.wait(LEASE_MS / 2);
    }
    return this.what === "claim" ? this.claim(m, real) : this.record(m, real);
  }

  private async claim(m: Model, { world, person, rows }: Real): Promise<void> {
    const stored = await readLink(world, person);
    const live = stored !== undefined && claimIsLive(stored.value, stored.ageMs);
    expect(live).toBe(m.held && m.now - m.writtenAt < LEASE_MS);
    if (live) return;
    const claim = { id: `${this.worker}-${m.now}`, plan: "update" as const, at: m.now };
    const written = await writeLink(world, person, stored, "marked", { claim });
    expect(written.kind).toBe("written");
    rows.set(this.worker, written.kind === "written" ? written.stored : undefined);
    Object.assign(m, { last: this.worker, held: true, writtenAt: m.now });
  }

  private async record(m: Model, { world, person, rows }: Real): Promise<void> {
    const stored = rows.get(this.worker);
    if (!stored) return;
    const written = await writeLink(world, person, stored, "settled", { claim: undefined, inputs: this.worker });
    expect(written.kind).toBe(m.last === this.worker && m.held ? "written" : "moved");
    rows.delete(this.worker);
    if (written.kind === "written") Object.assign(m, { held: false, writtenAt: m.now });
  }

  toString = () => (this.what === "wait" ? "wait" : `${this.what} by ${this.worker}`);
}

const commands = [
  fc
    .tuple(fc.constantFrom("claim", "record", "wait"), fc.constantFrom(...WORKERS))
    .map(([what, worker]) => new Step(what, worker)),
];

test("only the last claim records, in any order of workers", async () => {
  const c = twoTenants({ seed: 1, timerMs: 0 });
  await c.world.clock.runFor(1_000);
  const [instance] = c.world.instances;
  const pair = instance?.world.rules.pairs[0];
  if (!instance || !pair) throw new Error("nobody lives");
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 30 }), async (told) => {
      const userId = c.world.random.uuid();
      const person: Person = {
        pair,
        userId,
        lane: "changes",
        reason: "operator",
        noticedAt: 0,
        paidWrites: 0,
        attempt: 0,
      };
      const now = c.world.clock.now();
      const model: Model = { now, last: undefined, held: false, writtenAt: now };
      const wait = (ms: number) => c.world.clock.runFor(ms);
      await fc.asyncModelRun(() => ({ model, real: { world: instance.world, person, rows: new Map(), wait } }), told);
    }),
    { numRuns: 60 },
  );
  c.world.close();
});
