import { expect, test } from "vitest";
import { app, contoso, EVENTUAL, NOBODY, OTHER_APP } from "./contoso.ts";

/** All contains Inner; Ada is in Inner, Ben in All. */
function nested() {
  const world = contoso();
  const truth = world.truth("hub");
  const ada = truth.createUser({ userPrincipalName: "ada@hub.com" });
  const ben = truth.createUser({ userPrincipalName: "ben@hub.com" });
  const contact = truth.createContact({ displayName: "Press", mail: "press@x.org" });
  const inner = truth.createGroup({ displayName: "Inner", members: [ada] });
  const all = truth.createGroup({ displayName: "All", members: [inner, ben, contact] });
  return { ...world, ada, ben, contact, inner, all };
}
const idsOf = (value: readonly { id: string }[] | undefined) => value?.map(({ id }) => id).sort();

test("members are typed, nested ones come when asked", async () => {
  const { hub, all, ada, ben, inner, contact } = nested();
  const direct = await hub("GET", `/groups/${all}/members?$select=id`);
  expect(direct.body.value).toEqual([
    { "@odata.type": "#microsoft.graph.group", id: inner },
    { "@odata.type": "#microsoft.graph.user", id: ben },
    { "@odata.type": "#microsoft.graph.orgContact", id: contact },
  ]);
  expect(idsOf((await hub("GET", `/groups/${all}/transitiveMembers?$select=id`)).body.value)).toEqual(
    [ada, ben, inner, contact].sort(),
  );
});

test("casts need the advanced header, and counts too", async () => {
  const { hub, all, ada, ben } = nested();
  const path = `/groups/${all}/transitiveMembers/microsoft.graph.user?$count=true&$select=id`;
  expect((await hub("GET", path)).status).toBe(400);
  const users = await hub("GET", path, undefined, EVENTUAL);
  expect(idsOf(users.body.value)).toEqual([ada, ben].sort());
  expect(users.body["@odata.count"]).toBe(2);
  expect((await hub("GET", `/groups/${all}/transitiveMembers/$count`, undefined, EVENTUAL)).text).toBe("4");
  expect((await hub("GET", `/groups/${all}/members/$count`)).status).toBe(400);
});

test("membership is checked through nested groups, 20 at once", async () => {
  const { hub, all, ada, inner } = nested();
  const check = (groupIds: string[]) => hub("POST", `/users/${ada}/checkMemberGroups`, { groupIds });
  expect((await check([all, NOBODY, inner])).body.value).toEqual([all, inner]);
  expect((await check(Array.from({ length: 21 }, () => all))).status).toBe(400);
  expect((await hub("POST", `/users/${NOBODY}/checkMemberGroups`, { groupIds: [all] })).status).toBe(404);
  expect(idsOf((await hub("GET", `/users/${ada}/memberOf`)).body.value)).toEqual([inner]);
  expect(idsOf((await hub("GET", `/users/${ada}/transitiveMemberOf`)).body.value)).toEqual([inner, all].sort());
  expect((await hub("POST", `/users/${ada}/getMemberGroups`, { securityEnabledOnly: false })).body.value).toHaveLength(
    2,
  );
});

test("a cycle of groups has an end", async () => {
  const { hub, truth, all, inner, ada } = nested();
  truth("hub").addMember(inner, all);
  expect((await hub("GET", `/groups/${all}/transitiveMembers`)).body.value).toHaveLength(5);
  expect((await hub("POST", `/users/${ada}/getMemberGroups`, {})).body.value).toHaveLength(2);
});

test("members are added and removed by reference", async () => {
  const { hub, inner, ben } = nested();
  const reference = (id: string) => ({ "@odata.id": `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });
  expect((await hub("POST", `/groups/${inner}/members/$ref`, reference(ben))).status).toBe(204);
  expect((await hub("POST", `/groups/${inner}/members/$ref`, reference(ben))).body.error?.message).toMatch(
    /already exist for the following modified properties: 'members'/,
  );
  expect((await hub("POST", `/groups/${inner}/members/$ref`, reference(NOBODY))).status).toBe(404);
  expect((await hub("DELETE", `/groups/${inner}/members/${ben}/$ref`)).status).toBe(204);
  expect((await hub("DELETE", `/groups/${inner}/members/${ben}/$ref`)).status).toBe(404);
});

test("security groups are gone when deleted, Microsoft 365 groups can be restored", async () => {
  const { hub, truth, inner, ada } = nested();
  const made = await hub("POST", "/groups", {
    displayName: "Team",
    mailEnabled: true,
    mailNickname: "team",
    securityEnabled: false,
    groupTypes: ["Unified"],
    "members@odata.bind": [`https://graph.microsoft.com/v1.0/users/${ada}`],
  });
  expect(made).toMatchObject({ status: 201, body: { mail: "team@hub.com", groupTypes: ["Unified"] } });
  for (const id of [inner, made.body.id]) expect((await hub("DELETE", `/groups/${id}`)).status).toBe(204);
  expect((await hub("GET", `/directory/deletedItems/${inner}`)).status).toBe(404);
  expect((await hub("POST", `/directory/deletedItems/${made.body.id}/restore`)).status).toBe(200);
  expect([...truth("hub").groups()].find(({ id }) => id === made.body.id)?.memberIds).toEqual([ada]);
});

test("objects by id: unknown ones are left out, types choose", async () => {
  const { hub, ada, inner } = nested();
  const get = (types: string[] | undefined) =>
    hub("POST", "/directoryObjects/getByIds?$select=id,displayName", {
      ids: [ada, inner, NOBODY],
      ...(types ? { types } : {}),
    });
  expect(idsOf((await get(undefined)).body.value)).toEqual([ada, inner].sort());
  expect((await get(["user"])).body.value).toEqual([
    { "@odata.type": "#microsoft.graph.user", id: ada, displayName: "ada" },
  ]);
  expect((await get(["user"])).headers["x-ms-resource-unit"]).toBe("2");
  expect(
    (await hub("POST", "/directoryObjects/getByIds", { ids: Array.from({ length: 1001 }, () => ada) })).status,
  ).toBe(400);
});

test("memberships are read only by who may read users and groups", async () => {
  const tenants = (permissions: string[]) => {
    const world = contoso({ hub: { clients: [app(), app({ clientId: OTHER_APP, permissions, extensions: [] })] } });
    const ada = world.truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
    return world.call("hub", "POST", `/users/${ada}/checkMemberGroups`, { groupIds: [] }, {}, OTHER_APP);
  };
  expect((await tenants(["User.Read.All"])).status).toBe(403);
  expect((await tenants(["User.Read.All", "GroupMember.Read.All"])).status).toBe(200);
});
