import { afterEach, expect, test } from "vitest";
import type { SyncConfig } from "../../shared/config/schema.ts";
import { nameOf, PEOPLE, type Stage, stage } from "../admin/stage.ts";
import { MINUTE, SECOND } from "./contoso.ts";

/** What takes two people: weakening changes, and lifting the kill switch. */

let c: Stage;
afterEach(() => c.world.close());

const configNow = (): SyncConfig => JSON.parse(c.world.instances[0]?.world.rules.configuration.text ?? "");
const withJobs = (change: object): SyncConfig => {
  const config = configNow();
  return { ...config, jobs: config.jobs.map((job) => ({ ...job, ...change })) };
};
const companies = (userId: string) => c.guestsOf(userId).map((guest) => guest?.properties.companyName);
const renamed = (name: string) => ({
  mappings: [
    { target: "displayName", source: "displayName" },
    { target: "companyName", constant: name },
  ],
});
const requests = async (name: Parameters<Stage["ask"]>[0], instance = 1) =>
  (await c.ask(name, "requests", undefined, c.adminOf(instance))).body.items as Record<string, unknown>[];

/** One instance of the first configuration, and one of the next beside it. */
async function rolledOut(change: object): Promise<string> {
  c = stage({ seed: 11, timerMs: 5_000 });
  const ada = c.hire("ada", [c.groupA]);
  await c.untilSettled(2 * MINUTE);
  c.world.start(withJobs(change));
  await c.world.clock.runFor(10 * SECOND);
  return ada;
}

test("a weakening change waits: the previous configuration keeps running, also without an old instance, until somebody accepts", async () => {
  const ada = await rolledOut({ ...renamed("New"), onOutOfScope: "keep" });
  const waiting = await c.ask("carol", "status", undefined, c.adminOf(1));
  expect(waiting.body.configuration).toMatchObject({
    state: "waits",
    weakenings: [{ path: "jobs.a.onOutOfScope" }, { path: "jobs.b.onOutOfScope" }],
  });
  const [request] = await requests("bob");
  expect(request).toMatchObject({ kind: "configuration", state: "open", targetTenantId: c.targetId, by: "roll-out" });
  const fresh = c.adminOf(1);
  c.world.instances[0]?.kill(); // the old one ends: whoever is left runs the old rules
  c.source.updateUser(ada, { displayName: "Ada Renamed" });
  const ben = c.hire("ben", [c.groupB]);
  await c.world.clock.runFor(3 * MINUTE);
  expect(c.guestsOf(ada)[0]?.properties.displayName).toBe("Ada Renamed");
  expect([...companies(ada), ...companies(ben)]).toEqual(["job a", "job b"]);
  expect((await c.ask("bob", "commands/approve", { id: request?.id }, fresh)).status).toBe(200);
  await c.world.clock.runFor(3 * MINUTE);
  expect([...companies(ada), ...companies(ben)]).toEqual(["New", "New"]);
  expect((await c.ask("carol", "status", undefined, fresh)).body.configuration).toMatchObject({ state: "accepted" });
  c.source.removeMember(c.groupA, ada);
  await c.world.clock.runFor(5 * MINUTE);
  expect(c.guestsOf(ada)[0]?.deletedAt).toBeUndefined(); // as the new rules say
});

test("a change that weakens nothing takes over at once", async () => {
  const ada = await rolledOut(renamed("New"));
  await c.world.clock.runFor(3 * MINUTE);
  expect(companies(ada)).toEqual(["New"]);
  expect(await requests("bob")).toEqual([]);
});

test("a change waits too where the accepted configuration was lost, and nothing is written meanwhile", async () => {
  c = stage({ seed: 16, timerMs: 5_000 });
  const ada = c.hire("ada", [c.groupA]);
  await c.untilSettled(2 * MINUTE);
  c.world.store.clear("configurations");
  const next = withJobs(renamed("New"));
  c.world.instances[0]?.kill();
  c.world.start(next);
  c.source.updateUser(ada, { displayName: "Ada Renamed" });
  await c.world.clock.runFor(3 * MINUTE);
  expect(c.guestsOf(ada)[0]?.properties.displayName).toBe("ada");
  const [request] = await requests("bob", 0);
  expect(request).toMatchObject({ kind: "configuration", state: "open", by: "roll-out" });
  expect((await c.ask("carol", "status")).body.configuration).toMatchObject({ state: "waits" });
  expect((await c.ask("bob", "commands/approve", { id: request?.id })).status).toBe(200);
  await c.world.clock.runFor(3 * MINUTE);
  expect(companies(ada)).toEqual(["New"]);
});

test("a rejected change never runs, and a corrected one replaces it", async () => {
  const ada = await rolledOut({ ...renamed("New"), userType: "member", onOutOfScope: "keep" });
  const [request] = await requests("bob");
  const rejected = await c.ask("bob", "commands/reject", { id: request?.id, note: "leavers must go" }, c.adminOf(1));
  expect(rejected.body.request).toMatchObject({ state: "rejected", decidedBy: nameOf("bob") });
  await c.world.clock.runFor(3 * MINUTE);
  expect(companies(ada)).toEqual(["job a"]);
  const late = await c.ask("dora", "commands/approve", { id: request?.id }, c.adminOf(1));
  expect(late).toMatchObject({ status: 409, body: { code: "ALREADY_SETTLED" } });
  c.world.start(withJobs(renamed("Corrected")));
  await c.world.clock.runFor(10 * MINUTE); // little happens here, and one of three takes each message
  expect(companies(ada)).toEqual(["Corrected"]);
  const own = await c.ask("carol", "status", undefined, c.adminOf(1));
  expect(own.body.configuration).toMatchObject({ state: "superseded" }); // what waited does not come back
});

test("a request that nobody decides is void after a week, and asked anew while it is wanted", async () => {
  c = stage({ seed: 15, timerMs: 0 });
  await c.world.instances[0]?.receiver.deployment.standing();
  c.world.start(withJobs({ onOutOfScope: "keep" }));
  const ask = () => c.world.instances[1]?.receiver.deployment.standing();
  expect((await ask())?.kind).toBe("waits");
  const [request] = await requests("bob");
  await c.world.clock.runFor(7 * 24 * 60 * MINUTE);
  const late = await c.ask("bob", "commands/approve", { id: request?.id });
  expect(late).toMatchObject({ status: 409, body: { code: "ALREADY_SETTLED", detail: "It is void." } });
  expect((await ask())?.kind).toBe("waits");
  expect(await requests("bob")).toMatchObject([{ id: request?.id, state: "open" }]);
});

test("the kill switch: on by one, nothing is written, hints wait, off by two", async () => {
  c = stage({ seed: 12, instances: 2 });
  const ada = c.hire("ada", [c.groupA]);
  await c.untilSettled(2 * MINUTE);
  expect((await c.ask("alice", "commands/kill-on", { reason: "odd removals" })).status).toBe(200);
  expect((await c.ask("dora", "commands/kill-on", { reason: "me too" })).body).toMatchObject({ by: nameOf("alice") });
  await c.world.clock.runFor(2 * SECOND);
  const writes: string[] = [];
  c.target.onCommit(({ by, kind }) => void (by !== "people" && writes.push(kind)));
  c.source.updateUser(ada, { displayName: "Changed" });
  const ben = c.hire("ben", [c.groupB]);
  await c.world.clock.runFor(10 * MINUTE);
  expect(writes).toEqual([]);
  expect(c.link(ada)?.escrow).toBeUndefined(); // nothing was counted
  expect((await c.ask("carol", "status")).body.killSwitch).toMatchObject({ on: true, reason: "odd removals" });
  const asked = await c.ask("dora", "commands/kill-off", { reason: "understood" });
  const { id } = asked.body.request as { id: string };
  expect(await c.ask("dora", "commands/approve", { id })).toMatchObject({ status: 403, body: { code: "OWN_REQUEST" } });
  expect((await c.ask("frank", "commands/approve", { id })).status).toBe(404); // beyond a narrowed scope
  await c.world.clock.runFor(MINUTE);
  expect(writes).toEqual([]);
  expect((await c.ask("bob", "commands/approve", { id })).status).toBe(200);
  expect((await c.ask("bob", "commands/approve", { id })).status).toBe(200); // again is as once
  await c.untilSettled(5 * MINUTE);
  expect(c.guestsOf(ada)[0]?.properties.displayName).toBe("Changed");
  expect(c.guestsOf(ben)).toHaveLength(1);
  expect(c.faults()).toEqual([]);
  expect((await c.ask("alice", "commands/kill-on", { reason: "again" })).status).toBe(200); // the old approval does not lift it
  expect((await c.ask("carol", "status")).body.killSwitch).toMatchObject({ on: true, reason: "again" });
  expect((await c.ask("carol", "audit/verify")).body).toMatchObject({ kind: "sound", rows: 6 });
});

test("the switch is read before every claim, not only when a hint comes in", async () => {
  c = stage({ seed: 13, timerMs: 5_000 });
  c.hire("ada", [c.groupA]);
  await c.untilSettled(2 * MINUTE);
  const ben = c.hire("ben", [c.groupB]);
  let thrown = false;
  c.world.hooks.before = async ({ to, what }) => {
    // Between the look at Ben and the claim.
    if (to !== "table" || what !== "read switches" || thrown || c.link(ben)) return;
    thrown = true;
    await c.world.store.rows("switches").put("kill", "all", { on: true, id: "x", by: "t/p", at: 0, reason: "now" });
  };
  await c.world.clock.runFor(2 * MINUTE);
  expect(thrown).toBe(true);
  expect(c.guestsOf(ben)).toEqual([]);
});

test("who rolls out does not approve", async () => {
  const author = nameOf("bob");
  expect(PEOPLE.bob.roles).toContain("Sync.Approve");
  c = stage({ seed: 14, author });
  await c.world.clock.runFor(MINUTE);
  c.world.start(withJobs({ onOutOfScope: "keep" }));
  await c.world.clock.runFor(10 * SECOND);
  const [request] = await requests("bob");
  expect(request?.by).toBe(author);
  const own = await c.ask("bob", "commands/approve", { id: request?.id }, c.adminOf(1));
  expect(own.body.code).toBe("OWN_REQUEST");
  expect((await c.ask("dora", "commands/approve", { id: request?.id }, c.adminOf(1))).status).toBe(200);
});
