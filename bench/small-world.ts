import type { Knobs, TenantSpec } from "../sandbox/graph/api.ts";
import { random } from "../sandbox/random.ts";
import { type SimulatedWorld, simulatedWorld } from "../sandbox/world.ts";
import { SyncConfig } from "../shared/config/schema.ts";
import type { Settings } from "../shared/pipeline/world.ts";

/** One source, one target, one job for all users, in simulated time. */
export interface SmallWorld {
  world: SimulatedWorld;
  source: { name: string; id: string };
  target: { name: string; id: string; clientId: string };
}

/** What people would have to agree to is not what is measured. */
export const UNLIMITED = {
  limits: {
    removals: { immediatePerHour: 1_000_000, perHour: 1_000_000, perDay: 1_000_000, percent: 100, minimumSource: 0 },
    creations: { perHour: 1_000_000, perDay: 1_000_000 },
    settlingMinutes: 0,
    approvalHours: 24,
  },
  firstCycle: { expected: 1_000_000 },
};

export interface SmallWorldOptions {
  seed: number;
  /** Computed people of the source. */
  users: number;
  /** The pair within one cloud carries managers, the pair across clouds does not. */
  pair: "across" | "within";
  knobs?: Partial<Knobs>;
  settings?: Partial<Settings>;
  timerMs?: number;
}

/** What every bench assumes unless it says otherwise: 100 ms a call, no delays and no lags; nothing is lost. */
export const PLAIN_KNOBS: Partial<Knobs> = {
  latencyMs: [100, 100],
  notificationDelayMs: [0, 0],
  notificationLost: 0,
  notificationDoubled: 0,
  notificationReordered: false,
  replicationLagMs: 0,
  indexLagMs: 0,
  deltaLagMs: 0,
};

export function smallWorld(options: SmallWorldOptions): SmallWorld {
  const chance = random(options.seed).fork("small world");
  const spec = (name: string, more: Partial<TenantSpec>): TenantSpec => ({
    name,
    id: chance.uuid(),
    cloud: "global",
    domain: `${name}.com`,
    initialDomain: `${name}.onmicrosoft.com`,
    clients: [
      {
        clientId: chance.uuid(),
        permissions: ["*"],
        extensions: [{ name: "syncSource", dataType: "String" }],
      },
    ],
    ...more,
  });
  const source = spec("northwind", { computedUsers: options.users });
  const abroad = { cloud: "usGov", domain: "tailspin.us", initialDomain: "tailspin.onmicrosoft.us" } as const;
  const target = spec("tailspin", options.pair === "across" ? abroad : {});
  const clientOf = ({ clients }: TenantSpec) => clients[0]?.clientId ?? "";
  const config = SyncConfig.parse({
    version: 1,
    deployment: "bench",
    tenants: [source, target].map((tenant) => ({
      name: tenant.name,
      id: tenant.id,
      cloud: tenant.cloud,
      credential: { kind: "certificate", clientId: clientOf(tenant), path: `${tenant.name}.pem` },
    })),
    jobs: [
      {
        id: "all-users",
        source: source.name,
        target: target.name,
        state: "on",
        scope: { allUsers: true },
        userType: options.pair === "across" ? "guest" : "member",
        ...UNLIMITED,
      },
    ],
  });
  const world = simulatedWorld({
    seed: options.seed,
    tenants: [source, target],
    config,
    knobs: { ...PLAIN_KNOBS, ...options.knobs },
    ...(options.settings ? { settings: options.settings } : {}),
    ...(options.timerMs === undefined ? {} : { timerMs: options.timerMs }),
  });
  return {
    world,
    source: { name: source.name, id: source.id },
    target: { name: target.name, id: target.id, clientId: clientOf(target) },
  };
}
