import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { Admin } from "../../shared/admin/router.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { MINUTE, SECOND } from "../scenario/contoso.ts";
import { nameOf, type Stage, stage } from "./stage.ts";

let c: Stage;
afterEach(() => c.world.close());

const WHO = "11111111-0000-4000-8000-000000000001";

/** Two people in escrow for a taken address: one of job `a`, one of job `b`. */
async function withEscrows() {
  c = stage();
  const ada = c.hire("ada", [c.groupA]);
  const ben = c.hire("ben", [c.groupB]);
  await c.untilSettled(2 * MINUTE);
  for (const { partition, row, value } of c.world.store.dump("links")) {
    if (row !== ada && row !== ben) continue;
    const code = row === ada ? "ADDRESS_REUSED" : "VALUE_REFUSED";
    const now = c.world.clock.now();
    const escrow = { code, failures: 1, since: now, nextAt: now + 3_600_000 };
    const { links } = c.world.instances[0]?.world.tables ?? {};
    await links?.put(partition, row, { ...(value as { state: "linked"; userId: string }), escrow } as never);
  }
  return { ada, ben };
}
const items = (answer: { body: Record<string, unknown> }) => answer.body.items as Record<string, unknown>[];

test("health needs no token and says nothing else", async () => {
  c = stage();
  expect(await c.ask(undefined, "health")).toMatchObject({ status: 200, body: { status: "ok" } });
});

test.each([
  ["no token", undefined, "status", 401, "UNAUTHENTICATED"],
  ["a token that is none", "mallory", "status", 401, "UNAUTHENTICATED"],
  ["a path that is not there, without a token", undefined, "nothing", 401, "UNAUTHENTICATED"],
  ["no app role of ours", "nobody", "status", 403, "ROLE_MISSING"],
  ["a path that is not there", "carol", "statsu", 404, "NOT_FOUND"],
  ["a name of every object", "carol", "constructor", 404, "NOT_FOUND"],
  ["an unknown filter", "carol", "log?colour=red", 400, "INVALID"],
  ["a day that is none", "carol", "log?day=2026-02-30", 400, "INVALID"],
  ["too much at once", "carol", "escrows?limit=1000", 400, "INVALID"],
  ["a cursor of somebody's own", "carol", "escrows?cursor=abc", 400, "INVALID"],
  ["a parameter twice", "carol", "log?day=2026-01-05&day=2026-01-06", 400, "INVALID"],
  ["the audit log, narrowed", "frank", "audit", 403, "OUT_OF_SCOPE"],
])("%s: %s %s is %i %s", async (_what, name, path, status, code) => {
  c = stage();
  const answer = await c.ask(name, path);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.headers["Content-Type"]).toBe("application/problem+json");
  expect(answer.body.remedy).toEqual(expect.stringMatching(/./));
});

test.each<[string, string, string, unknown, number, string]>([
  ["a command of another role", "carol", "look", {}, 403, "ROLE_MISSING"],
  ["approving with the wrong role", "alice", "approve", { id: "x" }, 403, "ROLE_MISSING"],
  ["no such command", "alice", "lok", {}, 404, "NOT_FOUND"],
  ["a body that is no JSON", "alice", "look", "{", 400, "INVALID"],
  ["a body that reaches for prototypes", "alice", "sweep", '{"__proto__":{"source":"home"}}', 400, "INVALID"],
  ["a body without end", "alice", "look", "[".repeat(60_000), 400, "INVALID"],
  ["a body that is too large", "alice", "look", `"${"x".repeat(70_000)}"`, 413, "TOO_LARGE"],
  ["a user who is no id", "alice", "look", { source: "home", user: "ada" }, 400, "INVALID"],
  ["an unknown key", "alice", "look", { source: "home", user: WHO, force: true }, 400, "INVALID"],
  ["an unknown source", "alice", "look", { source: "atlantis", user: WHO }, 400, "INVALID"],
  ["beyond the targets of a scope", "eve", "look", { source: "home", user: WHO }, 400, "INVALID"],
  ["beyond the jobs of a scope", "frank", "look", { source: "home", user: WHO, target: "hub" }, 403, "OUT_OF_SCOPE"],
  ["the kill switch, narrowed", "frank", "kill-on", { reason: "drill" }, 403, "OUT_OF_SCOPE"],
  ["an unknown held set", "bob", "held-approve", { job: "a", set: "x", count: 1 }, 404, "NOT_FOUND"],
  ["deciding with the wrong role", "alice", "held-reject", { job: "a", set: "x", count: 1 }, 403, "ROLE_MISSING"],
  [
    "a transfer of nobody",
    "bob",
    "links-transfer",
    { source: "home", target: "hub", from: WHO, to: WHO, how: "samePerson" },
    409,
    "REFUSED",
  ],
  ["nobody in escrow", "alice", "retry", { source: "home", target: "hub", user: WHO }, 409, "NOTHING_TO_DO"],
  ["a request that is not there", "bob", "approve", { id: "configuration:x:all" }, 404, "NOT_FOUND"],
  ["a switch that is off", "alice", "kill-off", { reason: "drill" }, 409, "NOTHING_TO_DO"],
])("%s: %s %s is refused, and nothing is done", async (_what, name, command, body, status, code) => {
  c = stage();
  const before = c.world.broker.statistics();
  const answer = await c.ask(name, `commands/${command}`, body);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(c.world.broker.statistics()).toEqual(before);
});

test("mistakes name their place, and a near miss is named", async () => {
  c = stage();
  const { body } = await c.ask("alice", "commands/look", { source: "home", user: "ada", more: 1 });
  expect((body.mistakes as { path: string }[]).map(({ path }) => path)).toEqual(["user", "(body)"]);
  expect((await c.ask("alice", "commands/swep", {})).body.detail).toContain("Did you mean sweep?");
});

test("held and escrows: pages, filters, and nothing beyond one's scope", async () => {
  const { ada, ben } = await withEscrows();
  const held = await c.ask("carol", "held");
  expect(items(held)).toMatchObject([{ userId: ada, jobId: "a", code: "ADDRESS_REUSED" }]);
  expect(items(held)[0]?.remedy).toMatch(/./);
  expect(items(await c.ask("carol", "escrows"))).toMatchObject([{ userId: ben, jobId: "b" }]);
  expect(items(await c.ask("frank", "held"))).toEqual([]);
  expect(items(await c.ask("frank", "escrows"))).toMatchObject([{ userId: ben }]);
  expect(items(await c.ask("eve", "escrows"))).toEqual([]);
  const status = await c.ask("eve", "status");
  expect(JSON.stringify(status.body)).not.toContain(c.targetId);
  expect(JSON.stringify((await c.ask("frank", "status")).body.pairs)).not.toContain('"a"');
  expect(items(await c.ask("carol", "escrows?target=elsewhere"))).toEqual([]);
});

test("the log comes in pages that together are the whole", async () => {
  await withEscrows();
  const all = items(await c.ask("carol", "log?limit=200"));
  expect(all.length).toBeGreaterThan(2);
  const read: unknown[] = [];
  let path = "log?limit=1";
  for (let i = 0; i < 50; i++) {
    const page = await c.ask("carol", path);
    read.push(...items(page));
    if (!page.body.cursor) break;
    path = `log?limit=1&cursor=${page.body.cursor}`;
  }
  expect(read).toEqual(all);
  expect(items(await c.ask("eve", "log"))).toEqual([]);
  expect(items(await c.ask("carol", "log?status=failure"))).toEqual([]);
  const { userId = "" } = all[0] as { userId?: string };
  const theirs = items(await c.ask("carol", `log?user=${userId.toUpperCase()}`));
  expect(theirs).toEqual(all.filter((row) => (row as { userId?: string }).userId === userId));
  expect(theirs.length).toBeGreaterThan(0);
});

test("retry settles an escrow, look reaches a person of one's own job, sweep reads a source; each is written down first", async () => {
  const { ada, ben } = await withEscrows();
  expect((await c.ask("frank", "commands/look", { source: "home", user: ada })).body.code).toBe("OUT_OF_SCOPE");
  expect((await c.ask("frank", "commands/look", { source: "home", user: ben })).body).toMatchObject({ hints: 1 });
  const retried = await c.ask("alice", "commands/retry", { source: "home", target: "hub", user: ada.toUpperCase() });
  expect(retried.body).toMatchObject({ hints: 1, code: "ADDRESS_REUSED" });
  expect((await c.ask("alice", "commands/sweep", {})).body).toMatchObject({ sources: [c.sourceId] });
  await c.world.clock.runFor(30 * SECOND);
  expect(c.link(ada)?.escrow).toBeUndefined();
  expect(c.link(ben)?.escrow).toBeUndefined();
  const audit = items(await c.ask("carol", "audit"));
  expect(audit.map(({ who, verb }) => [who, verb])).toEqual([
    [nameOf("frank"), "look"],
    [nameOf("alice"), "retry"],
    [nameOf("alice"), "sweep"],
  ]);
  expect(audit[1]).toMatchObject({ seq: 2, subjects: [ada, c.sourceId, c.targetId] });
});

test.each(["full", "drift"])("a %s pass is begun", async (pass) => {
  c = stage();
  await c.untilSettled(2 * MINUTE);
  const sent: string[] = [];
  c.world.hooks.before = async ({ to, what }) => void (to === "bus" && sent.push(what));
  expect((await c.ask("alice", "commands/sweep", { pass })).status).toBe(200);
  expect(c.world.store.dump("passes").map(({ row }) => row)).toContain(pass);
  expect(sent).toContain("send pages");
});

test("whatever is sent is answered, and only what is right is done", async () => {
  c = stage();
  const part = fc.oneof(fc.constantFrom("status", "log", "held", "commands/look", "commands/kill-off"), fc.string());
  const name = fc.oneof(fc.constantFrom("alice", "bob", "carol", "eve", "frank"), fc.string());
  const body = fc.oneof(fc.constant(undefined), fc.string(), fc.json(), fc.constant("9".repeat(65_536)));
  await fc.assert(
    fc.asyncProperty(name, part, fc.string(), body, async (who, path, query, sent) => {
      await c.world.clock.runFor(MINUTE); // nobody calls too often
      const bearer = who.replaceAll(/[^\w.~+/-]/g, "");
      const answer = await c.ask(bearer, `${path.replaceAll("?", "")}?${query.replaceAll("?", "")}`, sent);
      expect([200, 400, 401, 403, 404, 405, 409, 413]).toContain(answer.status);
    }),
    { numRuns: 150, seed: 1 },
  );
  expect(c.world.store.dump("switches")).toEqual([]);
});

test("what cannot be written down is not done", async () => {
  c = stage();
  c.world.store.hooks.before = async (operation, table) => {
    if (table === "audit" && operation === "write") throw new StorageUnavailable("away");
  };
  const sent: unknown[] = [];
  c.world.hooks.before = async ({ to }) => void (to === "bus" && sent.push(to));
  expect(await c.ask("alice", "commands/sweep", {})).toMatchObject({ status: 503, body: { code: "UNAVAILABLE" } });
  expect((await c.ask("alice", "commands/kill-on", { reason: "drill" })).status).toBe(503);
  expect(sent).toEqual([]);
  expect(c.world.store.dump("switches")).toEqual([]);
});

test("too many calls wait, each principal for themselves", async () => {
  c = stage();
  let refused: Awaited<ReturnType<Stage["ask"]>> | undefined;
  for (let i = 0; i < 61; i++) refused = await c.ask("carol", "commands");
  expect(refused).toMatchObject({ status: 429, body: { code: "TOO_MANY_CALLS" }, headers: { "Retry-After": "1" } });
  expect((await c.ask("alice", "commands")).status).toBe(200);
  await c.world.clock.runFor(SECOND);
  expect((await c.ask("carol", "commands")).status).toBe(200);
});

test("without settings it takes no tokens", async () => {
  c = stage();
  const { receiver } = c.world.instances[0] ?? {};
  if (!receiver) throw new Error("no instance");
  const answer = await c.ask("dora", "status", undefined, new Admin(receiver, undefined));
  expect(answer).toMatchObject({ status: 503, body: { code: "NOT_CONFIGURED" } });
});
