import { setTimeout as sleep } from "node:timers/promises";
import { type Random, random } from "../random.ts";
import { type LocalCloud, startCloud } from "./cloud.ts";
import type { DifferencesAnswer } from "./graph-report.ts";

/**
 * The local cloud while people change, instances of the app are killed, and the services stand still, are cut off or refuse.
 * Services are never killed: what they stand for loses nothing that it has acknowledged.
 */
export interface ChaosOptions {
  seed: number;
  minutes: number;
  instances: number;
  say: (text: string) => void;
  people?: number;
  folder?: string;
  appFolder?: string;
}

export interface ChaosReport {
  kills: number;
  /** By service and what happened to it. */
  faults: Readonly<Record<string, number>>;
  changes: number;
  /** From the last fault until everything was right; `undefined`: it never was. */
  convergedMs: number | undefined;
  /** Changes that were on their way when an instance was killed, with every service there. */
  waits: number;
  /** The longest of them, from the last kill meanwhile until it had arrived. */
  longestWaitMs: number;
  /** One sentence each, at the end. */
  differences: readonly string[];
}

/** Services fail in the first part of each round; in the rest only instances are killed, so that waits can be measured. */
const ROUND_MS = 120_000;
const OUTAGES_MS = 45_000;
/** Until circuits and patient senders have noticed that everything is back. */
const RECOVERY_MS = 30_000;
const TICK_MS = 400;
const CHANGES_A_TICK = 3;
const FIRST_CYCLE_MS = 300_000;
/** Beyond this it does not count as converged. */
export const CONVERGENCE_MS = 180_000;
/** A lock of the bus, a lease, and a start. */
export const WAIT_MS_MAX = 90_000;

interface Change {
  userPrincipalName: string;
  at: number;
  killedAt: number | undefined;
  measured: boolean;
}

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, minutes, instances, say, people = 60, folder, appFolder } = options;
  const cloud = await startCloud({
    seed,
    people,
    instances,
    proxied: true,
    ...(folder === undefined ? {} : { folder }),
    ...(appFolder === undefined ? {} : { appFolder }),
  });
  try {
    await until(FIRST_CYCLE_MS, async () => (await differencesOf(cloud)).length === 0);
    say(`the first cycle is over; ${minutes} minutes of faults`);
    return await new Run(cloud, random(seed).fork("chaos"), say).play(minutes * 60_000);
  } finally {
    await cloud.stop();
  }
}

class Run {
  private readonly cloud: LocalCloud;
  private readonly chance: Random;
  private readonly say: (text: string) => void;
  private readonly open: Change[] = [];
  private readonly waits: number[] = [];
  private readonly faults: Record<string, number> = {};
  private readonly people: readonly { tenant: string; user: string }[];
  private kills = 0;
  private changes = 0;
  private outage = Promise.resolve();
  private outageAt = 0;

  constructor(cloud: LocalCloud, chance: Random, say: (text: string) => void) {
    this.cloud = cloud;
    this.chance = chance;
    this.say = say;
    this.people = ["contoso-emea", "contoso-us", "contoso-gov"].flatMap((tenant) =>
      (cloud.organization.people[tenant] ?? [])
        .filter(({ kind, properties }) => kind === "employee" && properties.accountEnabled !== false)
        .map(({ properties }) => ({ tenant, user: String(properties.userPrincipalName) })),
    );
  }

  async play(forMs: number): Promise<ChaosReport> {
    const startedAt = Date.now();
    let killAt = startedAt + 5_000;
    let outageAt = startedAt + 2_000;
    for (let now = startedAt; now < startedAt + forMs; now = Date.now()) {
      const servicesFail = (now - startedAt) % ROUND_MS < OUTAGES_MS;
      if (servicesFail && now >= outageAt) {
        const lastsMs = this.chance.between(2_000, 8_000);
        outageAt = now + lastsMs + this.chance.between(1_000, 4_000);
        await this.outage;
        this.outage = this.fail(lastsMs);
      }
      if (now >= killAt) {
        killAt = now + this.chance.between(3_000, 9_000);
        this.kill(now);
      }
      for (let change = 0; change < CHANGES_A_TICK; change++) await this.change(now, servicesFail);
      await this.judge();
      await sleep(TICK_MS);
    }
    await this.outage;
    const overAt = Date.now();
    this.say(`${this.kills} kills, ${this.changes} changes; nothing goes wrong any more`);
    const right = await within(CONVERGENCE_MS, async () => (await this.judge()).length === 0);
    const convergedMs = right ? Date.now() - overAt : undefined;
    const { kills, faults, changes, waits } = this;
    const differences = await differencesOf(this.cloud);
    return {
      kills,
      faults,
      changes,
      convergedMs,
      differences,
      waits: waits.length,
      longestWaitMs: Math.max(0, ...waits),
    };
  }

  private kill(now: number): void {
    const killable = this.cloud.supervisor.processes().filter((one) => one.killable);
    if (killable.length === 0) return;
    process.kill(this.chance.pick(killable).pid, "SIGKILL");
    this.kills++;
    for (const change of this.open) change.killedAt = now;
  }

  /** One service does not answer for so long. */
  private async fail(lastsMs: number): Promise<void> {
    const how = this.chance.pick(["freeze", "cut", "refuse", "stop", "graph"] as const);
    if (how === "graph") return this.failGraph(lastsMs);
    if (how === "stop") return this.stopProcess(lastsMs);
    const { name, proxy } = this.chance.pick(this.cloud.proxies);
    this.count(`${name} ${how}`);
    await proxy[how]();
    await sleep(lastsMs);
    await proxy.restore();
    this.outageAt = Date.now();
  }

  private async failGraph(forMs: number): Promise<void> {
    const kind = this.chance.pick(["refuse", "timeout", "timeoutAfterEffect", "status"] as const);
    this.count(`graph ${kind}`);
    await call(this.cloud, "POST", "/faults", { on: "any", kind, forMs: Math.round(forMs), probability: 0.7 });
    await sleep(forMs);
    this.outageAt = Date.now();
  }

  /** The whole process stands still, and then goes on. */
  private async stopProcess(lastsMs: number): Promise<void> {
    const stoppable = this.cloud.supervisor.processes().filter(({ name }) => name === "bus" || name === "storage");
    const { name, pid } = this.chance.pick(stoppable);
    this.count(`${name} stopped`);
    process.kill(pid, "SIGSTOP");
    await sleep(lastsMs);
    process.kill(pid, "SIGCONT");
    this.outageAt = Date.now();
  }

  private count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  private async change(now: number, servicesFail: boolean): Promise<void> {
    const { chance } = this;
    const { tenant, user } = chance.pick(this.people);
    const changes = chance.chance(0.85)
      ? { department: `D${this.changes}` }
      : { accountEnabled: chance.chance(0.5), department: `D${this.changes}` };
    await call(this.cloud, "POST", "/population", { tenant, update: [{ user, changes }] });
    this.changes++;
    const calm = !servicesFail && now > this.outageAt + RECOVERY_MS;
    this.open.push({ userPrincipalName: user, at: now, killedAt: undefined, measured: calm });
  }

  /** Who is right now has waited long enough. */
  private async judge(): Promise<readonly string[]> {
    const differences = await differencesOf(this.cloud);
    const now = Date.now();
    for (const change of this.open.splice(0)) {
      if (differences.some((sentence) => sentence.includes(change.userPrincipalName))) this.open.push(change);
      else if (change.killedAt !== undefined && change.measured && this.outageAt < change.at)
        this.waits.push(now - change.killedAt);
    }
    return differences;
  }
}

async function differencesOf(cloud: LocalCloud): Promise<readonly string[]> {
  return ((await call(cloud, "GET", "/differences")) as DifferencesAnswer).differences;
}

async function call({ graph }: LocalCloud, method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
  const json = body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {};
  const response = await fetch(`${graph.control}${path}`, { method, ...json });
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function within(limitMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const giveUpAt = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) return false;
    await sleep(TICK_MS);
  }
  return true;
}

async function until(limitMs: number, isSo: () => Promise<boolean>): Promise<void> {
  if (!(await within(limitMs, isSo))) throw new Error(`The first cycle was not over after ${limitMs / 1000} s.`);
}
