import { afterEach, expect, test } from "vitest";
import { stampOf } from "../../shared/domain/link.ts";
import { HOUR, MINUTE, SECOND } from "../scenario/contoso.ts";
import { type Stage, stage } from "./stage.ts";

/** Lost tables and orphans over the admin API. */

let s: Stage;
afterEach(() => s.world.close());

interface Status {
  tables: {
    state: string;
    says: string;
    rebuilds: { phase: string; endedAt?: string; found?: { made: number; known: number } }[];
  };
  orphans: { jobs: object[]; users: number };
}
async function status(name: "alice" | "frank" = "alice"): Promise<Status> {
  const { tables, orphans } = (await s.ask(name, "status")).body;
  return { tables: tables as Status["tables"], orphans: orphans as Status["orphans"] };
}
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < HOUR && !(await condition()); waited += 5 * SECOND)
    await s.world.clock.runFor(5 * SECOND);
  expect(await condition()).toBe(true);
}

test("links are rebuilt by whoever may approve for the whole deployment, and what was found is shown", async () => {
  s = stage({ seed: 31, settings: { driftMs: 5 * MINUTE } });
  for (let i = 0; i < 4; i++) s.hire(`p${i}`, [s.groupA]);
  await until(async () => s.faults().length === 0);
  expect(await status()).toMatchObject({ tables: { state: "on", rebuilds: [] }, orphans: { jobs: [], users: 0 } });
  s.world.store.clear("links");
  await s.world.clock.runFor(MINUTE);
  expect((await status()).tables).toMatchObject({ state: "lost", says: expect.stringContaining("links rebuild") });
  expect((await s.ask("alice", "commands/links-rebuild", {})).status).toBe(403);
  expect((await s.ask("frank", "commands/links-rebuild", {})).status).toBe(403);
  expect((await s.ask("bob", "commands/links-rebuild", {})).body).toMatchObject({ targets: [s.targetId] });
  await until(async () => (await status()).tables.state === "on");
  const [rebuilt] = (await status()).tables.rebuilds;
  expect(rebuilt).toMatchObject({ phase: "idle", endedAt: expect.any(String), found: { contradicted: 0, noJob: 0 } });
  // Looks have made some of the links already while they only showed what they would do.
  expect((rebuilt?.found?.made ?? 0) + (rebuilt?.found?.known ?? 0)).toBe(5);
  await s.ask("bob", "commands/links-rebuild", {});
  await until(async () => (await status()).tables.rebuilds[0]?.phase === "idle");
  expect((await status()).tables.rebuilds).toMatchObject([{ found: { made: 0, known: 5 } }]);
});

test("users with our stamp whom no link knows are counted and listed, and not to who is narrowed to jobs", async () => {
  s = stage({ seed: 32, settings: { driftMs: MINUTE } });
  const ada = s.hire("ada", [s.groupA]);
  await until(async () => s.faults().length === 0);
  const [guest] = s.guestsOf(ada);
  s.world.store.clear("orphans");
  const copy = s.target.createUser({
    ...guest?.properties,
    displayName: "Copy",
    userPrincipalName: "copy_home.example#EXT#@hub.onmicrosoft.com",
    mail: "copy@home.example",
    userType: "Guest",
    creationType: "Invitation",
  });
  const { tables } = s.world.instances[0]?.world ?? {};
  const stamp = stampOf("two-tenants", s.sourceId, ada);
  await tables?.orphans.put(s.targetId, copy, { stamp, foundAt: s.world.clock.now() });
  await tables?.orphans.put(s.targetId, guest?.id ?? "", { stamp, foundAt: s.world.clock.now() });
  const list = (await s.ask("alice", "orphans")).body.items;
  expect(list).toMatchObject([{ targetTenantId: s.targetId, targetId: copy, sourceTenantId: s.sourceId, userId: ada }]);
  expect((await status()).orphans.users).toBe(1);
  expect(s.world.store.dump("orphans")).toHaveLength(1); // whoever has a link is none
  expect((await s.ask("frank", "orphans")).body.items).toEqual([]);
  expect((await status("frank")).orphans.users).toBe(0);
});
