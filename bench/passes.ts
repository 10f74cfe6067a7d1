import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { TruthUser } from "../sandbox/graph/api.ts";
import type { Pair } from "../shared/domain/job.ts";
import { stampOf } from "../shared/domain/link.ts";
import { scopeOf } from "../shared/domain/scope.ts";
import type { AttributeValue } from "../shared/domain/user.ts";
import type { PassName } from "../shared/messages/hint.ts";
import { inputsHash, sourceAttributes, targetAttributes } from "../shared/pipeline/look.ts";
import type { PassRow } from "../shared/pipeline/pass-rows.ts";
import { startPass } from "../shared/pipeline/passes.ts";
import { showsOf } from "../shared/pipeline/shows.ts";
import { pairKey, type World } from "../shared/pipeline/world.ts";
import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { type SmallWorld, smallWorld } from "./small-world.ts";

const USERS = 100_000;
const EARLY_PAGES = 10;
const DRIFTED = 50;
const LIMIT_MS = 3_600_000;
const MEBIBYTE = 1024 * 1024;
/** A page holds 999; a few calls beside it. */
const FULL_GOAL = 0.00102;
const DRIFT_GOAL = 0.002;

interface Cost {
  requests: number;
  heapGrowth: number;
}

function instanceOf({ world }: SmallWorld): World {
  const [instance] = world.instances;
  if (!instance) throw new Error("no instance lives");
  return instance.world;
}

/** Everybody has a guest and a link, as the app leaves them when nothing is to be done. */
async function settle(small: SmallWorld, pair: Pair): Promise<readonly string[]> {
  const { world, rules, targets } = partsOf(small);
  const [source, target] = [world.graph.truth(small.source.name), world.graph.truth(small.target.name)];
  const app = instanceOf(small);
  const guests: string[] = [];
  for (const user of source.users()) {
    const stamp = stampOf(rules.deployment, pair.source.id, user.id);
    const name = user.userPrincipalName.replace("@", "_");
    const targetId = target.createUser({
      displayName: user.id,
      mail: user.userPrincipalName,
      userPrincipalName: `${name}#EXT#@tailspin.onmicrosoft.us`,
      creationType: "Invitation",
      userType: "Guest",
      accountEnabled: true,
      [pair.target.stampAttribute]: stamp,
    });
    guests.push(targetId);
    const { id, userPrincipalName, mail, userType, creationType, accountEnabled, managerId } = user;
    const attributes = valuesOf(user, sourceAttributes(pair));
    const person = { id, userPrincipalName, mail, userType, creationType, accountEnabled, managerId, attributes };
    const inputs = inputsHash(app, pair, scopeOf({ kind: "found", user: person, memberOf: new Set() }, pair));
    const guest = target.user(targetId);
    if (!guest) throw new Error("the guest is missing");
    const shown = { accountEnabled: true, userType: "Guest", stamp, softDeleted: false };
    const shows = showsOf(app, pair, { ...shown, attributes: valuesOf(guest, targets) });
    const jobId = pair.jobs[0]?.id ?? "";
    const link = { state: "linked", userId: id, targetId, jobId, inputs, shows } as const;
    await app.tables.links.put(pairKey(pair.source.id, pair.target.id), id, link);
    await app.tables.targets.put(pair.target.id, `user:${targetId}`, { link: `${pair.source.id}/${id}` });
  }
  return guests;
}

function partsOf(small: SmallWorld) {
  const { rules } = instanceOf(small);
  const [pair] = rules.pairs;
  if (!pair) throw new Error("there is no job");
  return { world: small.world, rules, pair, targets: targetAttributes(pair) };
}

const valuesOf = ({ properties }: TruthUser, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, plainOf(properties[name])]));

function plainOf(value: unknown): AttributeValue {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" || typeof value === "boolean" ? value : null;
}

/** A pass from its start to its end, and what it took of the tenant. */
async function costOf(small: SmallWorld, name: PassName, tenant: { name: string; id: string }): Promise<Cost> {
  const { world } = small;
  const app = instanceOf(small);
  const requests = () => world.graph.statistics()[tenant.name]?.requests ?? 0;
  const row = () => world.store.dump("passes").find((one) => one.row === name)?.value as PassRow | undefined;
  const before = requests();
  await startPass(app, tenant.id, name, true);
  await world.clock.runUntil(() => (row()?.pages ?? 0) >= EARLY_PAGES || row()?.phase === "idle", LIMIT_MS);
  const early = heapUsed();
  await world.clock.runUntil(() => row()?.phase === "idle", LIMIT_MS);
  const heapGrowth = (heapUsed() - early) / MEBIBYTE;
  await world.clock.runFor(10_000);
  return { requests: requests() - before, heapGrowth };
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
  const { heapUsed: heap, arrayBuffers } = process.memoryUsage();
  return heap + arrayBuffers;
}

async function run({ seed, say }: BenchOptions): Promise<readonly Measurement[]> {
  const small = smallWorld({ seed, users: USERS, pair: "across", timerMs: 0, knobs: { quotas: false } });
  try {
    const guests = await settle(small, partsOf(small).pair);
    say("  everybody has a guest and a link");
    const full = await costOf(small, "full", small.source);
    const first = await costOf(small, "drift", small.target);
    const census = await costOf(small, "census", small.target);
    const truth = small.world.graph.truth(small.target.name);
    for (const id of guests.slice(0, DRIFTED)) truth.updateUser(id, { displayName: "by hand" });
    const drift = await costOf(small, "drift", small.target);
    const perUser = ({ requests }: Cost) => requests / USERS;
    const memory = (cost: Cost) => ({ heapGrowth: cost.heapGrowth });
    return [
      {
        bench: "passes",
        work: `full pass over ${USERS} unchanged users; growth of the heap from ${EARLY_PAGES} pages to the end, tables in it`,
        unit: "requests a user; MiB",
        figures: { requestsPerUser: perUser(full), ...memory(full) },
        bounds: { requestsPerUser: { most: FULL_GOAL }, heapGrowth: { most: 20 } },
      },
      {
        bench: "passes",
        work: `drift: start of the delta and a census of ${USERS} target users as we left them`,
        unit: "requests a user; MiB",
        figures: { requestsPerUser: perUser(first) + perUser(census), ...memory(census) },
        bounds: { requestsPerUser: { most: DRIFT_GOAL }, heapGrowth: { most: 20 } },
      },
      {
        bench: "passes",
        work: `a delta of the target with ${DRIFTED} changes by others, looks and repairs in it`,
        unit: "requests a changed user",
        figures: { requestsPerChange: drift.requests / DRIFTED },
        bounds: {},
      },
    ];
  } finally {
    small.world.close();
  }
}

export const passes: Bench = { name: "passes", run };
