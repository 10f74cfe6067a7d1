import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TableClient } from "@azure/data-tables";
import { ServiceBusClient } from "@azure/service-bus";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type CloudOptions, type LocalCloud, startCloud } from "../../../sandbox/local/cloud.ts";
import type { Endpoints } from "../../../sandbox/local/endpoints.ts";
import { buildApp } from "../../../tools/build.ts";
import { PATIENCE_MS } from "../../patience.ts";

/** The local cloud around tenants that do not answer: what is started, what is said about it, and that all of it ends. */
let folder: string;
let options: CloudOptions;
let cloud: LocalCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloud-"));
  await buildApp("functions", join(folder, "dist"));
  options = {
    folder: join(folder, "sandbox"),
    appFolder: join(folder, "dist"),
    people: 30,
    instances: 2,
    graphFile: fileURLToPath(new URL("../../fixtures/quiet-graph.ts", import.meta.url)),
  };
  cloud = await startCloud(options);
});
afterAll(async () => {
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

const written = async () => JSON.parse(await readFile(join(folder, "sandbox", "endpoints.json"), "utf8")) as Endpoints;
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test("endpoints.json says where everything is", async () => {
  const endpoints = await written();
  expect(endpoints).toEqual(cloud.endpoints);
  expect(endpoints.tenants.map(({ name, cloud: kind }) => [name, kind])).toEqual([
    ["contoso", "global"],
    ["contoso-emea", "global"],
    ["contoso-us", "global"],
    ["contoso-gov", "usGov"],
    ["contoso-china", "china"],
  ]);
  expect(endpoints.processes.map(({ name, killable }) => [name, killable])).toEqual([
    ["graph", false],
    ["bus", false],
    ["storage", false],
    ["app-1", true],
    ["app-2", true],
  ]);
  expect(endpoints.app.token.url).toMatch(/^https:.*\/oauth2\/v2\.0\/token$/);
});

test("storage and bus answer to their real clients, and the app behind both its addresses", async () => {
  const endpoints = await written();
  const rows = TableClient.fromConnectionString(endpoints.storage, "probe", { allowInsecureConnection: true });
  await rows.createTable();
  const bus = new ServiceBusClient(endpoints.serviceBus);
  await bus.createReceiver("changes").peekMessages(1);
  await bus.close();
  expect((await fetch(endpoints.app.url)).status).toBe(200);
  const ca = await readFile(join(folder, "sandbox", "ca.pem"));
  const status = await new Promise((resolve, reject) => {
    request(endpoints.app.publicUrl, { agent: new Agent({ ca }) }, (response) => resolve(response.statusCode))
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
});

test("an instance that is killed comes back, the other answers meanwhile, and endpoints.json follows", async () => {
  const before = (await written()).processes.find(({ name }) => name === "app-2")?.pid ?? 0;
  process.kill(before, "SIGKILL");
  await vi.waitFor(() => expect(alive(before)).toBe(false), PATIENCE_MS);
  expect((await fetch(cloud.endpoints.app.url)).status).toBe(200);
  await vi.waitFor(async () => {
    const pid = (await written()).processes.find(({ name }) => name === "app-2")?.pid;
    expect(pid).toBeGreaterThan(0);
    expect(pid).not.toBe(before);
  }, PATIENCE_MS);
});

test("a second run in the same folder is refused by name", async () => {
  await expect(startCloud(options)).rejects.toThrow(`already running in ${join(folder, "sandbox")}`);
});

test("a run without a built app says what to do", async () => {
  await expect(startCloud({ ...options, appFolder: join(folder, "nothing") })).rejects.toThrow("npm run build");
});

test("everything is gone after the stop, and the folder can be used again", async () => {
  const pids = cloud.endpoints.processes.map(({ pid }) => pid);
  await cloud.stop();
  expect(pids.map(alive)).toEqual(pids.map(() => false));
  await expect(startCloud({ ...options, graphFile: join(folder, "missing.ts") })).rejects.toThrow("graph ended");
  await expect(startCloud({ ...options, graphFile: join(folder, "missing.ts") })).rejects.toThrow("graph ended");
});
