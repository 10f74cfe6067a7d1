import { Client, type Context, type Middleware, ResponseType } from "@microsoft/microsoft-graph-client";
import { SyncError } from "../../domain/error.ts";
import type { Chance, Clock } from "../../ports/clock.ts";
import { withoutToken } from "./token-refusal.ts";

/** One tenant's Graph root, and how to speak to it. */
export interface GraphSettings {
  tenantId: string;
  /** `https://graph.microsoft.com`; without a version. */
  root: string;
  /** An access token for `{root}/.default`. */
  token: () => Promise<string>;
  clock: Clock;
  chance: Chance;
  /** Sends the request: `fetch`, or the simulated tenants in the same process. */
  transport: Transport;
}

export type Transport = (url: string, init: RequestInit) => Promise<Response>;

export interface GraphCall {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the version (`/users/{id}`), or a link that Graph gave. Values in it are encoded. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: Readonly<Record<string, unknown>>;
  /** Has a permission and a quota of its own: 403 is the caller's, and a 429 holds nobody else up. */
  aside?: boolean;
}

export interface GraphAnswer {
  status: number;
  header(name: string): string | undefined;
  /** Parsed JSON; `undefined` without a body. */
  body: unknown;
}

/** Nothing came back. `sent`: the request may have arrived. */
export class NoAnswer extends Error {
  readonly sent: boolean;
  constructor(sent: boolean, cause: unknown) {
    super(sent ? "Graph did not answer" : "Graph could not be reached", { cause });
    this.name = "NoAnswer";
    this.sent = sent;
  }
}

const VERSION = "v1.0";
/** The parser's own message quotes the answer, and with it people. */
const NOT_JSON = new Error("the answer is not JSON");
const TIMEOUT_MS = 30_000;
/** A page of 999 users with all attributes is a tenth of it. */
const ANSWER_MAX_BYTES = 16 * 1_048_576;
/** Shared: the exception that an abort makes by itself costs as much as half a small answer. */
const FINISHED = new Error("finished");

/** The SDK's client without its retries and redirects: only the gateway decides when to come again. */
export class Connection {
  readonly settings: GraphSettings;
  private readonly client: Client;

  constructor(settings: GraphSettings) {
    this.settings = settings;
    this.client = Client.initWithMiddleware({
      middleware: new Sender(settings),
      baseUrl: settings.root,
      defaultVersion: VERSION,
      customHosts: new Set([new URL(settings.root).hostname]),
    });
  }

  /** Throws `NoAnswer`, and `FOREIGN_LINK` before a token is even asked for. */
  async send(call: GraphCall, signal?: AbortSignal): Promise<GraphAnswer> {
    const url = this.urlOf(call.path);
    const controller = new AbortController();
    const finished = new AbortController();
    this.settings.clock.sleep(TIMEOUT_MS, finished.signal).then(
      () => controller.abort(new Error(`no answer within ${TIMEOUT_MS} ms`)),
      () => {},
    );
    const abort = () => controller.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await this.request(url, call, controller.signal);
    } finally {
      finished.abort(FINISHED);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Links are Graph's, and come from its answers and from our rows: none is believed to lead where it should. */
  urlOf(path: string): string {
    const { root, tenantId } = this.settings;
    if (path.startsWith("/")) return `${root}/${VERSION}${path}`;
    if (path.startsWith(`${root}/${VERSION}/`) && isWithin(path, root)) return path;
    throw new SyncError("FOREIGN_LINK", { tenantId });
  }

  private async request(url: string, call: GraphCall, signal: AbortSignal): Promise<GraphAnswer> {
    const request = this.client.api(url).responseType(ResponseType.RAW).options({ signal });
    for (const [name, value] of Object.entries(call.headers ?? {})) request.header(name, value);
    let response: Response;
    try {
      response = (await perform(request, call)) as Response;
    } catch (error) {
      if (error instanceof SyncError) throw error;
      throw new NoAnswer(!isNeverSent(error), error);
    }
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: await parse(response),
    };
  }
}

function perform(request: ReturnType<Client["api"]>, { method, body }: GraphCall): Promise<unknown> {
  switch (method) {
    case "GET":
      return request.get();
    case "POST":
      return request.post(body ?? {});
    case "PATCH":
      return request.patch(body ?? {});
    case "PUT":
      return request.put(body ?? {});
    case "DELETE":
      return request.delete();
  }
}

async function parse(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = await textOf(response);
  } catch (error) {
    if (!response.ok) return undefined;
    throw new NoAnswer(true, error);
  }
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    if (!response.ok) return undefined; // the status and its headers say enough
    throw new NoAnswer(true, NOT_JSON); // cut short, or not from Graph
  }
}

/** Throws when the answer is cut off, or larger than any that Graph gives: the rest of it is not read. */
async function textOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_MAX_BYTES) throw new Error(`an answer of more than ${ANSWER_MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Also after `..` and the like are resolved, as the transport does. */
function isWithin(link: string, root: string): boolean {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  return url?.origin === new URL(root).origin && url.pathname.startsWith(`/${VERSION}/`) && url.username === "";
}

/** A refused connection or an unknown host: nothing has left this machine. */
function isNeverSent(error: unknown): boolean {
  for (
    let cause: unknown = error;
    cause instanceof Error;
    cause = cause.cause ?? ("customError" in cause ? cause.customError : undefined)
  ) {
    const code = "code" in cause ? cause.code : undefined;
    if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN") return true;
  }
  return false;
}

/** The whole chain: the token, which goes to the tenant's own root only, and the sending. */
class Sender implements Middleware {
  private readonly settings: GraphSettings;

  constructor(settings: GraphSettings) {
    this.settings = settings;
  }

  async execute(context: Context): Promise<void> {
    const url = typeof context.request === "string" ? context.request : context.request.url;
    const headers = new Headers(context.options?.headers as Record<string, string>);
    headers.set("Authorization", `Bearer ${await this.token()}`);
    const options = { ...(context.options as RequestInit), headers, redirect: "manual" as const };
    context.response = await this.settings.transport(url, options);
  }

  private async token(): Promise<string> {
    try {
      return await this.settings.token();
    } catch (cause) {
      throw withoutToken(this.settings.tenantId, cause);
    }
  }
}
