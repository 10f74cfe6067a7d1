import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Endpoints } from "../../../sandbox/local/endpoints.ts";
import { PATIENCE_MS } from "../../patience.ts";

/** `npm start` as a person uses it: started, watched, interrupted. */
const MAIN = fileURLToPath(new URL("../../../sandbox/local/main.ts", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "main-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

function start(args: readonly string[]): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = fork(MAIN, [...args], { execArgv: [], silent: true, env: { ...process.env, SANDBOX_FOLDER: folder } });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
  return { child, output: () => text, ended: new Promise((resolve) => child.once("exit", resolve)) };
}

async function up(...more: readonly string[]) {
  const run = start(["--idle", "--people", "30", ...more]);
  await vi.waitFor(() => expect(run.output()).toContain("Up until Ctrl-C."), {
    timeout: 2 * PATIENCE_MS,
    interval: 50,
  });
  const { processes } = JSON.parse(await readFile(join(folder, "endpoints.json"), "utf8")) as Endpoints;
  const pids = processes.map(({ pid }) => pid);
  expect(pids.map(alive)).toEqual([true, true, true, true]);
  return { ...run, pids };
}

describe("npm start -- --idle", () => {
  test("Ctrl-C ends everything", async () => {
    const { child, ended, pids } = await up();
    const second = start(["--idle"]);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain("A sandbox is already running");
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(pids.map(alive)).toEqual([false, false, false, false]);
    expect(existsSync(join(folder, "endpoints.json"))).toBe(false);
  });

  test("killed, it leaves no process behind, and starts again in the same folder with an export, whose rows that cannot be used it lists", async () => {
    const first = await up();
    first.child.kill("SIGKILL");
    await vi.waitFor(() => expect(first.pids.map(alive)).toEqual([false, false, false, false]), PATIENCE_MS);
    const users = join(folder, "users.csv");
    await writeFile(users, "userPrincipalName,displayName\nada@fabrikam.com,Ada\nnobody,Nobody\n");
    const again = await up("--users", users);
    expect(again.output()).toContain(`From ${users}: 1 users; 1 rows cannot be used.`);
    expect(again.output()).toMatch(/line 3, nobody: .*userPrincipalName/);
    again.child.kill("SIGTERM");
    expect(await again.ended).toBe(130);
  }, 300_000);
});

test("a service that is killed takes the cloud with it, and is named", async () => {
  const { ended, pids, output } = await up();
  process.kill(pids[1] ?? 0, "SIGKILL");
  expect(await ended).toBe(1);
  expect(output()).toContain("The local cloud stops: bus has ended (SIGKILL)");
  expect(pids.map(alive)).toEqual([false, false, false, false]);
});

test("a flag that does not exist is told apart from a failure", async () => {
  const { output, ended } = start(["--poeple", "30"]);
  expect(await ended).toBe(2);
  expect(output()).toContain("Usage: npm start");
});
