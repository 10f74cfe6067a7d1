import { type SimulatedClock, simulatedClock } from "../../../sandbox/clock.ts";
import type {
  ClientSpec,
  GraphResponse,
  GraphTenants,
  Knobs,
  TenantSpec,
  TenantTruth,
  WebhookCall,
} from "../../../sandbox/graph/api.ts";
import { createGraphTenants } from "../../../sandbox/graph/index.ts";

export const APP = "11111111-1111-4111-8111-111111111111";
export const OTHER_APP = "22222222-2222-4222-8222-222222222222";
export const HUB = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
export const NOBODY = "99999999-9999-4999-8999-999999999999";
export const STAMP = `extension_${APP.replaceAll("-", "")}_syncSource`;

/** No lag, no chance, no quotas: what a test is about, it switches on. */
const CALM: Partial<Knobs> = {
  replicationLagMs: 0,
  indexLagMs: 0,
  deltaLagMs: 0,
  deltaEmptyPages: 0,
  deltaRepeated: 0,
  deltaReplayed: 0,
  notificationDelayMs: [0, 0],
  notificationLost: 0,
  notificationDoubled: 0,
  notificationReordered: false,
  quotas: false,
};

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  /** Parsed, `{}` when there is none. */
  body: Body;
}
/** The parts of answers that tests look at. */
export interface Body {
  [name: string]: unknown;
  id?: string;
  value?: Item[];
  error?: { code: string; message: string; details?: { code: string; target: string }[] };
  invitedUser?: { id: string; userPrincipalName: string };
  responses?: { id: string; status: number; headers: Record<string, string>; body: Body }[];
}
export type Item = Record<string, unknown> & { id: string };

type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

export interface Contoso {
  clock: SimulatedClock;
  tenants: GraphTenants;
  /** Calls of an app with every right in the hub (Commercial), and elsewhere by name. */
  hub: Send;
  call(
    tenant: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
    app?: string,
  ): Promise<Answer>;
  truth(tenant: string): TenantTruth;
  /** Everything that was delivered to webhooks, and who answers them. */
  posts: WebhookCall[];
  answerWith(receiver: (call: WebhookCall) => Promise<{ status: number; contentType: string; body: string }>): void;
}

export const tenantSpec = (name: string, more: Partial<TenantSpec> = {}): TenantSpec => ({
  name,
  id: HUB,
  cloud: "global",
  domain: `${name}.com`,
  initialDomain: `${name}.onmicrosoft.com`,
  clients: [app()],
  ...more,
});

export const app = (more: Partial<ClientSpec> = {}): ClientSpec => ({
  clientId: APP,
  permissions: ["*"],
  extensions: [{ name: "syncSource", dataType: "String" }],
  ...more,
});

/** A hub in Commercial with the app, and tenants called emea, gov and china in their clouds. */
export function contoso(options: { knobs?: Partial<Knobs>; hub?: Partial<TenantSpec>; seed?: number } = {}): Contoso {
  const clock = simulatedClock();
  const posts: WebhookCall[] = [];
  let receiver = async (call: WebhookCall) => {
    const token = new URL(call.url).searchParams.get("validationToken");
    return token === null
      ? { status: 202, contentType: "", body: "" }
      : { status: 200, contentType: "text/plain", body: token };
  };
  const tenants = createGraphTenants({
    seed: options.seed ?? 1,
    clock,
    knobs: { ...CALM, ...options.knobs },
    tenants: [
      tenantSpec("hub", {
        clients: [app(), app({ clientId: OTHER_APP, permissions: ["User.Read.All"], extensions: [] })],
        ...options.hub,
      }),
      tenantSpec("emea", { id: "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb" }),
      tenantSpec("gov", {
        id: "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
        cloud: "usGov",
        domain: "gov.us",
        initialDomain: "gov.onmicrosoft.us",
      }),
      tenantSpec("china", {
        id: "dddddddd-dddd-4ddd-8ddd-dddddddddddd",
        cloud: "china",
        domain: "china.cn",
        initialDomain: "china.partner.onmschina.cn",
      }),
    ],
    deliver: (call) => {
      if (!call.url.includes("validationToken=")) posts.push(call);
      return receiver(call);
    },
  });
  const tokens = new Map<string, { text: string; until: number }>();
  // Making a token takes a millisecond; a test of hours needs several.
  const tokenOf = (tenant: string, clientId: string) => {
    const key = `${tenant}/${clientId}`;
    const known = tokens.get(key);
    if (known && known.until > clock.now()) return known.text;
    const text = tenants.token(tenant, clientId);
    tokens.set(key, { text, until: clock.now() + 3_000_000 });
    return text;
  };
  const call: Contoso["call"] = async (tenant, method, path, body, headers = {}, clientId = APP) => {
    const answer = await tenants.graph(tenant, {
      method,
      url: path.startsWith("https://") ? path.slice(path.indexOf("/v1.0")) : `/v1.0${path}`,
      headers: { authorization: `Bearer ${tokenOf(tenant, clientId)}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return read(answer);
  };
  return {
    clock,
    tenants,
    call,
    hub: (method, path, body, headers) => call("hub", method, path, body, headers),
    truth: (tenant) => tenants.truth(tenant),
    posts,
    answerWith: (other) => {
      receiver = other;
    },
  };
}

function read({ status, headers, body }: GraphResponse): Answer {
  const json = headers["content-type"]?.startsWith("application/json") && body !== "";
  return { status, headers, text: body, body: json ? (JSON.parse(body) as Body) : {} };
}

/** `$filter` and the like with everything encoded. */
export const query = (options: Record<string, string>): string =>
  `?${Object.entries(options)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&")}`;

export const EVENTUAL = { consistencylevel: "eventual" };
