/** The way of a call: who, which operation, what goes wrong, how much it costs, then the operation itself. */
import { ConnectionLost, type Fault, type GraphRequest, type GraphResponse } from "./api.ts";
import { resync } from "./delta.ts";
import { breaksConnection } from "./faults.ts";
import { denied, errorBody, ODataError, parseUrl, type Query, type Reply } from "./odata.ts";
import { permits } from "./permissions.ts";
import type { Router } from "./router.ts";
import type { Call, Route, Tenant } from "./runtime.ts";
import type { Ask } from "./throttling.ts";
import type { Principal } from "./tokens.ts";

export const JSON_TYPE =
  "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
const DIAGNOSTIC = JSON.stringify({
  ServerInfo: { DataCenter: "Simulated", Slice: "E", Ring: "5", ScaleUnit: "001", RoleInstance: "SANDBOX" },
});
/** A connection that nobody answers is given up after this. */
const HANG_MS = 300_000;
const STATUS_CODES: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ["Request_BadRequest", "The request is not valid."],
  401: ["InvalidAuthenticationToken", "Access token validation failure."],
  403: ["Authorization_RequestDenied", "Insufficient privileges to complete the operation."],
  404: [
    "Request_ResourceNotFound",
    "Resource does not exist or one of its queried reference-property objects are not present.",
  ],
  500: ["InternalServerError", "An internal server error occurred."],
  502: ["BadGateway", "Bad gateway."],
  503: ["serviceNotAvailable", "The service is temporarily unavailable. Please try again later."],
  504: ["GatewayTimeout", "The request timed out."],
};

/** A call, or an item of a batch, that has arrived: what was decided then is decided. */
export interface Arrived {
  requestId: string;
  clientRequestId: string;
  call: Call | undefined;
  fault: Fault | undefined;
  /** The answer, when the operation is not to be carried out. */
  refusal: ODataError | undefined;
  /** When the answer has gone out, its receiver knows that it has to wait. */
  told: (() => void) | undefined;
  units: number | undefined;
  percentage: number | undefined;
}

export interface Finished {
  status: number;
  headers: Record<string, string>;
  body: unknown;
  text: string | undefined;
}

/** Checks everything that is checked before an operation is carried out. */
export function arrive(
  tenant: Tenant,
  router: Router,
  request: GraphRequest,
  principal: Principal | undefined,
  inBatch: boolean,
): Arrived {
  const { world, statistics, chance } = tenant;
  const requestId = chance.ids.uuid();
  const arrived: Arrived = {
    requestId,
    clientRequestId: request.headers["client-request-id"] ?? requestId,
    call: undefined,
    fault: undefined,
    refusal: undefined,
    told: undefined,
    units: undefined,
    percentage: undefined,
  };
  const now = world.clock.now();
  statistics.requests++;
  try {
    const { segments, query } = parseUrl(request.url);
    const version = inBatch ? "v1.0" : segments.shift();
    if (version?.toLowerCase() !== "v1.0") throw new ODataError(400, "BadRequest", `Invalid version: ${version ?? ""}`);
    const who = principal ?? tenant.tokens.check(request.headers.authorization);
    const { route, parameters } = router.match(request.method, segments);
    statistics.operation(`${route.method} ${route.path}`);
    throttle(tenant, arrived, route, query, request, who, now);
    arrived.fault = world.faults.strike(tenant.spec.name, places(route, inBatch), now, chance.faults);
    if (arrived.fault) statistics.fault(arrived.fault.kind);
    if (!permits(who, route.permissions)) throw denied();
    const eventual = request.headers.consistencylevel?.toLowerCase() === "eventual";
    arrived.call = {
      tenant,
      principal: who,
      method: request.method,
      route,
      parameters,
      query,
      headers: request.headers,
      body: bodyOf(request),
      now,
      eventual,
    };
  } catch (error) {
    if (!(error instanceof ODataError)) throw error;
    arrived.refusal ??= error;
  }
  return arrived;
}

function places(route: Route, inBatch: boolean): Exclude<Fault["on"], "any">[] {
  const places: Exclude<Fault["on"], "any">[] = [route.write ? "write" : "read"];
  if (route.area) places.push(route.area);
  if (inBatch) places.push("batchItem");
  return places;
}

function bodyOf(request: GraphRequest): unknown {
  if (request.body === undefined || request.body.trim() === "") return undefined;
  try {
    return JSON.parse(request.body);
  } catch {
    throw new ODataError(
      400,
      "BadRequest",
      "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
    );
  }
}

/** Resource units with the documented adjustments. */
export function costOf(route: Route, query: Query): number {
  if (route.quota !== "identity") return 1;
  let cost = route.cost;
  if (route.path === "/directoryObjects/getByIds") return query.has("$select") ? 2 : cost;
  if (query.has("$select")) cost--;
  if (query.has("$expand")) cost++;
  const top = query.get("$top");
  if (top !== undefined && Number(top) < 20) cost--;
  return Math.max(1, cost);
}

function throttle(
  tenant: Tenant,
  arrived: Arrived,
  route: Route,
  query: Query,
  request: GraphRequest,
  who: Principal,
  now: number,
): void {
  const { world, statistics } = tenant;
  const cost = costOf(route, query);
  const ask: Ask = {
    tenantId: tenant.spec.id,
    appId: who.clientId,
    family: route.quota,
    cost,
    write: route.write,
    low: request.headers["x-ms-throttle-priority"]?.toLowerCase() === "low",
    users: tenant.directory.people.live,
    now,
  };
  arrived.units = cost;
  const verdict = world.throttle.ask(ask);
  if (verdict.kind === "granted") {
    arrived.percentage = verdict.percentage;
    statistics.resourceUnits += cost;
    if (route.write) statistics.writes++;
    return;
  }
  statistics.throttled++;
  if (verdict.early) statistics.beforeRetryAfter++;
  arrived.told = verdict.told;
  arrived.percentage = verdict.percentage;
  throw tooMany(who.clientId, verdict.retryAfterSeconds, {
    "x-ms-throttle-scope": verdict.scope,
    "x-ms-throttle-information": verdict.information,
  });
}

const tooMany = (appId: string, seconds: number | undefined, headers: Record<string, string>) =>
  new ODataError(
    429,
    "TooManyRequests",
    `Too many requests from Identifier:${appId} under category:throttle_Directory_WithUser. Please try again later.`,
    {
      headers: { ...(seconds === undefined ? {} : { "retry-after": String(seconds) }), ...headers },
    },
  );

/** The answer that a fault gives instead of the operation; undefined: the operation is carried out. */
function faultAnswer(tenant: Tenant, arrived: Arrived, fault: Fault): ODataError | undefined {
  switch (fault.kind) {
    case "status": {
      const status = fault.status ?? 503;
      const { call } = arrived;
      if (status === 429 && call) {
        const now = tenant.world.clock.now();
        const seconds = fault.retryAfterSeconds ?? 10;
        tenant.statistics.throttled++;
        arrived.told = () => {
          const { route, principal } = call;
          tenant.world.throttle.tell(
            {
              tenantId: tenant.spec.id,
              appId: principal.clientId,
              family: route.quota,
              cost: 1,
              write: route.write,
              low: false,
              users: tenant.directory.people.live,
              now,
            },
            now + seconds * 1000,
          );
        };
        const scope = `Tenant_Application/${route(call)}/${call.principal.clientId}/${tenant.spec.id}`;
        return tooMany(call.principal.clientId, seconds, {
          "x-ms-throttle-scope": scope,
          "x-ms-throttle-information": "CPULimitExceeded",
        });
      }
      const [code, message] = STATUS_CODES[status] ?? ["UnknownError", "An error occurred."];
      const wait = fault.retryAfterSeconds;
      return new ODataError(
        status,
        code,
        message,
        wait === undefined ? {} : { headers: { "retry-after": String(wait) } },
      );
    }
    case "consentRevoked":
      return denied();
    case "resync":
    case "resyncWithoutLocation":
      return arrived.call && hasToken(arrived.call)
        ? resync(arrived.call, arrived.call.route.path === "/users/delta" ? "users" : "groups", fault.kind === "resync")
        : undefined;
    default:
      return undefined;
  }
}

const route = (call: Call) => (call.route.write ? "Write" : "ReadWrite");
const hasToken = ({ query }: Call) => query.has("$skiptoken") || (query.get("$deltatoken") ?? "latest") !== "latest";

/** Carries the operation out and dresses the answer. */
export async function finish(tenant: Tenant, arrived: Arrived): Promise<Finished> {
  const refusal = arrived.refusal ?? (arrived.fault && faultAnswer(tenant, arrived, arrived.fault));
  if (refusal || !arrived.call) return dress(tenant, arrived, refused(tenant, arrived, refusal ?? denied()));
  try {
    const reply = arrived.call.route.handle(arrived.call);
    return dress(tenant, arrived, reply instanceof Promise ? await reply : reply);
  } catch (error) {
    if (!(error instanceof ODataError)) throw error;
    return dress(tenant, arrived, refused(tenant, arrived, error));
  }
}

export function refused(tenant: Tenant, ids: Pick<Arrived, "requestId" | "clientRequestId">, error: ODataError): Reply {
  return {
    status: error.status,
    ...(error.headers ? { headers: error.headers } : {}),
    body: errorBody(error, tenant.world.clock.now(), ids.requestId, ids.clientRequestId),
  };
}

function dress(tenant: Tenant, arrived: Arrived, reply: Reply): Finished {
  const headers: Record<string, string> = {
    "cache-control": "no-cache",
    "request-id": arrived.requestId,
    "client-request-id": arrived.clientRequestId,
    "x-ms-ags-diagnostic": DIAGNOSTIC,
    "odata-version": "4.0",
    date: dateOf(tenant.world.clock.now()),
  };
  if (arrived.units !== undefined) headers["x-ms-resource-unit"] = String(arrived.units);
  if (arrived.percentage !== undefined) headers["x-ms-throttle-limit-percentage"] = arrived.percentage.toFixed(2);
  if (reply.body !== undefined) headers["content-type"] = JSON_TYPE;
  if (reply.headers) Object.assign(headers, reply.headers);
  return { status: reply.status, headers, body: reply.body, text: reply.text };
}

let dateSecond = Number.NaN;
let dateText = "";
/** `Mon, 05 Jan 2026 08:00:00 GMT`; made once a second. */
function dateOf(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}

export function respond(finished: Finished): GraphResponse {
  const body = finished.text ?? (finished.body === undefined ? "" : JSON.stringify(finished.body));
  return { status: finished.status, headers: finished.headers, body };
}

/** Waits as long as the call takes. */
export async function delay(tenant: Tenant): Promise<void> {
  const [min, max] = tenant.world.knobs.latencyMs;
  const ms = max > min ? tenant.chance.latency.between(min, max) : min;
  if (ms > 0) await tenant.world.clock.sleep(ms);
}

/** Never answers. */
export async function hang(tenant: Tenant): Promise<never> {
  await tenant.world.clock.sleep(HANG_MS);
  throw new ConnectionLost("the connection was closed without an answer");
}

/** One call that is not a batch. */
export async function single(tenant: Tenant, router: Router, request: GraphRequest): Promise<GraphResponse> {
  const arrived = arrive(tenant, router, request, undefined, false);
  const { fault } = arrived;
  const broken = fault && breaksConnection(fault) ? fault.kind : undefined;
  if (broken === "refuse") throw new ConnectionLost("connect ECONNREFUSED");
  await delay(tenant);
  if (broken === "timeout") return hang(tenant);
  const finished = await finish(tenant, arrived);
  if (broken === "timeoutAfterEffect") return hang(tenant);
  arrived.told?.();
  const response = respond(finished);
  return broken === "truncate" ? { ...response, body: response.body.slice(0, response.body.length >> 1) } : response;
}
