import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TableClient } from "@azure/data-tables";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as z from "zod";
import { type LocalCloud, startCloud } from "../../sandbox/local/cloud.ts";
import { play } from "../../sandbox/local/play.ts";
import { buildApp } from "../../tools/build.ts";

/** The day at work on real wires: the built app in the local host, Azurite, AMQP, Graph over HTTPS. */
const DAY_MS_MAX = 5 * 60_000;
let folder: string;
let cloud: LocalCloud;
const lines: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "day-"));
  await buildApp("functions", join(folder, "dist"));
  cloud = await startCloud({ folder: join(folder, "sandbox"), appFolder: join(folder, "dist"), people: 120 });
}, 120_000);
afterAll(async () => {
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

const Statistics = z.record(z.string(), z.object({ writes: z.number(), beforeRetryAfter: z.number() }));
async function statistics() {
  const response = await fetch(`${cloud.graph.control}/statistics`);
  return Object.values(Statistics.parse(await response.json()));
}
const writes = async () => (await statistics()).reduce((sum, tenant) => sum + tenant.writes, 0);

test(
  "every event of the day ends as it should, and everybody is right in every target",
  async () => {
    const output = { isTTY: false, columns: 100, write: (text: string) => lines.push(text) > 0 };
    expect(await play(cloud, output), lines.join("")).toBe(true);
    expect(lines.join("").trimEnd().split("\n").at(-1)).toMatch(/^(\d+) of \1 people right in 3 targets$/);
    expect((await statistics()).map(({ beforeRetryAfter }) => beforeRetryAfter)).toEqual([0, 0, 0, 0, 0]);
  },
  DAY_MS_MAX,
);

test("a second run of the same jobs writes nothing", async () => {
  const checkpoints = TableClient.fromConnectionString(cloud.endpoints.storage, "checkpoints", {
    allowInsecureConnection: true,
  });
  const rows = async () => Array.fromAsync(checkpoints.listEntities<{ phase: string; startedAt: number }>());
  let before = await writes();
  await vi.waitFor(
    async () => {
      const now = await writes(); // looks that follow the last event of the day
      const rested = now === before;
      before = now;
      expect(rested).toBe(true);
    },
    { timeout: 60_000, interval: 5_000 },
  );
  const restartedAt = Date.now();
  const known = await rows();
  for (const { partitionKey, rowKey } of known) await checkpoints.deleteEntity(partitionKey ?? "", rowKey ?? "");
  await vi.waitFor(
    async () => {
      const again = await rows();
      expect(again.length).toBe(known.length);
      // A row that was removed begins with a full round, and a timer may have had a short one after it.
      for (const row of again) expect(row).toMatchObject({ phase: "idle" });
      for (const row of again) expect(row.startedAt).toBeGreaterThan(restartedAt);
    },
    { timeout: 90_000, interval: 250 },
  );
  const queues = async () => JSON.stringify(await (await fetch(`${cloud.bus.control}/statistics`)).json());
  await vi.waitFor(async () => expect(await queues()).not.toMatch(/"(active|locked)":[1-9]/), {
    timeout: 60_000,
    interval: 500,
  });
  expect(await writes()).toBe(before);
}, 220_000);
