import { afterEach, describe, expect, test } from "vitest";
import type { Knobs, TenantSpec } from "../../sandbox/graph/api.ts";
import { random } from "../../sandbox/random.ts";
import type { Link } from "../../shared/domain/link.ts";
import type { PassRow } from "../../shared/pipeline/pass-rows.ts";
import { startDriftPass, startPass } from "../../shared/pipeline/passes.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { expectSound, type TwoTenants, twoTenants } from "./two-tenants.ts";

let c: TwoTenants;
afterEach(() => c.world.close());

const DRIFT_MS = 30 * SECOND;
/** Nobody tells of what happens in the target, and no sweep looks there. */
const PLAIN: Partial<Knobs> = { deltaLagMs: 0, replicationLagMs: 0, indexLagMs: 0 };

const instance = () => {
  const [first] = c.world.instances;
  if (!first) throw new Error("nobody lives");
  return first.world;
};

/** The target, with a permission more than it has without roles. */
function hubWithRoles(seed: number): Partial<TenantSpec> {
  const chance = random(seed);
  const [, clientId] = [chance.uuid(), chance.uuid()];
  const permissions = [
    "RoleManagement.Read.Directory",
    "User.Read.All",
    "User.ReadWrite.All",
    "User.Invite.All",
    "User.DeleteRestore.All",
    "User.EnableDisableAccount.All",
  ];
  return { clients: [{ clientId, permissions, extensions: [{ name: "syncSource", dataType: "String" }] }] };
}

async function hired(seed: number, people: number, more: Partial<Parameters<typeof twoTenants>[0]> = {}) {
  c = twoTenants({
    seed,
    knobs: PLAIN,
    ...more,
    settings: { driftMs: DRIFT_MS, sweepMs: 60 * SECOND, ...more.settings },
  });
  const ids = Array.from({ length: people }, (_, index) => c.hire(`p${index}`, [c.groupA]));
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  await c.world.clock.runFor(2 * MINUTE);
  for (const { world } of c.world.instances) world.settings.sweepMs = 7 * 24 * HOUR;
  return ids.map((userId) => ({ userId, targetId: linkOf(userId).targetId ?? "" }));
}

function linkOf(userId: string): Link {
  const link = c.link(userId);
  if (!link) throw new Error(`${userId} has no link`);
  return link;
}

async function runCensus(): Promise<void> {
  await startPass(instance(), c.targetId, "census", true);
  const phase = () =>
    (c.world.store.dump("passes").find(({ row }) => row === "census")?.value as PassRow | undefined)?.phase;
  do await c.world.clock.runFor(SECOND);
  while (phase() !== "idle");
  await c.world.clock.runFor(20 * SECOND);
}

const operations = (tenant: string) => c.world.graph.statistics()[tenant]?.byOperation ?? {};
/** Requests about people: lists and delta pages are what the passes themselves cost. */
const looks = (tenant: string) => operations(tenant)["GET /users/{id}"] ?? 0;

/** Pages that held somebody who differs. */
const drifted = () => c.world.log.filter(({ event }) => event === "drift").length;

describe("changed by hand in the target", () => {
  test("an attribute: repaired within the interval of the delta", async () => {
    const [person] = await hired(201, 3);
    c.target.updateUser(person?.targetId ?? "", { department: "by hand" });
    await c.world.clock.runFor(DRIFT_MS + 15 * SECOND);
    expectSound(c);
  });

  test("an attribute, and the delta was lost: repaired by the census", async () => {
    const [person] = await hired(202, 3, { settings: { driftMs: 7 * 24 * HOUR } });
    c.target.updateUser(person?.targetId ?? "", { department: "by hand" });
    await c.world.clock.runFor(5 * MINUTE);
    expect(c.faults()).toHaveLength(1);
    await runCensus();
    expectSound(c);
  });

  test("the stamp taken away: written again", async () => {
    const [person] = await hired(203, 3);
    const stamp = Object.keys(c.target.user(person?.targetId ?? "")?.properties ?? {}).find((name) =>
      name.endsWith("_syncSource"),
    );
    c.target.updateUser(person?.targetId ?? "", { [stamp ?? ""]: null });
    await c.world.clock.runFor(DRIFT_MS + 15 * SECOND);
    expect(c.target.user(person?.targetId ?? "")?.properties[stamp ?? ""]).toMatch(/^two-tenants\//);
    expectSound(c);
  });

  test("blocked: respected, and said once", async () => {
    const [person] = await hired(204, 3);
    c.target.updateUser(person?.targetId ?? "", { accountEnabled: false });
    await c.world.clock.runFor(DRIFT_MS + 15 * SECOND);
    expect(linkOf(person?.userId ?? "").because).toBe("TARGET_BLOCKED_THERE");
    const before = drifted();
    await runCensus();
    expect(drifted()).toBe(before);
    expect(c.target.user(person?.targetId ?? "")?.accountEnabled).toBe(false);
  });

  test("deleted: respected; restored by hand: as before", async () => {
    const [person] = await hired(205, 3);
    const { userId = "", targetId = "" } = person ?? {};
    c.target.deleteUser(targetId);
    await c.world.clock.runFor(DRIFT_MS + 15 * SECOND);
    expect(linkOf(userId).because).toBe("TARGET_REMOVED_THERE");
    const before = drifted();
    await runCensus();
    expect(drifted()).toBe(before);
    c.target.restoreUser(targetId);
    await c.world.clock.runFor(DRIFT_MS + 15 * SECOND);
    expect(linkOf(userId)).toMatchObject({ state: "linked", targetId });
    expectSound(c);
  });

  test("deleted, and the person left meanwhile; restored by hand: removed again, and back with the person", async () => {
    const [person] = await hired(207, 3);
    const { userId = "", targetId = "" } = person ?? {};
    c.target.deleteUser(targetId);
    await c.world.clock.runFor(DRIFT_MS + 15 * SECOND);
    expect(linkOf(userId).because).toBe("TARGET_REMOVED_THERE");
    c.source.removeMember(c.groupA, userId);
    await c.world.clock.runFor(2 * MINUTE);
    expect(linkOf(userId)).toMatchObject({ state: "removed", targetId });
    c.target.restoreUser(targetId);
    await c.world.clock.runFor(DRIFT_MS + 60 * SECOND);
    expect(c.target.user(targetId)?.deletedAt).toBeDefined();
    c.source.addMember(c.groupA, userId);
    await c.world.clock.runFor(2 * MINUTE);
    expect(linkOf(userId)).toMatchObject({ state: "linked", targetId });
    expectSound(c);
  });

  test("somebody whom we removed is restored by hand: removed again", async () => {
    const [person] = await hired(206, 3);
    const { userId = "", targetId = "" } = person ?? {};
    c.source.removeMember(c.groupA, userId);
    await c.world.clock.runFor(2 * MINUTE);
    expect(c.target.user(targetId)?.deletedAt).toBeDefined();
    c.target.restoreUser(targetId);
    await c.world.clock.runFor(DRIFT_MS + 60 * SECOND);
    expect(c.target.user(targetId)?.deletedAt).toBeDefined();
    expectSound(c);
  });
});

describe("administrators of the target", () => {
  test("somebody promoted is parked, and taken up again when the role is gone", async () => {
    const [person, other] = await hired(210, 3, { hub: hubWithRoles(210) });
    const { userId = "", targetId = "" } = person ?? {};
    c.target.makeAdministrator(targetId);
    await runCensus();
    expect(linkOf(userId).because).toBe("TARGET_IS_ADMINISTRATOR");
    const writes = operations("hub")["PATCH /users/{id}"] ?? 0;
    c.source.updateUser(userId, { department: "1" });
    await c.world.clock.runFor(MINUTE);
    expect(operations("hub")["PATCH /users/{id}"] ?? 0).toBe(writes);
    expect(linkOf(other?.userId ?? "").because).toBeUndefined();
    instance().targetListing(c.targetId).administrators = async () => new Set();
    await runCensus();
    expectSound(c);
  });

  test("where the app may not read roles, everything else is compared all the same", async () => {
    const [person] = await hired(211, 3, { settings: { driftMs: 7 * 24 * HOUR } });
    c.target.updateUser(person?.targetId ?? "", { department: "by hand" });
    await runCensus();
    expectSound(c);
  });
});

describe("nobody's", () => {
  test("a target user with our stamp and no link is recorded once, and not written to", async () => {
    const [person] = await hired(220, 3);
    const { userId = "", targetId = "" } = person ?? {};
    const { properties } = c.target.user(targetId) ?? { properties: {} };
    const [name, value] = Object.entries(properties).find(([key]) => key.endsWith("_syncSource")) ?? ["", ""];
    const stranger = c.source.createUser({
      displayName: "x",
      userPrincipalName: "x@home.example",
      accountEnabled: true,
    });
    const orphan = c.target.createUser({
      displayName: "orphan",
      mail: "x@home.example",
      userPrincipalName: "x_home.example#EXT#@hub.onmicrosoft.com",
      creationType: "Invitation",
      userType: "Guest",
      accountEnabled: true,
      [name]: String(value).replace(userId, stranger),
    });
    await runCensus();
    await runCensus();
    expect(c.world.store.dump("orphans").map(({ row }) => row)).toEqual([orphan]);
    const told = c.world.store.dump("provisioninglog").map(({ value: row }) => row as { code?: string });
    expect(told.filter(({ code }) => code === "TARGET_WITHOUT_LINK")).toHaveLength(1);
    expect(c.target.user(orphan)?.deletedAt).toBeUndefined();
  });
});

describe("what it costs", () => {
  test("echoes of our own writes cost no call", async () => {
    const people = await hired(230, 5);
    await c.world.clock.runFor(5 * MINUTE);
    const before = looks("hub");
    for (const { userId } of people) c.source.updateUser(userId, { department: "1" });
    await c.world.clock.runFor(20 * SECOND);
    expectSound(c);
    await c.world.clock.runFor(3 * MINUTE); // trailing looks, and the delta that shows our writes
    const written = looks("hub") - before;
    await c.world.clock.runFor(10 * MINUTE);
    expect(looks("hub") - before).toBe(written);
    expect(drifted()).toBe(0);
  });

  test("a census of people who are as we left them: one page and the roles, whoever they are", async () => {
    await hired(231, 40);
    const before = c.world.graph.statistics().hub?.requests ?? 0;
    const delta = operations("hub")["GET /users/delta"] ?? 0;
    await startDriftPass(instance());
    await c.world.clock.runFor(20 * SECOND);
    const deltas = (operations("hub")["GET /users/delta"] ?? 0) - delta;
    expect((c.world.graph.statistics().hub?.requests ?? 0) - before - deltas).toBe(2);
  });
});
