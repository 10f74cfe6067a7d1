import * as z from "zod";

/** Why somebody is to be looked at. For logs and pace only: the reconciler reads the truth whatever the reason is. */
export const REASONS = [
  "notification", // Graph told us
  "trailing", // the second look after a notification, when every replica has seen the change
  "sweep", // a delta page
  "membership", // the membership of a scope group changed
  "fullPass", // the daily listing of the source differs from what the link remembers
  "drift", // the target user is not as we left it: read the target, trust no hash
  "manager", // the person's manager has arrived in the target
  "again", // the reconciler asked to come back: pace, claim, proof, recovery
  "verify", // a write may have been stale: read the target, trust no hash
  "retry", // an escrow is due
  "operator", // somebody asked
] as const;

/**
 * Look at these users. No personal data, nothing of what is there to see; everything that matters is in this JSON body,
 * because the Functions host mangles metadata.
 */
export const Hint = z.strictObject({
  version: z.literal(1),
  /** Names the hint; ids of messages that follow from it are derived from it. */
  id: z.string().min(1).max(64),
  lane: z.enum(["changes", "sweep"]),
  sourceTenantId: z.guid(),
  /** One in `changes`, up to 20 in `sweep`. */
  userIds: z.array(z.guid()).min(1).max(20),
  /** Only this target; absent: every target that has a job from this source. */
  targetTenantId: z.guid().optional(),
  reason: z.enum(REASONS),
  /** How often this look was already counted as failed. */
  attempt: z.int().min(0).max(1000),
  /** When the change was first noticed, ms since 1970: for latency, not for decisions. */
  noticedAt: z.number(),
  /** Writes to the target for which this hint has waited: it comes back for its slot. */
  paidWrites: z.int().min(0).max(100).optional(),
  /** W3C trace context; in the body because the host changes metadata keys. */
  traceparent: z.string().max(64).optional(),
});
export type Hint = z.infer<typeof Hint>;
export type Reason = (typeof REASONS)[number];

/** A stream that nobody reads would be swept for ever. */
const Stream = z.string().regex(/^(users|groups-\d{1,4})$/);

/**
 * What is gone through beside the streams. Of a source tenant: `full`. Of a target tenant: `drift` (its delta), `census`
 * (everybody in it), `rebuild` (links from the stamps, after a loss of our tables).
 */
export const PASSES = ["full", "drift", "census", "rebuild"] as const;
const Pass = z.enum(PASSES);
export type PassName = z.infer<typeof Pass>;

/** Work on a tenant, in queue `pages`. */
export const PageMessage = z.discriminatedUnion("kind", [
  /** Read the page that the checkpoint of this stream points at, if it is still at `seq` of this run. */
  z.strictObject({
    version: z.literal(1),
    kind: z.literal("page"),
    tenantId: z.guid(),
    stream: Stream,
    runId: z.string().min(1).max(64),
    seq: z.int().min(0),
  }),
  /** Start a run of this stream now, whether it is due or not. */
  z.strictObject({
    version: z.literal(1),
    kind: z.literal("sweep"),
    tenantId: z.guid(),
    stream: Stream,
    reason: z.enum(["notification", "trailing", "subscription", "operator"]),
  }),
  /** Do the step of this pass that its row points at, if it is still at `seq` of this run. */
  z.strictObject({
    version: z.literal(1),
    kind: z.literal("pass"),
    tenantId: z.guid(),
    pass: Pass,
    runId: z.string().min(1).max(64),
    seq: z.int().min(0),
  }),
  /** Bring the change-notification subscriptions of this tenant in order. */
  z.strictObject({ version: z.literal(1), kind: z.literal("subscriptions"), tenantId: z.guid() }),
]);
export type PageMessage = z.infer<typeof PageMessage>;
