import type { GraphRequest, GraphResponse } from "../../sandbox/graph/api.ts";
import type { Random } from "../../sandbox/random.ts";
import type { Instance, SimulatedWorld } from "../../sandbox/world.ts";
import { BusUnavailable } from "../../shared/ports/bus.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { MINUTE, SECOND } from "./contoso.ts";

/** Notes that something has happened, so that a scenario can prove that what it names did. */
export type Count = (name: string, more?: number) => void;

/** Small things that go wrong with any call, any row and any message. */
export function breakThings({ graph, store, bus }: SimulatedWorld, chance: Random, count: Count): void {
  graph.addFault({ on: "any", kind: "status", status: 503, probability: 0.02 });
  graph.addFault({ on: "any", kind: "status", status: 429, retryAfterSeconds: 5, probability: 0.01 });
  graph.addFault({ on: "batchItem", kind: "status", status: 429, retryAfterSeconds: 3, probability: 0.01 });
  graph.addFault({ on: "write", kind: "timeoutAfterEffect", probability: 0.03 });
  graph.addFault({ on: "any", kind: "timeout", probability: 0.01 });
  graph.addFault({ on: "any", kind: "refuse", probability: 0.01 });
  graph.addFault({ on: "read", kind: "truncate", probability: 0.01 });
  graph.addFault({ on: "delta", kind: "resync", probability: 0.02 });
  graph.addFault({ on: "delta", kind: "resyncWithoutLocation", probability: 0.02 });
  store.hooks = {
    before: (operation, table, partition, row) => {
      sometimes(count, chance, 0.005, "storage down", () => new StorageUnavailable("the table did not answer"));
      if (operation === "write" && table === "links" && chance.chance(0.01) && store.touch(table, partition, row))
        count("storage 412");
    },
    after: (operation) => {
      if (operation !== "list")
        sometimes(count, chance, 0.005, "storage answer lost", () => new StorageUnavailable("the answer was lost"));
    },
  };
  bus.hooks = {
    before: () => sometimes(count, chance, 0.005, "bus down", () => new BusUnavailable("the bus did not answer")),
    after: () => sometimes(count, chance, 0.005, "bus answer lost", () => new BusUnavailable("the answer was lost")),
  };
}

function sometimes(count: Count, chance: Random, probability: number, name: string, error: () => Error): void {
  if (!chance.chance(probability)) return;
  count(name);
  throw error();
}

export const OUTAGES = [
  "source out",
  "target out",
  "storage out",
  "bus out",
  "token endpoint down",
  "consent revoked",
  "unauthorized",
] as const;
export type Outage = (typeof OUTAGES)[number];
const OUTAGE_MS = 10 * MINUTE;

/** Ten minutes without a tenant, its consent or its tokens, the storage or the bus. */
export function outage(world: SimulatedWorld, what: Outage, count: Count, forMs = OUTAGE_MS): void {
  const { graph, store, bus, clock } = world;
  const until = clock.now() + forMs;
  const { before: rows } = store.hooks;
  const { before: sends } = bus.hooks;
  const refuse = async (error: Error) => {
    if (clock.now() >= until) return;
    count(what);
    await clock.sleep(TIMES_OUT_MS);
    throw error;
  };
  count(what);
  switch (what) {
    case "storage out":
      store.hooks.before = async (...call) => {
        await rows?.(...call);
        await refuse(new StorageUnavailable("the storage is out"));
      };
      return;
    case "bus out":
      bus.hooks.before = async (...call) => {
        await sends?.(...call);
        await refuse(new BusUnavailable("the bus is out"));
      };
      return;
    case "source out":
      graph.addFault({ tenant: "home", on: "any", kind: "status", status: 500, forMs });
      return;
    case "target out":
      graph.addFault({ tenant: "hub", on: "any", kind: "status", status: 504, forMs });
      return;
    case "token endpoint down":
      graph.addFault({ on: "token", kind: "refuse", forMs });
      // Tokens are kept in memory: an instance that starts has none.
      for (const instance of world.instances.slice(0, 1)) restart(world, instance);
      return;
    case "consent revoked":
      graph.addFault({ on: "any", kind: "consentRevoked", forMs });
      return;
    case "unauthorized":
      graph.addFault({ on: "any", kind: "status", status: 401, forMs });
      return;
  }
}
/** A call that nobody answers fails after this. */
const TIMES_OUT_MS = 5_000;

/** Dies, and the platform starts another one of the same configuration. */
export function restart(world: SimulatedWorld, victim: Instance): void {
  victim.kill();
  world.start(victim.config);
}

/** One instance stands still, or dies and another one starts. */
export function crash(world: SimulatedWorld, chance: Random, count: Count): void {
  const victim = chance.pick(world.instances);
  if (chance.chance(0.3)) {
    victim.freeze(chance.between(10 * SECOND, 3 * MINUTE));
    count("frozen");
    return;
  }
  restart(world, victim);
  count("crashed");
}

/** A lease of a claim, and a lock of the bus, are over after this. */
const LEASE_MS = MINUTE;

/** The next effect after some others is the last one that a worker sees, or the one before which it stands still for long. */
export function crashAtAnEffect(world: SimulatedWorld, chance: Random, count: Count): void {
  let left = chance.below(12);
  const freezes = chance.chance(0.4);
  const { hooks } = world;
  const isIt = (changes: boolean, to: string) => changes && (!freezes || to === "graph") && left-- === 0;
  const over = () => {
    hooks.before = undefined;
    hooks.after = undefined;
  };
  if (freezes) {
    hooks.before = async ({ changes, to, instance }) => {
      if (!isIt(changes, to)) return;
      over();
      const ms = LEASE_MS + chance.between(10 * SECOND, 90 * SECOND);
      instance.freeze(ms);
      await world.clock.sleep(ms);
      count("woke after its lease");
    };
    return;
  }
  hooks.after = ({ changes, to, instance }) => {
    if (!isIt(changes, to)) return;
    over();
    restart(world, instance);
    count("crashed after an effect");
    return new Promise<never>(() => {});
  };
}

/** Deliveries go wrong: a lock is lost while its holder works, a message gives up, messages come again. */
export function disturbDeliveries({ broker, clock }: SimulatedWorld, chance: Random, count: Count): () => void {
  const receive = broker.receive.bind(broker);
  let over = false;
  const lose = (queue: string, lockToken: string) => {
    try {
      broker.abandon(queue, lockToken);
      count("lock lost");
    } catch {
      // Settled before: nothing to lose.
    }
  };
  Object.assign(broker, {
    receive: (queue: string) => {
      const message = receive(queue);
      if (!message) return message;
      if (message.deliveryCount > 0) count("delivered again");
      if (over || queue.includes("/")) return message;
      if (chance.chance(0.004)) {
        broker.deadLetter(queue, message.lockToken, "MaxDeliveryCountExceeded");
        count("dead letter");
        return receive(queue);
      }
      if (chance.chance(0.02)) clock.after(chance.between(0, 3 * SECOND), () => lose(queue, message.lockToken));
      return message;
    },
  });
  return () => {
    over = true;
  };
}

/** A send takes some milliseconds: messages that are due at once do not go round while time stands still. */
export function takeTime({ bus, clock }: SimulatedWorld): void {
  const { send } = bus;
  const slow: typeof send = async (queue, messages) => {
    await clock.sleep(5);
    await send(queue, messages);
  };
  Object.assign(bus, { send: slow });
}

/** Counts what tenants have answered, and tokens that they have not given. */
export function watchAnswers({ graph }: SimulatedWorld, count: Count): void {
  const call = graph.graph;
  const { token } = graph;
  const tell = (tenant: string, method: string, url: string, status: number, location: boolean, item: boolean) => {
    if (status === 429) count(item ? "429 of one item of a batch" : "429");
    else if (status === 410) count(location ? "410 with Location" : "410 without Location");
    else if (status === 409 && method === "POST" && url.endsWith("/subscriptions")) count("subscription duplicated");
    else if (status === 401 || status === 403) count(String(status));
    else if (status >= 500) count("5xx");
    else if (status === 404) {
      const [, id = ""] = /\/users\/([0-9a-f-]{36})/.exec(url) ?? [];
      const user = graph.truth(tenant).user(id);
      if (user && user.deletedAt === undefined) count("404 after creation");
    }
  };
  Object.assign(graph, {
    graph: async (tenant: string, request: GraphRequest, signal?: AbortSignal): Promise<GraphResponse> => {
      const response = await call(tenant, request, signal);
      if (!request.url.includes("$batch") || response.status !== 200) {
        tell(tenant, request.method, request.url, response.status, "location" in response.headers, false);
        return response;
      }
      if (!/"status":(?!2)/.test(response.body)) return response;
      const asked = new Map(batchItems(request.body, "requests").map((item) => [item.id, item]));
      for (const { id, status = 0 } of batchItems(response.body, "responses")) {
        const { method = "GET", url = "" } = asked.get(id) ?? {};
        tell(tenant, method, url, status, false, true);
      }
      return response;
    },
    token: (tenant: string, clientId: string) => {
      try {
        return token(tenant, clientId);
      } catch (error) {
        count("no token");
        throw error;
      }
    },
  });
}

interface BatchItem {
  id: string;
  method?: string;
  url?: string;
  status?: number;
}

/** Items of a body; none where it was cut. */
function batchItems(body: string | undefined, key: "requests" | "responses"): readonly BatchItem[] {
  try {
    return (JSON.parse(body ?? "{}") as Partial<Record<typeof key, readonly BatchItem[]>>)[key] ?? [];
  } catch {
    return [];
  }
}

/** Everything works from now on. */
export function mend({ graph, store, bus, hooks }: SimulatedWorld): void {
  graph.clearFaults();
  graph.setKnobs({ notificationLost: 0, notificationDoubled: 0 });
  store.hooks = {};
  bus.hooks = {};
  hooks.before = undefined;
  hooks.after = undefined;
}

/** What the tenants and the queues say has happened to them. */
export function countFaults({ graph, broker, log }: SimulatedWorld, count: Count): void {
  for (const statistics of Object.values(graph.statistics())) {
    for (const [kind, times] of Object.entries(statistics.faults)) count(kind, times);
    count("lost", statistics.notificationsLost);
    count("doubled", statistics.notificationsDoubled);
    count("late", statistics.notificationsLate);
    count("reordered", statistics.notificationsReordered);
    count("replica lagged", statistics.staleReads);
    count("search index lagged", statistics.staleSearches);
    count("delta lagged", statistics.staleDeltas);
    count("throttled", statistics.throttled);
  }
  for (const { duplicates } of Object.values(broker.statistics())) count("duplicates dropped", duplicates);
  for (const { fields } of log) {
    if (fields.because === "claimed" || fields.because === "moved") count("two workers on one person");
    if (fields.because === "CONFIG_SUPERSEDED") count("old configuration refused");
  }
}
