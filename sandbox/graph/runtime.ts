/** What every part of the simulated tenants shares: the world, one tenant of it, a call, a route. */
import type { Cloud } from "../../shared/domain/cloud.ts";
import type { SandboxClock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { Knobs, TenantSpec, WebhookCall } from "./api.ts";
import type { Applications } from "./applications-store.ts";
import type { Directory } from "./directory.ts";
import type { Faults } from "./faults.ts";
import type { Query, Reply } from "./odata.ts";
import type { CrossTenantPolicies } from "./policies-store.ts";
import type { SignIns } from "./sign-ins.ts";
import type { Statistics } from "./statistics.ts";
import type { Subscriptions } from "./subscriptions-store.ts";
import type { Throttle } from "./throttling.ts";
import type { Principal, Tokens } from "./tokens.ts";

export interface Roots {
  graph: string;
  login: string;
}

export interface World {
  readonly clock: SandboxClock;
  readonly seed: number;
  readonly knobs: Knobs;
  readonly tenants: ReadonlyMap<string, Tenant>;
  readonly faults: Faults;
  readonly throttle: Throttle;
  readonly deliver: (call: WebhookCall) => Promise<{ status: number; contentType: string; body: string }>;
}

export interface Tenant {
  readonly spec: TenantSpec;
  readonly cloud: Cloud;
  readonly world: World;
  readonly roots: Roots;
  readonly directory: Directory;
  readonly applications: Applications;
  readonly policies: CrossTenantPolicies;
  readonly subscriptions: Subscriptions;
  readonly tokens: Tokens;
  readonly signIns: SignIns;
  readonly statistics: Statistics;
  readonly chance: TenantChance;
}

/** Independent streams of chance, so that more of one thing does not change another. */
export interface TenantChance {
  readonly reads: Random;
  readonly latency: Random;
  readonly ids: Random;
  readonly delivery: Random;
  readonly faults: Random;
  readonly delta: Random;
}

export interface Call {
  readonly tenant: Tenant;
  readonly principal: Principal;
  readonly method: string;
  readonly route: Route;
  /** Path parameters in their order. */
  readonly parameters: readonly string[];
  readonly query: Query;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, undefined when there was none. */
  readonly body: unknown;
  readonly now: number;
  /** `ConsistencyLevel: eventual`. */
  readonly eventual: boolean;
}

/** `identity`, `subscriptions` and `reports` have quotas of their own. */
export type QuotaFamily = "identity" | "subscriptions" | "reports";

export interface Route {
  method: string;
  /** `/users/{id}/manager`. */
  path: string;
  /** Resource units before the adjustments for `$select`, `$expand` and `$top`. */
  cost: number;
  write: boolean;
  quota: QuotaFamily;
  /** What faults may say beside `read`, `write` and `any`. */
  area?: "delta" | "invite";
  /** All permissions of one of these rows are needed. */
  permissions: readonly (readonly string[])[];
  handle(call: Call): Reply | Promise<Reply>;
}

/** The replica that answers this read: how far back it is was drawn. */
export function replicaTime(tenant: Tenant): number {
  const { knobs, clock } = tenant.world;
  const now = clock.now();
  return knobs.replicationLagMs === 0 ? now : Math.floor(now - tenant.chance.reads.next() * knobs.replicationLagMs);
}

/** What the search index knows of: it is at least half of its lag behind. */
export function indexTime(tenant: Tenant): number {
  return behind(tenant, tenant.world.knobs.indexLagMs);
}

/** Up to when delta shows changes. */
export function deltaTime(tenant: Tenant): number {
  return behind(tenant, tenant.world.knobs.deltaLagMs);
}

function behind(tenant: Tenant, lagMs: number): number {
  const now = tenant.world.clock.now();
  return lagMs === 0 ? now : Math.floor(now - (0.5 + tenant.chance.reads.next() / 2) * lagMs);
}

export const context = (tenant: Tenant, what: string): string => `${tenant.roots.graph}/v1.0/$metadata#${what}`;
