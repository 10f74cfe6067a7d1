import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { TableClient } from "@azure/data-tables";
import * as z from "zod";

/** `.sandbox/endpoints.json`: where everything of a local cloud answers. */
export const Endpoints = z.object({
  version: z.literal(1),
  caFile: z.string(),
  configFile: z.string(),
  tenants: z
    .array(
      z.object({
        name: z.string(),
        id: z.string(),
        cloud: z.string(),
        domain: z.string(),
        graph: z.url(),
        login: z.url(),
        client: z.object({ id: z.string(), secret: z.string() }),
      }),
    )
    .readonly(),
  storage: z.string(),
  control: z.url(),
});
export type Endpoints = z.infer<typeof Endpoints>;
export type TenantEndpoint = Endpoints["tenants"][number];

/** A commit as `GET /commits` of the control surface gives it. */
const CommitEntry = z.object({
  seq: z.number(),
  tenant: z.string(),
  at: z.number(),
  object: z.enum(["user", "group", "contact"]),
  id: z.string(),
  kind: z.enum(["created", "updated", "deleted", "purged", "restored"]),
  by: z.string(),
  properties: z.array(z.string()),
  memberId: z.string().optional(),
});
export type CommitEntry = z.infer<typeof CommitEntry>;
const Commits = z.object({ next: z.number(), commits: z.array(CommitEntry) });

/** A local cloud, as somebody outside it sees it. */
export interface DayCloud {
  endpoints: Endpoints;
  /** Trusts the cloud's certificate authority. */
  fetch: typeof globalThis.fetch;
  /** Code of the newest provisioning-log row about a source user that has one. */
  logCode(userId: string): Promise<string | undefined>;
}

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));

/** From the endpoints file or what is in it; trusts its certificate authority in this whole process. */
export async function openDayCloud(source: string | Endpoints): Promise<DayCloud> {
  const endpoints = typeof source === "string" ? Endpoints.parse(JSON.parse(await readFile(source, "utf8"))) : source;
  const authority = await readFile(resolve(CHECKOUT, endpoints.caFile), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), authority]);
  const log = TableClient.fromConnectionString(endpoints.storage, "provisioninglog", {
    allowInsecureConnection: /TableEndpoint=http:/.test(endpoints.storage),
  });
  return {
    endpoints,
    fetch: globalThis.fetch,
    async logCode(userId) {
      const rows = log.listEntities<{ code?: string; at?: number }>({
        queryOptions: { filter: `userId eq '${userId}'` },
      });
      let newest: { code?: string; at?: number } | undefined;
      for await (const row of rows) if (row.code && (row.at ?? 0) >= (newest?.at ?? 0)) newest = row;
      return newest?.code;
    },
  };
}

/** Graph refused what a person wanted to do. */
export class GraphRefused extends Error {
  readonly status: number;
  constructor(what: string, status: number, body: string) {
    super(`${what} was answered ${status}: ${body.slice(0, 300)}`);
    this.status = status;
  }
}

const TOKEN_MARGIN_MS = 60_000;
const PATIENCE_MS = 30_000;
const AFTER_404_MS = 250;

/** A person with every right in one tenant, at its Graph. */
export class PeopleGraph {
  readonly tenant: TenantEndpoint;
  private readonly fetch: typeof globalThis.fetch;
  private token: { value: Promise<string>; until: number } | undefined;

  constructor(cloud: DayCloud, name: string) {
    const tenant = cloud.endpoints.tenants.find((one) => one.name === name);
    if (!tenant) throw new Error(`there is no tenant ${name} in the endpoints file`);
    this.tenant = tenant;
    this.fetch = cloud.fetch;
  }

  /** `undefined`: not there, or not yet on the replica that answered. */
  async read<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const response = await this.send("GET", path);
    if (response.status === 404) return undefined;
    return schema.parse(JSON.parse(await this.text("GET", path, response)));
  }

  /** All pages. */
  async list<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
    const Page = z.object({ value: z.array(schema), "@odata.nextLink": z.string().optional() });
    const items: T[] = [];
    for (let next: string | undefined = path; next !== undefined; ) {
      const response = await this.send("GET", next);
      const page: z.infer<typeof Page> = Page.parse(JSON.parse(await this.text("GET", next, response)));
      items.push(...page.value);
      next = page["@odata.nextLink"];
    }
    return items;
  }

  /** A write; a 404 is tried again for a while, because the object may be too new for the replica that took it. Gives the id of what was made. */
  async write(method: "POST" | "PATCH" | "PUT" | "DELETE", path: string, body?: object): Promise<string> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const response = await this.send(method, path, body);
      if (response.status === 404 && Date.now() < until) {
        await response.body?.cancel();
        await sleep(AFTER_404_MS);
        continue;
      }
      const text = await this.text(method, path, response);
      return text === "" ? "" : z.object({ id: z.string().default("") }).parse(JSON.parse(text)).id;
    }
  }

  private async text(method: string, path: string, response: Response): Promise<string> {
    const text = await response.text();
    if (!response.ok) throw new GraphRefused(`${method} ${path} in ${this.tenant.name}`, response.status, text);
    return text;
  }

  /** One call; waits out `Retry-After`, and gets a new token once when the old one is refused. */
  private async send(method: string, path: string, body?: object): Promise<Response> {
    const url = path.startsWith("https://") ? path : `${this.tenant.graph}/v1.0${path}`;
    const until = Date.now() + PATIENCE_MS;
    for (let renewed = false; ; ) {
      const response = await this.fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${await this.bearer()}`,
          ...(body ? { "content-type": "application/json" } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (response.status === 401 && !renewed) {
        renewed = true;
        this.token = undefined;
        await response.body?.cancel();
        continue;
      }
      const waitMs = Number(response.headers.get("retry-after") ?? 1) * 1000;
      if ((response.status !== 429 && response.status !== 503) || Date.now() + waitMs > until) return response;
      await response.body?.cancel();
      await sleep(waitMs);
    }
  }

  private bearer(): Promise<string> {
    if (!this.token || this.token.until < Date.now()) {
      this.token = { value: this.newToken(), until: Date.now() + 3_600_000 - TOKEN_MARGIN_MS };
    }
    return this.token.value;
  }

  private async newToken(): Promise<string> {
    const { login, id, graph, client } = this.tenant;
    const response = await this.fetch(`${login}/${id}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: client.id,
        client_secret: client.secret,
        scope: `${graph}/.default`,
      }),
    });
    const body = await response.text();
    if (!response.ok) throw new GraphRefused(`a token of ${this.tenant.name}`, response.status, body);
    return z.object({ access_token: z.string() }).parse(JSON.parse(body)).access_token;
  }
}

const LONG_POLL_MS = 10_000;

/** Every commit of every tenant from the start of the feed on, as the control surface tells them. */
export class CommitFeed {
  readonly commits: CommitEntry[] = [];
  private readonly cloud: DayCloud;
  private readonly stopper = new AbortController();
  private readonly waiting = new Set<() => void>();
  private position = 0;
  private running: Promise<void> | undefined;
  private failure: unknown;

  constructor(cloud: DayCloud) {
    this.cloud = cloud;
  }

  /** Begins after everything that has happened so far. */
  async start(): Promise<void> {
    this.position = (await this.ask(Number.MAX_SAFE_INTEGER, 0)).next;
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.stopper.abort();
    await this.running;
  }

  /** Waits until everything that has happened so far is in `commits`. */
  async catchUp(): Promise<void> {
    const { next } = await this.ask(Number.MAX_SAFE_INTEGER, 0);
    while (this.position < next) await this.news(LONG_POLL_MS);
  }

  /** Resolves when something has happened, or after `ms`. */
  async news(ms: number): Promise<void> {
    if (this.failure) throw this.failure;
    const timer = new AbortController();
    await Promise.race([
      new Promise<void>((resolve) => this.waiting.add(resolve)),
      sleep(ms, undefined, { signal: timer.signal }).catch(() => {}),
    ]);
    timer.abort();
  }

  private async follow(): Promise<void> {
    while (!this.stopper.signal.aborted) {
      try {
        const { next, commits } = await this.ask(this.position, LONG_POLL_MS);
        this.position = next;
        this.commits.push(...commits);
      } catch (error) {
        if (!this.stopper.signal.aborted) this.failure = error;
        this.stopper.abort();
      }
      for (const wake of this.waiting) wake();
      this.waiting.clear();
    }
  }

  private async ask(after: number, waitMs: number): Promise<z.infer<typeof Commits>> {
    const response = await this.cloud.fetch(`${this.cloud.endpoints.control}/commits?after=${after}&waitMs=${waitMs}`, {
      signal: this.stopper.signal,
    });
    const body = await response.text();
    if (!response.ok) throw new Error(`GET /commits was answered ${response.status}: ${body.slice(0, 200)}`);
    return Commits.parse(JSON.parse(body));
  }
}
