import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { ClientCertificateCredential } from "@azure/identity";
import { AuthenticationHandler, Client, GraphError, HTTPMessageHandler } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { realClock } from "../../../sandbox/clock.ts";
import type { GraphTenants, TenantSpec } from "../../../sandbox/graph/api.ts";
import { type Control, serveControl } from "../../../sandbox/graph/control.ts";
import { createGraphTenants } from "../../../sandbox/graph/index.ts";
import { harRecorder, type Recorder } from "../../../sandbox/graph/recorder.ts";
import { type GraphAddresses, openAddresses } from "../../../sandbox/graph/server.ts";
import { httpsDelivery } from "../../../sandbox/graph/webhooks.ts";
import { type Certificates, makeCertificates } from "../../../sandbox/local/certificates.ts";
import { PATIENCE_MS } from "../../patience.ts";

const APP = "0f6b0a4e-6a54-4b1e-9d6e-5c1f2f7f0001";
const SECRET = "a secret that must never be recorded";

/** The parts of the control surface's answers that are looked at. */
interface ControlAnswer {
  error: string;
  calls: unknown[];
  next: number;
  commits: unknown[];
  created: { users: string[] };
  contoso: { faults: unknown };
}

let folder: string;
let certificates: Certificates;
let addresses: GraphAddresses;
let recorder: Recorder;
let tenants: GraphTenants;
let control: Control;
let specs: TenantSpec[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "graph-wires-"));
  certificates = await makeCertificates(folder, ["contoso", "fabrikam"]);
  setDefaultCACertificates([...getCACertificates("default"), certificates.ca]);
  specs = (["contoso", "fabrikam"] as const).map((name, index) => ({
    name,
    id: `0f6b0a4e-6a54-4b1e-9d6e-5c1f2f7f01${index}0`,
    cloud: index === 0 ? "global" : "china",
    domain: `${name}.com`,
    initialDomain: index === 0 ? "contoso.onmicrosoft.com" : "fabrikam.partner.onmschina.cn",
    computedUsers: 250,
    clients: [
      {
        clientId: APP,
        certificate: certificates.apps[name]?.certificate ?? "",
        secret: SECRET,
        permissions: ["User.ReadWrite.All", "User.Read.All", "User.Invite.All"],
        appRoles: ["Sync.Read"],
      },
    ],
  }));
  addresses = await openAddresses(specs, certificates.server);
  recorder = harRecorder(join(folder, "traffic.har"));
  tenants = createGraphTenants({
    seed: 7,
    clock: realClock(),
    tenants: specs,
    knobs: {
      replicationLagMs: 0,
      indexLagMs: 0,
      deltaLagMs: 0,
      deltaEmptyPages: 0,
      notificationDelayMs: [0, 0],
      notificationLost: 0,
    },
    deliver: httpsDelivery(recorder),
    roots: addresses.roots,
  });
  addresses.serve(tenants, recorder);
  control = await serveControl({ tenants, differences: () => ({ right: 1, people: 1, targets: 1, differences: [] }) });
});

afterAll(async () => {
  tenants.close();
  await control.close();
  await addresses.close();
  recorder.close();
  await rm(folder, { recursive: true });
});

const spec = (name: string) => specs.find((tenant) => tenant.name === name) as TenantSpec;

function credential(name: string, certificateOf = name): ClientCertificateCredential {
  return new ClientCertificateCredential(
    spec(name).id,
    APP,
    { certificatePath: certificates.apps[certificateOf]?.file ?? "" },
    { authorityHost: addresses.roots({ name }).login, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } },
  );
}

function client(name: string): Client {
  const { graph } = addresses.roots({ name });
  const authentication = new AuthenticationHandler(
    new TokenCredentialAuthenticationProvider(credential(name), { scopes: [`${graph}/.default`] }),
  );
  authentication.setNext(new HTTPMessageHandler());
  return Client.initWithMiddleware({
    middleware: authentication,
    baseUrl: graph,
    defaultVersion: "v1.0",
    customHosts: new Set(["127.0.0.1"]),
  });
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable("it was not refused"),
    (error: unknown) => error,
  );

test("Microsoft's own clients get a token with a certificate, read pages and write", async () => {
  const graph = client("contoso");
  const first = await graph.api("/users").select("id").top(200).get();
  const second = await graph.api(first["@odata.nextLink"]).get();
  expect(first.value.length + second.value.length).toBe(250);
  expect(first["@odata.nextLink"]).toMatch(addresses.roots({ name: "contoso" }).graph);

  const invited = await graph
    .api("/invitations")
    .post({ invitedUserEmailAddress: "ada@fabrikam.com", inviteRedirectUrl: "https://myapps.microsoft.com" });
  await graph.api(`/users/${invited.invitedUser.id}`).patch({ department: "Research" });
  const ada = await graph
    .api(`/users/${encodeURIComponent(invited.invitedUser.userPrincipalName)}`)
    .select("department,userType")
    .get();
  expect(ada).toMatchObject({ department: "Research", userType: "Guest" });
});

test("a token is refused to the wrong certificate and in another cloud's tenant", async () => {
  const scope = `${addresses.roots({ name: "contoso" }).graph}/.default`;
  const wrongKey = await failure(credential("contoso", "fabrikam").getToken(scope));
  expect(String(wrongKey)).toMatch(/700027/);

  const token = await credential("contoso").getToken(scope);
  const elsewhere = await fetch(`${addresses.roots({ name: "fabrikam" }).graph}/v1.0/users`, {
    headers: { authorization: `Bearer ${token.token}` },
  });
  expect(elsewhere.status).toBe(401);
  expect(await elsewhere.json()).toMatchObject({ error: { code: "InvalidAuthenticationToken" } });

  const china = await fetch(`${addresses.roots({ name: "fabrikam" }).login}/${spec("contoso").id}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  expect(china.status).toBe(400);
  expect(await china.json()).toMatchObject({ error_codes: [90002] });
});

test("errors reach the SDK with code, status and headers", async () => {
  const missing = await failure(client("contoso").api("/users/3a6a7b86-8d0a-4d6a-9d0c-0a8a2e9f0f0f").get());
  expect(missing).toBeInstanceOf(GraphError);
  expect(missing).toMatchObject({ statusCode: 404, code: "Request_ResourceNotFound" });
  const denied = await failure(client("contoso").api("/groups").get());
  expect(denied).toMatchObject({ statusCode: 403, code: "Authorization_RequestDenied" });
});

test("a client that ignores Retry-After is seen", async () => {
  tenants.addFault({ tenant: "fabrikam", on: "read", kind: "status", status: 429, retryAfterSeconds: 300, times: 1 });
  const graph = client("fabrikam");
  const first = (await failure(graph.api("/users").get())) as GraphError;
  expect(first).toMatchObject({ statusCode: 429, code: "TooManyRequests" });
  expect(first.headers?.get("retry-after")).toBe("300");
  const second = (await failure(graph.api("/users").get())) as GraphError;
  expect(second.statusCode).toBe(429);
  expect(Number(second.headers?.get("retry-after"))).toBeGreaterThan(200);
  expect(tenants.statistics().fabrikam).toMatchObject({ throttled: 2, beforeRetryAfter: 1 });
});

test("notifications are validated and delivered over HTTPS", async () => {
  const bodies: string[] = [];
  const receiver = createServer(
    { cert: certificates.server.cert, key: certificates.server.key },
    async (request, response) => {
      const token = new URL(request.url ?? "/", "https://receiver").searchParams.get("validationToken");
      const chunks = await Array.fromAsync(request);
      if (token === null) bodies.push(Buffer.concat(chunks).toString());
      response.writeHead(token === null ? 202 : 200, { "content-type": "text/plain" }).end(token ?? "");
    },
  );
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(receiver.address() as AddressInfo).port}/notify?key=1`;
  const graph = client("contoso");
  const subscription = await graph.api("/subscriptions").post({
    changeType: "updated",
    resource: "/users",
    notificationUrl: url,
    expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(),
    clientState: "shared only with us",
  });
  const [someone] = (await graph.api("/users").top(1).get()).value;
  await graph.api(`/users/${someone.id}`).patch({ jobTitle: "Editor" });
  await vi.waitFor(() => expect(bodies).toHaveLength(1), PATIENCE_MS);
  expect(JSON.parse(bodies[0] ?? "")).toMatchObject({
    value: [
      {
        subscriptionId: subscription.id,
        clientState: "shared only with us",
        changeType: "updated",
        resource: `Users/${someone.id}`,
      },
    ],
  });
  await graph.api(`/subscriptions/${subscription.id}`).delete();
  receiver.closeAllConnections();
  receiver.close();
});

test("the recording is a whole HAR at any time and holds no secret", async () => {
  const { login } = addresses.roots({ name: "contoso" });
  const scope = `api://${APP}/.default`;
  const answer = await fetch(`${login}/${spec("contoso").id}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: APP, client_secret: SECRET, scope }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  const claims = JSON.parse(Buffer.from(access_token.split(".")[1] ?? "", "base64url").toString());
  expect(claims).toMatchObject({
    aud: APP,
    roles: ["Sync.Read"],
    tid: spec("contoso").id,
    iss: `${login}/${spec("contoso").id}/v2.0`,
  });

  const text = await readFile(join(folder, "traffic.har"), "utf8");
  expect(JSON.parse(text).log.entries.length).toBeGreaterThan(10);
  for (const secret of [SECRET, access_token, "shared only with us", "eyJhbGciOi", "Bearer ey"])
    expect(text).not.toContain(secret);
});

test("the control surface changes the world and says what is wrong with its input", async () => {
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${control.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as ControlAnswer;
    return { status: response.status, body: answer };
  };
  expect((await call("GET", "/")).body.calls.length).toBeGreaterThan(9);
  const { next } = (await call("GET", `/commits?after=${Number.MAX_SAFE_INTEGER}`)).body;
  const waiting = call("GET", `/commits?after=${next}&waitMs=30000`);
  const made = await call("POST", "/population", {
    tenant: "contoso",
    create: {
      users: [{ userPrincipalName: "grace@contoso.com", displayName: "Grace" }],
      groups: [{ displayName: "Pioneers", members: ["grace@contoso.com"] }],
    },
  });
  expect(made.status).toBe(200);
  expect((await waiting).body.commits[0]).toMatchObject({
    seq: next + 1,
    tenant: "contoso",
    object: "user",
    kind: "created",
    id: made.body.created.users[0],
    by: "people",
  });

  expect((await call("POST", "/knobs", { replicationLagMs: -1 })).body.error).toMatch(/replicationLagMs/);
  expect((await call("POST", "/knobs", { quotaScale: 3 })).body).toMatchObject({ quotaScale: 3 });
  expect((await call("POST", "/population", { tenant: "nowhere" })).body.error).toMatch(/There are: contoso, fabrikam/);
  expect(await call("POST", "/clock", { advanceMs: 1 })).toMatchObject({
    status: 409,
    body: { error: expect.stringMatching(/machine's clock/) },
  });
  await call("POST", "/faults", { on: "read", kind: "status", status: 503, retryAfterSeconds: 2 });
  expect(await failure(client("contoso").api("/users").get())).toMatchObject({ statusCode: 503 });
  expect((await call("DELETE", "/faults")).body).toEqual({ faults: [] });
  expect((await call("GET", "/statistics")).body.contoso.faults).toEqual({ status: 1 });
  expect((await call("GET", "/differences")).body).toMatchObject({ right: 1 });
});
