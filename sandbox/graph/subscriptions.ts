/** `/subscriptions`. Sources: Graph `resources/subscription.md`, `subscription-post-subscriptions.md`. */
import type { WebhookCall } from "./api.ts";
import { allowQuery, denied, isRecord, ODataError, type Reply } from "./odata.ts";
import { NOTHING, SUBSCRIBE } from "./permissions.ts";
import { type Call, context, type Route, type Tenant } from "./runtime.ts";
import type { Subscription, Target } from "./subscriptions-store.ts";
import { objectIdOf } from "./tokens.ts";

const PER_APP_MAX = 100;
const PER_TENANT_MAX = 1000;
const PER_APP_EVERYWHERE_MAX = 50_000;
const MINUTES_MAX = 41_760;
const MINUTES_MIN = 45;
const CLIENT_STATE_MAX = 128;
const VALIDATION_MS = 10_000;
const RESOURCE = /^\/?(?:(users)(?:\/([^/]+))?|(groups)(?:\/([^/]+)(?:\/(members|owners))?)?)$/i;
const TLS = ["v1_0", "v1_1", "v1_2", "v1_3"];
const READ_ONLY = ["id", "applicationId", "creatorId"];

const invalid = (message: string) => new ODataError(400, "InvalidRequest", message);
const gone = (id: string) => new ODataError(404, "ResourceNotFound", `The object '${id}' was not found.`);

function targetOf(resource: unknown): Target {
  const match = typeof resource === "string" ? RESOURCE.exec(resource) : null;
  if (!match) throw invalid(`Subscription resource '${String(resource)}' is not supported.`);
  const [, users, userId, , groupId, relation] = match;
  return {
    object: users ? "user" : "group",
    id: (userId ?? groupId)?.toLowerCase(),
    relation: relation === undefined ? undefined : relation.toLowerCase() === "members" ? "members" : "owners",
  };
}

function urlOf(value: unknown, name: string): string {
  if (typeof value !== "string" || !URL.canParse(value))
    throw invalid(`The property '${name}' is required and must be an absolute URL.`);
  if (new URL(value).protocol !== "https:") throw invalid(`Notification URL '${value}' must start with 'https://'.`);
  return value;
}

function expiryOf(tenant: Tenant, value: unknown): number {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw invalid("The property 'expirationDateTime' is required and must be a UTC date and time.");
  const now = tenant.world.clock.now();
  if (at <= now) throw invalid("Subscription expirationDateTime must be in the future.");
  if (at > now + MINUTES_MAX * 60_000)
    throw invalid(`Subscription expiration can only be ${MINUTES_MAX} minutes in the future.`);
  return Math.max(at, now + MINUTES_MIN * 60_000);
}

function changeTypesOf(value: unknown): string[] {
  const types = typeof value === "string" ? value.split(",").map((type) => type.trim().toLowerCase()) : [];
  const wrong = types.find((type) => type !== "updated" && type !== "deleted");
  if (types.length === 0 || wrong !== undefined) {
    throw invalid(
      `Invalid 'changeType' attribute: '${String(value)}'. Users and groups support 'updated' and 'deleted'.`,
    );
  }
  return [...new Set(types)].sort();
}

/** Asks the receiver for the token that it was sent, as plain text, within ten seconds. */
async function validate(tenant: Tenant, url: string): Promise<void> {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${tenant.chance.ids.uuid()}`;
  const call: WebhookCall = {
    url: `${url}${url.includes("?") ? "&" : "?"}validationToken=${encodeURIComponent(token)}`,
    method: "POST",
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: "",
  };
  const failed = (message: string) => new ODataError(400, "ValidationError", message);
  const { clock, deliver } = tenant.world;
  const answer = await new Promise<Awaited<ReturnType<typeof deliver>> | "timedOut" | "failed">((resolve) => {
    const cancel = clock.after(VALIDATION_MS, () => resolve("timedOut"));
    const done = (result: Awaited<ReturnType<typeof deliver>> | "failed") => {
      cancel();
      resolve(result);
    };
    deliver(call).then(done, () => done("failed"));
  });
  if (answer === "timedOut") throw failed("Subscription validation request timed out.");
  if (answer === "failed")
    throw failed(
      "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.",
    );
  if (answer.status !== 200) {
    throw failed(
      `Subscription validation request failed. HTTP status code is '${STATUS_NAMES[answer.status] ?? answer.status}'. Notification endpoint must respond with 200 OK to validation request.`,
    );
  }
  if (!answer.contentType.toLowerCase().startsWith("text/plain") || answer.body !== token) {
    throw failed(
      "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.",
    );
  }
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  202: "Accepted",
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  500: "InternalServerError",
  502: "BadGateway",
  503: "ServiceUnavailable",
};

async function create(call: Call): Promise<Reply> {
  const { tenant, principal, body } = call;
  if (!isRecord(body)) throw invalid("Empty Payload. JSON content expected.");
  const target = targetOf(body.resource);
  // The permission to read is asked for by name: rights to write do not count.
  if (!principal.roles.has(target.object === "user" ? "User.Read.All" : "Group.Read.All")) throw denied();
  const changeTypes = changeTypesOf(body.changeType);
  const notificationUrl = urlOf(body.notificationUrl, "notificationUrl");
  const given = body.lifecycleNotificationUrl;
  const lifecycleNotificationUrl =
    given === undefined || given === null ? undefined : urlOf(given, "lifecycleNotificationUrl");
  const clientState = body.clientState;
  if (
    clientState !== undefined &&
    clientState !== null &&
    (typeof clientState !== "string" || clientState.length > CLIENT_STATE_MAX)
  ) {
    throw invalid(`The property 'clientState' must be at most ${CLIENT_STATE_MAX} characters.`);
  }
  const tls = body.latestSupportedTlsVersion ?? "v1_2";
  if (typeof tls !== "string" || !TLS.includes(tls)) throw invalid("Invalid 'latestSupportedTlsVersion'.");
  if (body.includeResourceData === true)
    throw invalid(`Subscription resource '${String(body.resource)}' does not support 'includeResourceData'.`);
  const expiresAt = expiryOf(tenant, body.expirationDateTime);

  checkQuota(call, target);
  refuseDuplicate(call, target, changeTypes);
  await validate(tenant, notificationUrl);
  if (lifecycleNotificationUrl !== undefined) await validate(tenant, lifecycleNotificationUrl);
  refuseDuplicate(call, target, changeTypes);

  const subscription: Subscription = {
    id: tenant.chance.ids.uuid(),
    appId: principal.clientId,
    creatorId: objectIdOf(tenant.spec.id, principal.clientId, "servicePrincipal"),
    resource: String(body.resource),
    target,
    changeType: String(body.changeType),
    changeTypes: new Set(changeTypes),
    notificationUrl,
    lifecycleNotificationUrl,
    clientState: typeof clientState === "string" ? clientState : undefined,
    latestSupportedTlsVersion: tls,
    expiresAt,
    authorizedUntil: tenant.world.clock.now() + tenant.world.knobs.subscriptionTokenMs,
  };
  tenant.subscriptions.add(subscription);
  return {
    status: 201,
    headers: { location: `${tenant.roots.graph}/v1.0/subscriptions('${subscription.id}')` },
    body: { "@odata.context": context(tenant, "subscriptions/$entity"), ...render(subscription, true) },
  };
}

function checkQuota(call: Call, target: Target): void {
  const { tenant, principal } = call;
  const here = tenant.subscriptions.all().filter((other) => other.target.object === target.object);
  const own = here.filter((other) => other.appId === principal.clientId).length;
  let everywhere = 0;
  for (const other of tenant.world.tenants.values()) {
    everywhere += other.subscriptions
      .all()
      .filter((one) => one.appId === principal.clientId && one.target.object === target.object).length;
  }
  const exceeded =
    own >= PER_APP_MAX
      ? `${PER_APP_MAX} per app and tenant`
      : here.length >= PER_TENANT_MAX
        ? `${PER_TENANT_MAX} per tenant`
        : everywhere >= PER_APP_EVERYWHERE_MAX
          ? `${PER_APP_EVERYWHERE_MAX} per app`
          : undefined;
  if (exceeded)
    throw new ODataError(
      403,
      "ExtensionError",
      `Operation: Create; Exception: [Status Code: Forbidden; Reason: The limit of subscriptions has been reached: ${exceeded}.]`,
    );
}

function refuseDuplicate(call: Call, target: Target, changeTypes: readonly string[]): void {
  const same = call.tenant.subscriptions
    .all()
    .some(
      (other) =>
        other.appId === call.principal.clientId &&
        other.target.object === target.object &&
        other.target.id === target.id &&
        other.target.relation === target.relation &&
        [...other.changeTypes].join() === changeTypes.join(),
    );
  if (same) throw new ODataError(409, "Conflict", "Subscription Id <> already exists for the requested combination");
}

function render(subscription: Subscription, withSecret: boolean): Record<string, unknown> {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.appId,
    changeType: subscription.changeType,
    // Shown when it was made; later reads give null.
    clientState: withSecret ? (subscription.clientState ?? null) : null,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl ?? null,
    expirationDateTime: new Date(subscription.expiresAt).toISOString(),
    creatorId: subscription.creatorId,
    includeResourceData: null,
    latestSupportedTlsVersion: subscription.latestSupportedTlsVersion,
    encryptionCertificate: null,
    encryptionCertificateId: null,
    notificationUrlAppId: null,
    notificationContentType: "application/json",
  };
}

/** One of the app's own. */
function own(call: Call): Subscription {
  const id = call.parameters[0] as string;
  const subscription = call.tenant.subscriptions.get(id);
  if (!subscription || subscription.appId !== call.principal.clientId) throw gone(id);
  return subscription;
}

function list(call: Call): Reply {
  allowQuery(call.query, ["$select", "$top", "$format"]);
  const value = call.tenant.subscriptions
    .all()
    .filter((subscription) => subscription.appId === call.principal.clientId)
    .map((subscription) => render(subscription, false));
  return { status: 200, body: { "@odata.context": context(call.tenant, "subscriptions"), value } };
}

function get(call: Call): Reply {
  return {
    status: 200,
    body: { "@odata.context": context(call.tenant, "subscriptions/$entity"), ...render(own(call), false) },
  };
}

async function update(call: Call): Promise<Reply> {
  const subscription = own(call);
  const { body, tenant } = call;
  if (!isRecord(body)) throw invalid("Empty Payload. JSON content expected.");
  const fixed = Object.keys(body).find(
    (name) =>
      READ_ONLY.includes(name) || name === "lifecycleNotificationUrl" || name === "resource" || name === "changeType",
  );
  if (fixed) throw invalid(`The property '${fixed}' cannot be changed.`);
  const expiresAt = body.expirationDateTime === undefined ? undefined : expiryOf(tenant, body.expirationDateTime);
  const url = body.notificationUrl === undefined ? undefined : urlOf(body.notificationUrl, "notificationUrl");
  if (expiresAt === undefined && url === undefined) throw invalid("expirationDateTime or notificationUrl is required.");
  if (url !== undefined && url !== subscription.notificationUrl) {
    await validate(tenant, url);
    subscription.notificationUrl = url;
  }
  if (expiresAt !== undefined) subscription.expiresAt = expiresAt;
  tenant.subscriptions.authorize(subscription);
  return {
    status: 200,
    body: { "@odata.context": context(tenant, "subscriptions/$entity"), ...render(subscription, false) },
  };
}

function reauthorize(call: Call): Reply {
  call.tenant.subscriptions.authorize(own(call));
  return { status: 204 };
}

function remove(call: Call): Reply {
  call.tenant.subscriptions.remove(own(call).id);
  return { status: 204 };
}

const quota = "subscriptions";
export const SUBSCRIPTION_ROUTES: readonly Route[] = [
  { method: "GET", path: "/subscriptions", cost: 1, write: false, quota, permissions: NOTHING, handle: list },
  { method: "POST", path: "/subscriptions", cost: 1, write: true, quota, permissions: SUBSCRIBE, handle: create },
  { method: "GET", path: "/subscriptions/{id}", cost: 1, write: false, quota, permissions: NOTHING, handle: get },
  { method: "PATCH", path: "/subscriptions/{id}", cost: 1, write: true, quota, permissions: SUBSCRIBE, handle: update },
  {
    method: "POST",
    path: "/subscriptions/{id}/reauthorize",
    cost: 1,
    write: true,
    quota,
    permissions: SUBSCRIBE,
    handle: reauthorize,
  },
  { method: "DELETE", path: "/subscriptions/{id}", cost: 1, write: true, quota, permissions: NOTHING, handle: remove },
];
