import type { DecisionLog } from "../ports/decision-log.ts";
import type { StoredRow } from "../ports/rows.ts";
import { sendSweeps } from "./start-sweeps.ts";
import { isGroupStream, needsOf, sourcesOf, USERS } from "./streams.ts";
import type { SubscriptionRow, World } from "./world.ts";

/** Asked for at creation and at every renewal; Graph allows 29 days for users and groups. */
const LIFE_MS = 3 * 24 * 3_600_000;
/** The access token behind a subscription is usually dead within the hour: a renewal gives it a new one. */
const RENEW_AFTER_MS = 30 * 60_000;
const SECRET_BYTES = 48;

/** Creates, renews and replaces what should be subscribed, tenant by tenant; one tenant's trouble is nobody else's. */
export async function keepSubscriptions(world: World, log: DecisionLog): Promise<void> {
  for (const tenantId of sourcesOf(world)) {
    try {
      await keepTenantSubscriptions(world, tenantId, log, false);
    } catch (error) {
      log.error("subscriptions not kept", { tenantId, error });
    }
  }
}

/** `renewNow`: Graph has asked for it, or somebody has. */
export async function keepTenantSubscriptions(
  world: World,
  tenantId: string,
  log: DecisionLog,
  renewNow: boolean,
): Promise<void> {
  const { publicUrl } = world.settings;
  const needs = needsOf(world, tenantId);
  if (!publicUrl || !needs) return;
  const wanted = needs.groupIds.length > 0 ? (["users", "groups"] as const) : (["users"] as const);
  for (const name of wanted) await keepOne(world, tenantId, name, publicUrl, log, renewNow);
}

type Name = "users" | "groups";
type Stored = StoredRow<SubscriptionRow> | undefined;

async function keepOne(
  world: World,
  tenantId: string,
  name: Name,
  publicUrl: string,
  log: DecisionLog,
  renewNow: boolean,
) {
  const stored = await world.tables.subscriptions.read(tenantId, name);
  if (!stored || stored.value.notificationUrl !== urlOf(publicUrl, "notification", tenantId, stored.value.pathSecret)) {
    return create(world, tenantId, name, stored, publicUrl, log);
  }
  const { subscriptionId, renewedAt = 0 } = stored.value;
  const now = world.clock.now();
  const age = now - renewedAt;
  const listed = await world.subscriptions(tenantId).list();
  // Only we and Graph know its address: one of that address is ours, whatever id it has.
  const ours = listed.filter(({ notificationUrl }) => notificationUrl === stored.value.notificationUrl);
  const present = ours.find(({ id }) => id === subscriptionId) ?? ours[0];
  if (present?.id === subscriptionId && present && !renewNow && age < RENEW_AFTER_MS) return;
  const renewed = present
    ? await world.subscriptions(tenantId).renew(present.id, now + LIFE_MS)
    : ({ kind: "missing" } as const);
  if (present && renewed.kind === "renewed") {
    const row = { ...stored.value, subscriptionId: present.id, renewedAt: now, expiresAt: renewed.expiresAt };
    await world.tables.subscriptions.write(tenantId, name, row, stored.etag);
    const adopted = present.id !== subscriptionId;
    if (adopted) log.info("subscription adopted", { tenantId, resource: row.resource, subscriptionId: present.id });
    if (adopted || age > 2 * RENEW_AFTER_MS) await sweepAfterGap(world, tenantId, name);
    return;
  }
  if (subscriptionId) log.warn("subscription vanished", { tenantId, resource: stored.value.resource });
  await create(world, tenantId, name, stored, publicUrl, log);
}

/** The secrets are on record before Graph is asked, and whatever was missed meanwhile is found by a sweep afterwards. */
async function create(
  world: World,
  tenantId: string,
  name: Name,
  stored: Stored,
  publicUrl: string,
  log: DecisionLog,
): Promise<void> {
  const resource = `/${name}` as const;
  const pathSecret = stored?.value.pathSecret ?? world.chance.secret(SECRET_BYTES);
  const notificationUrl = urlOf(publicUrl, "notification", tenantId, pathSecret);
  const row: SubscriptionRow = {
    clientState: stored?.value.clientState ?? world.chance.secret(SECRET_BYTES),
    pathSecret,
    resource,
    notificationUrl,
  };
  const recorded = await world.tables.subscriptions.write(tenantId, name, row, stored?.etag);
  if (recorded.kind === "moved") return; // another instance is at it
  const now = world.clock.now();
  const subscriptions = world.subscriptions(tenantId);
  const ask = () =>
    subscriptions.create({
      resource,
      notificationUrl,
      lifecycleUrl: urlOf(publicUrl, "lifecycle", tenantId, pathSecret),
      clientState: row.clientState,
      expiresAt: now + LIFE_MS,
    });
  let created = await ask();
  if (created.kind === "exists") {
    const old = (await subscriptions.list()).filter((one) => one.resource.replace(/^\//, "") === name);
    for (const { id } of old) await subscriptions.remove(id); // its secret may be another one
    created = await ask();
  }
  if (created.kind === "exists") return log.warn("subscription exists and is not listed", { tenantId, resource });
  const done = { ...row, subscriptionId: created.id, expiresAt: created.expiresAt, renewedAt: now };
  await world.tables.subscriptions.write(tenantId, name, done, recorded.etag);
  log.info("subscription created", { tenantId, resource, subscriptionId: created.id });
  await sweepAfterGap(world, tenantId, name);
}

/** Both addresses of a subscription hold the same secret. */
const urlOf = (
  publicUrl: string,
  what: "notification" | "lifecycle",
  tenantId: string,
  secret: string | undefined,
): string => `${publicUrl}/api/graph-${what}/${tenantId}/${secret}`;

/** Notifications of this subscription may be missing: what it would have told is read. */
export async function sweepAfterGap(world: World, tenantId: string, name: string): Promise<void> {
  const streams: string[] = [];
  for await (const { row } of world.tables.checkpoints.list(tenantId)) {
    if (name === "users" ? row === USERS : isGroupStream(row)) streams.push(row);
  }
  await sendSweeps(world, tenantId, streams, "subscription", 0);
}
