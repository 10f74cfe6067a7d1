import { afterEach, expect, test } from "vitest";
import type { Instance } from "../../sandbox/world.ts";
import type { JobRow } from "../../shared/domain/job-state.ts";
import type { Link } from "../../shared/domain/link.ts";
import { type CopiedRow, exportTables, importTables } from "../../shared/pipeline/copy-tables.ts";
import { pauseJob, redriveDeadLetters, restartJob, startJob } from "../../shared/pipeline/job-commands.ts";
import { JobDesk } from "../../shared/pipeline/job-state.ts";
import { orphanedJobs } from "../../shared/pipeline/keep-jobs.ts";
import { transferLink } from "../../shared/pipeline/transfer-link.ts";
import { pairKey } from "../../shared/pipeline/world.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { HUB_ADMINISTRATORS, type TwoTenants, type TwoTenantsOptions, twoTenants } from "./two-tenants.ts";

/** How jobs stop, and how they go on. */

const open: TwoTenants[] = [];
afterEach(() => {
  for (const c of open.splice(0)) c.world.close();
});

async function settled(options: Partial<TwoTenantsOptions> = {}, people = 6) {
  const c = twoTenants({ seed: 21, jobs: (a) => [{ scope: { groups: [{ id: a }] } }], ...options });
  open.push(c);
  const ids = Array.from({ length: people }, (_, index) => c.hire(`user${index}`, [c.groupA]));
  await until(c, 20 * MINUTE, () => c.faults().length === 0);
  return { c, ids };
}

async function until(c: TwoTenants, limitMs: number, condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < limitMs && !condition(); waited += SECOND) await c.world.clock.runFor(SECOND);
  expect(condition()).toBe(true);
}
const worldOf = (c: TwoTenants) => (c.world.instances.at(-1) as Instance).world;
const row = (c: TwoTenants) => c.world.store.dump("jobs").map(({ value }) => value as JobRow)[0];
const department = (c: TwoTenants, id: string) => c.guestsOf(id)[0]?.properties.department;
/** What the hub's administrators do in its policies. */
async function patchPolicy({ world }: TwoTenants, path: string, change: object): Promise<void> {
  const asked = world.graph.graph("hub", {
    method: "PATCH",
    url: `/v1.0/policies/${path}`,
    headers: {
      authorization: `Bearer ${world.graph.token("hub", HUB_ADMINISTRATORS)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(change),
  });
  await world.clock.runFor(SECOND);
  expect((await asked).status).toBe(204);
}
/** They change their mind about the source. */
const allow = (c: TwoTenants, isSyncAllowed: boolean) =>
  patchPolicy(c, `crossTenantAccessPolicy/partners/${c.sourceId}/identitySynchronization`, {
    userSyncInbound: { isSyncAllowed },
  });
const invitesFrom = (c: TwoTenants, allowInvitesFrom: string) =>
  patchPolicy(c, "authorizationPolicy", { allowInvitesFrom });
const linked = (c: TwoTenants) =>
  c.world.store
    .dump("links")
    .filter(({ partition }) => partition !== "mark")
    .map(({ row, value }) => `${row}: ${(value as Link).targetId}`)
    .sort();
const BY = { jobId: "a", by: "hub/alice" };

test("a paused job writes nothing, says who paused it, and catches up with everything when it is started", async () => {
  const { c, ids } = await settled();
  const [first, second] = ids as [string, string];
  await pauseJob(worldOf(c), { ...BY, why: "maintenance" });
  await c.world.clock.runFor(2 * SECOND);
  c.source.updateUser(first, { department: "While Paused" });
  c.source.deleteUser(second);
  const hired = c.hire("hired", [c.groupA]);
  await c.world.clock.runFor(20 * MINUTE);
  expect(department(c, first)).toBe("0");
  expect(c.guestsOf(second)[0]?.deletedAt).toBeUndefined();
  expect(c.guestsOf(hired)).toEqual([]);
  expect(row(c)).toMatchObject({ paused: { by: "hub/alice", why: "maintenance" } });
  await startJob(worldOf(c), BY);
  await until(c, 5 * MINUTE, () => c.faults().length === 0);
  expect(department(c, first)).toBe("While Paused");
});

test("a transfer is not begun while the job is paused, and one that was begun waits for its start", async () => {
  const { c, ids } = await settled();
  const [old] = ids as [string];
  const guestId = c.link(old)?.targetId ?? "";
  await pauseJob(worldOf(c), { ...BY, why: "maintenance" });
  await c.world.clock.runFor(2 * SECOND);
  c.source.deleteUser(old);
  const hired = c.hire("user0", [c.groupA]);
  const wanted = { fromUserId: old, toUserId: hired, how: "samePerson", by: BY.by } as const;
  const asked = transferLink(worldOf(c), { sourceTenantId: c.sourceId, targetTenantId: c.targetId, ...wanted });
  await c.world.clock.runFor(SECOND);
  expect(await asked).toMatchObject({ kind: "refused", code: "JOB_PAUSED" });
  const { links } = worldOf(c).tables;
  const place = [pairKey(c.sourceId, c.targetId), old] as const;
  const transfer = { how: "samePerson", toUserId: hired, by: BY.by, at: c.world.clock.now() } as const;
  await links.put(...place, { ...((await links.read(...place))?.value as Link), transfer });
  await c.world.clock.runFor(10 * MINUTE);
  expect(c.link(old)).toMatchObject({ transfer, targetId: guestId });
  expect(JSON.stringify(c.target.user(guestId)?.properties)).toContain(old);
  await startJob(worldOf(c), BY);
  await until(c, 5 * MINUTE, () => c.link(hired)?.state === "linked");
  expect(c.link(hired)?.targetId).toBe(guestId);
});

test("a target that does not allow synchronization from the source stops the job within a sweep, and people stay", async () => {
  const { c, ids } = await settled({ permissions: ["Policy.Read.All"] });
  await allow(c, false);
  await c.world.clock.runFor(2 * MINUTE);
  expect(row(c)?.refused?.code).toBe("INBOUND_SYNC_NOT_ALLOWED");
  c.source.deleteUser(ids[0] as string);
  await c.world.clock.runFor(5 * MINUTE);
  expect(c.guestsOf(ids[0] as string)[0]?.deletedAt).toBeUndefined();
  await allow(c, true);
  await until(c, 6 * MINUTE, () => c.faults().length === 0);
});

test("a target where nobody may invite stops the job within a sweep, with the reason; people stay, and it goes on", async () => {
  const { c, ids } = await settled({ permissions: ["Policy.Read.All"] });
  await invitesFrom(c, "none");
  await c.world.clock.runFor(2 * MINUTE);
  expect(row(c)?.refused?.code).toBe("INBOUND_INVITATIONS_BLOCKED");
  const hired = c.hire("hired", [c.groupA]);
  c.source.deleteUser(ids[0] as string);
  await c.world.clock.runFor(5 * MINUTE);
  expect(c.guestsOf(ids[0] as string)[0]?.deletedAt).toBeUndefined();
  expect(c.guestsOf(hired)).toEqual([]);
  await invitesFrom(c, "adminsAndGuestInviters");
  await until(c, 6 * MINUTE, () => c.faults().length === 0);
  expect(row(c)?.refused).toBeUndefined();
});

test("invitations that are refused where the policy may not be read: the job stops and tries again", async () => {
  const { c, ids } = await settled();
  const { world } = c;
  world.graph.addFault({ tenant: "hub", on: "invite", kind: "status", status: 403 });
  const hired = ["x", "y", "z", "u"].map((name) => c.hire(name, [c.groupA]));
  await until(c, 3 * MINUTE, () => row(c)?.refused?.code === "INBOUND_INVITATIONS_BLOCKED");
  const tried = () => world.graph.statistics().hub?.byOperation["POST /invitations"] ?? 0;
  await c.world.clock.runFor(10 * SECOND); // who was being invited at that moment
  const before = tried();
  await c.world.clock.runFor(20 * MINUTE);
  expect(tried()).toBe(before);
  expect(ids.every((id) => c.guestsOf(id)[0]?.deletedAt === undefined)).toBe(true);
  await until(c, 15 * MINUTE, () => tried() > before); // still refused
  await until(c, MINUTE, () => row(c)?.refused !== undefined);
  world.graph.clearFaults();
  await until(c, 45 * MINUTE, () => c.faults().length === 0);
  expect(hired.map((id) => c.guestsOf(id).length)).toEqual([1, 1, 1, 1]);
});

test("our enterprise application is disabled in the target: noticed within a sweep though its token is good; people stay", async () => {
  const { c, ids } = await settled();
  const { world } = c;
  const app = world.config.tenants.find(({ name }) => name === "hub")?.credential.clientId ?? "";
  world.graph.enableApplication("hub", app, false);
  await world.clock.runFor(2 * MINUTE);
  expect(row(c)?.refused?.code).toBe("TENANT_APP_DISABLED");
  c.source.deleteUser(ids[0] as string);
  await world.clock.runFor(40 * MINUTE); // the token has ended
  expect(c.guestsOf(ids[0] as string)[0]?.deletedAt).toBeUndefined();
  expect(row(c)?.refused?.code).toBe("TENANT_APP_DISABLED");
  world.graph.enableApplication("hub", app, true);
  await until(c, 6 * MINUTE, () => c.faults().length === 0);
  expect(row(c)?.refused).toBeUndefined();
});

test("a login that is down is no refusal: the job is not stopped", async () => {
  const { c, ids } = await settled();
  c.world.graph.addFault({ tenant: "hub", on: "token", kind: "refuse", forMs: 40 * MINUTE });
  await c.world.clock.runFor(35 * MINUTE);
  expect(row(c)?.refused).toBeUndefined();
  c.source.deleteUser(ids[0] as string);
  await until(c, 10 * MINUTE, () => c.guestsOf(ids[0] as string)[0]?.deletedAt !== undefined);
});

test("a job that is taken out of the file shows what it left behind", async () => {
  const { c } = await settled();
  expect(await orphanedJobs(worldOf(c))).toEqual([]);
  await c.change([{ scope: { groups: [{ id: c.groupA }] }, state: "off" }], 10 * SECOND);
  await c.world.clock.runFor(5 * MINUTE);
  expect(await orphanedJobs(worldOf(c))).toMatchObject([{ job: { jobId: "a" }, people: 7 }]);
});

test("a paused job that gets another name stays paused, and one that is started is not stopped by its old name", async () => {
  const { c, ids } = await settled();
  const [first] = ids as [string];
  const named = (id: string) => ({ id, scope: { groups: [{ id: c.groupA }] }, limits: {} });
  await pauseJob(worldOf(c), { ...BY, why: "maintenance" });
  await c.world.clock.runFor(2 * SECOND);
  await c.change([named("renamed")], 10 * SECOND);
  c.source.updateUser(first, { department: "While Paused" });
  const hired = c.hire("hired", [c.groupA]);
  await c.world.clock.runFor(20 * MINUTE);
  expect([department(c, first), c.guestsOf(hired)]).toEqual(["0", []]);
  const rows = c.world.store.dump("jobs").map(({ value }) => value as JobRow);
  expect(rows.find(({ jobId }) => jobId === "renamed")).toMatchObject({ paused: { by: "hub/alice" } });
  await worldOf(c).tables.jobs.remove("jobs", "renamed"); // as before the timer has seen it
  expect(await new JobDesk(worldOf(c)).whyStopped("renamed")).toBe("JOB_PAUSED");
  await startJob(worldOf(c), { ...BY, jobId: "renamed" });
  await until(c, 5 * MINUTE, () => c.faults().length === 0);
  await c.world.clock.runFor(20 * MINUTE);
  c.source.updateUser(first, { department: "Started" });
  await until(c, 5 * MINUTE, () => department(c, first) === "Started");
});

test("a restart lifts a quarantine, tries who failed, and reads everybody anew", async () => {
  const { c, ids } = await settled();
  const { jobs } = worldOf(c).tables;
  const stored = await jobs.read("jobs", "a");
  if (!stored) throw new Error("the job has no row");
  const now = c.world.clock.now();
  const quarantine = {
    reason: "EncounteredEscrowProportionThreshold" as const,
    seriesBegan: now,
    currentBegan: now,
    seriesCount: 0,
    nextAttempt: now + 6 * HOUR,
  };
  const counts = { events: 10_000, failures: 9_000, referenceFailures: 0, at: now };
  await jobs.put("jobs", "a", { ...stored.value, health: "quarantined", quarantine, counts });
  await c.world.clock.runFor(2 * SECOND);
  c.source.updateUser(ids[0] as string, { department: "In Quarantine" });
  c.source.updateUser(ids[1] as string, { accountEnabled: false });
  await c.world.clock.runFor(10 * MINUTE);
  expect(department(c, ids[0] as string)).toBe("0");
  expect(c.guestsOf(ids[1] as string)[0]?.accountEnabled).toBe(false); // whoever is disabled is blocked all the same
  const done = await restartJob(worldOf(c), { ...BY, scopes: [] });
  expect(done?.map(({ scope }) => scope)).toEqual(["QuarantineState", "Escrows", "Watermark"]);
  await until(c, 5 * MINUTE, () => c.faults().length === 0);
  expect(row(c)).toMatchObject({ health: "healthy" });
});

test("a quarantine ends by itself when the failures are gone at its next attempt", async () => {
  const { c, ids } = await settled({ timerMs: MINUTE });
  const { jobs } = worldOf(c).tables;
  const stored = await jobs.read("jobs", "a");
  const now = c.world.clock.now();
  const quarantine = {
    reason: "EncounteredEscrowProportionThreshold" as const,
    seriesBegan: now - 5 * HOUR,
    currentBegan: now - 5 * HOUR,
    seriesCount: 0,
    nextAttempt: now + 30 * MINUTE,
  };
  const counts = { events: 10_000, failures: 9_000, referenceFailures: 0, at: now };
  await jobs.put("jobs", "a", { ...(stored?.value as JobRow), health: "quarantined", quarantine, counts });
  await c.world.clock.runFor(2 * SECOND);
  c.source.updateUser(ids[0] as string, { department: "In Quarantine" });
  await c.world.clock.runFor(20 * MINUTE);
  expect(department(c, ids[0] as string)).toBe("0");
  await c.world.clock.runFor(20 * MINUTE);
  expect(department(c, ids[0] as string)).toBe("In Quarantine");
  await c.world.clock.runFor(2 * HOUR);
  expect(row(c)).toMatchObject({ health: "healthy" });
  expect(row(c)?.quarantine).toBeUndefined();
});

test("dead letters are visible and are driven again by command", async () => {
  const { c, ids } = await settled();
  const id = ids[0] as string;
  c.world.hooks.before = (call) => {
    if (call.to === "graph" && call.about.includes(id)) throw new TypeError("a defect");
  };
  c.source.updateUser(id, { department: "Poisoned" });
  await c.world.clock.runFor(10 * MINUTE);
  expect(c.link(id)?.escrow?.code).toBe("KEEPS_FAILING");
  c.world.hooks.before = undefined;
  expect(await redriveDeadLetters(worldOf(c))).toBe(1);
  await until(c, MINUTE, () => department(c, id) === "Poisoned");
});

test("a copy of the tables is put back, twice, over nothing and over what came later", async () => {
  const { c, ids } = await settled();
  const copy: CopiedRow[] = [];
  for await (const line of exportTables(worldOf(c))) copy.push(JSON.parse(JSON.stringify(line)));
  const before = linked(c);
  const lines = async function* () {
    yield* copy;
  };
  for (const name of ["links", "targets", "limits", "limitparts", "jobs"]) c.world.store.clear(name);
  for (let time = 0; time < 2; time++) expect(await importTables(worldOf(c), lines())).toBe(copy.length);
  expect(linked(c)).toEqual(before);
  c.source.updateUser(ids[0] as string, { department: "After The Restore" });
  const hired = c.hire("hired", [c.groupA]);
  await until(c, 30 * MINUTE, () => c.faults().length === 0);
  expect(c.guestsOf(hired)).toHaveLength(1);
  expect(c.crimes()).toEqual([]);
});
