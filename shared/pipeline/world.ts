import type { AdminScope } from "../domain/admin.ts";
import type { Pair, Tenant } from "../domain/job.ts";
import type { JobRow } from "../domain/job-state.ts";
import type { Link } from "../domain/link.ts";
import type { PaceState } from "../domain/pace.ts";
import type { SkipReason } from "../domain/skip-reason.ts";
import type { Weakening } from "../domain/weakening.ts";
import type { AppendOnly } from "../ports/append-only.ts";
import type { Bus } from "../ports/bus.ts";
import type { Chance, Clock } from "../ports/clock.ts";
import type { Extensions } from "../ports/extensions.ts";
import type { InboundPolicy } from "../ports/inbound-policy.ts";
import type { Rows } from "../ports/rows.ts";
import type { SourceChanges } from "../ports/source-changes.ts";
import type { SourceListing } from "../ports/source-listing.ts";
import type { SourceTenant } from "../ports/source-tenant.ts";
import type { Subscriptions } from "../ports/subscriptions.ts";
import type { TargetListing } from "../ports/target-listing.ts";
import type { TargetTenant } from "../ports/target-tenant.ts";
import type { LedgerRow } from "./ledger.ts";
import type { LedgerPart } from "./ledger-ids.ts";
import type { Orphan, PassPage, PassRow, RecoveryState, TableMark } from "./pass-rows.ts";
import type { SeatsRow } from "./seats.ts";

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
  extensions(tenantId: string): Extensions;
  sourceListing(tenantId: string): SourceListing;
  targetListing(tenantId: string): TargetListing;
  inbound(tenantId: string): InboundPolicy;
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
  /** What is allowed in the configuration and worth knowing. */
  warnings: readonly ConfigurationWarning[];
  configuration: ConfigurationInFull;
  /** What principals of the admin API are narrowed to. */
  adminScopes: readonly AdminScope[];
}

export interface ConfigurationWarning {
  /** `jobs[2].mappings[0].target`. */
  path: string;
  problem: string;
  remedy: string;
}

/** The configuration itself, for whoever compares it with another one. */
export interface ConfigurationInFull {
  /** As JSON, so that the same configuration always has the same text. */
  text: string;
  /** Who rolled it out, `{tenant}/{object id}`, if the roll-out says so. */
  author: string | undefined;
  /** In what it protects less than another one, of which this is the text. */
  weakeningsSince(previous: string): readonly Weakening[];
}

export interface Settings {
  replicationAllowanceMs: number;
  indexAllowanceMs: number;
  /** Between two readings of a membership before somebody is removed for it. */
  secondReadingMs: number;
  /** A source tenant is swept this often. */
  sweepMs: number;
  /** A full pass over a source tenant begins this often, and takes about as long where there are many people. */
  fullPassMs: number;
  /** The changes of a target tenant are read this often. */
  driftMs: number;
  /** Everybody in a target tenant is compared with the links this often. */
  censusMs: number;
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
  /** Partition `{source}_{target}_{job}_{kind}`; row `head`: who was removed or created, and who waits. */
  limits: Rows<LedgerRow>;
  /** The same partition; row: a random id. Ids beyond a few hundred. */
  limitparts: Rows<LedgerPart>;
  /** In the table of limits. Partition `users_{target}`; row `head`: how many users this deployment has there. */
  seats: Rows<SeatsRow>;
  /** Partition `jobs`; row: the job. Jobs that were ever seen, and their states. */
  jobs: Rows<JobRow>;
  /** Partition `configuration`; row `accepted`. */
  deployment: Rows<AcceptedConfiguration>;
  /** Partition: the tenant; row: the pass. */
  passes: Rows<PassRow>;
  /** Partition `{tenant}_{pass}_{run}`; row `{set}-{page}`: who was listed. */
  passpages: Rows<PassPage>;
  /** Partition: the target tenant; row: the target user. */
  orphans: Rows<Orphan>;
  /** In the tables of links and owners. Partition `mark`, row `generation`. */
  linkMark: Rows<TableMark>;
  targetMark: Rows<TableMark>;
  /** In the table of the deployment. Partition `recovery`, row `state`. */
  recovery: Rows<RecoveryState>;
  /** Partition `configuration`; row: the revision. Configurations that were accepted, whole. */
  configurations: Rows<{ text: string }>;
  /** Partition `requests`; row: its id. What one asks and somebody else decides. */
  requests: Rows<RequestRow>;
  /** Partition `kill`; row `all`: nothing is written to any target while it is on. */
  switches: Rows<SwitchRow>;
  /** Partition `audit`; row: the number. What people did. */
  audit: AppendOnly<AuditRow>;
  /** Partition `audit`; row `head`: how far the audit log is known to reach. */
  audithead: Rows<AuditHead>;
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
  /** In both webhook addresses; absent in rows of earlier versions. */
  pathSecret?: string;
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
  /** The name that Entra's provisioning log has for it, where nothing was written. */
  skipReason?: SkipReason;
  /** Step `EntrySynchronizationScoping` in the documented names, where the scope decided. */
  scoping?: Readonly<Record<string, string>>;
  code?: string;
  /** What Graph said of the failure: its code and the property, no values. */
  detail?: string;
  remedy?: string;
  /** Names of the properties that were written. */
  properties?: readonly string[];
  /** Of a transfer: who asked, `{tenant}/{object id}`. */
  requestedBy?: string;
  reason: string;
  /** From the moment the change was noticed. */
  afterMs: number;
}

export interface AcceptedConfiguration {
  revision: string;
  /** Revisions that this and earlier ones replaced, newest first. */
  replaced: readonly string[];
  at: number;
  /** Absent in rows of earlier versions. */
  by?: string;
  /** Revisions that wait for somebody to agree. */
  waiting?: readonly string[];
}

export interface RequestRow {
  kind: string;
  /** What it is about: an id, no name. */
  subject: string;
  /** Absent: the whole deployment. */
  targetTenantId?: string;
  jobId?: string;
  /** For whoever decides: sentences, ids, no personal data. */
  details: readonly string[];
  /** `{tenant}/{object id}`, or `roll-out`. */
  by: string;
  at: number;
  expiresAt: number;
  state: "open" | "approved" | "rejected";
  decidedBy?: string;
  decidedAt?: number;
  note?: string;
}

export interface SwitchRow {
  on: boolean;
  /** Of this time that it was turned on. */
  id: string;
  by: string;
  at: number;
  reason: string;
}

export interface AuditRow {
  seq: number;
  at: number;
  /** `{tenant}/{object id}`. */
  who: string;
  appId: string;
  verb: string;
  /** Ids of what it is about. */
  subjects: readonly string[];
  /** Hash of the row before; empty for the first. */
  previous: string;
  hash: string;
}

export interface AuditHead {
  seq: number;
  hash: string;
}

export const pairKey = (sourceTenantId: string, targetTenantId: string): string =>
  `${sourceTenantId}_${targetTenantId}`;
