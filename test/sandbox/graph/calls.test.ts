import { describe, expect, test } from "vitest";
import { ConnectionLost } from "../../../sandbox/graph/api.ts";
import { APP, contoso, HUB, NOBODY, OTHER_APP } from "./contoso.ts";

describe("$batch", () => {
  const json = { "Content-Type": "application/json" };

  test("items are answered one by one; who depends on a failure gets 424", async () => {
    const { hub, truth } = contoso();
    const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
    const { body, status } = await hub("POST", "/$batch", {
      requests: [
        { id: "a", method: "PATCH", url: `/users/${ada}`, headers: json, body: { city: "Rome" } },
        { id: "b", method: "GET", url: `/users/${ada}?$select=city`, dependsOn: ["A"] },
        { id: "c", method: "GET", url: `users/${NOBODY}` },
        { id: "d", method: "DELETE", url: `/users/${ada}`, dependsOn: ["c"] },
        { id: "e", method: "PATCH", url: `/users/${ada}`, body: { city: "Oslo" } },
      ],
    });
    expect(status).toBe(200);
    const responses = Object.fromEntries((body.responses ?? []).map((item) => [item.id, item]));
    expect(responses.a).toMatchObject({ status: 204 });
    expect(responses.a).not.toHaveProperty("body");
    expect(responses.b).toMatchObject({
      status: 200,
      body: { city: "Rome" },
      headers: { "Content-Type": expect.stringMatching(/json/) },
    });
    expect([responses.c?.status, responses.d?.status, responses.e?.status]).toEqual([404, 424, 400]);
    expect(truth("hub").user(ada)).toMatchObject({ deletedAt: undefined, properties: { city: "Rome" } });
  });

  test.each<{ name: string; requests: unknown }>([
    {
      name: "twenty-one items",
      requests: Array.from({ length: 21 }, (_, i) => ({ id: String(i), method: "GET", url: "/users" })),
    },
    {
      name: "one id twice",
      requests: [
        { id: "a", method: "GET", url: "/users" },
        { id: "A", method: "GET", url: "/users" },
      ],
    },
    { name: "no items", requests: [] },
    { name: "no list", requests: "x" },
    { name: "an item without url", requests: [{ id: "a", method: "GET" }] },
    { name: "a dependence on nothing", requests: [{ id: "a", method: "GET", url: "/users", dependsOn: ["z"] }] },
  ])("$name: 400 as a whole", async ({ requests }) => {
    expect((await contoso().hub("POST", "/$batch", { requests })).status).toBe(400);
  });

  test("takes the time of one call", async () => {
    const world = contoso({ knobs: { latencyMs: [100, 100] } });
    let done = false;
    void world
      .hub("POST", "/$batch", {
        requests: Array.from({ length: 20 }, (_, i) => ({ id: String(i), method: "GET", url: "/users" })),
      })
      .then(() => {
        done = true;
      });
    await world.clock.runFor(99);
    expect(done).toBe(false);
    await world.clock.runFor(1);
    expect(done).toBe(true);
  });
});

describe("faults", () => {
  const invitation = { invitedUserEmailAddress: "ada@x.org", inviteRedirectUrl: "https://x.org" };

  test("an answer that never comes: with and without effect", async () => {
    const world = contoso();
    world.tenants.addFault({ on: "invite", kind: "timeout", times: 1 });
    const lost = world.hub("POST", "/invitations", invitation).catch((error: unknown) => error);
    await world.clock.runFor(300_000);
    expect(await lost).toBeInstanceOf(ConnectionLost);
    expect([...world.truth("hub").users()]).toHaveLength(0);

    world.tenants.addFault({ on: "write", kind: "timeoutAfterEffect", times: 1 });
    const abort = new AbortController();
    const token = world.tenants.token("hub", APP);
    const aborted = world.tenants
      .graph(
        "hub",
        {
          method: "POST",
          url: "/v1.0/invitations",
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(invitation),
        },
        abort.signal,
      )
      .catch((error: unknown) => error);
    await world.clock.runFor(1000);
    abort.abort(new Error("enough"));
    expect(await aborted).toMatchObject({ message: "enough" });
    expect([...world.truth("hub").users()]).toHaveLength(1);
    await world.clock.runFor(300_000);
  });

  test("refused, cut short, without consent, one item of a batch, for a while", async () => {
    const world = contoso();
    const { hub, tenants, clock } = world;
    tenants.addFault({ on: "any", kind: "refuse", times: 1 });
    await expect(hub("GET", "/users")).rejects.toBeInstanceOf(ConnectionLost);
    tenants.addFault({ on: "read", kind: "truncate", times: 1 });
    await expect(hub("GET", "/users")).rejects.toThrow(/JSON/);
    tenants.addFault({ tenant: "emea", on: "any", kind: "consentRevoked", forMs: 1000 });
    expect((await hub("GET", "/users")).status).toBe(200);
    expect((await world.call("emea", "GET", "/users")).status).toBe(403);
    await clock.runFor(1001);
    expect((await world.call("emea", "GET", "/users")).status).toBe(200);
    tenants.addFault({ on: "batchItem", kind: "status", status: 503, retryAfterSeconds: 7, times: 1 });
    const { body } = await hub("POST", "/$batch", {
      requests: ["a", "b"].map((id) => ({ id, method: "GET", url: "/users" })),
    });
    expect(body.responses?.map(({ status }) => status)).toEqual([503, 200]);
    expect(tenants.statistics().hub?.faults).toEqual({ refuse: 1, truncate: 1, status: 1 });
  });
});

describe("tokens", () => {
  const login = async (
    world: ReturnType<typeof contoso>,
    form: Record<string, string>,
    path = `/${HUB}/oauth2/v2.0/token`,
  ) => {
    const answer = await world.tenants.login("hub", {
      method: "POST",
      url: path,
      headers: {},
      body: new URLSearchParams(form).toString(),
    });
    return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown> };
  };
  const good = {
    grant_type: "client_credentials",
    client_id: OTHER_APP,
    client_secret: "s3cret",
    scope: "https://graph.microsoft.com/.default",
  };
  const world = () =>
    contoso({ hub: { clients: [{ clientId: OTHER_APP, secret: "s3cret", permissions: ["User.Read.All"] }] } });

  test("a secret gives a token that carries the granted rights and lives an hour", async () => {
    const tenants = world();
    const { status, body } = await login(tenants, good);
    expect([status, body.token_type, body.expires_in]).toEqual([200, "Bearer", 3599]);
    const claims = JSON.parse(Buffer.from(String(body.access_token).split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({
      aud: "https://graph.microsoft.com",
      iss: `https://sts.windows.net/${HUB}/`,
      appid: OTHER_APP,
      tid: HUB,
      roles: ["User.Read.All"],
    });
    const use = (headers: Record<string, string>) =>
      tenants.call("hub", "GET", "/users", undefined, headers, OTHER_APP);
    const authorization = `Bearer ${String(body.access_token)}`;
    expect((await use({ authorization })).status).toBe(200);
    expect((await use({ authorization: `${authorization.slice(0, -4)}AAAA` })).body.error?.code).toBe(
      "InvalidAuthenticationToken",
    );
    expect((await use({ authorization: "" })).status).toBe(401);
    expect((await tenants.call("emea", "GET", "/users", undefined, { authorization })).status).toBe(401);
    await tenants.clock.runFor(3_600_000);
    expect((await use({ authorization })).body.error?.message).toMatch(/expired/);
  });

  test.each<{ name: string; form: Record<string, string>; error: string; number: number; path?: string }>([
    { name: "a wrong secret", form: { ...good, client_secret: "x" }, error: "invalid_client", number: 7000215 },
    {
      name: "no credential",
      form: { grant_type: "client_credentials", client_id: OTHER_APP, scope: good.scope },
      error: "invalid_client",
      number: 7000218,
    },
    { name: "an unknown app", form: { ...good, client_id: NOBODY }, error: "unauthorized_client", number: 700016 },
    {
      name: "another grant",
      form: { ...good, grant_type: "password" },
      error: "unsupported_grant_type",
      number: 70003,
    },
    {
      name: "no scope",
      form: { grant_type: good.grant_type, client_id: OTHER_APP, client_secret: "s3cret" },
      error: "invalid_request",
      number: 900144,
    },
    {
      name: "a single scope",
      form: { ...good, scope: "https://graph.microsoft.com/User.Read.All" },
      error: "invalid_scope",
      number: 1002012,
    },
    {
      name: "another cloud's Graph",
      form: { ...good, scope: "https://graph.microsoft.us/.default" },
      error: "invalid_resource",
      number: 500011,
    },
    {
      name: "another tenant",
      form: good,
      error: "invalid_request",
      number: 90002,
      path: `/${NOBODY}/oauth2/v2.0/token`,
    },
    {
      name: "an assertion that is none",
      form: {
        ...good,
        client_secret: "",
        client_assertion: "a.b.c",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      },
      error: "invalid_client",
      number: 50027,
    },
  ])("$name: AADSTS$number", async ({ form, error, number, path }) => {
    const { status, body } = await login(world(), form, path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body).toMatchObject({
      error,
      error_codes: [number],
      trace_id: expect.any(String),
      correlation_id: expect.any(String),
    });
    expect(String(body.error_description)).toMatch(`AADSTS${number}: `);
  });

  test.each([
    {
      tenant: "gov",
      issuer: "https://login.microsoftonline.us/cccccccc-cccc-4ccc-8ccc-cccccccccccc/v2.0",
      region: "USGOV",
      host: "graph.microsoft.us",
    },
    {
      tenant: "china",
      issuer: "https://login.chinacloudapi.cn/dddddddd-dddd-4ddd-8ddd-dddddddddddd/v2.0",
      region: "AS",
      host: "microsoftgraph.chinacloudapi.cn",
    },
  ])("the metadata of $tenant are those of its cloud", async ({ tenant, issuer, region, host }) => {
    const { tenants } = contoso();
    const { id } = tenants.tenants.find(({ name }) => name === tenant) ?? { id: "" };
    const answer = await tenants.login(tenant, {
      method: "GET",
      url: `/${id}/v2.0/.well-known/openid-configuration`,
      headers: {},
    });
    expect(JSON.parse(answer.body)).toMatchObject({ issuer, tenant_region_scope: region, msgraph_host: host });
  });
});

describe("directory extensions", () => {
  const body = { name: "costCenterOwner", dataType: "String", targetObjects: ["User"] };

  test("are registered on an application, found by its appId, and then can be written", async () => {
    const { hub, truth } = contoso();
    const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
    const [application] =
      (await hub("GET", `/applications?$filter=${encodeURIComponent(`appId eq '${APP}'`)}`)).body.value ?? [];
    expect((await hub("GET", `/applications(appId='${APP}')`)).body.id).toBe(application?.id);
    const made = await hub("POST", `/applications/${application?.id}/extensionProperties`, body);
    const name = `extension_${APP.replaceAll("-", "")}_costCenterOwner`;
    expect(made).toMatchObject({
      status: 201,
      body: { name, dataType: "String", isMultiValued: false, targetObjects: ["User"] },
    });
    expect((await hub("POST", `/applications/${application?.id}/extensionProperties`, body)).status).toBe(400);
    expect((await hub("PATCH", `/users/${ada}`, { [name]: "Ben" })).status).toBe(204);
    const available = await hub("POST", "/directoryObjects/getAvailableExtensionProperties", {});
    expect(available.body.value?.map((extension) => extension.name)).toContain(name);
    expect((await hub("DELETE", `/applications/${application?.id}/extensionProperties/${made.body.id}`)).status).toBe(
      204,
    );
    expect((await hub("PATCH", `/users/${ada}`, { [name]: "Cleo" })).status).toBe(400);
  });
});

describe("policies", () => {
  const root = "/policies/crossTenantAccessPolicy";

  test("a partner entry can be made once, read, changed and removed", async () => {
    const { hub } = contoso();
    const partner = { tenantId: NOBODY, automaticUserConsentSettings: { inboundAllowed: true } };
    expect((await hub("POST", `${root}/partners`, partner)).status).toBe(201);
    expect(await hub("POST", `${root}/partners`, partner)).toMatchObject({
      status: 409,
      body: { error: { code: "Request_MultipleObjectsWithSameKeyValue", details: [{ code: "ConflictingObjects" }] } },
    });
    expect((await hub("GET", `${root}/partners/${NOBODY}`)).body).toMatchObject({
      tenantId: NOBODY,
      b2bCollaborationInbound: null,
      automaticUserConsentSettings: { inboundAllowed: true, outboundAllowed: null },
    });
    const sync = `${root}/partners/${NOBODY}/identitySynchronization`;
    expect((await hub("GET", sync)).status).toBe(404);
    expect((await hub("PUT", sync, { displayName: "X", userSyncInbound: { isSyncAllowed: true } })).status).toBe(204);
    expect((await hub("PATCH", sync, { userSyncInbound: { isSyncAllowed: false } })).status).toBe(204);
    expect((await hub("GET", sync)).body).toMatchObject({
      displayName: "X",
      userSyncInbound: { isSyncAllowed: false },
    });
    expect((await hub("DELETE", `${root}/partners/${NOBODY}`)).status).toBe(204);
    expect((await hub("GET", `${root}/partners/${NOBODY}`)).status).toBe(404);
  });

  test("the whole policy has 25 KB; cloud settings are in the Global schema only", async () => {
    const { hub, call } = contoso();
    const targets = Array.from({ length: 400 }, () => ({ target: NOBODY, targetType: "user" }));
    const large = { tenantId: NOBODY, b2bCollaborationInbound: { usersAndGroups: { accessType: "allowed", targets } } };
    expect((await hub("POST", `${root}/partners`, large)).body.error?.message).toMatch(/object limit/);
    expect((await hub("GET", `${root}/partners/${NOBODY}`)).status).toBe(404);
    expect((await hub("GET", root)).body).toMatchObject({
      allowedCloudEndpoints: ["microsoftonline.us", "partner.microsoftonline.cn"],
    });
    expect((await call("gov", "GET", root)).body).not.toHaveProperty("allowedCloudEndpoints");
    expect((await call("gov", "PATCH", root, { allowedCloudEndpoints: ["microsoftonline.com"] })).status).toBe(400);
  });
});

test("licences are those of the tenant, for its own people", async () => {
  const { hub, truth } = contoso({ hub: { skus: ["AAD_PREMIUM_P2", "Microsoft_Entra_ID_Governance"] } });
  const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
  expect((await hub("GET", "/subscribedSkus")).body.value).toMatchObject([
    {
      skuPartNumber: "AAD_PREMIUM_P2",
      capabilityStatus: "Enabled",
      servicePlans: [{ provisioningStatus: "Success" }, {}],
    },
    {},
  ]);
  expect((await hub("GET", `/users/${ada}/licenseDetails`)).body.value).toHaveLength(2);
});
