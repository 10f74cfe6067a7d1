import type { Job, Pair } from "../domain/job.ts";
import {
  type Asked,
  admitCreation,
  admitRemoval,
  type LimitKind,
  needsPeople,
  type Verdict,
} from "../domain/limits.ts";
import { type LedgerKey, Ledgers } from "./ledger.ts";
import { pairKey, type World } from "./world.ts";

interface Waiting {
  asked: Asked;
  resolve: (verdict: Verdict) => void;
  reject: (error: unknown) => void;
}

interface Line {
  key: LedgerKey;
  job: Job;
  waiting: Waiting[];
  busy: boolean;
}

/** People who are asked about together. */
const TOGETHER_MAX = 500;

/**
 * Asks the limits, before the claim. Everybody who asks at the same moment is one change of the row, so that many workers do
 * not fight for it. Whoever was let through is counted before anything is written to the target.
 */
export class LimitDesk {
  private readonly world: World;
  private readonly ledgers: Ledgers;
  private readonly lines = new Map<string, Line>();

  constructor(world: World) {
    this.world = world;
    this.ledgers = new Ledgers(world);
  }

  ask(pair: Pair, job: Job, kind: LimitKind, asked: Asked): Promise<Verdict> {
    const name = `${pair.source.id}/${pair.target.id}/${job.id}/${kind}`;
    const line = this.lines.get(name) ?? { key: { pair, jobId: job.id, kind }, job, waiting: [], busy: false };
    this.lines.set(name, line);
    return new Promise((resolve, reject) => {
      line.waiting.push({ asked, resolve, reject });
      if (!line.busy) void this.serve(line);
    });
  }

  private async serve(line: Line): Promise<void> {
    line.busy = true;
    for (let people = line.waiting.splice(0, TOGETHER_MAX); people.length > 0; ) {
      try {
        const verdicts = await this.decide(line, people);
        for (const [index, { resolve }] of people.entries()) resolve(verdicts[index] as Verdict);
      } catch (error) {
        for (const { reject } of people) reject(error);
      }
      people = line.waiting.splice(0, TOGETHER_MAX);
    }
    line.busy = false;
  }

  private decide({ key, job }: Line, people: readonly Waiting[]): Promise<Verdict[]> {
    const { world } = this;
    const admit = key.kind === "removals" ? admitRemoval : admitCreation;
    let counted: number | undefined;
    return this.ledgers.change(key, async (ledger, now) => {
      const terms = {
        limits: job.limits,
        now,
        newId: () => world.chance.uuid(),
        retires: job.state === "retire",
      };
      const verdicts = people.map(({ asked }) => admit(ledger, asked, terms));
      if (!needsPeople(ledger, now)) return verdicts;
      counted ??= await countPeople(world, key);
      ledger.people = { count: counted, at: now };
      return people.map(({ asked }) => admit(ledger, asked, terms));
    });
  }
}

/**
 * Groups within the scope groups have come or gone: who loses a membership now may have lost it with many others. Written before
 * anybody is hinted because of it.
 */
export async function markStructure(world: World, sourceTenantId: string): Promise<void> {
  const ledgers = new Ledgers(world);
  for (const pair of world.rules.pairs.filter(({ source }) => source.id === sourceTenantId))
    for (const job of pair.jobs.filter(({ scope }) => scope.groups.length > 0))
      await ledgers.change({ pair, jobId: job.id, kind: "removals" }, (ledger, now) => {
        ledger.structureAt = now;
      });
}

/** People of the job who are in the target. At most once an hour, and only while somebody's removal is staged. */
async function countPeople(world: World, { pair, jobId }: LedgerKey): Promise<number> {
  let people = 0;
  for await (const { value } of world.tables.links.list(pairKey(pair.source.id, pair.target.id))) {
    if (value.jobId === jobId && (value.state === "linked" || value.state === "invited")) people++;
  }
  return people;
}
