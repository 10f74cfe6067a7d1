import { fork } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { supervisor } from "../../../sandbox/local/supervisor.ts";
import { PATIENCE_MS } from "../../patience.ts";

const here = (relative: string) => new URL(`../../../${relative}`, import.meta.url).pathname;
let folder: string;
let child: string;

/** A child that reports, and does on its way what its argument says. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "supervisor-"));
  child = join(folder, "child.ts");
  await writeFile(
    child,
    `import { liveWithParent, reportReady } from ${JSON.stringify(here("sandbox/local/child.ts"))};
const [how] = process.argv.slice(2);
if (how === "fails") { console.error("on purpose"); process.exit(3); }
liveWithParent(() => how === "stubborn" ? new Promise(() => {}) : undefined);
setInterval(() => {}, 1000);
reportReady({ how, given: process.env.GIVEN });`,
  );
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

test("a process reports, is listed, lives through signals of the terminal, and ends with everything", async () => {
  const all = supervisor({ logFolder: join(folder, "logs") });
  const service = await all.start<{ given: string }>({ name: "service", file: child, env: { GIVEN: "setting" } });
  const app = await all.start({ name: "app-1", file: child, restart: true });
  expect(service.report.given).toBe("setting");
  expect(all.processes()).toEqual([
    { name: "service", pid: service.pid, killable: false },
    { name: "app-1", pid: app.pid, killable: true },
  ]);
  const pids = [service.pid, app.pid];
  for (const pid of pids) process.kill(pid, "SIGINT");
  for (const pid of pids) process.kill(pid, "SIGTERM");
  await expect(all.start({ name: "app-1", file: child })).rejects.toThrow("already");
  expect(pids.map(alive)).toEqual([true, true]);
  await all.stop();
  expect(pids.map(alive)).toEqual([false, false]);
  expect(all.processes()).toEqual([]);
});

test("an app that dies is started again; a service that dies is not", async () => {
  const all = supervisor({ logFolder: join(folder, "logs") });
  const app = await all.start({ name: "app-1", file: child, restart: true });
  const service = await all.start({ name: "service", file: child });
  const first = app.pid;
  let changes = 0;
  all.onChange(() => changes++);
  const losses: string[] = [];
  all.onLost((what) => losses.push(what));
  process.kill(first, "SIGKILL");
  process.kill(service.pid, "SIGKILL");
  await vi.waitFor(() => expect([app.ready, app.restarts, losses.length]).toEqual([true, 1, 1]), PATIENCE_MS);
  expect(app.pid).not.toBe(first);
  expect(changes).toBeGreaterThan(0);
  expect(all.processes().map(({ name }) => name)).toEqual(["app-1"]);
  expect(losses).toEqual([expect.stringMatching(/^service has ended \(SIGKILL\)/)]);
  await all.stop();
  expect(losses).toHaveLength(1);
});

test("a process that cannot start says why; one that will not end, frozen or stubborn, is gone all the same", async () => {
  const all = supervisor({ logFolder: join(folder, "logs") });
  await expect(all.start({ name: "bad", file: child, args: ["fails"] })).rejects.toThrow(/exit code 3.*on purpose/s);
  const stubborn = await all.start({ name: "stubborn", file: child, args: ["stubborn"], restart: true });
  const frozen = await all.start({ name: "frozen", file: child });
  process.kill(frozen.pid, "SIGSTOP");
  await all.stop();
  expect([stubborn.pid, frozen.pid].map(alive)).toEqual([false, false]);
});

test("a parent that is killed leaves no child", async () => {
  const parent = join(folder, "parent.ts");
  await writeFile(
    parent,
    `import { supervisor } from ${JSON.stringify(here("sandbox/local/supervisor.ts"))};
const all = supervisor({ logFolder: ${JSON.stringify(join(folder, "logs-parent"))} });
await all.start({ name: "app", file: ${JSON.stringify(child)}, restart: true });
await all.start({ name: "bus", file: ${JSON.stringify(here("sandbox/bus/process.ts"))} });
process.send(all.processes().map(({ pid }) => pid));`,
  );
  const running = fork(parent, { execArgv: [], silent: true });
  const pids = await new Promise<number[]>((resolve, reject) => {
    running.once("message", (message) => resolve(message as number[]));
    running.once("exit", () => reject(new Error("the parent ended")));
  });
  expect(pids.map(alive)).toEqual([true, true]);
  running.kill("SIGKILL");
  await vi.waitFor(() => expect(pids.map(alive)).toEqual([false, false]), PATIENCE_MS);
});
