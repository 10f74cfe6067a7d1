import { expect, test } from "vitest";
import { random } from "../../../sandbox/random.ts";
import { Connection } from "../../../shared/adapters/graph/connection.ts";
import { Gateway } from "../../../shared/adapters/graph/gateway.ts";
import { GraphSourceTenant } from "../../../shared/adapters/graph/source-tenant.ts";
import { GraphTargetTenant } from "../../../shared/adapters/graph/target-tenant.ts";
import { Writable } from "../../../shared/domain/writable.ts";
import { app, type Contoso, contoso, OTHER_APP, query } from "./contoso.ts";

const EMEA = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const GOV = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

async function invited(world: Contoso, address: string): Promise<string> {
  const { body } = await world.hub("POST", "/invitations", {
    invitedUserEmailAddress: address,
    inviteRedirectUrl: "https://myapps.microsoft.com",
  });
  return body.invitedUser?.id ?? "";
}

/** The product's adapters in front of a simulated tenant. */
function adapters(world: Contoso, tenant: string, clientId?: string) {
  const root = "https://graph.microsoft.com";
  const connection = new Connection({
    tenantId: tenant,
    root,
    token: async () => world.tenants.token(tenant, clientId ?? app().clientId),
    clock: world.clock,
    chance: random(1),
    transport: async (url, init) => {
      const { status, headers, body } = await world.tenants.graph(tenant, {
        method: init.method ?? "GET",
        url: url.slice(root.length),
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(typeof init.body === "string" ? { body: init.body } : {}),
      });
      return new Response(body === "" ? null : body, { status, headers });
    },
  });
  const gateway = new Gateway(connection);
  return {
    source: new GraphSourceTenant(gateway, world.clock.now),
    target: new GraphTargetTenant(gateway, root, `extension_${app().clientId.replaceAll("-", "")}_syncSource`),
  };
}

/** Lets the calls that wait for each other on the simulated clock happen. */
async function settled<T>(world: Contoso, work: Promise<T>): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  ended.catch(() => {});
  while (!over) await world.clock.runFor(10);
  return ended;
}

test("sign-ins tell the home tenant, to those who may read them, at five requests in ten seconds", async () => {
  const world = contoso({ knobs: { quotas: true } });
  world.truth("emea").createUser({ userPrincipalName: "ada@emea.com" });
  const id = await invited(world, "ada@emea.com");
  const path = `/auditLogs/signIns${query({ $filter: `userId eq '${id}' and status/errorCode eq 0` })}`;
  expect((await world.hub("GET", path)).body.value).toEqual([]);
  world.truth("hub").redeem(id);
  world.truth("hub").signIn(id);
  world.truth("hub").signIn(id, { errorCode: 50105 });
  await world.clock.runFor(1000);
  world.truth("hub").signIn(id, { homeTenantId: GOV });
  const { body } = await world.hub("GET", path);
  expect(body.value).toMatchObject([
    { userId: id, homeTenantId: GOV, status: { errorCode: 0 } },
    { userId: id, homeTenantId: EMEA },
  ]);
  expect((await world.call("hub", "GET", path, undefined, {}, OTHER_APP)).status).toBe(403);
  const answers = await Promise.all(Array.from({ length: 5 }, () => world.hub("GET", path)));
  expect(answers.map(({ status }) => status)).toContain(429);
  expect((await world.hub("GET", "/users?$top=1")).status).toBe(200);
  await world.clock.runFor(31 * 24 * 3600_000);
  expect((await world.hub("GET", path)).body.value).toEqual([]);
});

test("a tenant without a premium licence shows no sign-ins", async () => {
  const world = contoso({ hub: { skus: [] } });
  const answer = await world.hub("GET", "/auditLogs/signIns");
  expect([answer.status, answer.body.error?.code]).toEqual([
    403,
    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
  ]);
});

test("roles and groups that can be given one", async () => {
  const world = contoso();
  const truth = world.truth("hub");
  const [admin, member, plain] = await Promise.all(
    ["a@x.org", "b@x.org", "c@x.org"].map((name) => invited(world, name)),
  );
  truth.makeAdministrator(admin ?? "");
  const outer = truth.createGroup({ displayName: "Helpdesk", roleAssignable: true });
  const inner = truth.createGroup({ displayName: "Inner", members: [member ?? ""] });
  truth.addMember(outer, inner);
  const assigned = (id: string | undefined) =>
    world.hub("GET", `/roleManagement/directory/roleAssignments${query({ $filter: `principalId eq '${id}'` })}`);
  expect((await assigned(admin)).body.value).toMatchObject([{ principalId: admin, directoryScopeId: "/" }]);
  expect((await assigned(plain)).body.value).toEqual([]);
  const memberships = await world.hub("GET", `/users/${admin}/transitiveMemberOf?$select=id,isAssignableToRole`);
  expect(memberships.body.value).toMatchObject([{ "@odata.type": "#microsoft.graph.directoryRole" }]);

  const { target } = adapters(world, "hub");
  const privilege = (id: string | undefined) => settled(world, target.privilegeOf(id ?? "", "changes"));
  expect(await privilege(admin)).toEqual({ kind: "read", value: "directoryRole" });
  expect(await privilege(member)).toEqual({ kind: "read", value: "roleAssignableGroup" });
  expect(await privilege(plain)).toEqual({ kind: "read", value: "none" });
});

test("what the app may not read is said with the permission, and everything else goes on", async () => {
  const world = contoso({
    hub: { clients: [app({ permissions: ["User.Read.All"] }), app({ clientId: OTHER_APP, permissions: ["*"] })] },
  });
  const id = world
    .truth("hub")
    .createUser({ userPrincipalName: "x_y.org#EXT#@hub.onmicrosoft.com", creationType: "Invitation" });
  const { target } = adapters(world, "hub");
  expect(await settled(world, target.signInsOf(id, "changes"))).toEqual({
    kind: "unreadable",
    tenant: "target",
    needs: "AuditLog.Read.All and Entra ID P1",
  });
  expect(await settled(world, target.privilegeOf(id, "changes"))).toMatchObject({
    needs: "RoleManagement.Read.Directory",
  });
  expect(await settled(world, target.read(id, [], "changes"))).toMatchObject({ id });
});

test("the sign-in log's own quota holds up nobody else", async () => {
  const world = contoso({ knobs: { quotas: true } });
  const id = await invited(world, "a@x.org");
  const { target } = adapters(world, "hub");
  const reads = await settled(
    world,
    Promise.allSettled(Array.from({ length: 8 }, () => target.signInsOf(id, "changes"))),
  );
  const told = reads.flatMap((read) => (read.status === "rejected" ? [read.reason.afterMs] : []));
  expect(told).toHaveLength(7);
  expect(new Set(told).size).toBe(7); // each a time of its own
  expect(world.tenants.statistics().hub?.throttled).toBe(0);
  expect(await settled(world, target.read(id, [], "changes"))).toMatchObject({ id });
});

test("domains, holders of an address, issuers and values of attributes, through the product's client", async () => {
  const world = contoso({ hub: { otherDomains: ["Old.example"] } });
  const hub = adapters(world, "hub");
  expect(await settled(world, hub.source.verifiedDomains("changes"))).toEqual({
    kind: "read",
    value: new Set(["hub.onmicrosoft.com", "hub.com", "old.example"]),
  });
  const ben = world.truth("hub").createUser({ userPrincipalName: "ben@hub.com", mail: "b@hub.com" });
  expect(await settled(world, hub.source.usersWithAddress("B@hub.com", "changes"))).toEqual([ben]);

  const id = await invited(world, "a.b@x.org");
  world.truth("hub").updateUser(id, { employeeId: "E'17", companyName: "Contoso" });
  world.truth("hub").redeem(id, { issuer: "mail" });
  for (const [attribute, value] of [
    ["employeeId", "e'17"],
    ["companyName", "Contoso"],
  ] as const) {
    expect(await settled(world, hub.target.findBy(attribute, value, [], "changes"))).toMatchObject([
      { id, identity: { federatedIssuers: ["mail"] } },
    ]);
  }
  expect(await settled(world, hub.target.findBy("employeeId", "other", [], "changes"))).toEqual([]);
});

test("a redemption is reset for an address that the guest has, never for an administrator", async () => {
  const world = contoso();
  const truth = world.truth("hub");
  const id = await invited(world, "ada@emea.com");
  truth.redeem(id, { issuer: "MicrosoftAccount" });
  const { target } = adapters(world, "hub");
  const reset = (address: string) =>
    settled(
      world,
      target.resetRedemption(
        Writable.invited("hub", { targetId: id }),
        { address, redirectUrl: "https://x.org" },
        { lane: "changes", signal: AbortSignal.timeout(60_000) },
      ),
    );
  await expect(reset("other@emea.com")).rejects.toMatchObject({ code: "GUEST_NOT_PROVEN" });
  expect(truth.user(id)?.properties.externalUserState).toBe("Accepted");
  await reset("ada@emea.com");
  expect(truth.user(id)?.properties).toMatchObject({
    externalUserState: "PendingAcceptance",
    identities: [{ signInType: "userPrincipalName" }],
  });
  truth.makeAdministrator(id);
  await expect(reset("ada@emea.com")).rejects.toMatchObject({ code: "TARGET_REFUSED" });
});
