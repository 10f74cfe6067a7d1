import { createHash } from "node:crypto";
import { graphTenant } from "../shared/adapters/graph/tenant.ts";
import { appendOnly } from "../shared/adapters/tables/append-only.ts";
import { registrationOf, stampAttributeOf } from "../shared/config/extensions.ts";
import { type LoadedConfig, loadConfig } from "../shared/config/load.ts";
import type { SyncConfig } from "../shared/config/schema.ts";
import { weakeningsSince } from "../shared/config/weakenings.ts";
import { deadLetterQueue, QUEUES, type QueueName } from "../shared/messages/queues.ts";
import { NotificationDesk } from "../shared/pipeline/accept-notification.ts";
import { Deployment, inForce, madeOnce } from "../shared/pipeline/deployment.ts";
import { keepExtensions } from "../shared/pipeline/keep-extensions.ts";
import { keepJobs } from "../shared/pipeline/keep-jobs.ts";
import { keepSubscriptions } from "../shared/pipeline/keep-subscriptions.ts";
import { notificationAnswer } from "../shared/pipeline/notification-answer.ts";
import { type Receiver, receiveHint, receivePageMessage } from "../shared/pipeline/receive.ts";
import { Reconciler } from "../shared/pipeline/reconcile-users.ts";
import { recordDeadLetter } from "../shared/pipeline/record-dead-letter.ts";
import { startPasses } from "../shared/pipeline/start-passes.ts";
import { startSweeps } from "../shared/pipeline/start-sweeps.ts";
import type { Settings, World } from "../shared/pipeline/world.ts";
import type { DecisionLog, LogFields } from "../shared/ports/decision-log.ts";
import type { Broker } from "./bus/api.ts";
import { broker } from "./bus/broker.ts";
import { type MemoryBus, memoryBus } from "./bus/memory-bus.ts";
import { type SandboxClock, type SimulatedClock, simulatedClock, skewed } from "./clock.ts";
import type { GraphRequest, GraphTenants, Knobs, TenantSpec, WebhookCall } from "./graph/api.ts";
import { createGraphTenants } from "./graph/index.ts";
import { type CallHooks, callOf, Life, mortal } from "./life.ts";
import { type Random, random } from "./random.ts";
import { receive } from "./receiver.ts";
import { type MemoryStore, memoryStore } from "./storage/memory-rows.ts";

/** Tenants, bus and tables around the real pipeline, in one process, on one clock and one seed. */
export interface SimulatedWorld {
  clock: SimulatedClock;
  random: Random;
  graph: GraphTenants;
  store: MemoryStore;
  broker: Broker;
  bus: MemoryBus;
  config: SyncConfig;
  /** Instances of the app that live; each has its own memory. The first of them that is awake runs the timers. */
  instances: readonly Instance[];
  /** Another instance, as a platform starts one; in a roll-out with another configuration. */
  start(config?: SyncConfig): Instance;
  /** Called around everything that instances ask of the world; empty at first, and may be set while the world runs. */
  readonly hooks: CallHooks;
  /** Entries of the decision log so far, newest last; at most some thousands are kept. */
  log: readonly LogEntry[];
  /** Ends timers and receivers. */
  close(): void;
}

export interface Instance {
  name: string;
  /** What it was started with. */
  config: SyncConfig;
  world: World;
  /** What takes its messages: of its own configuration. */
  receiver: Receiver;
  /** A dead instance receives nothing and its calls never return; its locks and leases run out. */
  kill(): void;
  /** Stands still for so long, in the middle of whatever it does, and then goes on as if nothing had happened. */
  freeze(ms: number): void;
  /** Stands still at the moment. */
  stands(): boolean;
}

export interface LogEntry {
  level: "info" | "warn" | "error";
  event: string;
  fields: LogFields;
}

export interface WorldOptions {
  seed: number;
  tenants: readonly TenantSpec[];
  config: SyncConfig;
  knobs?: Partial<Knobs>;
  settings?: Partial<Settings>;
  instances?: number;
  /** Clocks of instances are ahead of the world's, or behind it, by at most so much; 0 unless said. */
  skewMs?: number;
  /** Messages one instance works on at once, by queue. */
  concurrency?: number;
  /** Timers run this often; 0: never. */
  timerMs?: number;
  /** Who rolls configurations out, `{tenant}/{object id}`. */
  author?: string;
  /** Fills the tenants before anything runs. */
  populate?: (graph: GraphTenants) => void;
}

const LOG_MAX = 20_000;
const PUBLIC_URL = "https://app.sandbox";
const TOKEN_KEPT_MS = 30 * 60_000;
const graphRoot = (tenant: string) => `https://graph.${tenant}.sandbox`;

export function simulatedWorld(options: WorldOptions): SimulatedWorld {
  const clock = simulatedClock();
  const chance = random(options.seed);
  const log: LogEntry[] = [];
  const desks: Listener[] = [];
  const decisionLog = recorder(log);
  const graph = createGraphTenants({
    seed: options.seed,
    clock,
    tenants: options.tenants,
    ...(options.knobs ? { knobs: options.knobs } : {}),
    roots: ({ name }) => ({ graph: graphRoot(name), login: `https://login.${name}.sandbox` }),
    deliver: (call) => deliver(call, desks, chance, decisionLog),
  });
  options.populate?.(graph);
  const store = memoryStore(clock);
  const queueRules = { ...QUEUES };
  const queues = broker({ clock, queues: queueRules, uuid: () => chance.uuid() });
  const bus = memoryBus(queues);
  const loaded = loadConfig(JSON.stringify(options.config));
  const instances: Instance[] = [];
  const hooks: CallHooks = {};
  let started = 0;
  const start = (config?: SyncConfig) => {
    const name = `app-${++started}`;
    const luck = chance.fork(name);
    const skew = options.skewMs ?? 0;
    const forks = { chance: luck, skewMs: skew > 0 ? luck.between(-skew, skew) : 0, instances, hooks };
    const parts = { name, options, clock, graph, store, queues, bus, decisionLog, desks, ...forks };
    const own = config ? { config, loaded: loadConfig(JSON.stringify(config)) } : { config: options.config, loaded };
    const instance = startInstance({ ...parts, ...own });
    instances.push(instance);
    return instance;
  };
  for (let i = 0; i < (options.instances ?? 1); i++) start();
  return {
    clock,
    random: chance,
    graph,
    store,
    broker: queues,
    bus,
    config: options.config,
    instances,
    start,
    hooks,
    log,
    close: () => {
      for (const instance of [...instances]) instance.kill();
      graph.close();
      queues.close();
    },
  };
}

/** Takes webhook calls, for as long as its instance lives. */
interface Listener {
  desk: NotificationDesk;
  life: Life;
}

interface Parts {
  name: string;
  options: WorldOptions;
  clock: SimulatedClock;
  chance: Random;
  /** How far its clock is ahead. */
  skewMs: number;
  graph: GraphTenants;
  store: MemoryStore;
  queues: Broker;
  bus: MemoryBus;
  config: SyncConfig;
  loaded: LoadedConfig;
  decisionLog: DecisionLog;
  desks: Listener[];
  instances: Instance[];
  readonly hooks: CallHooks;
}

function startInstance(parts: Parts): Instance {
  const { options, clock, decisionLog, desks } = parts;
  const life = new Life(clock, parts.hooks, () => instance);
  const receiver = appOf(parts, life, parts.loaded.hash.slice(0, 22));
  const { world } = receiver;
  const listener = { desk: new NotificationDesk(world), life };
  desks.push(listener);
  const concurrency = options.concurrency ?? 32;
  const receivers = (Object.keys(QUEUES) as QueueName[]).flatMap((queue) => [
    receive(parts, queue, concurrency, life, async (message) => {
      const body = JSON.parse(Buffer.from(message.body).toString());
      if (queue === "pages") await receivePageMessage(receiver, body, decisionLog);
      else await receiveHint(receiver, body, message.deliveryCount + 1, decisionLog);
    }),
    receive(parts, deadLetterQueue(queue), concurrency, life, async (message) => {
      const body = JSON.parse(Buffer.from(message.body).toString());
      const running = await inForce(receiver);
      await recordDeadLetter(running.world, queue, body, message.deadLetterReason ?? "unknown", decisionLog);
    }),
  ]);
  const every = options.timerMs ?? 5_000;
  const tick = async () => {
    if (!life.alive) return;
    if (parts.instances.find(({ stands }) => !stands())?.name !== parts.name)
      return void clock.after(every, () => void tick());
    const running = await inForce(receiver).catch(() => receiver); // without storage nothing comes of it either way
    await Promise.allSettled([
      keepJobs(running.world, decisionLog),
      startSweeps(running.world, decisionLog),
      startPasses(running.world, decisionLog),
      keepSubscriptions(running.world, decisionLog),
      keepExtensions(running.world, decisionLog),
    ]);
    clock.after(every, () => void tick());
  };
  if (every > 0) clock.after(1, () => void tick());
  const instance: Instance = {
    name: parts.name,
    config: parts.config,
    world,
    receiver,
    kill: () => {
      if (!life.alive) return;
      life.alive = false;
      desks.splice(desks.indexOf(listener), 1);
      parts.instances.splice(parts.instances.indexOf(instance), 1);
      for (const stop of receivers) stop();
    },
    freeze: (ms) => life.freeze(ms),
    stands: () => life.frozen,
  };
  return instance;
}

/** What runs one configuration. */
function appOf(parts: Parts, life: Life, revision: string): Receiver {
  const world = worldOf(parts, life, revision);
  return {
    world,
    reconciler: new Reconciler(world),
    deployment: new Deployment(world),
    inPlace: madeOnce((previous) => appOf({ ...parts, loaded: loadConfig(previous.text) }, life, previous.revision)),
  };
}

function worldOf(parts: Parts, life: Life, revision: string): World {
  const { chance, graph, store, bus, loaded, options, skewMs } = parts;
  const clock = skewed(parts.clock, skewMs);
  const tenants = new Map(
    loaded.config.tenants.map((tenant) => {
      const spec = graph.tenants.find(({ id }) => id === tenant.id);
      if (!spec) throw new Error(`no simulated tenant ${tenant.name}`);
      const root = graphRoot(spec.name);
      const clientId = tenant.credential.clientId ?? "";
      const own = graphTenant({
        tenantId: tenant.id,
        root,
        token: tokenKept(clock, () => graph.token(spec.name, clientId)),
        clock,
        chance,
        transport: transportTo(graph, spec.name, root, life),
        stampAttribute: stampAttributeOf(tenant),
        registration: registrationOf(tenant),
        probe: async () => void graph.token(spec.name, clientId),
      });
      return [tenant.id, own] as const;
    }),
  );
  const tenant = (id: string) => {
    const found = tenants.get(id);
    if (!found) throw new Error(`tenant ${id} is not in the configuration`);
    return found;
  };
  return {
    clock,
    chance,
    hash: (text) => createHash("sha256").update(text).digest("base64url"),
    rules: {
      deployment: loaded.deployment,
      revision,
      tenants: loaded.tenants,
      pairs: loaded.pairs,
      warnings: loaded.warnings,
      configuration: {
        text: loaded.text,
        author: options.author,
        weakeningsSince: (previous) => weakeningsSince(previous, loaded.config),
      },
      adminScopes: loaded.adminScopes,
    },
    settings: {
      replicationAllowanceMs: 90_000,
      indexAllowanceMs: 300_000,
      secondReadingMs: 2_000,
      sweepMs: 300_000,
      fullPassMs: 86_400_000,
      driftMs: 300_000,
      censusMs: 86_400_000,
      publicUrl: PUBLIC_URL,
      quota: { writes: 3000, perSeconds: 150 },
      ...options.settings,
    },
    tables: {
      links: mortal(life, "links", store.rows("links")),
      targets: mortal(life, "targets", store.rows("targets")),
      checkpoints: mortal(life, "checkpoints", store.rows("checkpoints")),
      subscriptions: mortal(life, "subscriptions", store.rows("subscriptions")),
      provisioninglog: mortal(life, "provisioninglog", store.rows("provisioninglog")),
      pace: mortal(life, "pace", store.rows("pace")),
      limits: mortal(life, "limits", store.rows("limits")),
      limitparts: mortal(life, "limitparts", store.rows("limitparts")),
      jobs: mortal(life, "jobs", store.rows("jobs")),
      deployment: mortal(life, "deployment", store.rows("deployment")),
      configurations: mortal(life, "configurations", store.rows("configurations")),
      requests: mortal(life, "requests", store.rows("requests")),
      switches: mortal(life, "switches", store.rows("switches")),
      audit: appendOnly(mortal(life, "audit", store.rows("audit"))),
      audithead: mortal(life, "audithead", store.rows("audithead")),
      passes: mortal(life, "passes", store.rows("passes")),
      passpages: mortal(life, "passpages", store.rows("passpages")),
      orphans: mortal(life, "orphans", store.rows("orphans")),
      seats: mortal(life, "limits", store.rows("limits")),
      linkMark: mortal(life, "links", store.rows("links")),
      targetMark: mortal(life, "targets", store.rows("targets")),
      recovery: mortal(life, "deployment", store.rows("deployment")),
    },
    bus: {
      send: (queue, messages) => {
        const about = () => messages.map(({ id }) => id).join(" ");
        const call = () => ({ to: "bus", what: `send ${queue}`, about: about(), changes: true }) as const;
        return life.pass(call, () => bus.send(queue, messages));
      },
    },
    ready: async () => {},
    source: (id) => tenant(id).source,
    target: (id) => tenant(id).target,
    changes: (id) => tenant(id).changes,
    subscriptions: (id) => tenant(id).subscriptions,
    extensions: (id) => tenant(id).extensions,
    sourceListing: (id) => tenant(id).sourceListing,
    targetListing: (id) => tenant(id).targetListing,
    inbound: (id) => tenant(id).inbound,
  };
}

/** As a credential does: one token serves for most of its hour. */
function tokenKept(clock: SandboxClock, issue: () => string): () => Promise<string> {
  let kept: { token: string; until: number } | undefined;
  return async () => {
    if (!kept || clock.now() >= kept.until) kept = { token: issue(), until: clock.now() + TOKEN_KEPT_MS };
    return kept.token;
  };
}

/** `fetch` to a tenant in the same process. A dead instance's calls never return. */
function transportTo(graph: GraphTenants, name: string, root: string, life: Life) {
  return async (url: string, init: RequestInit): Promise<Response> => {
    const request: GraphRequest = {
      method: init.method ?? "GET",
      url: url.slice(root.length),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof init.body === "string" ? { body: init.body } : {}),
    };
    const { status, headers, body } = await life.pass(
      () => callOf(name, request),
      () => graph.graph(name, request, init.signal ?? undefined),
    );
    return new Response(body === "" ? null : body, { status, headers });
  };
}

/** A webhook call reaches one of the living instances; past one that stands still, if there is another. */
async function deliver(call: WebhookCall, desks: readonly Listener[], chance: Random, log: DecisionLog) {
  if (desks.length === 0) throw new Error("nobody listens");
  const awake = desks.filter(({ life }) => !life.frozen);
  const url = new URL(call.url);
  const [tenantId, secret] = url.pathname.split("/").slice(-2);
  const answer = await notificationAnswer(
    chance.pick(awake.length > 0 ? awake : desks).desk,
    {
      query: url.searchParams,
      params: { tenantId, secret },
      headers: new Headers(call.headers),
      body: new Response(call.body).body,
    },
    log,
  );
  return { status: answer.status, contentType: answer.headers?.["Content-Type"] ?? "", body: answer.body ?? "" };
}

function recorder(log: LogEntry[]): DecisionLog {
  const add = (level: LogEntry["level"]) => (event: string, fields: LogFields) => {
    log.push({ level, event, fields });
    if (log.length > LOG_MAX) log.splice(0, LOG_MAX / 2);
  };
  return { info: add("info"), warn: add("warn"), error: add("error") };
}
