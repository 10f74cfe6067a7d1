import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AppFunction, TypedData } from "./core-api.ts";
import { type HostSettings, type Settings, substitute } from "./host-settings.ts";
import type { Invoker } from "./invoke.ts";
import { parseRoute, type Route } from "./routes.ts";

/**
 * HTTP triggers. Source: "Azure Functions HTTP trigger", azure-functions-host. Facts that surprise: a method that a route
 * does not list is answered 404 (azure-functions-host #10098), HEAD too unless listed; a handler that throws is 500 without a
 * body; one that returns nothing is 204.
 *
 * Keys: the real host keeps them in storage; here they are the settings `HOST_KEY_MASTER` (all levels), `HOST_KEY_DEFAULT`
 * (level function, every function) and `FUNCTION_KEY_<name>` (that function).
 */
export const BODY_BYTES_MAX = 104_857_600;
/** The front end of Azure gives up on an answer after this; here 504 (the documentation names no status). */
export const ANSWER_MS_MAX = 230_000;

export interface HttpTriggers {
  readonly server: Server;
  /** For the start-up log: `[GET,POST] /api/users/{id}`. */
  readonly routes: readonly { name: string; methods: readonly string[]; path: string }[];
}

interface Entry {
  fn: AppFunction;
  route: Route;
  path: string;
  methods: readonly string[];
  authLevel: string;
}

interface HttpResult {
  statusCode?: string;
  headers?: Record<string, string>;
  cookies?: readonly RpcCookie[];
  body?: TypedData | null;
}
interface RpcCookie {
  name: string;
  value: string;
  domain?: { value?: string };
  path?: { value?: string };
  expires?: { value?: unknown };
  secure?: { value?: boolean };
  httpOnly?: { value?: boolean };
  sameSite?: "none" | "lax" | "strict" | "explicitNone";
  maxAge?: { value?: number };
}

export function httpTriggers(
  functions: readonly AppFunction[],
  invoker: Invoker,
  host: HostSettings,
  settings: Settings,
): HttpTriggers {
  const entries = functions.filter((fn) => fn.trigger.type === "httpTrigger").map((fn) => entryOf(fn, host, settings));
  entries.sort((a, b) => (a.route.precedence < b.route.precedence ? -1 : 1));

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
    const method = request.method ?? "GET";
    const found = find(entries, url.pathname, method);
    if (!found) return empty(response, url.pathname === "/" && method === "GET" ? 200 : 404);
    if (!authorized(found.entry, request, url, settings)) return empty(response, 401);
    const body = await bodyOf(request);
    if (!body) return empty(response, 413);
    const { name } = found.entry.fn.metadata;
    const data = { http: requestOf(request, method, url, found.params, body) };
    const parent = request.headers.traceparent;
    const late = setTimeout(() => empty(response, 504), ANSWER_MS_MAX);
    try {
      const result = await invoker.invoke(found.entry.fn, {
        data,
        ...(typeof parent === "string" && { traceParent: parent }),
      });
      send(response, method, result?.http as HttpResult | undefined, name);
    } catch {
      empty(response, 500); // the invoker has logged it
    } finally {
      clearTimeout(late);
    }
  };

  const server = createServer((request, response) => {
    // What is left to fail here is the connection itself: the client has gone.
    handle(request, response).catch(() => response.destroy());
  });
  server.requestTimeout = ANSWER_MS_MAX;
  server.keepAliveTimeout = 60_000;
  return {
    server,
    routes: entries.map(({ fn, methods, path }) => ({ name: fn.metadata.name, methods, path })),
  };
}

function entryOf(fn: AppFunction, host: HostSettings, settings: Settings): Entry {
  const { name } = fn.metadata;
  const { route, methods, authLevel } = fn.trigger as { route?: string; methods?: string[]; authLevel?: string };
  const own = substitute(route ?? name, settings, `Function '${name}', route`).replace(/^\/|\/$/g, "");
  const path = [host.routePrefix, own].filter((part) => part !== "").join("/");
  if (/^(admin|runtime)(\/|$)/i.test(own)) {
    throw new Error(`Function '${name}': the route '${own}' is reserved for the host.`);
  }
  return {
    fn,
    path: `/${path}`,
    route: parseRoute(path),
    methods: (methods ?? ["GET", "POST"]).map((method) => method.toUpperCase()),
    authLevel: (authLevel ?? "anonymous").toLowerCase(),
  };
}

function find(entries: readonly Entry[], path: string, method: string) {
  for (const entry of entries) {
    if (!entry.methods.includes(method)) continue;
    const params = entry.route.match(path);
    if (params) return { entry, params };
  }
  return undefined;
}

function authorized({ authLevel, fn }: Entry, request: IncomingMessage, url: URL, settings: Settings): boolean {
  if (authLevel === "anonymous") return true;
  const given = request.headers["x-functions-key"] ?? url.searchParams.get("code");
  if (typeof given !== "string" || given === "") return false;
  const keys = [settings.HOST_KEY_MASTER];
  if (authLevel === "function") keys.push(settings.HOST_KEY_DEFAULT, settings[`FUNCTION_KEY_${fn.metadata.name}`]);
  return keys.some((key) => key !== undefined && same(key, given));
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** `undefined`: larger than the host takes. The rest of it is not read. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES_MAX) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function requestOf(
  request: IncomingMessage,
  method: string,
  url: URL,
  params: Readonly<Record<string, string>>,
  body: Buffer,
): object {
  const { "x-forwarded-proto": proto = "http", "x-forwarded-host": host = url.host } = request.headers;
  const query: Record<string, { value: string }> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = { value: url.searchParams.getAll(name).join(",") };
  const headers = Object.entries(request.headers).map(([name, value]) => [name, { value: [value].flat().join(", ") }]);
  return {
    method,
    url: new URL(`${proto}://${host}${request.url}`).href,
    nullableHeaders: Object.fromEntries(headers),
    nullableQuery: query,
    nullableParams: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { value }])),
    body: body.length > 0 ? { bytes: body } : null,
  };
}

function send(response: ServerResponse, method: string, result: HttpResult | undefined, name: string): void {
  if (response.headersSent) return;
  if (!result) {
    empty(response, 204);
    return;
  }
  const status = Number(result.statusCode ?? 200);
  const cookies = (result.cookies ?? []).map(cookieText);
  response.statusCode = status;
  for (const [key, value] of Object.entries(result.headers ?? {})) {
    if (!/^(content-length|transfer-encoding|connection|set-cookie)$/i.test(key)) response.setHeader(key, value);
  }
  const ownCookies = result.headers?.["set-cookie"];
  if (cookies.length > 0 || ownCookies)
    response.setHeader("set-cookie", ownCookies ? [ownCookies, ...cookies] : cookies);
  const bytes = bytesOf(result.body, name);
  if (status === 204 || status === 205 || status === 304) {
    response.removeHeader("content-type");
    response.end();
  } else {
    response.setHeader("content-length", bytes.length);
    response.end(method === "HEAD" ? undefined : bytes);
  }
}

function bytesOf(body: TypedData | null | undefined, name: string): Uint8Array {
  if (!body) return Buffer.alloc(0);
  if (body.bytes) return body.bytes;
  if (body.string !== undefined) return Buffer.from(body.string);
  throw new Error(`Function '${name}' answered with a body that is neither bytes nor text.`);
}

function empty(response: ServerResponse, status: number): void {
  if (response.headersSent) return;
  // A body that was not read would be taken for the next request.
  if (status === 413) response.setHeader("connection", "close");
  response.writeHead(status, status === 204 ? {} : { "content-length": "0" }).end();
}

function cookieText(cookie: RpcCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.maxAge?.value !== undefined) parts.push(`Max-Age=${Math.trunc(cookie.maxAge.value)}`);
  if (cookie.domain?.value) parts.push(`Domain=${cookie.domain.value}`);
  if (cookie.path?.value) parts.push(`Path=${cookie.path.value}`);
  const expires = cookie.expires?.value;
  if (expires instanceof Date) parts.push(`Expires=${expires.toUTCString()}`);
  if (cookie.secure?.value) parts.push("Secure");
  if (cookie.httpOnly?.value) parts.push("HttpOnly");
  const sameSite = { none: undefined, lax: "Lax", strict: "Strict", explicitNone: "None" }[cookie.sameSite ?? "none"];
  if (sameSite) parts.push(`SameSite=${sameSite}`);
  return parts.join("; ");
}
