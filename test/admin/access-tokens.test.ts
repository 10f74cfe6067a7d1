import { createHmac, createPublicKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { beforeEach, describe, expect, test } from "vitest";
import { simulatedClock } from "../../sandbox/clock.ts";
import type { GraphTenants } from "../../sandbox/graph/api.ts";
import { createGraphTenants } from "../../sandbox/graph/index.ts";
import { accessTokens } from "../../shared/adapters/entra/access-tokens.ts";
import { CLOUDS } from "../../shared/domain/cloud.ts";
import { KeysUnavailable } from "../../shared/ports/access-tokens.ts";

/** The simulated login's own tokens and keys, and forged ones. */
const TENANT = "11111111-2222-4333-8444-555555555555";
const API = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const ALICE = { clientId: "a11ce000-0000-4000-8000-000000000001", secret: "alice" };
const LOGIN = "https://login.home.sandbox";

let clock: ReturnType<typeof simulatedClock>;
let graph: GraphTenants;
let asked: string[];
let down: boolean;

beforeEach(() => {
  clock = simulatedClock();
  asked = [];
  down = false;
  graph = createGraphTenants({
    seed: 1,
    clock,
    tenants: [
      {
        name: "home",
        id: TENANT,
        cloud: "global",
        domain: "home.example",
        initialDomain: "home.onmicrosoft.com",
        clients: [
          { clientId: API, permissions: [] },
          { ...ALICE, permissions: [], appRoles: ["Sync.Operate"] },
        ],
      },
    ],
    deliver: async () => ({ status: 202, contentType: "", body: "" }),
    roots: () => ({ graph: "https://graph.home.sandbox", login: LOGIN }),
  });
});

const ask = async (url: string) => {
  asked.push(url);
  if (down) throw new TypeError("fetch failed");
  const { status, body } = await graph.login("home", { method: "GET", url: url.slice(LOGIN.length), headers: {} });
  return new Response(body, { status });
};
const verifier = (more: Partial<Parameters<typeof accessTokens>[0]> = {}) =>
  accessTokens({
    tenantId: TENANT,
    login: LOGIN,
    issuers: CLOUDS.global.issuers,
    audience: API,
    transport: ask,
    clock,
    ...more,
  });

async function issued(scope = `api://${API}/.default`): Promise<string> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: ALICE.clientId,
    client_secret: ALICE.secret,
    scope,
  });
  const answer = await graph.login("home", {
    method: "POST",
    url: `/${TENANT}/oauth2/v2.0/token`,
    headers: {},
    body: form.toString(),
  });
  return JSON.parse(answer.body).access_token as string;
}

/** A login of our own, whose key we hold: what it signs may say anything. */
function forge() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k1", use: "sig" };
  const transport = async (url: string) =>
    Response.json(
      url.endsWith("openid-configuration")
        ? { issuer: `${LOGIN}/${TENANT}/v2.0`, jwks_uri: `${LOGIN}/keys` }
        : { keys: [jwk] },
    );
  const seconds = () => Math.floor(clock.now() / 1000);
  const claims = (more: Record<string, unknown> = {}) => ({
    aud: API,
    iss: `${LOGIN}/${TENANT}/v2.0`,
    tid: TENANT,
    oid: randomUUID(),
    azp: ALICE.clientId,
    roles: ["Sync.Read"],
    nbf: seconds(),
    exp: seconds() + 3600,
    ...more,
  });
  const sign = (more: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    new SignJWT(claims(more)).setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(privateKey);
  return { transport, sign, claims, jwk, publicKey };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("tokens of the login", () => {
  test("say who calls and what for", async () => {
    const caller = await verifier().verify(await issued());
    expect(caller).toMatchObject({ tenantId: TENANT, appId: ALICE.clientId, roles: ["Sync.Operate"] });
    expect(caller?.objectId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("keys are asked for once and kept for a day", async () => {
    const tokens = verifier();
    const token = await issued();
    await Promise.all([tokens.verify(token), tokens.verify(token), tokens.verify(token)]);
    expect(asked).toHaveLength(2);
    await clock.runFor(25 * 3_600_000);
    await tokens.verify(await issued());
    expect(asked).toHaveLength(4);
  });

  test("a key that is new is asked for, at most once a minute", async () => {
    const tokens = verifier();
    const old = await issued();
    await tokens.verify(old);
    graph.setKnobs({ signingKeyGeneration: 1 });
    expect(await tokens.verify(await issued())).toBeUndefined();
    await clock.runFor(60_000);
    expect(await tokens.verify(await issued())).toBeDefined();
    expect(await tokens.verify(old)).toBeDefined(); // the key before is still published
    graph.setKnobs({ signingKeyGeneration: 5 });
    const before = asked.length;
    for (let i = 0; i < 10; i++) expect(await tokens.verify(await issued())).toBeUndefined();
    expect(asked).toHaveLength(before);
    await clock.runFor(60_000);
    expect(await tokens.verify(await issued())).toBeDefined();
    expect(await tokens.verify(old)).toBeUndefined(); // its key is no longer published
  });

  test("a login that is away is said as such; keys that are known go on serving", async () => {
    down = true;
    const tokens = verifier();
    await expect(tokens.verify(await issued())).rejects.toThrow(KeysUnavailable);
    await clock.runFor(5_000);
    down = false;
    expect(await tokens.verify(await issued())).toBeDefined();
    down = true;
    await clock.runFor(25 * 3_600_000);
    expect(await tokens.verify(await issued())).toBeDefined();
  });

  test("a token for Graph or of another tenant is not one for us", async () => {
    expect(await verifier().verify(await issued("https://graph.home.sandbox/.default"))).toBeUndefined();
    expect(await verifier({ audience: randomUUID() }).verify(await issued())).toBeUndefined();
    const other = { ...verifier({ tenantId: randomUUID() }) };
    await expect(other.verify(await issued())).rejects.toThrow(KeysUnavailable);
  });
});

describe("what a token must be", () => {
  const hour = 3600;
  test.each<[string, (seconds: number) => Record<string, unknown>, boolean]>([
    ["as it should", () => ({}), true],
    ["v1 issuer", () => ({ iss: `https://sts.windows.net/${TENANT}/` }), true],
    ["v2 issuer of the cloud", () => ({ iss: `https://login.microsoftonline.com/${TENANT}/v2.0` }), true],
    ["audience as a URI", () => ({ aud: `api://${API}` }), true],
    ["expired a moment ago", (now) => ({ exp: now - 30 }), true],
    ["expired", (now) => ({ exp: now - 90 }), false],
    ["no end", () => ({ exp: undefined }), false],
    ["not yet", (now) => ({ nbf: now + hour }), false],
    ["no beginning", () => ({ nbf: undefined }), false],
    ["issuer of another tenant", () => ({ iss: `https://sts.windows.net/${randomUUID()}/` }), false],
    ["issuer of another cloud", () => ({ iss: `https://login.microsoftonline.us/${TENANT}/v2.0` }), false],
    ["issuer that only begins right", () => ({ iss: `${LOGIN}/${TENANT}/v2.0/more` }), false],
    ["another tenant", () => ({ tid: randomUUID() }), false],
    ["no tenant", () => ({ tid: undefined }), false],
    ["nobody", () => ({ oid: undefined }), false],
    ["v1, whose client is the appid", () => ({ azp: undefined, appid: ALICE.clientId }), true],
    ["an ID token, which no client has", () => ({ azp: undefined, nonce: "n" }), false],
    ["another audience", () => ({ aud: randomUUID() }), false],
    ["roles that are no list", () => ({ roles: "Sync.Approve" }), false],
  ])("%s", async (_name, change, good) => {
    const login = forge();
    const token = await login.sign(change(Math.floor(clock.now() / 1000)));
    expect((await verifier({ transport: login.transport }).verify(token)) !== undefined).toBe(good);
  });

  test.each<[string, (login: ReturnType<typeof forge>) => Promise<string>]>([
    ["unsigned", async ({ claims }) => `${encode({ alg: "none", kid: "k1", typ: "JWT" })}.${encode(claims())}.`],
    ["unsigned, said to be RS256", async ({ claims }) => `${encode({ alg: "RS256", kid: "k1" })}.${encode(claims())}.`],
    [
      "the public key taken for a secret",
      async ({ claims, jwk }) => {
        const content = `${encode({ alg: "HS256", kid: "k1" })}.${encode(claims())}`;
        const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ format: "pem", type: "spki" });
        return `${content}.${createHmac("sha256", pem).update(content).digest("base64url")}`;
      },
    ],
    ["another key of the same name", async () => forge().sign()],
    ["without the name of a key", ({ sign }) => sign({}, { kid: undefined })],
    [
      "changed after it was signed",
      async ({ sign, claims }) => {
        const [head, , signature] = (await sign()).split(".");
        return `${head}.${encode({ ...claims(), roles: ["Sync.Approve"] })}.${signature}`;
      },
    ],
    ["a key of its own in the header", async ({ sign, jwk }) => (await forge().sign({}, { jwk })) || sign()],
    ["no token", async () => "hello"],
    ["empty", async () => ""],
    ["far too long", async ({ sign }) => sign({ groups: "x".repeat(20_000) })],
  ])("%s: refused", async (_name, make) => {
    const login = forge();
    const tokens = verifier({ transport: login.transport });
    expect(await tokens.verify(await login.sign())).toBeDefined();
    expect(await tokens.verify(await make(login))).toBeUndefined();
  });
});

test.each(["issuer", "jwks_uri"])("metadata with a strange %s gives no keys", async (field) => {
  const login = forge();
  const transport = async (url: string) => {
    const answer = await login.transport(url);
    if (!url.endsWith("openid-configuration")) return answer;
    return Response.json({ ...((await answer.json()) as object), [field]: "https://elsewhere.example/x" });
  };
  await expect(verifier({ transport }).verify(await login.sign())).rejects.toThrow(KeysUnavailable);
});
