/**
 * The public interface of the simulated Graph tenants: what the simulated world, the local cloud, the organization and
 * the oracle may use. Everything else in this folder is private to it. The behaviour behind it follows Microsoft's
 * documentation, never the product's needs.
 */
import type { Cloud } from "../../shared/domain/cloud.ts";
import type { SandboxClock } from "../clock.ts";

/** How a group of tenants is made. One process may hold several; they know each other (a guest's home is looked up among them). */
export interface GraphOptions {
  seed: number;
  clock: SandboxClock;
  tenants: readonly TenantSpec[];
  knobs?: Partial<Knobs>;
  /** Delivers a webhook call (validation, notification, lifecycle). Throws or never answers when the endpoint does. */
  deliver: (call: WebhookCall) => Promise<{ status: number; contentType: string; body: string }>;
  /** Roots as the clients see them, for nextLink, deltaLink, Location and issuer; absent: the cloud's real ones. */
  roots?: (tenant: TenantSpec) => { graph: string; login: string };
}

export interface TenantSpec {
  name: string;
  id: string;
  cloud: Cloud;
  /** First verified domain; `initialDomain` is `{x}.onmicrosoft.com` (.us, .cn), the one in `#EXT#` names. */
  domain: string;
  initialDomain: string;
  /** More verified domains. */
  otherDomains?: readonly string[];
  /**
   * Unless `false`, the tenant begins with its cross-tenant access settings open to every other tenant of this world whose
   * cloud it can work with (cloud enabled, partner added, redeemed automatically), as after onboarding.
   */
  onboarded?: boolean;
  /** What the tenant has bought; default `AAD_PREMIUM_P2`. */
  skus?: readonly ("AAD_PREMIUM_P2" | "Microsoft_Entra_ID_Governance" | "Microsoft_Entra_Suite")[];
  /** Apps may not invite people as members (undocumented), with 403 or 401; default: they may. */
  memberInvitations?: "refused" | "unauthorized";
  /** People computed from seed and index: no memory until somebody changes them. */
  computedUsers?: number;
  clients: readonly ClientSpec[];
}

/** An app registration with consent in this tenant. */
export interface ClientSpec {
  clientId: string;
  displayName?: string;
  /** PEM of certificates that may sign its assertions, and/or a secret. */
  certificate?: string;
  secret?: string;
  /** Application permissions (`User.Read.All`); they become the token's `roles`. `*` grants everything (people and scripts). */
  permissions: readonly string[];
  /** App roles of the app's own API (`api://{clientId}/.default`): `Sync.Read` and the like. */
  appRoles?: readonly string[];
  /** Directory extension properties that this registration owns, by short name. */
  extensions?: readonly { name: string; dataType: "String" | "Boolean" | "Integer" | "DateTime" }[];
}

/** What can be set while the world runs. Times in ms. Defaults: `DEFAULT_KNOBS` in `index.ts`; Microsoft documents none of them but the token life. */
export interface Knobs {
  /** A read after a write may be answered by a replica that is this far behind (each read draws its replica). */
  replicationLagMs: number;
  indexLagMs: number;
  deltaLagMs: number;
  deltaPageSize: number;
  deltaMembersPerPage: number;
  /** Probability that a page is empty although more follow. */
  deltaEmptyPages: number;
  /** Probability that an item of a page comes twice. */
  deltaRepeated: number;
  /** Probability that a round begins with the changes of the round before. */
  deltaReplayed: number;
  deltaTokenLifeMs: number;
  notificationDelayMs: readonly [min: number, max: number];
  notificationLost: number;
  notificationDoubled: number;
  notificationReordered: boolean;
  /** Time a call takes; a `$batch` is one call. */
  latencyMs: readonly [min: number, max: number];
  /** Scales the documented quotas; `quotas: false` switches throttling off. */
  quotas: boolean;
  quotaScale: number;
  objectQuota: number;
  subscriptionTokenMs: number;
  automaticRedemption: "atSignIn" | "immediate";
  /** What a soft-deleted guest of the same address does to an invitation (undocumented). */
  reinviteSoftDeleted: "newObject" | "conflict";
  /** Another number and the login signs with a new key; the one before it is still published. */
  signingKeyGeneration: number;
}

/** Something that goes wrong with calls that match, for a while. */
export interface Fault {
  /** Tenant name; absent: every tenant. */
  tenant?: string;
  /** Where: `read`, `write`, `token`, `delta`, `invite`, `batchItem`, `any`. */
  on: "read" | "write" | "token" | "delta" | "invite" | "batchItem" | "any";
  /**
   * `status`: answer with it instead of acting. `timeoutAfterEffect`: act, then never answer. `timeout`: neither.
   * `refuse`: connection refused. `truncate`: cut the body. `consentRevoked`: 401/403. `resync`: delta answers 410.
   * `subscriptionsGone`: all subscriptions vanish without a word.
   */
  kind:
    | "status"
    | "timeout"
    | "timeoutAfterEffect"
    | "refuse"
    | "truncate"
    | "consentRevoked"
    | "resync"
    | "resyncWithoutLocation"
    | "subscriptionsGone";
  status?: number;
  retryAfterSeconds?: number;
  /** 0 to 1; default 1. */
  probability?: number;
  /** At most this many times. */
  times?: number;
  /** For this long, ms. */
  forMs?: number;
}

export interface WebhookCall {
  url: string;
  method: "POST";
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** A request as it arrives, without the host: the tenant is known from the root it came to. */
export interface GraphRequest {
  method: string;
  /** Path and query, as sent: `/v1.0/users?$top=5`. */
  url: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body?: string;
}

export interface GraphResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Text; JSON unless `content-type` says otherwise; empty for 204. */
  body: string;
}

/** A connection that was refused or never answered: what a client sees as a failed `fetch`. */
export class ConnectionLost extends Error {}

/** The tenants. */
export interface GraphTenants {
  readonly tenants: readonly TenantSpec[];
  /**
   * One call to a tenant's Graph root, with latency, lag, throttling and faults. In process and over HTTPS alike.
   * Throws `ConnectionLost`. A call that never answers waits on the clock, and rejects when `signal` is aborted.
   */
  graph(tenant: string, request: GraphRequest, signal?: AbortSignal): Promise<GraphResponse>;
  /** One call to a tenant's login root: discovery, keys, token endpoint. */
  login(tenant: string, request: GraphRequest, signal?: AbortSignal): Promise<GraphResponse>;
  /**
   * An access token without the ceremony, for the simulated world: same contents as the token endpoint's. Throws
   * `ConnectionLost` when a fault on tokens hits it.
   */
  token(tenant: string, clientId: string): string;
  /** What the tenant's administrators do to an enterprise application: a disabled one gets no tokens. */
  enableApplication(tenant: string, clientId: string, enabled: boolean): void;

  setKnobs(knobs: Partial<Knobs>): void;
  readonly knobs: Knobs;
  addFault(fault: Fault): void;
  clearFaults(): void;
  /** Faults that were added and not cleared; some may be over. */
  faults(): readonly Fault[];
  statistics(): Record<string, TenantStatistics>;

  /** The truth, at once, without lag or quota: for populations and the oracle. Names of tenants as in the specs. */
  truth(tenant: string): TenantTruth;
  /** Stops timers and deliveries. */
  close(): void;
}

export interface TenantStatistics {
  calls: number;
  /** Items of batches and single calls alike. */
  requests: number;
  /** Those that were throttled are not among them. */
  writes: number;
  throttled: number;
  /** Requests before a `Retry-After` that their sender had been told had passed. */
  beforeRetryAfter: number;
  resourceUnits: number;
  notificationsSent: number;
  notificationsLost: number;
  notificationsDoubled: number;
  /** Delivered more than ten seconds after the change. */
  notificationsLate: number;
  /** Delivered after one that had told the same subscription of a later change. */
  notificationsReordered: number;
  /** Times that an older version of a user was shown, or a new one was not: by a replica that lags, by the search index. */
  staleReads: number;
  staleSearches: number;
  /** Delta rounds that end before the newest change. */
  staleDeltas: number;
  /** By fault kind. */
  faults: Readonly<Record<string, number>>;
  /** Requests by `METHOD /path/{id}`. */
  byOperation: Readonly<Record<string, number>>;
}

/** A user as the directory keeps it: Graph's property names and JSON types, nothing hidden. */
export interface TruthUser {
  id: string;
  userPrincipalName: string;
  mail: string | null;
  userType: string | null;
  accountEnabled: boolean;
  creationType: string | null;
  managerId: string | undefined;
  /** Users and groups. */
  sponsorIds: readonly string[];
  deletedAt: number | undefined;
  createdAt: number;
  /** Who made it and who last set `accountEnabled`: a clientId, or `people` for the truth's own edits. */
  createdBy: string;
  accountEnabledBy: string;
  deletedBy: string | undefined;
  /**
   * Invited users: whose account this is. Looked up among all tenants of this world by the invited address when the
   * invitation was made (in reality: the immutable id that the home tenant gives at redemption).
   */
  home: { tenant: string; userId: string } | undefined;
  invitedAddress: string | undefined;
  /** Holds a directory role. */
  administrator?: boolean;
  properties: Readonly<Record<string, unknown>>;
}

/** Direct access for whoever makes the world: takes effect as a commit in the directory (notifications, delta and lag follow). */
export interface TenantTruth {
  /** Everybody, also the soft-deleted (`deletedAt`). */
  users(): Iterable<TruthUser>;
  /** Live users only. */
  userByName(userPrincipalName: string): TruthUser | undefined;
  /** Also soft-deleted ones; purged ones are gone. */
  user(id: string): TruthUser | undefined;
  groups(): Iterable<{
    id: string;
    displayName: string;
    memberIds: readonly string[];
    deletedAt: number | undefined;
    roleAssignable?: boolean;
  }>;
  contacts(): Iterable<{ id: string; mail: string }>;
  /**
   * Graph property names; `manager` as an id; `id` may be given. `creationType: "Invitation"` makes a guest whose home is
   * looked up by `mail`. Returns the id.
   */
  createUser(properties: Readonly<Record<string, unknown>>): string;
  /** Who acts; default `people`. */
  updateUser(id: string, changes: Readonly<Record<string, unknown>>): void;
  /** To the recycle bin. */
  deleteUser(id: string): void;
  purgeUser(id: string): void;
  restoreUser(id: string): void;
  createGroup(properties: {
    id?: string;
    displayName: string;
    unified?: boolean;
    /** Can be given a directory role. */
    roleAssignable?: boolean;
    /** Its members are only shown to apps with `Member.Read.Hidden`. */
    hidden?: boolean;
    members?: readonly string[];
  }): string;
  deleteGroup(id: string): void;
  addMember(groupId: string, memberId: string): void;
  removeMember(groupId: string, memberId: string): void;
  createContact(properties: { displayName: string; mail: string }): string;
  /**
   * The guest accepts the invitation, with the account of the invited address unless said otherwise: `issuer` as in
   * `identities` (`ExternalAzureAD`, `mail`, `MicrosoftAccount`, …), `home` whose account it really is.
   */
  redeem(userId: string, how?: { issuer?: string; home?: TruthUser["home"] }): void;
  /** The user signs in, from the home that is known unless another one is said; `errorCode` 0 is success. */
  signIn(userId: string, how?: { homeTenantId?: string; errorCode?: number }): void;
  /** All sign-ins since the world began. */
  signIns(userId: string): readonly { homeTenantId: string; errorCode: number; at: number }[];
  /** Gives the user a directory role: sensitive writes are then refused to ordinary apps. */
  makeAdministrator(userId: string): void;
  /** Every commit from now on, in order. Returns the function that ends it. */
  onCommit(listener: (commit: Commit) => void): () => void;
}

export interface Commit {
  tenant: string;
  at: number;
  object: "user" | "group" | "contact";
  id: string;
  kind: "created" | "updated" | "deleted" | "purged" | "restored";
  /** A clientId, or `people`. */
  by: string;
  /** Names of the properties that changed; `members` for groups, with the member's id in `memberId`. */
  properties: readonly string[];
  memberId?: string;
  /** Of `members`: the member left. */
  removed?: boolean;
}
