import { describe, expect, test } from "vitest";
import { app, type Contoso, contoso, NOBODY, OTHER_APP, query, STAMP } from "./contoso.ts";

const ADA = {
  userPrincipalName: "ada@hub.com",
  displayName: "Ada Lovelace",
  mail: "ada@hub.com",
  department: "Research",
};
const NEW = {
  accountEnabled: true,
  displayName: "Ben",
  mailNickname: "ben",
  userPrincipalName: "ben@hub.com",
  passwordProfile: { password: "Secret-1234" },
};

function withAda(options: Parameters<typeof contoso>[0] = {}): Contoso & { ada: string } {
  const world = contoso(options);
  return { ...world, ada: world.truth("hub").createUser(ADA) };
}

describe("reading", () => {
  test("without $select the default set of properties comes, with everything Graph says beside it", async () => {
    const { hub, ada } = withAda();
    const answer = await hub("GET", `/users/${ada}`, undefined, { "client-request-id": "mine" });
    expect(answer.body).toEqual({
      "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
      businessPhones: [],
      displayName: "Ada Lovelace",
      givenName: null,
      jobTitle: null,
      mail: "ada@hub.com",
      mobilePhone: null,
      officeLocation: null,
      preferredLanguage: null,
      surname: null,
      userPrincipalName: "ada@hub.com",
      id: ada,
    });
    expect(answer.headers).toMatchObject({ "client-request-id": "mine", "x-ms-resource-unit": "1" });
    expect(answer.headers["request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers["x-ms-ags-diagnostic"]).toMatch(/ServerInfo/);
  });

  test("a user is found by name, also a guest whose name has a hash", async () => {
    const { hub, ada } = withAda();
    const name = "eve_x.org#EXT#@hub.onmicrosoft.com";
    const eve = (
      await hub("POST", "/invitations", { invitedUserEmailAddress: "eve@x.org", inviteRedirectUrl: "https://x.org" })
    ).body.invitedUser;
    expect(eve?.userPrincipalName).toBe(name);
    expect((await hub("GET", "/users/ADA@hub.com?$select=department")).body).toMatchObject({
      id: ada,
      department: "Research",
    });
    expect((await hub("GET", `/users/${encodeURIComponent(name)}`)).body.id).toBe(eve?.id);
    expect((await hub("GET", `/users('${ada}')`)).body.id).toBe(ada);
  });

  test.each<{ path: string; status: number; code: string; message: RegExp }>([
    {
      path: `/users/${NOBODY}`,
      status: 404,
      code: "Request_ResourceNotFound",
      message:
        /^Resource '99999999.*' does not exist or one of its queried reference-property objects are not present\.$/,
    },
    {
      path: "/users?$select=shoeSize",
      status: 400,
      code: "BadRequest",
      message: /Could not find a property named 'shoeSize' on type 'microsoft.graph.user'/,
    },
    { path: "/users?$select=id,skills", status: 501, code: "NotImplemented", message: /skills/ },
    { path: "/users?$skip=10", status: 400, code: "Request_BadRequest", message: /\$skip/ },
    { path: "/users?$top=1000", status: 400, code: "Request_BadRequest", message: /between 1 and 999/ },
    { path: "/flowers", status: 400, code: "BadRequest", message: /segment 'flowers'/ },
    { path: "/me", status: 400, code: "BadRequest", message: /delegated/ },
  ])("$path is answered $status $code", async ({ path, status, code, message }) => {
    const { hub } = withAda();
    const answer = await hub("GET", path);
    expect({ status: answer.status, code: answer.body.error?.code }).toEqual({ status, code });
    expect(answer.body.error?.message).toMatch(message);
    expect(answer.body.error).toMatchObject({
      innerError: { date: "2026-01-05T08:00:00", "request-id": answer.headers["request-id"] },
    });
  });

  test("an unknown method is 405, an unknown version 400", async () => {
    const { hub, tenants } = withAda();
    expect((await hub("PUT", "/users")).status).toBe(405);
    const old = await tenants.graph("hub", { method: "GET", url: "/v0.9/users", headers: {} });
    expect(old.status).toBe(400);
  });
});

describe("creating", () => {
  test("an internal user needs five properties, a verified domain and a free name", async () => {
    const { hub, truth } = withAda();
    const made = await hub("POST", "/users", NEW);
    expect(made.status).toBe(201);
    expect(truth("hub").user(made.body.id ?? "")).toMatchObject({
      userType: "Member",
      creationType: null,
      accountEnabled: true,
    });
    expect(JSON.stringify(truth("hub").user(made.body.id ?? ""))).not.toContain("Secret");
    const { mailNickname: _, ...without } = NEW;
    expect((await hub("POST", "/users", { ...without, userPrincipalName: "c@hub.com" })).body.error?.message).toBe(
      "A value is required for property 'mailNickname' of resource 'User'.",
    );
    expect((await hub("POST", "/users", { ...NEW, userPrincipalName: "c@elsewhere.com" })).body.error?.message).toMatch(
      /verified domain names/,
    );
    expect((await hub("POST", "/users", NEW)).body.error).toMatchObject({
      code: "Request_BadRequest",
      details: [{ code: "ObjectConflict", target: "userPrincipalName" }],
    });
  });

  test("the object quota ends it", async () => {
    const { hub, tenants } = withAda();
    tenants.setKnobs({ objectQuota: 1 });
    expect(await hub("POST", "/users", NEW)).toMatchObject({
      status: 403,
      body: { error: { code: "Directory_QuotaExceeded" } },
    });
  });
});

describe("changing", () => {
  test.each<{ name: string; change: object; message?: RegExp }>([
    { name: "text", change: { department: "D".repeat(64) } },
    { name: "text that is too long", change: { department: "D".repeat(65) }, message: /'department'/ },
    { name: "empty text", change: { city: "" }, message: /'city'/ },
    { name: "null", change: { city: null } },
    { name: "null where there must be something", change: { displayName: null }, message: /'displayName'/ },
    { name: "no usageLocation", change: { usageLocation: null }, message: /'usageLocation'/ },
    { name: "a country in words", change: { usageLocation: "Germany" }, message: /'usageLocation'/ },
    { name: "two business phones", change: { businessPhones: ["1", "2"] }, message: /'businessPhones'/ },
    { name: "mail with accents", change: { mail: "adá@hub.com" }, message: /'mail'/ },
    { name: "a third user type", change: { userType: "Alien" }, message: /'userType'/ },
    { name: "a name with a blank", change: { userPrincipalName: "a b@hub.com" }, message: /'userPrincipalName'/ },
    { name: "a name elsewhere", change: { userPrincipalName: "ada@elsewhere.com" }, message: /domain portion/ },
    { name: "text as a boolean", change: { accountEnabled: "true" }, message: /'accountEnabled'/ },
    { name: "creationType", change: { creationType: "Invitation" }, message: /read-only/ },
    { name: "proxyAddresses", change: { proxyAddresses: [] }, message: /read-only/ },
    { name: "an unknown property", change: { shoeSize: 43 }, message: /does not exist on type/ },
    {
      name: "an extension that nobody registered",
      change: { [STAMP.replace("syncSource", "other")]: "x" },
      message: /not available/,
    },
    { name: "an extension value", change: { [STAMP]: "x".repeat(256) } },
    { name: "a long extension value", change: { [STAMP]: "x".repeat(257) }, message: /syncSource/ },
    {
      name: "the sixteenth extension attribute",
      change: { onPremisesExtensionAttributes: { extensionAttribute16: "x" } },
      message: /onPremisesExtensionAttributes/,
    },
    { name: "identities without the name", change: { identities: [] }, message: /'identities'/ },
  ])("$name", async ({ change, message }) => {
    const { hub, ada } = withAda();
    const answer = await hub("PATCH", `/users/${ada}`, change);
    expect(answer.status).toBe(message ? 400 : 204);
    if (message) expect(answer.body.error?.message).toMatch(message);
    else expect(answer.text).toBe("");
  });

  test("nested values: employeeOrgData is replaced, extension attributes are merged", async () => {
    const { hub, ada } = withAda();
    await hub("PATCH", `/users/${ada}`, {
      employeeOrgData: { division: "A", costCenter: "1" },
      onPremisesExtensionAttributes: { extensionAttribute1: "one" },
    });
    await hub("PATCH", `/users/${ada}`, {
      employeeOrgData: { division: "B" },
      onPremisesExtensionAttributes: { extensionAttribute2: "two" },
    });
    const { body } = await hub("GET", `/users/${ada}?$select=employeeOrgData,onPremisesExtensionAttributes`);
    expect(body).toMatchObject({
      employeeOrgData: { division: "B", costCenter: null },
      onPremisesExtensionAttributes: {
        extensionAttribute1: "one",
        extensionAttribute2: "two",
        extensionAttribute15: null,
      },
    });
  });

  test("a new mail becomes the primary proxy address, unless somebody has it", async () => {
    const { hub, ada, truth } = withAda();
    truth("hub").createUser({ userPrincipalName: "ben@hub.com", mail: "ben@hub.com" });
    await hub("PATCH", `/users/${ada}`, { mail: "lovelace@hub.com" });
    expect(truth("hub").user(ada)?.properties.proxyAddresses).toEqual(["SMTP:lovelace@hub.com", "smtp:ada@hub.com"]);
    const taken = await hub("PATCH", `/users/${ada}`, { mail: "BEN@hub.com", department: "Other" });
    expect(taken.body.error).toMatchObject({
      message: "Another object with the same value for property proxyAddresses already exists.",
      details: [{ code: "ObjectConflict", target: "proxyAddresses" }],
    });
    expect(truth("hub").user(ada)).toMatchObject({ mail: "lovelace@hub.com", properties: { department: "Research" } });
  });

  test("extension values show only when selected, and can be searched and removed", async () => {
    const { hub, ada } = withAda();
    await hub("PATCH", `/users/${ada}`, { [STAMP]: "emea/1" });
    expect((await hub("GET", `/users/${ada}`)).body).not.toHaveProperty(STAMP);
    expect((await hub("GET", `/users/${ada}?$select=${STAMP}`)).body[STAMP]).toBe("emea/1");
    const found = await hub("GET", `/users${query({ $filter: `${STAMP} eq 'emea/1'`, $select: "id" })}`);
    expect(found.body.value).toEqual([{ id: ada }]);
    await hub("PATCH", `/users/${ada}`, { [STAMP]: null });
    expect((await hub("GET", `/users/${ada}?$select=${STAMP}`)).body).not.toHaveProperty(STAMP);
    expect((await hub("GET", `/users${query({ $filter: `${STAMP} eq 'emea/1'` })}`)).body.value).toEqual([]);
  });

  test("a value that is already there is no commit", async () => {
    const { hub, ada, truth } = withAda();
    const commits: string[] = [];
    truth("hub").onCommit(({ properties }) => commits.push(properties.join()));
    await hub("PATCH", `/users/${ada}`, { department: "Research", city: null, otherMails: ["x@y.zz"] });
    await hub("PATCH", `/users/${ada}`, { otherMails: ["x@y.zz"] });
    expect(commits).toEqual(["otherMails"]);
  });
});

describe("rights", () => {
  const limited = (permissions: string[]) =>
    withAda({ hub: { clients: [app(), app({ clientId: OTHER_APP, permissions, extensions: [] })] } });

  test.each<{ permissions: string[]; change: object; status: number }>([
    { permissions: ["User.Read.All"], change: { city: "Rome" }, status: 403 },
    { permissions: ["User.ReadUpdate.All"], change: { city: "Rome" }, status: 204 },
    { permissions: ["User.ReadUpdate.All"], change: { accountEnabled: false }, status: 403 },
    { permissions: ["User.EnableDisableAccount.All"], change: { accountEnabled: false }, status: 204 },
    { permissions: ["User.EnableDisableAccount.All"], change: { accountEnabled: false, city: "Rome" }, status: 403 },
    { permissions: ["User.ReadUpdate.All", "User-Phone.ReadWrite.All"], change: { mobilePhone: "1" }, status: 204 },
    {
      permissions: ["User.ReadWrite.All"],
      change: { otherMails: ["a@b.cc"], mobilePhone: "1", accountEnabled: false },
      status: 204,
    },
    { permissions: ["User.ReadWrite.All"], change: { employeeHireDate: "2026-01-01T00:00:00Z" }, status: 403 },
    { permissions: ["User.ReadWrite.All"], change: { employeeLeaveDateTime: "2026-01-01T00:00:00Z" }, status: 403 },
    {
      permissions: ["User.ReadWrite.All"],
      change: {
        identities: [
          { signInType: "userPrincipalName", issuer: "hub.onmicrosoft.com", issuerAssignedId: "ada@hub.com" },
        ],
      },
      status: 403,
    },
  ])("$permissions: $change is $status", async ({ permissions, change, status }) => {
    const { call, ada } = limited(permissions);
    const answer = await call("hub", "PATCH", `/users/${ada}`, change, {}, OTHER_APP);
    expect(answer.status).toBe(status);
    if (status === 403)
      expect(answer.body.error).toMatchObject({
        code: "Authorization_RequestDenied",
        message: "Insufficient privileges to complete the operation.",
      });
  });

  test("an administrator is not blocked, deleted or restored by an ordinary app", async () => {
    const { call, hub, ada, truth } = limited(["User.ReadWrite.All", "User.DeleteRestore.All"]);
    truth("hub").makeAdministrator(ada);
    const other = (method: string, path: string, body?: object) => call("hub", method, path, body, {}, OTHER_APP);
    expect((await other("PATCH", `/users/${ada}`, { accountEnabled: false })).status).toBe(403);
    expect((await other("PATCH", `/users/${ada}`, { department: "Other" })).status).toBe(204);
    expect((await other("DELETE", `/users/${ada}`)).status).toBe(403);
    expect((await hub("DELETE", `/users/${ada}`)).status).toBe(204);
    expect((await other("POST", `/directory/deletedItems/${ada}/restore`)).status).toBe(403);
  });
});

describe("manager", () => {
  test("is set by reference, expanded, listed as a report and removed", async () => {
    const { hub, ada, truth } = withAda();
    const ben = truth("hub").createUser({ userPrincipalName: "ben@hub.com" });
    expect((await hub("GET", `/users/${ada}/manager`)).body.error?.code).toBe("Request_ResourceNotFound");
    const reference = (root: string, id: string) => ({ "@odata.id": `${root}/v1.0/users/${id}` });
    expect((await hub("PUT", `/users/${ada}/manager/$ref`, reference("https://graph.microsoft.us", ben))).status).toBe(
      400,
    );
    expect(
      (await hub("PUT", `/users/${ada}/manager/$ref`, reference("https://graph.microsoft.com", NOBODY))).status,
    ).toBe(404);
    expect((await hub("PUT", `/users/${ada}/manager/$ref`, reference("https://graph.microsoft.com", ben))).status).toBe(
      204,
    );
    expect((await hub("GET", `/users/${ada}?$select=id&$expand=manager($select=id)`)).body).toMatchObject({
      id: ada,
      manager: { "@odata.type": "#microsoft.graph.user", id: ben },
    });
    expect(
      (await hub("GET", `/users?$select=id&$expand=manager($select=id)`)).body.value?.find(({ id }) => id === ada),
    ).toMatchObject({ manager: { id: ben } });
    expect((await hub("GET", `/users/${ben}/directReports?$select=id`)).body.value).toEqual([
      { "@odata.type": "#microsoft.graph.user", id: ada },
    ]);
    expect((await hub("DELETE", `/users/${ada}/manager/$ref`)).status).toBe(204);
    expect((await hub("GET", `/users/${ben}/directReports`)).body.value).toEqual([]);
  });
});

describe("the recycle bin", () => {
  test("keeps id, groups and manager, frees the name, and gives everything back", async () => {
    const { hub, ada, truth } = withAda();
    const group = truth("hub").createGroup({ displayName: "Readers", members: [ada] });
    await hub("DELETE", `/users/${ada}`);
    expect((await hub("GET", `/users/${ada}`)).status).toBe(404);
    expect((await hub("PATCH", `/users/${ada}`, { city: "Rome" })).status).toBe(404);
    expect((await hub("GET", `/groups/${group}/members`)).body.value).toEqual([]);
    const binned = await hub("GET", `/directory/deletedItems/${ada}?$select=userPrincipalName,deletedDateTime`);
    expect(binned.body).toMatchObject({
      userPrincipalName: `${ada.replaceAll("-", "")}ada@hub.com`,
      deletedDateTime: "2026-01-05T08:00:00Z",
    });
    const listed = await hub(
      "GET",
      `/directory/deletedItems/microsoft.graph.user${query({ $filter: "mail eq 'ada@hub.com'" })}`,
    );
    expect(listed.body.value).toHaveLength(1);
    expect((await hub("POST", `/directory/deletedItems/${ada}/restore`)).body).toMatchObject({
      id: ada,
      userPrincipalName: "ada@hub.com",
    });
    expect((await hub("GET", `/groups/${group}/members?$select=id`)).body.value).toMatchObject([{ id: ada }]);
  });

  test("a name and an address that were taken meanwhile are in the way", async () => {
    const { hub, ada, truth } = withAda();
    await hub("DELETE", `/users/${ada}`);
    truth("hub").createUser({ userPrincipalName: "ada@hub.com", mail: "ada@hub.com" });
    const restore = (body?: object) => hub("POST", `/directory/deletedItems/${ada}/restore`, body);
    expect((await restore()).body.error?.details).toMatchObject([
      { code: "ObjectConflict", target: "userPrincipalName" },
    ]);
    expect((await restore({ newUserPrincipalName: "ada2@hub.com" })).body.error?.details).toMatchObject([
      { target: "proxyAddresses" },
    ]);
    expect((await restore({ newUserPrincipalName: "ada2@hub.com", autoReconcileProxyConflict: true })).status).toBe(
      200,
    );
    expect(truth("hub").user(ada)).toMatchObject({
      userPrincipalName: "ada2@hub.com",
      properties: { proxyAddresses: [] },
    });
  });

  test("is emptied after 30 days, or at once by a purge", async () => {
    const { hub, ada, truth, clock } = withAda();
    const ben = truth("hub").createUser({ userPrincipalName: "ben@hub.com" });
    await hub("DELETE", `/users/${ada}`);
    await hub("DELETE", `/users/${ben}`);
    expect((await hub("DELETE", `/directory/deletedItems/${ben}`)).status).toBe(204);
    expect(truth("hub").user(ben)).toBeUndefined();
    await clock.runFor(29 * 24 * 3_600_000);
    expect(truth("hub").user(ada)).toBeDefined();
    await clock.runFor(2 * 24 * 3_600_000);
    expect(truth("hub").user(ada)).toBeUndefined();
    expect((await hub("GET", `/directory/deletedItems/${ada}`)).status).toBe(404);
  });
});
