import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SmallWorld, smallWorld } from "../../bench/small-world.ts";
import type { ListPage } from "../../shared/ports/source-listing.ts";

/** The adapters that list tenants, against simulated Graph. */

const PEOPLE = 1_100;
let small: SmallWorld;
beforeEach(() => {
  small = smallWorld({ seed: 5, users: PEOPLE, pair: "across", timerMs: 0, knobs: { latencyMs: [1, 1] } });
});
afterEach(() => small.world.close());

const world = () => {
  const [instance] = small.world.instances;
  if (!instance) throw new Error("nobody lives");
  return instance.world;
};
/** Answers come on the world's clock. */
async function soon<T>(answer: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  answer.then(done, done);
  await small.world.clock.runUntil(() => settled, 60_000);
  return answer;
}

async function all<T>(read: (link: string | undefined) => Promise<ListPage<T>>): Promise<readonly (readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  for (let link: string | undefined, more = true; more; ) {
    const page: ListPage<T> = await soon(read(link));
    if (page.kind === "expired") throw new Error("expired");
    pages.push(page.items);
    link = page.next;
    more = link !== undefined;
  }
  return pages;
}

describe("a source", () => {
  test("everybody, 999 a page, with attributes and managers", async () => {
    const pages = await all((link) => world().sourceListing(small.source.id).users(link, ["department"]));
    expect(pages.map(({ length }) => length)).toEqual([999, PEOPLE - 999]);
    const truth = small.world.graph.truth(small.source.name);
    for (const user of pages.flat().slice(0, 50)) {
      const { managerId, properties, accountEnabled } = truth.user(user.id) ?? {};
      expect(user).toMatchObject({ managerId, accountEnabled });
      expect(user.attributes.department).toBe(properties?.department ?? null);
    }
  });

  test("members, direct and through other groups; a group that is not there has none", async () => {
    const truth = small.world.graph.truth(small.source.name);
    const [a = "", b = ""] = [...truth.users()].map(({ id }) => id);
    const inner = truth.createGroup({ displayName: "inner", members: [b] });
    const outer = truth.createGroup({ displayName: "outer", members: [a, inner] });
    const members = (id: string, transitive: boolean) =>
      all((link) => world().sourceListing(small.source.id).members({ id, transitive }, link));
    expect((await members(outer, false)).flat()).toEqual([a]);
    expect((await members(outer, true)).flat().sort()).toEqual([a, b].sort());
    expect((await members("00000000-0000-4000-8000-000000000000", true)).flat()).toEqual([]);
  });

  test.each(["truncate", "timeout", "refuse"] as const)("%s: no page, and no end of the listing", async (kind) => {
    small.world.graph.addFault({ on: "read", kind });
    const page = world().sourceListing(small.source.id).users(undefined, []);
    await expect(soon(page)).rejects.toThrow("TENANT_UNAVAILABLE");
  });
});

describe("a target", () => {
  const target = () => world().targetListing(small.target.id);
  const truth = () => small.world.graph.truth(small.target.name);
  const stampName = () => world().rules.tenants.find(({ id }) => id === small.target.id)?.stampAttribute ?? "";

  function guest(name: string): string {
    return truth().createUser({
      displayName: name,
      mail: `${name}@northwind.com`,
      userPrincipalName: `${name}_northwind.com#EXT#@tailspin.onmicrosoft.us`,
      creationType: "Invitation",
      userType: "Guest",
      accountEnabled: true,
      [stampName()]: `bench/${small.source.id}/${name}`,
    });
  }

  test("who lives there, and who is in the recycle bin", async () => {
    const [a, b] = [guest("a"), guest("b")];
    truth().deleteUser(b);
    const live = (await all((link) => target().users(link, ["displayName"]))).flat();
    expect(live).toMatchObject([{ id: a, softDeleted: false, attributes: { displayName: "a" } }]);
    expect(live[0]?.stamp).toBe(`bench/${small.source.id}/a`);
    const bin = (await all((link) => target().deletedUsers(link, []))).flat();
    expect(bin).toMatchObject([{ id: b, softDeleted: true, stamp: `bench/${small.source.id}/b` }]);
  });

  test("changes from now on, removals among them, and a token that is of no use any more", async () => {
    const [a, b] = [guest("a"), guest("b")];
    const first = await soon(target().changes(undefined, ["city"]));
    if (first.kind !== "page") throw new Error("no page");
    expect(first).toMatchObject({ users: [], removedIds: [], done: true });
    truth().updateUser(a, { city: "Rome" });
    truth().deleteUser(b);
    const next = await soon(target().changes(first.next, ["city"]));
    expect(next).toMatchObject({ users: [{ id: a, attributes: { city: "Rome" } }], removedIds: [b], done: true });
    small.world.graph.addFault({ on: "delta", kind: "resync" });
    expect(await soon(target().changes(first.next, ["city"]))).toEqual({ kind: "reset" });
  });

  test("holders of roles; who carries a stamp that begins like this", async () => {
    const a = guest("a");
    truth().makeAdministrator(a);
    expect(await soon(target().administrators())).toEqual(new Set([a]));
    expect(await soon(target().hasStamped("bench/"))).toBe(true);
    expect(await soon(target().hasStamped("other/"))).toBe(false);
    truth().deleteUser(a);
    expect(await soon(target().hasStamped("bench/"))).toBe(true);
  });

  test("roles that the app may not read", async () => {
    small.world.graph.addFault({ on: "read", kind: "status", status: 403 });
    expect(await soon(target().administrators())).toBeUndefined();
  });
});
