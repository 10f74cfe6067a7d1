import type { Pair, Tenant } from "../domain/job.ts";
import type { Link } from "../domain/link.ts";
import type { PaceState } from "../domain/pace.ts";
import type { Bus } from "../ports/bus.ts";
import type { Chance, Clock } from "../ports/clock.ts";
import type { Rows } from "../ports/rows.ts";
import type { SourceChanges } from "../ports/source-changes.ts";
import type { SourceTenant } from "../ports/source-tenant.ts";
import type { Subscriptions } from "../ports/subscriptions.ts";
import type { TargetTenant } from "../ports/target-tenant.ts";

/** Everything that the pipeline asks of the world. `shared/wire.ts` builds the real one, the sandbox the simulated one. */
export interface World {
  clock: Clock;
  chance: Chance;
  rules: Rules;
  settings: Settings;
  tables: Tables;
  bus: Bus;
  source(tenantId: string): SourceTenant;
  target(tenantId: string): TargetTenant;
  changes(tenantId: string): SourceChanges;
  subscriptions(tenantId: string): Subscriptions;
  /** Resolves when the tables exist; asks again after a failure. Throws `StorageUnavailable`. */
  ready(): Promise<void>;
  /** SHA-256 as base64url, for keys and for comparing inputs. */
  hash(text: string): string;
}

/** The configuration as the pipeline sees it. Jobs that are off are not in it. */
export interface Rules {
  deployment: string;
  /** Of the whole configuration, with the revision that a roll-out gave it. */
  revision: string;
  tenants: readonly Tenant[];
  pairs: readonly Pair[];
}

export interface Settings {
  replicationAllowanceMs: number;
  indexAllowanceMs: number;
  /** Between two readings of a membership before somebody is removed for it. */
  secondReadingMs: number;
  /** A source tenant is swept this often. */
  sweepMs: number;
  /** Where Graph reaches the app; `undefined`: no notifications, sweeps only. */
  publicUrl: string | undefined;
  /** Writes that a target grants this app: a bucket, and what flows into it. */
  quota: { writes: number; perSeconds: number };
}

export interface Tables {
  /** Partition `{source}_{target}`, row: the source user. */
  links: Rows<Link>;
  /** Partition: the target tenant; row `user:{id}` or `address:{hash}`: which link owns it. */
  targets: Rows<TargetOwner>;
  /** Partition: the source tenant; row: the stream. */
  checkpoints: Rows<Checkpoint>;
  /** Partition: the source tenant; row: `users` or `groups`. */
  subscriptions: Rows<SubscriptionRow>;
  /** Partition `{source}_{target}_{day}`; row: newest first. */
  provisioninglog: Rows<LogRow>;
  /** Partition: the target tenant; row: the app registration's share. */
  pace: Rows<PaceState>;
  /** Partition `{source}_{target}`; row `hour`. */
  removals: Rows<RemovalSet>;
  /** Partition `configuration`; row `accepted`. */
  deployment: Rows<AcceptedConfiguration>;
}

export interface TargetOwner {
  /** `{sourceTenant}/{userId}`. */
  link: string;
}

export interface Checkpoint {
  runId: string;
  /** The next page of the run. */
  seq: number;
  phase: "reading" | "links" | "idle";
  /** Where the next page is; absent at the start of a full round. */
  link?: string;
  /** What is tracked: another one means that the stream starts anew. */
  tracks: string;
  /** The run lists everything, so that people who are not in it are looked at afterwards. */
  full: boolean;
  /** Something asked for another run while this one was going on. */
  again?: boolean;
  /** The links are gone through after a full round, when every replica has seen what the round saw. */
  linksAt?: number;
  /** While the links are gone through: the last one seen. */
  cursor?: string;
  startedAt: number;
  touchedAt: number;
}

export interface SubscriptionRow {
  /** Written before Graph is asked for the subscription, so that its first notification is already believed. */
  clientState: string;
  resource: "/users" | "/groups";
  notificationUrl: string;
  subscriptionId?: string;
  expiresAt?: number;
  renewedAt?: number;
}

export interface LogRow {
  at: number;
  sourceTenantId: string;
  targetTenantId: string;
  userId: string;
  targetId?: string;
  jobId?: string;
  /** As in Graph's provisioning log. */
  action: "create" | "update" | "delete" | "disable" | "stagedDelete" | "other";
  status: "success" | "failure" | "skipped" | "warning";
  because: string;
  code?: string;
  /** What Graph said of the failure: its code and the property, no values. */
  detail?: string;
  remedy?: string;
  /** Names of the properties that were written. */
  properties?: readonly string[];
  reason: string;
  /** From the moment the change was noticed. */
  afterMs: number;
}

/** Users removed from a target within the last hour, and when. */
export interface RemovalSet {
  removed: Readonly<Record<string, number>>;
}

export interface AcceptedConfiguration {
  revision: string;
  /** Revisions that this and earlier ones replaced, newest first. */
  replaced: readonly string[];
  at: number;
}

export const pairKey = (sourceTenantId: string, targetTenantId: string): string =>
  `${sourceTenantId}_${targetTenantId}`;
