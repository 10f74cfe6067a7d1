import { afterEach, expect, test } from "vitest";
import type { LogRow } from "../../../shared/pipeline/world.ts";
import { contoso, employee, MINUTE, SECOND } from "../contoso.ts";
import { expectSound, type TwoTenants, type TwoTenantsOptions, twoTenants } from "../two-tenants.ts";

/** Accidents that are known from elsewhere, each in the smallest world that can have it. All names: `contents.ts`. */

let c: TwoTenants;
afterEach(() => c?.world.close());

async function hired(more: Partial<TwoTenantsOptions> = {}): Promise<string> {
  c = twoTenants({ seed: 7_000, ...more });
  const id = c.hire("ada", [c.groupA]);
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  await c.world.clock.runFor(30 * SECOND);
  return id;
}

/** Commits of ours in the target from now on. */
function ourCommits(): string[] {
  const kinds: string[] = [];
  c.target.onCommit(({ object, kind, by }) => {
    if (object === "user" && by !== "people") kinds.push(kind);
  });
  return kinds;
}

const department = (id: string) => c.guestsOf(id).map((guest) => guest?.properties.department);
const logged = () => c.world.store.dump("provisioninglog").map(({ value }) => value as LogRow);

/** Something happens once, when an instance asks for this. */
function once(what: string, happens: () => void | Promise<void>, when: "before" | "after" = "after"): () => boolean {
  let met = false;
  c.world.hooks[when] = async (call) => {
    if (met || !call.what.includes(what)) return;
    met = true;
    await happens();
  };
  return () => met;
}

test("two deployments, one target", async () => {
  c = twoTenants({ seed: 7_001 });
  const { tenants } = c.world.instances[0]?.world.rules ?? { tenants: [] };
  const stamp = tenants.find(({ id }) => id === c.targetId)?.stampAttribute ?? "";
  const id = c.hire("ada", []);
  const guestId = c.target.createUser({
    displayName: "Of another deployment",
    creationType: "Invitation",
    userType: "Guest",
    accountEnabled: true,
    userPrincipalName: "ada_home.example#EXT#@hub.onmicrosoft.com",
    mail: "ada@home.example",
    externalUserState: "PendingAcceptance",
    [stamp]: `another/${c.sourceId}/${id}`,
  });
  await c.world.clock.runFor(10 * SECOND);
  c.source.addMember(c.groupA, id);
  await c.world.clock.runFor(3 * MINUTE);
  expect(c.target.user(guestId)?.properties.displayName).toBe("Of another deployment");
  expect(c.link(id)?.escrow).toBeDefined();
  expect(c.watch.foreignWrites).toEqual([]);
});

test("stale delete notification for a restored user", async () => {
  const id = await hired({ knobs: { notificationDelayMs: [20_000, 20_000] } });
  for (const { world } of c.world.instances) world.settings.sweepMs = 30 * MINUTE; // only the notification tells
  const commits = ourCommits();
  c.source.deleteUser(id);
  await c.world.clock.runFor(SECOND);
  c.source.restoreUser(id);
  await c.world.clock.runFor(3 * MINUTE);
  expect(commits.filter((kind) => kind === "deleted")).toEqual([]);
  expectSound(c);
});

test("notification during sweep", async () => {
  const id = await hired();
  const met = once("GET home /users/delta", () => c.source.updateUser(id, { department: "meanwhile" }));
  await c.world.clock.runFor(3 * MINUTE);
  expect([met(), department(id)]).toEqual([true, ["meanwhile"]]);
  expectSound(c);
});

test("sweep older than a webhook delete", async () => {
  const id = await hired();
  c.source.updateUser(id, { department: "older" }); // something for the sweep to tell
  await c.world.clock.runFor(5 * SECOND);
  const commits = ourCommits();
  const met = once("GET home /users/delta", async () => {
    c.source.deleteUser(id);
    await c.world.clock.sleep(30 * SECOND); // the answer of before comes when the guest is gone
  });
  await c.world.clock.runFor(5 * MINUTE);
  expect(met()).toBe(true);
  expect(commits.filter((kind) => kind !== "updated")).toEqual(["deleted"]);
  expectSound(c);
});

test("duplicates while one executes", async () => {
  const id = await hired({ instances: 2, knobs: { notificationDoubled: 1 } });
  const met = once(
    "PATCH hub",
    async () => {
      for (const value of ["2", "3"]) c.source.updateUser(id, { department: value });
      await c.world.clock.sleep(20 * SECOND);
    },
    "before",
  );
  c.source.updateUser(id, { department: "1" });
  await c.world.clock.runFor(3 * MINUTE);
  expect([met(), department(id)]).toEqual([true, ["3"]]);
  expectSound(c);
});

test("cycle in nesting", async () => {
  c = twoTenants({
    seed: 7_002,
    jobs: (a) => [{ scope: { groups: [{ id: a, transitive: true }] } }],
  });
  const inner = c.source.createGroup({ displayName: "Inner" });
  c.source.addMember(c.groupA, inner);
  c.source.addMember(inner, c.groupA);
  const id = c.hire("ada", [inner]);
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  expect(c.link(id)?.state).toBe("linked");
  c.source.removeMember(inner, id);
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
});

test("404 for 60 s after invite", async () => {
  c = twoTenants({
    seed: 7_003,
    knobs: { replicationLagMs: 60_000, indexLagMs: 60_000 },
    settings: { replicationAllowanceMs: 70_000, indexAllowanceMs: 75_000 },
  });
  await c.untilSettled(10 * MINUTE);
  const commits = ourCommits();
  const id = c.hire("ada", [c.groupA]);
  await c.untilSettled(10 * MINUTE);
  expectSound(c);
  expect(commits.filter((kind) => kind === "created")).toHaveLength(1);
  expect(c.guestsOf(id)).toHaveLength(1);
});

test("two jobs, two sources, one guest", async () => {
  const many = contoso({ seed: 7_004, people: 12 });
  await many.untilRight(10 * MINUTE);
  const [emea, us, hub] = ["contoso-emea", "contoso-us", "contoso"].map((name) => many.graph.truth(name));
  const first = employee(many, "contoso-emea", 0);
  const second = employee(many, "contoso-us", 0);
  const mail = emea?.user(first.id)?.mail ?? "";
  const guests = () =>
    [...(hub?.users() ?? [])].filter(({ home, deletedAt }) => home && deletedAt === undefined).length;
  const before = guests();
  us?.updateUser(second.id, { mail });
  await many.world.clock.runFor(5 * MINUTE);
  expect(guests()).toBe(before);
  const owners = many.world.store.dump("links").flatMap(({ value }) => {
    const { targetId } = value as { targetId?: string };
    return targetId === undefined ? [] : [targetId];
  });
  expect(new Set(owners).size).toBe(owners.length);
  many.world.close();
});

test("pending guest renamed", async () => {
  const id = await hired();
  const [before] = c.guestsOf(id);
  c.source.updateUser(id, { userPrincipalName: "lovelace@home.example", mail: "lovelace@home.example" });
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  expect(c.guestsOf(id).map((guest) => [guest?.id, guest?.mail])).toEqual([[before?.id, "lovelace@home.example"]]);
});

test("soft-deleted then re-hired", async () => {
  const id = await hired();
  const [before] = c.guestsOf(id);
  c.source.deleteUser(id);
  await c.untilSettled(5 * MINUTE);
  expect(c.guestsOf(id)[0]?.deletedAt).toBeDefined();
  c.source.restoreUser(id);
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  expect(c.guestsOf(id).map((guest) => [guest?.id, guest?.deletedAt])).toEqual([[before?.id, undefined]]);
});

test("consent revoked", async () => {
  const id = await hired();
  const commits = ourCommits();
  c.world.graph.addFault({ on: "any", kind: "consentRevoked", forMs: 10 * MINUTE });
  c.source.updateUser(id, { department: "meanwhile" });
  await c.world.clock.runFor(10 * MINUTE);
  expect(commits).toEqual([]);
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  expect(department(id)).toEqual(["meanwhile"]);
});

test("delta expired", async () => {
  const id = await hired({ knobs: { notificationLost: 1, deltaTokenLifeMs: 20_000 } });
  c.source.updateUser(id, { department: "unheard" });
  await c.world.clock.runFor(5 * MINUTE);
  expectSound(c);
  expect(department(id)).toEqual(["unheard"]);
});

test("throttled for ten minutes", async () => {
  const id = await hired();
  c.world.graph.addFault({ on: "any", kind: "status", status: 429, retryAfterSeconds: 20, forMs: 10 * MINUTE });
  c.source.updateUser(id, { department: "meanwhile" });
  await c.world.clock.runFor(10 * MINUTE);
  expect(department(id)).toEqual(["0"]);
  await c.world.clock.runFor(2 * MINUTE);
  expectSound(c);
  expect(department(id)).toEqual(["meanwhile"]);
  const early = Object.values(c.world.graph.statistics()).map(({ beforeRetryAfter }) => beforeRetryAfter);
  expect(early).toEqual(early.map(() => 0));
});

test("`#EXT#`, `/`, `#` in names", async () => {
  c = twoTenants({ seed: 7_005 });
  const odd = c.hire("odd", [c.groupA], { displayName: "a/b #EXT# c#d", department: "x/y#z?&=%" });
  const refused = c.hire("o#d/d", [c.groupA], { mail: null });
  await c.world.clock.runFor(2 * MINUTE);
  expect(c.guestsOf(odd).map((guest) => guest?.properties.displayName)).toEqual(["a/b #EXT# c#d"]);
  expect(department(odd)).toEqual(["x/y#z?&=%"]);
  expect(logged().find(({ userId }) => userId === refused)?.code).toBe("ADDRESS_CANNOT_BE_INVITED");
});

test("a tenant id in a message that is not ours", async () => {
  const id = await hired();
  const commits = ourCommits();
  const hint = { version: 1, lane: "changes", userIds: [id], reason: "operator", attempt: 0, noticedAt: 0 };
  const stranger = c.world.random.uuid();
  const messages = [
    { id: "source", body: { ...hint, id: "source", sourceTenantId: stranger } },
    { id: "target", body: { ...hint, id: "target", sourceTenantId: c.sourceId, targetTenantId: stranger } },
    { id: "swapped", body: { ...hint, id: "swapped", sourceTenantId: c.targetId, targetTenantId: c.sourceId } },
  ];
  await c.world.bus.send("changes", messages);
  await c.world.clock.runFor(MINUTE);
  const told = c.world.log.filter(({ event }) => event === "hint without a job" || event === "security event");
  expect(told.map(({ fields }) => fields.hintId).sort()).toEqual(["source", "swapped", "target"]);
  expect(commits).toEqual([]);
  expectSound(c);
});
