import { expect, test } from "vitest";
import { Connection } from "../../shared/adapters/graph/connection.ts";
import { Gateway } from "../../shared/adapters/graph/gateway.ts";
import { GraphSourceListing } from "../../shared/adapters/graph/source-listing.ts";
import { GraphSourceTenant } from "../../shared/adapters/graph/source-tenant.ts";
import { GraphTargetListing } from "../../shared/adapters/graph/target-listing.ts";
import { GraphTargetTenant } from "../../shared/adapters/graph/target-tenant.ts";
import { systemChance, systemClock } from "../../shared/adapters/system/clock.ts";

/** What an answer does not tell is not known: it never looks like something that is not there. */
const TENANT = "2f6c9a1e-5d0b-4c7e-9a43-0b1d2e3f4a5b";
const USER = "33333333-1111-4111-8111-111111111111";
const ROOT = "https://graph.microsoft.com";

/** Every call is answered so, alone or in a batch. */
function adapters(body: unknown, status = 200) {
  const transport = async (url: string, init?: RequestInit) => {
    if (!url.endsWith("/$batch")) return new Response(JSON.stringify(body), { status });
    const { requests } = JSON.parse(String(init?.body)) as { requests: readonly { id: string }[] };
    return new Response(JSON.stringify({ responses: requests.map(({ id }) => ({ id, status, body })) }));
  };
  const settings = { tenantId: TENANT, root: ROOT, clock: systemClock, chance: systemChance };
  const gateway = new Gateway(new Connection({ ...settings, token: async () => "token", transport }));
  return {
    target: new GraphTargetTenant(gateway, ROOT, "stamp"),
    listing: new GraphTargetListing(gateway, "stamp"),
    source: new GraphSourceTenant(gateway, systemClock.now),
    people: new GraphSourceListing(gateway),
  };
}
const unavailable = { code: "TENANT_UNAVAILABLE" };

test("when an invited user was made: without a date long ago, not said is not known, 404 is too new to be seen", async () => {
  const invited = (body: unknown, status?: number) => adapters(body, status).target.invited(USER, "changes");
  expect(await invited({ createdDateTime: "2026-01-05T08:00:00Z" })).toMatchObject({ createdAt: 1_767_600_000_000 });
  expect(await invited({ createdDateTime: null, proxyAddresses: [] })).toEqual({ createdAt: 0, addresses: [] });
  expect(await invited({}, 404)).toBeUndefined();
  for (const body of [{ createdDateTime: "soon" }, { createdDateTime: 5 }, [], "x"])
    await expect(invited(body)).rejects.toMatchObject(unavailable);
});

test("a value whose holder cannot be read is not free", async () => {
  const holders = (item: unknown) => adapters({ value: [item] }).target.holders("employeeId", ["7"], "changes");
  expect(await holders({ id: USER, employeeId: "7" })).toContainEqual({ value: "7", userId: USER });
  for (const item of [{ id: USER }, { employeeId: "7" }, { id: USER, employeeId: null }, null])
    await expect(holders(item)).rejects.toMatchObject(unavailable);
});

test("a role assignment that cannot be read leaves nobody without a role", async () => {
  const roles = (...value: unknown[]) => adapters({ value }).listing.administrators();
  expect(await roles({ principalId: USER })).toEqual(new Set([USER]));
  await expect(roles({ principalId: USER }, { principalId: null })).rejects.toMatchObject(unavailable);
});

test("a search for stamps that has expired, or found what cannot be read, has not found nothing", async () => {
  expect(await adapters({ value: [] }).listing.hasStamped("contoso/")).toBe(false);
  expect(await adapters({ value: [{ id: 7 }] }).listing.hasStamped("contoso/")).toBe(true);
  const expired = adapters({ error: { code: "Directory_ExpiredPageToken" } }, 400).listing.hasStamped("contoso/");
  await expect(expired).rejects.toMatchObject(unavailable);
});

test("who is not said to be enabled or blocked has not left", async () => {
  const person = { id: USER, userPrincipalName: "ada@home.example" };
  for (const body of [person, { ...person, accountEnabled: null }]) {
    await expect(adapters(body).source.user(USER, [], "changes")).rejects.toMatchObject(unavailable);
    const page = await adapters({ value: [body] }).people.users(undefined, []);
    expect(page).toMatchObject({ kind: "page", items: [], unreadable: 1 });
  }
  expect(await adapters({ ...person, accountEnabled: false }).source.user(USER, [], "changes")).toMatchObject({
    accountEnabled: false,
  });
});

test("an attribute of an unknown form is not empty", async () => {
  const person = { id: USER, userPrincipalName: "ada@home.example", accountEnabled: true };
  const read = (more: object) =>
    adapters({ ...person, ...more }).source.user(USER, ["city", "employeeOrgData.division"], "changes");
  expect((await read({ employeeOrgData: { costCenter: "7" } }))?.attributes).toEqual({
    city: null,
    "employeeOrgData.division": null,
  });
  for (const odd of [
    { city: { name: "Oslo" } },
    { city: [1] },
    { employeeOrgData: "Sales" },
    { employeeOrgData: { division: {} } },
  ])
    await expect(read(odd)).rejects.toMatchObject({ code: "ITEM_UNREADABLE" });
});
