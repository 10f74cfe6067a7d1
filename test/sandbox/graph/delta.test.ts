import { describe, expect, test } from "vitest";
import { type Body, type Contoso, contoso, type Item, query } from "./contoso.ts";

const DAY_MS = 24 * 3_600_000;

/** A whole round: its items, number of pages and last link. */
async function round(world: Contoso, start: string, headers: Record<string, string> = {}) {
  const items: Item[] = [];
  let pages = 0;
  for (let next = start; ; ) {
    const { body, status } = await world.hub("GET", next, undefined, headers);
    expect(status).toBe(200);
    expect("@odata.nextLink" in body).not.toBe("@odata.deltaLink" in body);
    items.push(...(body.value ?? []));
    pages++;
    const more = body["@odata.nextLink"];
    if (typeof more !== "string") return { items, pages, link: String(body["@odata.deltaLink"]) };
    next = more;
  }
}

const refused = (body: Body) => body.error?.code;

describe("users", () => {
  const START = "/users/delta?$select=displayName,department,manager";

  test("a full round gives everybody once, then only what changed of the selected properties", async () => {
    const world = contoso({ hub: { computedUsers: 250 } });
    const truth = world.truth("hub");
    const first = await round(world, START);
    expect(first.items).toHaveLength(250);
    expect(new Set(first.items.map(({ id }) => id)).size).toBe(250);
    expect(first.pages).toBe(3);
    const [ada, ben, cleo, dora] = first.items.map(({ id }) => id) as [string, string, string, string];
    truth.updateUser(ada, { department: "New" });
    truth.updateUser(ben, { city: "Rome" });
    truth.deleteUser(cleo);
    truth.deleteUser(dora);
    truth.purgeUser(dora);
    const made = truth.createUser({ userPrincipalName: "eve@hub.com", displayName: "Eve", manager: ada });
    const second = await round(world, first.link);
    expect(second.items).toEqual([
      { displayName: expect.any(String), department: "New", id: ada },
      { id: cleo, "@removed": { reason: "changed" } },
      { id: dora, "@removed": { reason: "deleted" } },
      { displayName: "Eve", id: made, "manager@delta": [{ "@odata.type": "#microsoft.graph.user", id: ada }] },
    ]);
    expect((await round(world, second.link)).items).toEqual([]);
    truth.restoreUser(cleo);
    expect((await round(world, second.link)).items).toMatchObject([{ id: cleo, displayName: expect.any(String) }]);
  });

  test("never set is absent, cleared is null; minimal gives what changed", async () => {
    const world = contoso();
    const ada = world
      .truth("hub")
      .createUser({ userPrincipalName: "ada@hub.com", displayName: "Ada", department: "A" });
    const { items, link } = await round(world, "/users/delta?$select=displayName,department,jobTitle");
    expect(items).toEqual([{ id: ada, displayName: "Ada", department: "A" }]);
    world.truth("hub").updateUser(ada, { department: null });
    expect((await round(world, link)).items).toEqual([{ id: ada, displayName: "Ada", department: null }]);
    expect((await round(world, link, { prefer: "return=minimal" })).items).toEqual([{ id: ada, department: null }]);
  });

  test("a manager who was removed is said so", async () => {
    const world = contoso();
    const boss = world.truth("hub").createUser({ userPrincipalName: "boss@hub.com" });
    const ada = world.truth("hub").createUser({ userPrincipalName: "ada@hub.com", manager: boss });
    const { link } = await round(world, START);
    await world.hub("DELETE", `/users/${ada}/manager/$ref`);
    expect((await round(world, link)).items).toMatchObject([
      { id: ada, "manager@delta": [{ id: boss, "@removed": { reason: "deleted" } }] },
    ]);
  });

  test("latest begins now; a filter by id sees only those", async () => {
    const world = contoso({ hub: { computedUsers: 20 } });
    const [one, two] = [...world.truth("hub").users()].map(({ id }) => id) as [string, string];
    const latest = await round(world, "/users/delta?$select=department&$deltatoken=latest");
    expect([latest.items, latest.pages]).toEqual([[], 1]);
    const filtered = await round(world, `/users/delta${query({ $select: "department", $filter: `id eq '${one}'` })}`);
    expect(filtered.items.map(({ id }) => id)).toEqual([one]);
    for (const id of [one, two]) world.truth("hub").updateUser(id, { department: "X" });
    expect((await round(world, latest.link)).items).toHaveLength(2);
    expect((await round(world, filtered.link)).items.map(({ id }) => id)).toEqual([one]);
    const many = Array.from({ length: 51 }, () => `id eq '${one}'`).join(" or ");
    expect((await world.hub("GET", `/users/delta${query({ $filter: many })}`)).status).toBe(400);
  });

  test("tokens live seven days; wrong ones and forbidden options are refused", async () => {
    const world = contoso({ hub: { computedUsers: 3 } });
    const { link } = await round(world, START);
    await world.clock.runFor(7 * DAY_MS + 1000);
    expect(await world.hub("GET", link)).toMatchObject({ status: 400, body: { error: { code: "syncStateNotFound" } } });
    for (const path of [
      "/users/delta?$deltatoken=abc",
      "/users/delta?$top=5",
      "/users/delta?$orderby=displayName",
      "/users/delta?$expand=manager",
    ]) {
      expect((await world.hub("GET", path)).status).toBe(400);
    }
    expect((await world.hub("GET", "/users/delta?$select=skills")).status).toBe(501);
    expect(refused((await world.hub("GET", `/groups/delta?$deltatoken=${link.split("$deltatoken=")[1]}`)).body)).toBe(
      "Request_BadRequest",
    );
  });

  test("a reset is 410 with the address of a full round, or without", async () => {
    const world = contoso({ hub: { computedUsers: 3 } });
    const { link } = await round(world, START);
    world.tenants.addFault({ on: "delta", kind: "resync", times: 1 });
    const reset = await world.hub("GET", link);
    expect(reset).toMatchObject({
      status: 410,
      headers: {
        location: "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=&$select=displayName,department,manager",
      },
    });
    expect((await round(world, String(reset.headers.location))).items).toHaveLength(3);
    world.tenants.addFault({ on: "delta", kind: "resyncWithoutLocation", times: 1 });
    const bare = await world.hub("GET", link);
    expect([bare.status, bare.headers.location]).toEqual([410, undefined]);
  });

  test("changes appear when the lag has passed, and none is lost", async () => {
    const world = contoso({ knobs: { deltaLagMs: 10_000 }, hub: { computedUsers: 5 } });
    let { link } = await round(world, START);
    const [ada] = [...world.truth("hub").users()].map(({ id }) => id) as [string];
    await world.clock.runFor(60_000);
    world.truth("hub").updateUser(ada, { department: "New" });
    await world.clock.runFor(1000);
    const early = await round(world, link);
    expect(early.items).toEqual([]);
    link = early.link;
    await world.clock.runFor(10_000);
    expect((await round(world, link)).items).toMatchObject([{ id: ada, department: "New" }]);
  });

  test("empty pages, repeated items and replayed rounds come as told", async () => {
    const world = contoso({
      knobs: { deltaEmptyPages: 0.5, deltaRepeated: 0.5, deltaReplayed: 1, deltaPageSize: 2 },
      hub: { computedUsers: 20 },
    });
    const first = await round(world, START);
    expect(first.pages).toBeGreaterThan(10);
    expect(first.items.length).toBeGreaterThan(20);
    expect(new Set(first.items.map(({ id }) => id)).size).toBe(20);
    world.truth("hub").updateUser(first.items[0]?.id ?? "", { department: "New" });
    const second = await round(world, first.link);
    expect(new Set(second.items.map(({ id }) => id)).size).toBe(1);
    const third = await round(world, second.link);
    expect(new Set(third.items.map(({ id }) => id)).size).toBe(1);
  });
});

describe("groups", () => {
  test("large groups come slice by slice; changes of membership both ways", async () => {
    const world = contoso({ knobs: { deltaMembersPerPage: 10 }, hub: { computedUsers: 25 } });
    const truth = world.truth("hub");
    const ids = [...truth.users()].map(({ id }) => id);
    const group = truth.createGroup({ displayName: "All", members: ids.slice(0, 24) });
    const first = await round(world, "/groups/delta?$select=displayName,members");
    expect(first.pages).toBe(3);
    expect(first.items.every(({ id, displayName }) => id === group && displayName === "All")).toBe(true);
    const members = first.items.flatMap((item) => item["members@delta"] as Item[]);
    expect(new Set(members.map(({ id }) => id))).toEqual(new Set(ids.slice(0, 24)));

    truth.removeMember(group, ids[0] ?? "");
    truth.addMember(group, ids[24] ?? "");
    truth.deleteUser(ids[1] ?? "");
    const second = await round(world, first.link);
    expect(second.items).toEqual([
      {
        id: group,
        displayName: "All",
        "members@delta": [
          { "@odata.type": "#microsoft.graph.user", id: ids[0], "@removed": { reason: "deleted" } },
          { "@odata.type": "#microsoft.graph.user", id: ids[24] },
          { "@odata.type": "#microsoft.graph.user", id: ids[1], "@removed": { reason: "deleted" } },
        ],
      },
    ]);
  });

  test("membership is tracked when members are selected or nothing is; nested groups show on themselves", async () => {
    const world = contoso({ hub: { computedUsers: 2 } });
    const truth = world.truth("hub");
    const [ada, ben] = [...truth.users()].map(({ id }) => id) as [string, string];
    const inner = truth.createGroup({ displayName: "Inner", members: [ada] });
    const outer = truth.createGroup({ displayName: "Outer", members: [inner] });
    const names = await round(world, "/groups/delta?$select=displayName");
    const all = await round(world, "/groups/delta");
    expect(all.items.find(({ id }) => id === outer)).toMatchObject({
      "members@delta": [{ "@odata.type": "#microsoft.graph.group", id: inner }],
    });
    truth.addMember(inner, ben);
    expect((await round(world, names.link)).items).toEqual([]);
    expect((await round(world, all.link)).items.map(({ id }) => id)).toEqual([inner]);
    truth.deleteGroup(inner);
    expect((await round(world, names.link)).items).toEqual([{ id: inner, "@removed": { reason: "deleted" } }]);
  });
});
