import { afterEach, expect, test } from "vitest";
import { pairKey } from "../../shared/pipeline/world.ts";
import { type Stage, stage } from "./stage.ts";

let s: Stage;
afterEach(() => s.world.close());

test("a transfer concerns the jobs of both people: who is narrowed to one of them may not take from the other", async () => {
  s = stage({ seed: 33 });
  const [from, to] = ["11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"];
  const { links } = s.world.instances[0]?.world.tables ?? {};
  const transfer = () =>
    s.ask("frank", "commands/links-transfer", { source: "home", target: "hub", from, to, how: "newPerson" });
  for (const [userId, jobId] of [
    [from, "b"],
    [to, "a"],
  ] as const)
    await links?.put(pairKey(s.sourceId, s.targetId), userId, { state: "none", userId, jobId });
  expect((await transfer()).body.code).toBe("OUT_OF_SCOPE");
  await links?.put(pairKey(s.sourceId, s.targetId), to, { state: "none", userId: to, jobId: "b" });
  expect((await transfer()).body.code).toBe("REFUSED"); // there is nothing to transfer; it was asked for with right
});
