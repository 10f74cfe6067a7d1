import { afterEach, expect, test } from "vitest";
import { MINUTE, SECOND } from "../scenario/contoso.ts";
import { nameOf, type Stage, stage } from "./stage.ts";

/** Jobs over the admin API. */

const open: Stage[] = [];
afterEach(() => {
  for (const s of open.splice(0)) s.world.close();
});

async function staged(): Promise<Stage> {
  const s = stage();
  open.push(s);
  await s.world.clock.runFor(MINUTE);
  return s;
}
const jobs = async (s: Stage, name: "alice" | "frank" = "alice") =>
  (await s.ask(name, "jobs")).body.items as Readonly<Record<string, unknown>>[];

test("who may operate pauses and starts a job, and everybody sees who it was", async () => {
  const s = await staged();
  const body = { job: "a", reason: "maintenance" };
  expect((await s.ask("carol", "commands/job-pause", body)).status).toBe(403);
  expect((await s.ask("alice", "commands/job-pause", body)).status).toBe(200);
  const [a] = (await jobs(s)).filter(({ job }) => job === "a");
  expect(a).toMatchObject({ stopped: "JOB_PAUSED", paused: { by: nameOf("alice"), why: "maintenance" } });
  expect((await s.ask("alice", "commands/job-start", { job: "a" })).status).toBe(200);
  await s.world.clock.runFor(10 * SECOND);
  expect((await jobs(s)).filter(({ stopped }) => stopped !== null)).toEqual([]);
});

test("the first people of a job are counted within minutes, not when an hour is over", async () => {
  const s = await staged();
  await s.world.clock.runFor(2 * MINUTE);
  expect(await jobs(s)).toMatchObject([{ job: "a", counts: { events: 1 } }, { job: "b" }]);
});

test("a job beyond one's scope is as one that does not exist", async () => {
  const s = await staged();
  expect((await jobs(s, "frank")).map(({ job }) => job)).toEqual(["b"]);
  expect((await s.ask("frank", "commands/job-start", { job: "a" })).status).toBe(404);
  expect((await s.ask("alice", "commands/job-start", { job: "none" })).status).toBe(404);
});

test("a restart takes Graph's scopes; held removals are forced only by whoever may approve", async () => {
  const s = await staged();
  const restart = (reset?: string) => s.ask("alice", "commands/job-restart", { job: "a", ...(reset ? { reset } : {}) });
  const done = (await restart()).body.done as { scope: string }[];
  expect(done.map(({ scope }) => scope)).toEqual(["QuarantineState", "Escrows", "Watermark"]);
  expect((await restart("Escrows, Watermark")).status).toBe(200);
  expect((await restart("ForceDeletes")).status).toBe(400);
  expect((await restart("None")).status).toBe(400);
  expect((await s.ask("alice", "commands/job-force-deletes", { job: "a" })).status).toBe(403);
  expect((await s.ask("bob", "commands/job-force-deletes", { job: "a" })).status).toBe(200);
  expect((await s.ask("alice", "commands/redrive", { job: "a" })).body).toMatchObject({ people: 0 });
});
