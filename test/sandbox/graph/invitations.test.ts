import { describe, expect, test } from "vitest";
import { type Contoso, contoso, HUB, NOBODY } from "./contoso.ts";

const invite = (world: Contoso, tenant: string, address: string, more: object = {}) =>
  world.call(tenant, "POST", "/invitations", {
    invitedUserEmailAddress: address,
    inviteRedirectUrl: "https://myapps.microsoft.com",
    ...more,
  });

test("a guest looks as Microsoft's pages say, and the answer too", async () => {
  const world = contoso();
  const { status, body } = await invite(world, "hub", "Ada.Lovelace@emea.com", {
    invitedUserDisplayName: "Ada",
    invitedUserType: "Member",
  });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#invitations/$entity",
    status: "PendingAcceptance",
    invitedUserType: "Member",
    invitedUserEmailAddress: "Ada.Lovelace@emea.com",
    sendInvitationMessage: false,
    invitedUser: { userPrincipalName: "Ada.Lovelace_emea.com#EXT#@hub.onmicrosoft.com" },
  });
  const id = body.invitedUser?.id ?? "";
  expect(world.truth("hub").user(id)?.properties).toMatchObject({
    accountEnabled: true,
    creationType: "Invitation",
    displayName: "Ada",
    externalUserState: "PendingAcceptance",
    mail: "Ada.Lovelace@emea.com",
    mailNickname: "Ada.Lovelace_emea.com#EXT#",
    otherMails: ["Ada.Lovelace@emea.com"],
    proxyAddresses: ["SMTP:Ada.Lovelace@emea.com"],
    userType: "Member",
    identities: [{ signInType: "userPrincipalName", issuer: "hub.onmicrosoft.com" }],
  });
  world.truth("hub").redeem(id);
  expect(world.truth("hub").user(id)?.properties).toMatchObject({
    externalUserState: "Accepted",
    identities: [
      { signInType: "federated", issuer: "ExternalAzureAD", issuerAssignedId: null },
      { signInType: "userPrincipalName" },
    ],
  });
});

test("a tenant that lets no app invite members refuses them, and lets an app change the type afterwards", async () => {
  const world = contoso({ hub: { memberInvitations: "refused" } });
  expect(await invite(world, "hub", "ada@emea.com", { invitedUserType: "Member" })).toMatchObject({
    status: 403,
    body: { error: { code: "Authorization_RequestDenied" } },
  });
  const id = (await invite(world, "hub", "ada@emea.com")).body.invitedUser?.id ?? "";
  expect((await world.hub("PATCH", `/users/${id}`, { userType: "Member" })).status).toBe(204);
  expect(world.truth("hub").user(id)?.userType).toBe("Member");
});

describe("sponsors", () => {
  const reference = (id: string, root = "https://graph.microsoft.com") => ({ "@odata.id": `${root}/v1.0/users/${id}` });
  const roots = { hub: "https://graph.microsoft.com", gov: "https://graph.microsoft.us" } as const;

  test.each(["hub", "gov"] as const)("are added, listed and removed afterwards in every cloud: %s", async (tenant) => {
    const world = contoso();
    const truth = world.truth(tenant);
    const host = truth.createUser({ userPrincipalName: `host@${tenant}.com` });
    const group = truth.createGroup({ displayName: "Hosts" });
    const id = (await invite(world, tenant, "ada@emea.com")).body.invitedUser?.id ?? "";
    const path = `/users/${id}/sponsors`;
    const add = (sponsor: string) => world.call(tenant, "POST", `${path}/$ref`, reference(sponsor, roots[tenant]));
    expect([(await add(host)).status, (await add(group)).status, (await add(NOBODY)).status]).toEqual([204, 204, 404]);
    expect(await add(host)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining("references already exist") } },
    });
    expect((await world.call(tenant, "GET", path)).body.value).toEqual([
      { "@odata.type": "#microsoft.graph.user", id: host },
      { "@odata.type": "#microsoft.graph.group", id: group },
    ]);
    const removal = () => world.call(tenant, "DELETE", `${path}/${host}/$ref`);
    expect([(await removal()).status, (await removal()).status]).toEqual([204, 404]);
    expect(truth.user(id)?.sponsorIds).toEqual([group]);
  });

  test("are named in the invitation in Commercial only, and an unknown one refuses it", async () => {
    const world = contoso();
    const host = world.truth("hub").createUser({ userPrincipalName: "host@hub.com" });
    const bind = (sponsor: string) => ({ "invitedUserSponsors@odata.bind": [reference(sponsor)["@odata.id"]] });
    expect((await invite(world, "hub", "bob@emea.com", bind(NOBODY))).status).toBe(404);
    const id = (await invite(world, "hub", "ada@emea.com", bind(host))).body.invitedUser?.id ?? "";
    expect(world.truth("hub").user(id)?.sponsorIds).toEqual([host]);
    expect((await invite(world, "gov", "ada@emea.com", bind(host))).status).toBe(400);
  });
});

test("an address that is a guest already gives that guest, a blocked one 412", async () => {
  const world = contoso();
  const first = await invite(world, "hub", "ada@emea.com");
  const second = await invite(world, "hub", "ADA@emea.com");
  expect([second.status, second.body.invitedUser?.id]).toEqual([201, first.body.invitedUser?.id]);
  await world.hub("PATCH", `/users/${first.body.invitedUser?.id}`, { accountEnabled: false });
  expect((await invite(world, "hub", "ada@emea.com")).status).toBe(412);
});

test("addresses of others: an internal user, a second address, a group, a contact", async () => {
  const world = contoso();
  const truth = world.truth("hub");
  const ben = truth.createUser({ userPrincipalName: "ben@hub.com", mail: "benjamin@hub.com" });
  truth.updateUser(ben, { mail: "b@hub.com" });
  truth.createGroup({ displayName: "readers", unified: true });
  truth.createContact({ displayName: "Press", mail: "press@fabrikam.com" });

  const internal = await invite(world, "hub", "ben@hub.com");
  expect(internal).toMatchObject({
    status: 400,
    body: {
      error: {
        code: "BadRequest",
        message: `The invited user already exists in the directory as object ID: ${ben}. They can use that account to sign in to shared apps and resources.`,
      },
    },
  });
  for (const address of ["benjamin@hub.com", "readers@hub.com"]) {
    expect((await invite(world, "hub", address)).body.error?.details).toMatchObject([
      { code: "ObjectConflict", target: "proxyAddresses" },
    ]);
  }
  const withContact = await invite(world, "hub", "press@fabrikam.com");
  expect(withContact.status).toBe(201);
  expect(truth.user(withContact.body.invitedUser?.id ?? "")?.properties).not.toHaveProperty("proxyAddresses");
});

test.each([
  "a~b@x.org",
  "a!b@x.org",
  "a#b@x.org",
  "a'b@x.org",
  "a+b@x.org",
  "a b@x.org",
  ".ab@x.org",
  "ab-@x.org",
  "ab",
  "a@b@x.org",
  "ab@x",
  "@x.org",
])("%s cannot be invited", async (address) => {
  expect((await invite(contoso(), "hub", address)).body.error?.code).toBe("BadRequest");
});

test.each(["_a.b-c_@x.org", "A1@sub.x-y.org"])("%s can be invited", async (address) => {
  expect((await invite(contoso(), "hub", address)).status).toBe(201);
});

test("names that come out the same get digits", async () => {
  const world = contoso();
  const first = await invite(world, "hub", "ada_emea.com@x.org");
  const second = await invite(world, "hub", "ada@emea.com_x.org");
  expect(second.status).toBe(400);
  await world.hub("PATCH", `/users/${first.body.invitedUser?.id}`, { mail: "other@x.org", otherMails: [] });
  world.truth("hub").updateUser(first.body.invitedUser?.id ?? "", { proxyAddresses: [] });
  const third = await invite(world, "hub", "ada_emea.com@x.org");
  expect(third.body.invitedUser?.userPrincipalName).toBe("ada_emea.com_x.org1#EXT#@hub.onmicrosoft.com");
});

test("missing and wrong values are refused", async () => {
  const { hub } = contoso();
  expect((await hub("POST", "/invitations", { invitedUserEmailAddress: "a@x.org" })).status).toBe(400);
  expect((await hub("POST", "/invitations", { inviteRedirectUrl: "https://x.org" })).status).toBe(400);
  expect(
    (
      await hub("POST", "/invitations", {
        invitedUserEmailAddress: "a@x.org",
        inviteRedirectUrl: "https://x.org",
        invitedUserType: "Friend",
      })
    ).status,
  ).toBe(400);
});

describe("whose account it is", () => {
  test("within a cloud by name or mail, across clouds by name only, never a guest", async () => {
    const world = contoso();
    const ada = world.truth("emea").createUser({ userPrincipalName: "ada@emea.com", mail: "lovelace@emea.com" });
    const homes = async (tenant: string, address: string) => {
      const { body } = await invite(world, tenant, address);
      return world.truth(tenant).user(body.invitedUser?.id ?? "")?.home;
    };
    expect(await homes("hub", "lovelace@emea.com")).toEqual({ tenant: "emea", userId: ada });
    expect(await homes("gov", "ada@emea.com")).toEqual({ tenant: "emea", userId: ada });
    expect(await homes("china", "lovelace@emea.com")).toBeUndefined();
    expect(await homes("hub", "nobody@emea.com")).toBeUndefined();
    await invite(world, "emea", "x@fabrikam.com");
    expect(await homes("hub", "x@fabrikam.com")).toBeUndefined();
  });

  test("computed people are found too", async () => {
    const world = contoso({ hub: { computedUsers: 100_000 } });
    const [first] = world.truth("hub").users();
    const { body } = await invite(world, "gov", first?.userPrincipalName ?? "");
    expect(world.truth("gov").user(body.invitedUser?.id ?? "")?.home).toEqual({ tenant: "hub", userId: first?.id });
  });
});

describe("cross-tenant settings", () => {
  test("government and China do not invite each other", async () => {
    const { body, status } = await invite(contoso(), "gov", "li@china.cn");
    expect(status).toBe(400);
    expect(body.error?.message).toMatch(/^This invitation is blocked by cross-tenant access settings/);
  });

  test.each<{ who: string; path: string; body: object }>([
    {
      who: "the target's partner entry",
      path: `hub PATCH /policies/crossTenantAccessPolicy/partners/cccccccc-cccc-4ccc-8ccc-cccccccccccc`,
      body: {
        b2bCollaborationInbound: {
          usersAndGroups: { accessType: "blocked", targets: [{ target: "AllUsers", targetType: "user" }] },
        },
      },
    },
    {
      who: "the home's default",
      path: "gov PATCH /policies/crossTenantAccessPolicy/default",
      body: {
        b2bCollaborationOutbound: {
          usersAndGroups: { accessType: "blocked", targets: [{ target: "AllUsers", targetType: "user" }] },
        },
      },
    },
    {
      who: "a missing partner entry across clouds",
      path: `gov DELETE /policies/crossTenantAccessPolicy/partners/${HUB}`,
      body: {},
    },
    {
      who: "a cloud that is not enabled",
      path: "hub PATCH /policies/crossTenantAccessPolicy",
      body: { allowedCloudEndpoints: [] },
    },
  ])("$who blocks", async ({ path, body }) => {
    const world = contoso();
    expect((await invite(world, "hub", "first@gov.us")).status).toBe(201);
    const [tenant = "", method = "", url = ""] = path.split(" ");
    expect((await world.call(tenant, method, url, body)).status).toBe(204);
    expect((await invite(world, "hub", "second@gov.us")).body.error?.message).toMatch(/blocked by cross-tenant/);
    expect((await invite(world, "hub", "third@emea.com")).status).toBe(201);
  });

  test("redemption is automatic only where both sides say so", async () => {
    const world = contoso({ knobs: { automaticRedemption: "immediate" } });
    world.truth("emea").createUser({ userPrincipalName: "ada@emea.com" });
    world.truth("emea").createUser({ userPrincipalName: "ben@emea.com" });
    const state = async (address: string) =>
      world.truth("hub").user((await invite(world, "hub", address)).body.invitedUser?.id ?? "")?.properties
        .externalUserState;
    expect(await state("ada@emea.com")).toBe("Accepted");
    await world.call("emea", "PATCH", `/policies/crossTenantAccessPolicy/partners/${HUB}`, {
      automaticUserConsentSettings: { outboundAllowed: false },
    });
    expect(await state("ben@emea.com")).toBe("PendingAcceptance");
  });
});

test("sponsors at invitation are for the Global cloud", async () => {
  const world = contoso();
  const sponsor = world.truth("hub").createUser({ userPrincipalName: "boss@hub.com" });
  const bind = (root: string, id: string) => ({ "invitedUserSponsors@odata.bind": [`${root}/v1.0/users/${id}`] });
  expect((await invite(world, "hub", "a@x.org", bind("https://graph.microsoft.com", sponsor))).status).toBe(201);
  expect((await invite(world, "hub", "b@x.org", bind("https://graph.microsoft.com", NOBODY))).status).toBe(404);
  const chief = world.truth("gov").createUser({ userPrincipalName: "chief@gov.us" });
  expect(
    (await invite(world, "gov", "a@x.org", bind("https://graph.microsoft.us", chief))).body.error?.message,
  ).toMatch(/does not exist on type/);
});

test("redemption starts anew for an address that the user has", async () => {
  const world = contoso();
  const ada = world.truth("emea").createUser({ userPrincipalName: "ada2@emea.com" });
  const id = (await invite(world, "hub", "ada@emea.com")).body.invitedUser?.id ?? "";
  world.truth("hub").redeem(id);
  const reset = () => invite(world, "hub", "ada2@emea.com", { resetRedemption: true, invitedUser: { id } });
  expect((await reset()).body.error?.message).toMatch(/doesn't match any emails/);
  await world.hub("PATCH", `/users/${id}`, { otherMails: ["ada2@emea.com"] });
  expect((await reset()).body.invitedUser?.id).toBe(id);
  expect(world.truth("hub").user(id)).toMatchObject({
    home: { tenant: "emea", userId: ada },
    properties: { externalUserState: "PendingAcceptance" },
  });
});

test("a soft-deleted guest of the same address: a new object, or a conflict if told so", async () => {
  const world = contoso();
  const first = (await invite(world, "hub", "ada@emea.com")).body.invitedUser?.id;
  await world.hub("DELETE", `/users/${first}`);
  world.tenants.setKnobs({ reinviteSoftDeleted: "conflict" });
  expect((await invite(world, "hub", "ada@emea.com")).status).toBe(400);
  world.tenants.setKnobs({ reinviteSoftDeleted: "newObject" });
  const second = await invite(world, "hub", "ada@emea.com");
  expect([second.status, second.body.invitedUser?.id === first]).toEqual([201, false]);
});
