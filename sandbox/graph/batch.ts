/** `$batch`. Source: Graph `concepts/json-batching.md`. */
import { ConnectionLost, type GraphRequest, type GraphResponse } from "./api.ts";
import { breaksConnection } from "./faults.ts";
import { type Arrived, arrive, delay, type Finished, finish, hang, JSON_TYPE, refused, respond } from "./gateway.ts";
import { isRecord, ODataError } from "./odata.ts";
import type { Router } from "./router.ts";
import type { Tenant } from "./runtime.ts";

const ITEMS_MAX = 20;

interface Item {
  id: string;
  request: GraphRequest;
  dependsOn: readonly string[];
  /** What is wrong with the item alone. */
  wrong: string | undefined;
}

const malformed = (message: string) => new ODataError(400, "BadRequest", message);

function readItems(body: string | undefined): Item[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body ?? "");
  } catch {
    throw malformed(
      "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
    );
  }
  const requests = isRecord(parsed) ? parsed.requests : undefined;
  if (!Array.isArray(requests) || requests.length === 0) throw malformed("Invalid batch payload format.");
  if (requests.length > ITEMS_MAX)
    throw malformed(`Number of batch request steps exceeds the maximum value of ${ITEMS_MAX}.`);
  const items = requests.map(readItem);
  const ids = new Set<string>();
  for (const item of items) {
    const key = item.id.toLowerCase();
    if (ids.has(key)) throw malformed(`Request Id ${item.id} has to be unique in a batch.`);
    for (const other of item.dependsOn) {
      if (!ids.has(other.toLowerCase()))
        throw malformed(`Invalid dependsOn of request ${item.id}: there is no earlier request ${other}.`);
    }
    ids.add(key);
  }
  return items;
}

function readItem(value: unknown): Item {
  if (!isRecord(value) || typeof value.id !== "string" || value.id === "")
    throw malformed("Request Id cannot be empty.");
  const { id, method, url, body } = value;
  if (typeof method !== "string" || typeof url !== "string")
    throw malformed(`Invalid batch payload format: request ${id} needs a method and a url.`);
  const headers: Record<string, string> = {};
  if (isRecord(value.headers))
    for (const [name, text] of Object.entries(value.headers)) headers[name.toLowerCase()] = String(text);
  const dependsOn = Array.isArray(value.dependsOn) ? value.dependsOn.map(String) : [];
  const hasBody = body !== undefined && body !== null;
  const wrong =
    hasBody && headers["content-type"] === undefined
      ? `Write request id : ${id} does not contain Content-Type header or body.`
      : undefined;
  const request: GraphRequest = {
    method: method.toUpperCase(),
    url: url.startsWith("/") ? url : `/${url}`,
    headers,
    ...(hasBody ? { body: typeof body === "string" ? body : JSON.stringify(body) } : {}),
  };
  return { id, request, dependsOn, wrong };
}

/** Items are judged by the arrival of the batch; they take their time together and are answered together. */
export async function batch(tenant: Tenant, router: Router, request: GraphRequest): Promise<GraphResponse> {
  const requestId = tenant.chance.ids.uuid();
  const ids = { requestId, clientRequestId: request.headers["client-request-id"] ?? requestId };
  let items: Item[];
  let arrivals: Arrived[];
  try {
    const principal = tenant.tokens.check(request.headers.authorization);
    if (request.method !== "POST")
      throw new ODataError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
    items = readItems(request.body);
    arrivals = items.map((item) => {
      const arrived = arrive(tenant, router, item.request, principal, true);
      if (item.wrong !== undefined) arrived.refusal ??= malformed(item.wrong);
      return arrived;
    });
  } catch (error) {
    if (!(error instanceof ODataError)) throw error;
    await delay(tenant);
    const reply = refused(tenant, ids, error);
    return respond({ status: reply.status, headers: headersOf(ids, reply.headers), body: reply.body, text: undefined });
  }

  const broken = arrivals.map(({ fault }) => fault).find((fault) => fault && breaksConnection(fault))?.kind;
  if (broken === "refuse") throw new ConnectionLost("connect ECONNREFUSED");
  await delay(tenant);
  if (broken === "timeout") return hang(tenant);
  const responses = await carryOut(tenant, items, arrivals);
  if (broken === "timeoutAfterEffect") return hang(tenant);
  for (const arrived of arrivals) arrived.told?.();
  const response = respond({ status: 200, headers: headersOf(ids), body: { responses }, text: undefined });
  return broken === "truncate" ? { ...response, body: response.body.slice(0, response.body.length >> 1) } : response;
}

async function carryOut(tenant: Tenant, items: readonly Item[], arrivals: readonly Arrived[]): Promise<unknown[]> {
  const failed = new Set<string>();
  const responses: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const arrived = arrivals[index] as Arrived;
    if (item.dependsOn.some((id) => failed.has(id.toLowerCase()))) {
      arrived.refusal = new ODataError(
        424,
        "FailedDependency",
        "The request was not performed because a request that it depends on has failed.",
      );
      arrived.told = undefined;
    }
    const finished = await finish(tenant, arrived);
    if (finished.status >= 400) failed.add(item.id.toLowerCase());
    responses.push(itemResponse(item.id, finished));
  }
  return responses;
}

const PRETTY: Readonly<Record<string, string>> = {
  "cache-control": "Cache-Control",
  "content-type": "Content-Type",
  "retry-after": "Retry-After",
  location: "Location",
};

function itemResponse(id: string, finished: Finished): unknown {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(finished.headers))
    if (name !== "date") headers[PRETTY[name] ?? name] = value;
  const body = finished.body ?? finished.text;
  return { id, status: finished.status, headers, ...(body === undefined || body === "" ? {} : { body }) };
}

const headersOf = (
  ids: { requestId: string; clientRequestId: string },
  more: Readonly<Record<string, string>> = {},
) => ({
  "content-type": JSON_TYPE,
  "cache-control": "no-cache",
  "request-id": ids.requestId,
  "client-request-id": ids.clientRequestId,
  "odata-version": "4.0",
  ...more,
});
