import { afterEach, expect, test } from "vitest";
import { MINUTE, SECOND } from "../scenario/contoso.ts";
import { nameOf, type Stage, stage } from "./stage.ts";

/** Sets past a limit, as people list, show and decide about them through the API. */

let s: Stage;
afterEach(() => s.world.close());

const PEOPLE = 12;

/** Everybody of job `a` but a few is deleted at once: five go, the others are held. */
async function held() {
  const rules = (group: string) => ({ scope: { groups: [{ id: group }] }, limits: { removals: { perHour: 6 } } });
  s = stage({ seed: 7, jobs: (a, b) => [rules(a), rules(b)] });
  const ids = Array.from({ length: PEOPLE }, (_, index) => s.hire(`user${index}`, [s.groupA]));
  await s.untilSettled(10 * MINUTE);
  for (const id of ids) s.source.deleteUser(id);
  await s.world.clock.runFor(5 * MINUTE);
  const [set, ...others] = await sets("bob");
  expect(others).toEqual([]);
  expect(set).toMatchObject({ jobId: "a", state: "held", because: "sourceDeleted", count: PEOPLE - 5 });
  return { job: "a", set: String(set?.setId) };
}
const sets = async (name: "bob" | "carol" | "eve" | "frank") =>
  (await s.ask(name, "held/sets")).body.items as Record<string, unknown>[];
const entries = async () => ((await s.ask("carol", "audit")).body.items as { verb: string }[]).map(({ verb }) => verb);
const removed = () => [...s.target.users()].filter(({ home, deletedAt }) => home && deletedAt).length;

test("a set is shown with its people to whoever's scope it is in, and is nothing to anybody else", async () => {
  const about = await held();
  const path = `held/set?job=a&set=${about.set}`;
  const { body } = await s.ask("carol", path);
  expect(body.members).toHaveLength(PEOPLE - 5);
  expect((body.members as object[])[0]).toMatchObject({ because: "REMOVALS_HELD" });
  expect([await sets("eve"), await sets("frank")]).toEqual([[], []]);
  expect((await s.ask("frank", path)).status).toBe(404);
  expect((await s.ask("eve", "commands/held-approve", { ...about, count: PEOPLE - 5 })).status).toBe(404);
});

test("another number than was looked at is refused before anything is written down", async () => {
  const about = await held();
  for (const verdict of ["approve", "reject"]) {
    const answer = await s.ask("bob", `commands/held-${verdict}`, { ...about, count: PEOPLE });
    expect([answer.status, answer.body.code]).toEqual([409, "REFUSED"]);
  }
  expect([await entries(), removed()]).toEqual([[], 5]);
});

test("what is approved goes, one by one; to say so again is no mistake, to say the opposite afterwards is", async () => {
  const about = { ...(await held()), count: PEOPLE - 5 };
  expect((await s.ask("bob", "commands/held-approve", about)).body).toMatchObject({
    set: { state: "approved", decided: { by: nameOf("bob") } },
  });
  expect((await s.ask("bob", "commands/held-approve", about)).status).toBe(200);
  await s.world.clock.runFor(2 * MINUTE);
  expect(removed()).toBe(PEOPLE);
  expect(await sets("bob")).toMatchObject([{ state: "executed", acted: PEOPLE - 5 }]);
  expect((await s.ask("bob", "commands/held-reject", about)).body.code).toBe("ALREADY_SETTLED");
  expect(await entries()).toEqual(["held-approve", "held-approve"]);
});

test("what is rejected stays, is not asked about again, and is over when the cause is", async () => {
  const about = { ...(await held()), count: PEOPLE - 5 };
  expect((await s.ask("bob", "commands/held-reject", about)).body.set).toMatchObject({ state: "rejected" });
  await s.world.clock.runFor(30 * MINUTE);
  expect([removed(), (await sets("bob")).length]).toEqual([5, 1]);
  const people = (await s.ask("carol", "held")).body.items as { code: string }[];
  expect(new Set(people.map(({ code }) => code))).toEqual(new Set(["REMOVALS_REJECTED"]));
  for (const user of [...s.source.users()]) if (user.deletedAt) s.source.restoreUser(user.id);
  await s.world.clock.runFor(2 * MINUTE + 30 * SECOND);
  expect([removed(), (await s.ask("carol", "held")).body.items]).toEqual([0, []]);
});
