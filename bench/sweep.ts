import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { TableClient } from "@azure/data-tables";
import { realClock } from "../sandbox/clock.ts";
import type { TruthUser } from "../sandbox/graph/api.ts";
import { createGraphTenants } from "../sandbox/graph/index.ts";
import { serviceBus } from "../shared/adapters/servicebus/bus.ts";
import { sha256 } from "../shared/adapters/system/clock.ts";
import { toColumns } from "../shared/adapters/tables/columns.ts";
import { openTables } from "../shared/adapters/tables/index.ts";
import { loadConfig } from "../shared/config/load.ts";
import type { SyncConfig } from "../shared/config/schema.ts";
import type { Pair } from "../shared/domain/job.ts";
import type { Link } from "../shared/domain/link.ts";
import { scopeOf } from "../shared/domain/scope.ts";
import type { AttributeValue, SourceUser } from "../shared/domain/user.ts";
import { inputsHash, sourceAttributes } from "../shared/pipeline/look.ts";
import type { Checkpoint } from "../shared/pipeline/world.ts";
import { pairKey } from "../shared/pipeline/world.ts";
import type { Bench, BenchOptions, Measurement } from "./bench.ts";
import { type BenchCloud, benchCloud, restartApp, until } from "./cloud.ts";
import { INSPECTED, inspect } from "./inspector.ts";

const USERS = 100_000;
const FIRST = 10_000;
const SOURCE = "contoso-us";
/** Not a government: a new source for one of those takes a second person. */
const TARGET = "contoso";
const PEOPLE = 10;
const LIMIT_MS = 8 * 60_000;
/** For tokens, and whether the target lets people in: four in some twenty seconds, however many people there are. */
const TIMED_REQUESTS = 200;
const ROWS_PER_TRANSACTION = 100;
const TRANSACTIONS_AT_ONCE = 8;
const MEBIBYTE = 1024 * 1024;

const jobsOf =
  (state: "on" | "off") =>
  (config: SyncConfig): SyncConfig => ({
    ...config,
    jobs: config.jobs.filter(({ source }) => source === SOURCE).map((job) => ({ ...job, state })),
  });

/** The people of the source as the tenants of the cloud compute them. */
function* sourceUsers({ cloud }: BenchCloud, seed: number, pair: Pair): Iterable<SourceUser> {
  const tenants = cloud.organization.tenants.map((spec) => ({
    ...spec,
    computedUsers: spec.name === SOURCE ? USERS : 0,
  }));
  const deliver = async () => ({ status: 202, contentType: "", body: "" });
  const graph = createGraphTenants({ seed, clock: realClock(), tenants, deliver });
  const names = sourceAttributes(pair);
  for (const user of graph.truth(SOURCE).users()) {
    const { id, userPrincipalName, mail, userType, creationType, accountEnabled, managerId } = user;
    const attributes = Object.fromEntries(names.map((name) => [name, valueIn(user, name)]));
    yield { id, userPrincipalName, mail, userType, creationType, accountEnabled, managerId, attributes };
  }
  graph.close();
}

const valueIn = ({ properties }: TruthUser, name: string): AttributeValue => {
  const value = properties[name];
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" || typeof value === "boolean" ? value : null;
};

/** Links of everybody as the app leaves them when nothing is to be done, written 100 in one transaction. */
async function writeLinks(bench: BenchCloud, seed: number, pair: Pair): Promise<void> {
  const table = TableClient.fromConnectionString(bench.cloud.endpoints.storage, "links", {
    allowInsecureConnection: true,
  });
  await table.createTable();
  const partitionKey = pairKey(pair.source.id, pair.target.id);
  const jobId = pair.jobs[0]?.id ?? "";
  let rows: Parameters<TableClient["submitTransaction"]>[0] = [];
  const flying = new Set<Promise<unknown>>();
  const send = async () => {
    const flight = table.submitTransaction(rows).finally(() => flying.delete(flight));
    flying.add(flight);
    rows = [];
    if (flying.size >= TRANSACTIONS_AT_ONCE) await Promise.race(flying);
  };
  for (const user of sourceUsers(bench, seed, pair)) {
    const scope = scopeOf({ kind: "found", user, memberOf: new Set() }, pair);
    const inputs = inputsHash({ hash: sha256 }, pair, scope);
    const link: Link = { state: "linked", userId: user.id, targetId: randomUUID(), jobId, inputs };
    rows.push(["create", { ...toColumns(link), partitionKey, rowKey: user.id }]);
    if (rows.length === ROWS_PER_TRANSACTION) await send();
  }
  if (rows.length > 0) await send();
  await Promise.all(flying);
}

/** A round that is told of everybody, as after a change of something that no job maps. */
async function startRound(bench: BenchCloud, pair: Pair): Promise<string> {
  const { storage, serviceBus: connectionString, tenants } = bench.cloud.endpoints;
  const root = tenants.find(({ name }) => name === SOURCE)?.graph;
  const now = Date.now();
  const runId = randomUUID();
  const link = `${root}/v1.0/users/delta?$select=${["userPrincipalName", ...sourceAttributes(pair)].join(",")}`;
  const checkpoint: Checkpoint = {
    runId,
    seq: 0,
    phase: "reading",
    link,
    tracks: "bench",
    full: false,
    startedAt: now,
    touchedAt: now,
  };
  const table = TableClient.fromConnectionString(storage, "checkpoints", { allowInsecureConnection: true });
  await table.createTable();
  await table.upsertEntity({ ...toColumns(checkpoint), partitionKey: pair.source.id, rowKey: "users" }, "Replace");
  const bus = serviceBus({ connectionString });
  const body = { version: 1, kind: "page", tenantId: pair.source.id, stream: "users", runId, seq: 0 } as const;
  await bus.send("pages", [{ id: randomUUID(), body }]);
  await bus.close();
  return runId;
}

/** Another round may have followed at once. */
async function roundIsOver({ cloud }: BenchCloud, pair: Pair, runId: string): Promise<boolean> {
  const tables = openTables({ connectionString: cloud.endpoints.storage });
  try {
    const stored = await tables.rows<Checkpoint>("checkpoints").read(pair.source.id, "users");
    return stored?.value.phase === "idle" || stored?.value.runId !== runId;
  } finally {
    tables.close();
  }
}

const appPid = (cloud: BenchCloud["cloud"]) => cloud.supervisor.processes().find(({ name }) => name === "app-1")?.pid;
const rssOf = (pid: number) =>
  Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;

/** Looks at everybody; the heap of the app's process when it has seen the first 10,000 and when it has seen all. */
async function sweepThrough(bench: BenchCloud, pair: Pair, runId: string) {
  const debuggerOf = await inspect(join(bench.cloud.folder, "logs", "app-1.log"));
  const pid = appPid(bench.cloud) ?? 0;
  const startedAt = Date.now();
  let rss = 0;
  const looked = async () => {
    rss = Math.max(rss, rssOf(pid));
    return (await bench.statistics())[SOURCE]?.byOperation["GET /users/{id}"] ?? 0;
  };
  try {
    await until("the first 10,000 are looked at", LIMIT_MS, async () => (await looked()) >= FIRST);
    const early = await debuggerOf.heapUsed();
    await until("everybody is looked at", LIMIT_MS, async () => {
      return (await looked()) >= USERS && (await roundIsOver(bench, pair, runId));
    });
    const seconds = (Date.now() - startedAt) / 1000;
    const late = await debuggerOf.heapUsed();
    return { heapGrowth: (late - early) / MEBIBYTE, heap: late / MEBIBYTE, rss, usersPerSecond: USERS / seconds };
  } finally {
    debuggerOf.close();
  }
}

async function run({ seed, say }: BenchOptions): Promise<readonly Measurement[]> {
  const bench = await benchCloud({
    seed,
    people: PEOPLE,
    computedUsers: { [SOURCE]: USERS },
    jobs: jobsOf("off"),
    knobs: { quotas: false },
    // The trailing looks at what the round was told of come after the measurement; the passes have a bench of their own.
    settings: { NODE_OPTIONS: INSPECTED, REPLICATION_ALLOWANCE_SECONDS: "3600", PASS_SCHEDULE: "0 0 0 1 1 *" },
  });
  try {
    const pair = loadConfig(JSON.stringify(jobsOf("on")(bench.cloud.config))).pairs[0];
    if (!pair) throw new Error("there is no job");
    await writeLinks(bench, seed, pair);
    say("  everybody has a link");
    await restartApp(bench, jobsOf("on")(bench.cloud.config));
    const asked = async () => (await bench.statistics())[TARGET] ?? { requests: Number.NaN, writes: Number.NaN };
    const before = await asked();
    const memory = await sweepThrough(bench, pair, await startRound(bench, pair));
    const after = await asked();
    return [
      {
        bench: "sweep",
        work: `${USERS} unchanged users looked at in one round, on real wires`,
        unit: "requests to the target: none about people, some for tokens and policies as time passes",
        figures: { targetRequests: after.requests - before.requests, targetWrites: after.writes - before.writes },
        bounds: { targetRequests: { most: TIMED_REQUESTS }, targetWrites: { most: 0 } },
      },
      {
        bench: "sweep",
        work: `the app's process meanwhile, with the host in it; growth from ${FIRST} to ${USERS} users`,
        unit: "MiB; users a second",
        figures: memory,
        bounds: { heapGrowth: { most: 20 }, rss: { most: 300 } },
      },
    ];
  } finally {
    await bench.stop();
  }
}

export const sweep: Bench = { name: "sweep", run };
