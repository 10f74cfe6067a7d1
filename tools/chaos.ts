import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chaos, WAIT_MS_MAX } from "../sandbox/local/chaos.ts";
import { buildApp } from "./build.ts";

/** `npm run chaos`: kills and outages on real wires while people change; ends with 1 when a target is not right afterwards. */
const USAGE = `Usage: npm run chaos -- [options]
  --minutes N     faults for so long (2)
  --seed N        (1)
  --instances N   of the app (3)
  --help`;

function whole(name: string, text: string, least: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new Error(`--${name} ${text}: give a whole number, at least ${least}.`);
  return Number(text);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: "1" },
      instances: { type: "string", default: "3" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const wanted = {
    minutes: whole("minutes", values.minutes, 1),
    seed: whole("seed", values.seed, 0),
    instances: whole("instances", values.instances, 1),
  };
  const folder = await mkdtemp(join(tmpdir(), "chaos-"));
  try {
    await buildApp(fileURLToPath(new URL("../functions", import.meta.url)), join(folder, "dist"));
    const at = { folder: join(folder, "sandbox"), appFolder: join(folder, "dist") };
    const report = await chaos({ ...wanted, ...at, say: (text) => console.log(text) });
    for (const [name, times] of Object.entries(report.faults)) console.log(`${String(times).padStart(6)}  ${name}`);
    const { convergedMs, waits, longestWaitMs, differences } = report;
    console.log(
      `${waits} changes were on their way when an instance died; the longest waited ${longestWaitMs / 1000} s`,
    );
    for (const difference of differences) console.log(`  ${difference}`);
    console.log(
      convergedMs === undefined ? "not right in the end" : `right ${convergedMs / 1000} s after the last fault`,
    );
    return convergedMs !== undefined && longestWaitMs <= WAIT_MS_MAX ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exitCode = 2;
}
