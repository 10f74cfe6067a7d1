import { differences } from "../../sandbox/oracle.ts";
import type { Random } from "../../sandbox/random.ts";
import {
  breakThings,
  type Count,
  countFaults,
  crash,
  crashAtAnEffect,
  disturbDeliveries,
  mend,
  OUTAGES,
  outage,
  takeTime,
  watchAnswers,
} from "./chaos.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { type Rules, type TwoTenants, twoTenants } from "./two-tenants.ts";

/** One small world in which everything goes wrong at once while people change, and then nothing any more. */

/** Faults that a run of worlds has to meet, each of them, by the names under which they are counted. */
export const FAULTS = [
  "lost",
  "doubled",
  "late",
  "reordered",
  "delivered again",
  "duplicates dropped",
  "lock lost",
  "dead letter",
  "crashed",
  "crashed after an effect",
  "two workers on one person",
  "clocks differ",
  "frozen",
  "woke after its lease",
  "429",
  "429 of one item of a batch",
  "5xx",
  "timeout",
  "timeoutAfterEffect",
  "refuse",
  "truncate",
  "404 after creation",
  "replica lagged",
  "search index lagged",
  "delta lagged",
  "410 with Location",
  "410 without Location",
  "subscriptionsGone",
  "subscription duplicated",
  "401",
  "403",
  "no token",
  "storage 412",
  "storage down",
  "storage answer lost",
  "bus down",
  "bus answer lost",
  "queue purged",
  "old configuration refused",
  ...OUTAGES,
] as const;

/** What people do; all of it happens between deliveries. */
export const CHANGES = ["hired", "changed", "blocked", "left", "returned", "moved"] as const;

export interface Trial {
  seed: number;
  /** One sentence each: differences, second users, two owners, writes out of scope. None: the world came right. */
  wrong: readonly string[];
  /** How often each fault and each change happened. */
  met: Readonly<Record<string, number>>;
  /** Users compared in the end. */
  users: number;
  secondUsers: number;
  /** People whose target is not as the jobs say; among them values that are older than the source's. */
  lostChanges: number;
  olderValues: number;
  /** Removals of people who were in scope all the time. */
  unprovedRemovals: number;
  /** People of one job removed within an hour beyond what its limit allows. */
  overshoot: number;
  /** From the last fault until everything was right, simulated ms. */
  convergedMs: number;
}

const STEPS = 12;
/** Longer than the distance of the full passes, and than the first tries of whoever failed. */
const PATIENCE_MS = 4 * HOUR;
const CLOCKS_DIFFER_MS = 1_500;
/** A removal that was decided while somebody was out of scope may be carried out this long after they came back. */
const IN_FLIGHT_MS = 5 * MINUTE;
const REMOVALS_PER_HOUR = 20;

export async function trial(seed: number): Promise<Trial> {
  const met: Record<string, number> = {};
  const count: Count = (name, more = 1) => {
    if (more > 0) met[name] = (met[name] ?? 0) + more;
  };
  const c = twoTenants({
    seed,
    jobs: (...groups) => jobsOf(groups, "job"),
    instances: 2,
    timerMs: 10_000,
    skewMs: CLOCKS_DIFFER_MS,
    settings: { fullPassMs: 20 * MINUTE, driftMs: 5 * MINUTE, censusMs: 20 * MINUTE },
    knobs: {
      notificationLost: 0.3,
      notificationDoubled: 0.2,
      notificationReordered: true,
      notificationDelayMs: [200, 60_000],
      replicationLagMs: 4_000,
    },
  });
  const { world } = c;
  takeTime(world);
  watchAnswers(world, count);
  const removals = watchRemovals(c);
  c.hire("steady", [c.groupB]); // a job does not remove the last of its people
  await world.clock.runFor(10 * SECOND);
  if (new Set(world.instances.map((instance) => instance.world.clock.now())).size > 1) count("clocks differ");
  const chance = world.random.fork("chaos");
  const calm = disturbDeliveries(world, chance, count);
  breakThings(world, chance, count);
  await playFaults(c, chance, count);
  calm();
  mend(world);
  const mendedAt = world.clock.now();
  await untilRight(c);
  const convergedMs = world.clock.now() - mendedAt;
  await world.clock.runFor(3 * MINUTE); // whoever stood still has woken, and what it wrote does not stand
  await untilRight(c);
  countFaults(world, count);
  const result = judged(c, removals());
  world.close();
  return { seed, met, convergedMs, ...result };
}

/** The faults that come and go, and people who change meanwhile. */
async function playFaults(c: TwoTenants, chance: Random, count: Count): Promise<void> {
  const { world } = c;
  const ids: string[] = [];
  const outAt = chance.below(STEPS);
  const rollOutAt = chance.chance(0.5) ? chance.below(STEPS) : undefined;
  const outMs = chance.between(MINUTE, 10 * MINUTE);
  for (let step = 0; step < STEPS; step++) {
    if (step === outAt) outage(world, chance.pick(OUTAGES), count, outMs);
    if (step === rollOutAt) await rollOut(c);
    await world.clock.runFor(chance.between(0, step === outAt + 1 ? outMs : 40 * SECOND));
    changeSomething(c, ids, chance, count);
    if (chance.chance(0.15)) crash(world, chance, count);
    if (chance.chance(0.2)) crashAtAnEffect(world, chance, count);
    if (chance.chance(0.04)) {
      world.broker.purge(chance.pick(["changes", "sweep", "pages"]));
      count("queue purged");
    }
    if (chance.chance(0.05)) world.graph.addFault({ on: "any", kind: "subscriptionsGone" });
    if (chance.chance(0.05)) world.store.clear("subscriptions");
  }
  for (const instance of [...world.instances]) if (instance.config !== c.config()) instance.kill();
}

/** Small removals go by themselves: what is held for somebody to decide is tried elsewhere. */
const LIMITS = { removals: { immediatePerHour: REMOVALS_PER_HOUR, minimumSource: 0 }, settlingMinutes: 0.1 };

const jobsOf = (groups: readonly string[], company: string): readonly Rules[] =>
  groups.map((id, index) => ({
    scope: { groups: [{ id }] },
    limits: LIMITS,
    mappings: [
      { target: "displayName", source: "displayName" },
      { target: "department", source: "department" },
      { target: "mail", source: "mail" },
      { target: "companyName", constant: `${company} ${index}` },
    ],
  }));

/** Another configuration takes over, and an instance of the one before comes back beside it. */
async function rollOut(c: TwoTenants): Promise<void> {
  const before = c.config();
  await c.change(jobsOf([c.groupA, c.groupB], "anew"), 20 * SECOND);
  c.world.start(before);
}

async function untilRight(c: TwoTenants): Promise<void> {
  const giveUpAt = c.world.clock.now() + PATIENCE_MS;
  while (c.world.clock.now() < giveUpAt) {
    await c.world.clock.runFor(5 * SECOND);
    if (c.faults().length === 0) return;
  }
}

type Judged = Omit<Trial, "seed" | "met" | "convergedMs">;

function judged(c: TwoTenants, removals: Removals): Judged {
  const found = differences(c.world.graph, c.config(), c.watch);
  const crimes = c.crimes();
  const secondUsers = crimes.filter((crime) => crime.startsWith("a second user")).length;
  const { foreignWrites, blocksLifted } = c.watch;
  return {
    wrong: [
      ...c.faults(),
      ...crimes,
      ...foreignWrites.map((write) => `written although it is not ours: ${JSON.stringify(write)}`),
      ...blocksLifted.map((block) => `a block of the target was lifted: ${JSON.stringify(block)}`),
      ...removals.unproved.map((userId) => `${userId} was removed and was in scope all the time`),
      ...(removals.overshoot > 0 ? [`${removals.overshoot} people removed beyond the limit`] : []),
    ],
    users: [...c.target.users()].filter(({ home, deletedAt }) => home && deletedAt === undefined).length,
    secondUsers: secondUsers + found.filter(({ what }) => what === "second").length,
    lostChanges: found.length,
    olderValues: found.filter(({ what }) => what === "attribute" || what === "blocked" || what === "notBlocked").length,
    unprovedRemovals: removals.unproved.length,
    overshoot: removals.overshoot,
  };
}

interface Removals {
  unproved: readonly string[];
  overshoot: number;
}

/** Judges every removal of ours by what was true of the person, and by how many there were within an hour. */
function watchRemovals({ world, source, target, groupA, groupB }: TwoTenants): () => Removals {
  const { clock } = world;
  const lastOut = new Map<string, number>();
  const unproved: string[] = [];
  const removed: { at: number; person: string }[] = [];
  let overshoot = 0;
  const inScope = (userId: string) => {
    const user = source.user(userId);
    const groups = [...source.groups()].filter(({ id }) => id === groupA || id === groupB);
    return user?.deletedAt === undefined && groups.some(({ memberIds }) => memberIds.includes(userId));
  };
  const wasOut = new Set<string>();
  source.onCommit(() => {
    for (const { id } of source.users()) {
      if (!inScope(id)) wasOut.add(id);
      else if (wasOut.delete(id)) lastOut.set(id, clock.now());
    }
  });
  target.onCommit(({ object, kind, id, by }) => {
    if (object !== "user" || kind !== "deleted" || by === "people") return;
    const person = target.user(id)?.home?.userId ?? id;
    const backFor = clock.now() - (lastOut.get(person) ?? Number.NEGATIVE_INFINITY);
    if (inScope(person) && backFor > IN_FLIGHT_MS) unproved.push(person);
    removed.push({ at: clock.now(), person });
    const within = removed.filter(({ at }) => at > clock.now() - HOUR);
    overshoot = Math.max(overshoot, new Set(within.map((one) => one.person)).size - 2 * REMOVALS_PER_HOUR);
  });
  return () => ({ unproved, overshoot: Math.max(0, overshoot) });
}

/** People change between deliveries, and not before them all. */
function changeSomething(c: TwoTenants, ids: string[], chance: Random, count: Count): void {
  const action = chance.below(9);
  if (ids.length < 2 || (action === 0 && ids.length < 5)) {
    ids.push(c.hire(`person${ids.length}`, [chance.pick([c.groupA, c.groupB])]));
    count("hired");
    return;
  }
  const id = chance.pick(ids);
  const user = c.source.user(id);
  if (!user) return;
  if (user.deletedAt !== undefined) {
    c.source.restoreUser(id);
    count("returned");
  } else if (action < 4) {
    c.source.updateUser(id, { department: String(chance.below(1000)) });
    count("changed");
  } else if (action < 6) {
    c.source.updateUser(id, { accountEnabled: !user.accountEnabled });
    count("blocked");
  } else if (action === 6) {
    c.source.deleteUser(id);
    count("left");
  } else {
    changeMembership(c, id, chance);
    count("moved");
  }
}

function changeMembership(c: TwoTenants, id: string, chance: Random): void {
  const groupId = chance.pick([c.groupA, c.groupB]);
  const group = [...c.source.groups()].find((one) => one.id === groupId);
  if (group?.memberIds.includes(id)) c.source.removeMember(groupId, id);
  else c.source.addMember(groupId, id);
}
