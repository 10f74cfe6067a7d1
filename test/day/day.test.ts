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
const DAY_MS_MAX = 20 * 60_000;
/** For each event; the pace of the machine is nobody's business here. */
const LIMIT_MS = 4 * 60_000;
let folder: string;
let cloud: LocalCloud;
const lines: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "day-"));
  await buildApp("functions", join(folder, "dist"));
  cloud = await startCloud({ folder: join(folder, "sandbox"), appFolder: join(folder, "dist"), people: 120 });
});
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
    expect(await play({ ...cloud, pace: { ...cloud.pace, limitMs: LIMIT_MS } }, output), lines.join("")).toBe(true);
    expect(lines.join("").trimEnd().split("\n").at(-1)).toMatch(/^(\d+) of \1 people right in 3 targets$/);
    expect((await statistics()).map(({ beforeRetryAfter }) => beforeRetryAfter)).toEqual([0, 0, 0, 0, 0]);
  },
  DAY_MS_MAX,
);

test(
  "a second run of the same jobs writes nothing",
  async () => {
    const checkpoints = TableClient.fromConnectionString(cloud.endpoints.storage, "checkpoints", {
      allowInsecureConnection: true,
    });
    const rows = async () => Array.fromAsync(checkpoints.listEntities<{ phase: string; startedAt: number }>());
    const queues = async () => JSON.stringify(await (await fetch(`${cloud.bus.control}/statistics`)).json());
    const nothingUnderWay = async () => expect(await queues()).not.toMatch(/"(active|locked)":[1-9]/);
    let before = await writes();
    await vi.waitFor(
      async () => {
        const now = await writes(); // looks that follow the last event of the day
        const rested = now === before;
        before = now;
        expect(rested).toBe(true);
        await nothingUnderWay();
      },
      { timeout: LIMIT_MS, interval: 5_000 },
    );
    const restartedAt = Date.now();
    const known = await rows();
    for (const { partitionKey, rowKey } of known) await checkpoints.deleteEntity(partitionKey ?? "", rowKey ?? "");
    const over = new Set<string>();
    await vi.waitFor(
      async () => {
        // A row that was removed begins with a full round. Short ones follow it, not for all rows at the same time.
        for (const { partitionKey, rowKey, phase, startedAt } of await rows())
          if (phase === "idle" && startedAt > restartedAt) over.add(`${partitionKey} ${rowKey}`);
        expect(over.size).toBe(known.length);
      },
      { timeout: LIMIT_MS, interval: 250 },
    );
    await vi.waitFor(nothingUnderWay, { timeout: LIMIT_MS, interval: 100 });
    expect(await writes()).toBe(before);
  },
  DAY_MS_MAX,
);
