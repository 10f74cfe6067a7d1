/**
 * The control surface of the tenants: HTTP and JSON, for people and scripts. Every call with an example is listed by
 * `GET /`. Bad input is answered 400 with a sentence that says what to do.
 *
 * - `POST /faults` `{ "tenant": "contoso", "on": "write", "kind": "status", "status": 503, "retryAfterSeconds": 5, "probability": 0.2, "forMs": 60000 }`
 * - `DELETE /faults`, `GET /faults`
 * - `POST /knobs` `{ "replicationLagMs": 0, "quotaScale": 10 }`, `GET /knobs`
 * - `POST /clock` `{ "advanceMs": 60000 }`: simulated clocks only
 * - `POST /population` `{ "tenant": "contoso-emea", "create": { "users": [{ "userPrincipalName": "ada@contoso-emea.com", "displayName": "Ada" }] } }`
 * - `GET /differences`, `GET /statistics`, `GET /commits?after=0&waitMs=10000`
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import type { SimulatedClock } from "../clock.ts";
import type { Commit, GraphTenants } from "./api.ts";
import { applyPopulation, Population } from "./population.ts";

const COMMITS_MAX = 100_000;
const COMMITS_PER_ANSWER = 1000;
const WAIT_MS_MAX = 60_000;
const BODY_BYTES_MAX = 64 * 1024 * 1024;

const probability = z.number().min(0).max(1);
const ms = z.number().min(0);
const range = z.tuple([ms, ms]).refine(([min, max]) => min <= max, "the first number is the smaller one");

export const FaultInput = z.strictObject({
  tenant: z.string().optional(),
  on: z.enum(["read", "write", "token", "delta", "invite", "batchItem", "any"]),
  kind: z.enum([
    "status",
    "timeout",
    "timeoutAfterEffect",
    "refuse",
    "truncate",
    "consentRevoked",
    "resync",
    "resyncWithoutLocation",
    "subscriptionsGone",
  ]),
  status: z.int().min(400).max(599).optional(),
  retryAfterSeconds: z.int().min(0).optional(),
  probability: probability.optional(),
  times: z.int().min(1).optional(),
  forMs: ms.optional(),
});

export const KnobsInput = z
  .strictObject({
    replicationLagMs: ms,
    indexLagMs: ms,
    deltaLagMs: ms,
    deltaPageSize: z.int().min(1),
    deltaMembersPerPage: z.int().min(1),
    deltaEmptyPages: probability,
    deltaRepeated: probability,
    deltaReplayed: probability,
    deltaTokenLifeMs: ms,
    notificationDelayMs: range,
    notificationLost: probability,
    notificationDoubled: probability,
    notificationReordered: z.boolean(),
    latencyMs: range,
    quotas: z.boolean(),
    quotaScale: z.number().positive(),
    objectQuota: z.int().min(0),
    subscriptionTokenMs: ms,
    automaticRedemption: z.enum(["atSignIn", "immediate"]),
    reinviteSoftDeleted: z.enum(["newObject", "conflict"]),
    signingKeyGeneration: z.int().min(0),
  })
  .partial();

const ClockInput = z.strictObject({ advanceMs: ms });
const CommitsInput = z.object({
  after: z.coerce.number().default(0),
  waitMs: z.coerce.number().min(0).max(WAIT_MS_MAX).default(0),
});

const CALLS = [
  { call: "GET /", does: "lists the calls" },
  {
    call: "POST /faults",
    does: "makes calls go wrong",
    example: {
      tenant: "contoso",
      on: "write",
      kind: "status",
      status: 503,
      retryAfterSeconds: 5,
      probability: 0.2,
      forMs: 60_000,
    },
  },
  { call: "GET /faults", does: "shows the faults" },
  { call: "DELETE /faults", does: "ends all faults" },
  {
    call: "POST /knobs",
    does: "changes lags, latencies, quotas and the like; times in milliseconds",
    example: { replicationLagMs: 0, latencyMs: [50, 150], quotaScale: 10 },
  },
  { call: "GET /knobs", does: "shows them" },
  { call: "POST /clock", does: "moves a simulated clock", example: { advanceMs: 3_600_000 } },
  {
    call: "POST /population",
    does: "creates, changes and deletes people, groups and contacts as people would; users by id or userPrincipalName",
    example: {
      tenant: "contoso-emea",
      create: {
        users: [{ userPrincipalName: "ada@contoso-emea.com", displayName: "Ada Lovelace", department: "Research" }],
      },
      update: [{ user: "ben@contoso-emea.com", changes: { jobTitle: "Director" } }],
      delete: { users: ["carla@contoso-emea.com"] },
      members: { add: [{ group: "<group id>", member: "ada@contoso-emea.com" }] },
    },
  },
  { call: "GET /differences", does: "compares every target with what the jobs say" },
  { call: "GET /statistics", does: "counts calls, writes, throttling and notifications by tenant" },
  {
    call: "GET /commits?after=0&waitMs=10000",
    does: "everything that happened in all tenants after a number; waits for news. `after` beyond the last: answers where that is",
  },
];

export interface ControlOptions {
  tenants: GraphTenants;
  /** What `GET /differences` answers. */
  differences: () => unknown;
  /** Only simulated clocks can be moved. */
  clock?: SimulatedClock;
}

export interface Control {
  url: string;
  close(): Promise<void>;
}

/** Bad input, answered with this sentence. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Starts the control surface on a free port of 127.0.0.1. */
export async function serveControl(options: ControlOptions): Promise<Control> {
  const feed = commitFeed(options.tenants);
  const server = createServer((incoming, outgoing) => {
    respond(options, feed, incoming).then(
      (body) => outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body)),
      (error: unknown) => {
        const known = error instanceof Refused;
        if (!known) console.error(error);
        const message = error instanceof Error ? error.message : String(error);
        outgoing
          .writeHead(known ? error.status : 500, { "content-type": "application/json" })
          .end(JSON.stringify({ error: message }));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      feed.close();
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function respond(
  { tenants, differences, clock }: ControlOptions,
  feed: CommitFeed,
  incoming: IncomingMessage,
): Promise<unknown> {
  const url = new URL(incoming.url ?? "/", "http://control");
  const call = `${incoming.method} ${url.pathname}`;
  switch (call) {
    case "GET /":
      return {
        calls: CALLS,
        tenants: tenants.tenants.map(({ name, id, cloud, domain }) => ({ name, id, cloud, domain })),
      };
    case "POST /faults": {
      const { tenant, ...fault } = parse(FaultInput, await json(incoming));
      if (tenant !== undefined) checkTenant(tenants, tenant);
      tenants.addFault({ ...defined(fault), ...(tenant === undefined ? {} : { tenant }) });
      return { faults: tenants.faults() };
    }
    case "GET /faults":
      return { faults: tenants.faults() };
    case "DELETE /faults":
      tenants.clearFaults();
      return { faults: [] };
    case "POST /knobs":
      tenants.setKnobs(defined(parse(KnobsInput, await json(incoming))));
      return tenants.knobs;
    case "GET /knobs":
      return tenants.knobs;
    case "POST /clock": {
      const { advanceMs } = parse(ClockInput, await json(incoming));
      if (!clock)
        throw new Refused(
          409,
          "These tenants live on the machine's clock, which cannot be moved. Shorten what you wait for with POST /knobs, for example deltaTokenLifeMs.",
        );
      await clock.runFor(advanceMs);
      return { now: new Date(clock.now()).toISOString() };
    }
    case "POST /population": {
      const population = parse(Population, await json(incoming));
      checkTenant(tenants, population.tenant);
      try {
        return applyPopulation(tenants.truth(population.tenant), population);
      } catch (error) {
        throw new Refused(400, error instanceof Error ? error.message : String(error));
      }
    }
    case "GET /differences":
      return differences();
    case "GET /statistics":
      return tenants.statistics();
    case "GET /commits": {
      const { after, waitMs } = parse(CommitsInput, Object.fromEntries(url.searchParams));
      return feed.read(after, waitMs);
    }
    default:
      throw new Refused(404, `There is no ${call}. GET / lists the calls.`);
  }
}

function checkTenant({ tenants }: GraphTenants, name: string): void {
  if (!tenants.some((tenant) => tenant.name === name))
    throw new Refused(
      400,
      `There is no tenant ${name}. There are: ${tenants.map((tenant) => tenant.name).join(", ")}.`,
    );
}

/** Without the keys whose value is undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
  return parsed.data;
}

async function json(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_BYTES_MAX) throw new Refused(413, "The body is larger than 64 MiB: send it in parts.");
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refused(400, "The body is not JSON. GET / shows an example for each call.");
  }
}

type NumberedCommit = Commit & { seq: number };

interface CommitFeed {
  read(after: number, waitMs: number): Promise<{ next: number; commits: readonly NumberedCommit[] }>;
  close(): void;
}

/** Numbers the commits of all tenants in the order in which they happen. */
function commitFeed(tenants: GraphTenants): CommitFeed {
  let commits: NumberedCommit[] = [];
  let head = 0;
  const waiting = new Set<() => void>();
  const ends = tenants.tenants.map(({ name }) =>
    tenants.truth(name).onCommit((commit) => {
      commits.push({ seq: ++head, ...commit });
      if (commits.length > 2 * COMMITS_MAX) commits = commits.slice(-COMMITS_MAX);
      for (const wake of waiting) wake();
      waiting.clear();
    }),
  );
  const after = (seq: number) => {
    const first = commits[0]?.seq ?? head + 1;
    const start = Math.max(0, seq + 1 - first);
    return commits.slice(start, start + COMMITS_PER_ANSWER);
  };
  return {
    async read(seq, waitMs) {
      if (after(seq).length === 0 && waitMs > 0 && seq <= head) await news(waiting, waitMs);
      const found = after(seq);
      return { next: found[found.length - 1]?.seq ?? head, commits: found };
    },
    close() {
      for (const end of ends) end();
      for (const wake of waiting) wake();
    },
  };
}

function news(waiting: Set<() => void>, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs);
    waiting.add(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
