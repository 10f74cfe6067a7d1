import type { Hint, PageMessage } from "../messages/hint.ts";
import type { AppendOnly } from "../ports/append-only.ts";
import type { Rows } from "../ports/rows.ts";
import type { Tables } from "./world.ts";

/**
 * What our tables and queues hold, column by column and field by field. The types ask for every one of them: a new column
 * does not compile until somebody has said what it is.
 *
 * `id`: object ids, names of jobs and tenants. `hash`: SHA-256. `secret`: shared with Graph, tells nobody anything else.
 * `address`: personal data. `rules`: the configuration. `words`: what administrators wrote. `state`: codes, counts, times, names of properties.
 */
export type Kind = "id" | "hash" | "secret" | "address" | "rules" | "words" | "state";

type RowOf<T> = T extends Rows<infer R> ? R : T extends AppendOnly<infer R> ? R : never;
type Keys<T> = T extends unknown ? keyof T : never;
type Kinds<T> = { [K in Keys<T>]: Kind };

/** Names of tables, and what is in a row beside its keys. */
export const TABLE_HOLDINGS = {
  links: {
    state: "state",
    userId: "id",
    targetId: "id",
    jobId: "id",
    address: "address", // while an invitation is not known to have succeeded
    adopted: "state",
    leaving: "state",
    lateDeleteSince: "state",
    since: "state",
    inputs: "hash",
    because: "state",
    blockedByUs: "state",
    shows: "hash",
    administrator: "state",
    scopedBy: "hash",
    returned: "state",
    manager: "id",
    rejected: "state",
    writtenAt: "state",
    transfer: "id",
    releasedTo: "id",
    missingSince: "state",
    outSince: "state",
    targetMissingSince: "state",
    claim: "state",
    unrecorded: "state",
    escrow: "state",
  },
  linkMark: { generation: "id" },
  targets: { link: "id" },
  targetMark: { generation: "id" },
  checkpoints: {
    runId: "id",
    seq: "state",
    phase: "state",
    link: "state", // a delta link: opaque, of no use without a token of the tenant
    tracks: "id",
    full: "state",
    again: "state",
    linksAt: "state",
    cursor: "id",
    startedAt: "state",
    touchedAt: "state",
  },
  subscriptions: {
    clientState: "secret",
    pathSecret: "secret",
    resource: "state",
    notificationUrl: "secret",
    subscriptionId: "id",
    expiresAt: "state",
    renewedAt: "state",
  },
  provisioninglog: {
    at: "state",
    sourceTenantId: "id",
    targetTenantId: "id",
    userId: "id",
    targetId: "id",
    jobId: "id",
    action: "state",
    status: "state",
    because: "state",
    skipReason: "state",
    scoping: "state",
    code: "state",
    detail: "state",
    remedy: "state",
    properties: "state",
    requestedBy: "id",
    reason: "state",
    afterMs: "state",
  },
  pace: { tokens: "state", countedAt: "state", blockedUntil: "state", changesUntil: "state", sweepUntil: "state" },
  limits: {
    done: "id",
    immediate: "id",
    first: "id",
    firstCycle: "state",
    sets: "id",
    structureAt: "state",
    people: "state",
  },
  limitparts: { ids: "id" },
  seats: { counted: "state", countedAt: "state", taken: "id" },
  jobs: {
    jobId: "id",
    sourceTenantId: "id",
    targetTenantId: "id",
    paused: "words",
    refused: "state",
    since: "state",
    health: "state",
    quarantine: "state",
    awake: "state",
    lookedAt: "state",
    counts: "state",
  },
  deployment: { revision: "id", replaced: "id", at: "state", by: "id", waiting: "id" },
  recovery: { kind: "state", generation: "id", since: "state" },
  configurations: { text: "rules" },
  requests: {
    kind: "state",
    subject: "id",
    targetTenantId: "id",
    jobId: "id",
    details: "words",
    by: "id",
    at: "state",
    expiresAt: "state",
    state: "state",
    decidedBy: "id",
    decidedAt: "state",
    note: "words",
  },
  switches: { on: "state", id: "id", by: "id", at: "state", reason: "words" },
  audit: {
    seq: "state",
    at: "state",
    who: "id",
    appId: "id",
    verb: "state",
    subjects: "id",
    previous: "hash",
    hash: "hash",
  },
  audithead: { seq: "state", hash: "hash" },
  passes: {
    runId: "id",
    seq: "state",
    phase: "state",
    link: "state", // as in checkpoints
    cursor: "id",
    part: "state",
    notBefore: "state",
    hurried: "state",
    again: "state",
    pages: "state",
    pagesBefore: "state",
    rules: "hash",
    found: "state",
    administrators: "id",
    startedAt: "state",
    touchedAt: "state",
    endedAt: "state",
  },
  passpages: { keys: "hash" },
  orphans: { stamp: "id", foundAt: "state" },
} as const satisfies { [Name in keyof Tables]: Kinds<RowOf<Tables[Name]>> };

/** Views of one table under another name. */
export const TABLE_OF: Readonly<Partial<Record<keyof Tables, string>>> = {
  linkMark: "links",
  targetMark: "targets",
  recovery: "deployment",
  seats: "limits",
};

export const QUEUE_HOLDINGS = {
  "changes, sweep": {
    version: "state",
    id: "id",
    lane: "state",
    sourceTenantId: "id",
    userIds: "id",
    targetTenantId: "id",
    reason: "state",
    attempt: "state",
    noticedAt: "state",
    paidWrites: "state",
    traceparent: "id",
  } satisfies Kinds<Hint>,
  pages: {
    version: "state",
    kind: "state",
    tenantId: "id",
    stream: "state",
    pass: "state",
    runId: "id",
    seq: "state",
    reason: "state",
  } satisfies Kinds<PageMessage>,
} as const;

/** What the log says, in sentences: its lines are no rows of ours. */
export const LOG_HOLDINGS =
  "ids, codes, counts, times and names of properties; never a value of an attribute, a name, an address, a token or a secret";
