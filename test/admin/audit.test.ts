import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { appendAudit, verifyAudit } from "../../shared/admin/audit.ts";
import type { AuditRow, World } from "../../shared/pipeline/world.ts";
import { type Stage, stage } from "./stage.ts";

let c: Stage;
afterEach(() => c.world.close());
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };
const entry = (verb: string) => ({ who: "t/p", appId: undefined, verb, subjects: ["x"] });
const worldOf = (index = 0): World => {
  const { world } = c.world.instances[index] ?? {};
  if (!world) throw new Error("no instance");
  return world;
};
const name = (seq: number) => String(seq).padStart(12, "0");
const raw = () => c.world.store.rows<AuditRow>("audit");

async function five(): Promise<AuditRow[]> {
  c = stage();
  const rows: AuditRow[] = [];
  for (const verb of ["a", "b", "c", "d", "e"]) rows.push(await appendAudit(worldOf(), entry(verb), QUIET));
  return rows;
}

test("each entry holds the hash of the one before", async () => {
  const rows = await five();
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(rows.map(({ previous }) => previous)).toEqual(["", ...rows.slice(0, 4).map(({ hash }) => hash)]);
  expect(await verifyAudit(worldOf())).toEqual({ kind: "sound", rows: 5, hash: rows[4]?.hash });
});

test("two instances at once get a number each", async () => {
  c = stage({ seed: 3, instances: 2, timerMs: 0 });
  c.world.hooks.before = async () => void (await Promise.resolve()); // they take turns at every call
  await Promise.all(Array.from({ length: 20 }, (_, i) => appendAudit(worldOf(i % 2), entry(`v${i}`), QUIET)));
  expect(await verifyAudit(worldOf())).toMatchObject({ kind: "sound", rows: 20 });
  const verbs = c.world.store.dump("audit").map(({ value }) => (value as AuditRow).verb);
  expect(new Set(verbs).size).toBe(20);
});

test("an instance that dies between the row and the head leaves a sound log, and the next goes on after it", async () => {
  await five();
  await c.world.store.rows("audithead").put("audit", "head", { seq: 3, hash: "stale" });
  const rows = c.world.store.dump("audit").map(({ value }) => value as AuditRow);
  await c.world.store.rows("audithead").put("audit", "head", { seq: 3, hash: rows[2]?.hash });
  expect((await appendAudit(worldOf(), entry("f"), QUIET)).seq).toBe(6);
  expect(await verifyAudit(worldOf())).toMatchObject({ kind: "sound", rows: 6 });
});

test.each<[string, (rows: readonly AuditRow[]) => Promise<unknown>, number]>([
  ["a changed verb", (r) => raw().put("audit", name(3), { ...(r[2] as AuditRow), verb: "x" }), 3],
  ["another person", (r) => raw().put("audit", name(2), { ...(r[1] as AuditRow), who: "t/q" }), 2],
  ["a row taken out", () => raw().remove("audit", name(2)), 2],
  ["the first taken out", () => raw().remove("audit", name(1)), 1],
  ["the last taken out", () => raw().remove("audit", name(5)), 5],
  [
    "two that change places",
    async (r) => {
      await raw().put("audit", name(2), r[2] as AuditRow);
      await raw().put("audit", name(3), r[1] as AuditRow);
    },
    2,
  ],
  [
    "a row changed with a hash that fits it",
    async (r) => {
      const { hash: _, ...row } = { ...(r[2] as AuditRow), verb: "x" };
      const hash = worldOf().hash(
        JSON.stringify([row.seq, row.at, row.who, row.appId, row.verb, row.subjects, row.previous]),
      );
      await raw().put("audit", name(3), { ...row, hash });
    },
    4,
  ],
])("%s: the first wrong number is named", async (_name, change, seq) => {
  await change(await five());
  expect(await verifyAudit(worldOf())).toMatchObject({ kind: "broken", seq });
});

test.each<[string, (rows: readonly AuditRow[]) => Promise<unknown>]>([
  [
    "the last row says that it is an earlier one",
    (r) => raw().put("audit", name(5), { ...(r[4] as AuditRow), seq: 2 }),
  ],
  ["a row under a key that is no number", (r) => raw().put("audit", "zzz", { ...(r[4] as AuditRow), seq: 4 })],
])("%s: what people do is still written down, and the change shows", async (_name, change) => {
  await change(await five());
  expect((await appendAudit(worldOf(), entry("f"), QUIET)).seq).toBe(6);
  expect((await verifyAudit(worldOf())).kind).toBe("broken");
});

test("an end that was cut off together with the head shows to whoever kept a hash", async () => {
  const rows = await five();
  await raw().remove("audit", name(5));
  await c.world.store.rows("audithead").put("audit", "head", { seq: 4, hash: rows[3]?.hash });
  expect((await verifyAudit(worldOf())).kind).toBe("sound");
  const kept = { seq: 5, hash: rows[4]?.hash ?? "" };
  expect(await verifyAudit(worldOf(), kept)).toMatchObject({ kind: "broken", seq: 5 });
});

test("any one change to any row is found", async () => {
  const rows = await five();
  const field = fc.constantFrom("seq", "at", "who", "appId", "verb", "subjects", "previous", "hash" as const);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), field, async (seq, key) => {
      const before = rows[seq - 1] as AuditRow;
      const value = key === "seq" || key === "at" ? before[key] + 1 : key === "subjects" ? ["x", "y"] : "other";
      await raw().put("audit", name(seq), { ...before, [key]: value });
      const verdict = await verifyAudit(worldOf());
      await raw().put("audit", name(seq), before);
      return verdict.kind === "broken" && verdict.seq <= seq + 1;
    }),
    { numRuns: 60, seed: 1 },
  );
});
