import { ConnectionLost, type GraphRequest, type GraphResponse } from "./api.ts";
import { OAuthError } from "./client-assertion.ts";
import { delay, hang } from "./gateway.ts";
import { parseUrl, type Reply } from "./odata.ts";
import type { Tenant } from "./runtime.ts";

/** One call to a tenant's login root. */
export async function login(tenant: Tenant, request: GraphRequest): Promise<GraphResponse> {
  const { world, statistics, chance } = tenant;
  const { segments } = parseUrl(request.url);
  const isToken = segments[segments.length - 1] === "token";
  statistics.operation(`${request.method} /${segments.slice(1).join("/")}`);
  const fault = isToken
    ? world.faults.strike(tenant.spec.name, ["token"], world.clock.now(), chance.faults)
    : undefined;
  if (fault) statistics.fault(fault.kind);
  if (fault?.kind === "refuse") throw new ConnectionLost("connect ECONNREFUSED");
  await delay(tenant);
  if (fault?.kind === "timeout" || fault?.kind === "timeoutAfterEffect") return hang(tenant);

  let reply: Reply;
  if (fault?.kind === "consentRevoked") {
    reply = tenant.tokens.refusal(new OAuthError(401, "unauthorized_client", 7000112, "Application is disabled."));
  } else if (fault?.kind === "status") {
    const wait = fault.retryAfterSeconds === undefined ? {} : { "retry-after": String(fault.retryAfterSeconds) };
    const answer = tenant.tokens.refusal(
      new OAuthError(
        fault.status ?? 503,
        "temporarily_unavailable",
        90033,
        "A transient error has occurred. Please try again.",
      ),
    );
    reply = { ...answer, headers: { ...answer.headers, ...wait } };
  } else reply = tenant.tokens.handle(request.method, segments, new URLSearchParams(request.body ?? ""));

  const requestId = chance.ids.uuid();
  const body = reply.text ?? JSON.stringify(reply.body);
  return {
    status: reply.status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-ms-request-id": requestId,
      "client-request-id": request.headers["client-request-id"] ?? requestId,
      ...reply.headers,
    },
    body: fault?.kind === "truncate" ? body.slice(0, body.length >> 1) : body,
  };
}
