/** The simulated Graph tenants. See `api.ts` for what they promise. */
import { CLOUDS, cloudPair } from "../../shared/domain/cloud.ts";
import { hash, random } from "../random.ts";
import {
  ConnectionLost,
  type Fault,
  type GraphOptions,
  type GraphResponse,
  type GraphTenants,
  type Knobs,
  type TenantSpec,
} from "./api.ts";
import { Applications } from "./applications-store.ts";
import { batch } from "./batch.ts";
import { Deliveries } from "./deliveries.ts";
import { Directory } from "./directory.ts";
import { Faults } from "./faults.ts";
import { single } from "./gateway.ts";
import { login } from "./login.ts";
import { CrossTenantPolicies } from "./policies-store.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes.ts";
import type { Roots, Tenant, World } from "./runtime.ts";
import { SignIns } from "./sign-ins.ts";
import { Statistics } from "./statistics.ts";
import { Subscriptions } from "./subscriptions-store.ts";
import { Throttle } from "./throttling.ts";
import { Tokens } from "./tokens.ts";
import { truthOf } from "./truth.ts";

const DAY_MS = 24 * 3600_000;

export const DEFAULT_KNOBS: Knobs = {
  replicationLagMs: 2000,
  indexLagMs: 10_000,
  deltaLagMs: 5000,
  deltaPageSize: 100,
  deltaMembersPerPage: 100,
  deltaEmptyPages: 0.05,
  deltaRepeated: 0.01,
  deltaReplayed: 0.02,
  deltaTokenLifeMs: 7 * DAY_MS,
  notificationDelayMs: [5000, 60_000],
  notificationLost: 0.01,
  notificationDoubled: 0.02,
  notificationReordered: true,
  latencyMs: [0, 0],
  quotas: true,
  quotaScale: 1,
  objectQuota: 300_000,
  subscriptionTokenMs: 3600_000,
  automaticRedemption: "atSignIn",
  reinviteSoftDeleted: "newObject",
  signingKeyGeneration: 0,
};

const router = new Router(ROUTES);

export function createGraphTenants(options: GraphOptions): GraphTenants {
  const { clock, seed } = options;
  let knobs: Knobs = { ...DEFAULT_KNOBS, ...options.knobs };
  const tenants = new Map<string, Tenant>();
  const throttle = new Throttle();
  const deliveries = new Deliveries(clock, options.deliver);
  const world: World = {
    clock,
    seed,
    get knobs() {
      return knobs;
    },
    tenants,
    faults: new Faults(),
    throttle,
    deliver: options.deliver,
  };
  const scaleQuotas = () => {
    throttle.scale = knobs.quotas ? knobs.quotaScale : Number.POSITIVE_INFINITY;
  };
  scaleQuotas();

  for (const [ordinal, spec] of options.tenants.entries()) {
    if (tenants.has(spec.name)) throw new Error(`two tenants are called ${spec.name}`);
    const roots: Roots = options.roots?.(spec) ?? CLOUDS[spec.cloud];
    const tenant = createTenant(world, spec, { graph: roots.graph, login: roots.login }, ordinal, deliveries);
    tenants.set(spec.name, tenant);
  }
  for (const tenant of tenants.values()) {
    if (tenant.spec.onboarded === false) continue;
    for (const other of tenants.values()) {
      const supported = other !== tenant && !("refused" in cloudPair(other.cloud, tenant.cloud));
      if (supported) tenant.policies.onboard(other.spec);
    }
  }

  const tenantOf = (name: string): Tenant => {
    const tenant = tenants.get(name);
    if (!tenant) throw new Error(`there is no tenant ${name}: there are ${[...tenants.keys()].join(", ")}`);
    return tenant;
  };

  return {
    tenants: options.tenants,
    graph(name, request, signal) {
      const tenant = tenantOf(name);
      tenant.statistics.calls++;
      const isBatch = /^\/v1\.0\/\$batch(\?|$)/i.test(request.url);
      return abortable(isBatch ? batch(tenant, router, request) : single(tenant, router, request), signal);
    },
    login: (name, request, signal) => abortable(login(tenantOf(name), request), signal),
    token(name, clientId) {
      const tenant = tenantOf(name);
      const fault = world.faults.strike(name, ["token"], clock.now(), tenant.chance.faults, true);
      if (!fault) return tenant.tokens.issue(clientId);
      tenant.statistics.fault(fault.kind);
      throw new ConnectionLost("the token endpoint gave no token");
    },
    enableApplication: (name, clientId, enabled) => tenantOf(name).tokens.enable(clientId, enabled),
    setKnobs(changes) {
      knobs = { ...knobs, ...changes };
      scaleQuotas();
    },
    get knobs() {
      return knobs;
    },
    addFault(fault) {
      if (fault.kind !== "subscriptionsGone") return world.faults.add(fault, clock.now());
      for (const tenant of tenants.values()) dropSubscriptions(tenant, fault);
    },
    clearFaults: () => world.faults.clear(),
    faults: () => world.faults.list(),
    statistics: () => Object.fromEntries([...tenants].map(([name, tenant]) => [name, tenant.statistics.snapshot()])),
    truth: (name) => truthOf(tenantOf(name)),
    close() {
      deliveries.close();
      for (const tenant of tenants.values()) {
        tenant.subscriptions.clear();
        tenant.directory.close();
      }
    },
  };
}

function dropSubscriptions(tenant: Tenant, fault: Fault): void {
  if (fault.tenant !== undefined && fault.tenant !== tenant.spec.name) return;
  tenant.subscriptions.clear();
  tenant.statistics.fault(fault.kind);
}

function createTenant(world: World, spec: TenantSpec, roots: Roots, ordinal: number, deliveries: Deliveries): Tenant {
  const { clock, seed } = world;
  const chance = random(hash(`${seed}/${spec.id}`));
  const streams = {
    reads: chance.fork("reads"),
    latency: chance.fork("latency"),
    ids: chance.fork("ids"),
    delivery: chance.fork("delivery"),
    faults: chance.fork("faults"),
    delta: chance.fork("delta"),
  };
  const directory = new Directory(spec, clock, seed, chance.fork("objects"));
  const statistics = new Statistics();
  return {
    spec,
    cloud: spec.cloud,
    world,
    roots,
    directory,
    applications: new Applications(spec, clock.now()),
    policies: new CrossTenantPolicies(spec.cloud),
    subscriptions: new Subscriptions({
      spec,
      clock,
      knobs: () => world.knobs,
      chance: streams.delivery,
      statistics,
      deliveries,
      directory,
    }),
    tokens: new Tokens(spec, roots, world, ordinal),
    signIns: new SignIns(),
    statistics,
    chance: streams,
  };
}

/** Whoever aborts hears so at once; what was sent takes its course all the same. */
function abortable(work: Promise<GraphResponse>, signal: AbortSignal | undefined): Promise<GraphResponse> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
