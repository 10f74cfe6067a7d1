import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TableClient } from "@azure/data-tables";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Proxy as TcpProxy, tcpProxy } from "../../../sandbox/local/proxy.ts";
import { type Supervised, type Supervisor, supervisor } from "../../../sandbox/local/supervisor.ts";
import { type Azurite, startAzurite } from "../../../sandbox/storage/azurite-process.ts";
import { buildApp } from "../../../tools/build.ts";
import { PATIENCE_MS } from "../../patience.ts";

/** A hello app through the built bundle on real wires: HTTP → queue → handler → table row, in a process that is killed. */
const path = (relative: string) => new URL(`../../../${relative}`, import.meta.url).pathname;
/** Longer than a delivery on a busy machine, and more of them than are lost with the processes that are killed. */
const RULES = { lockSeconds: 5, maxDeliveryCount: 5, duplicateDetectionSeconds: 600 };

let folder: string;
let azurite: Azurite;
let proxy: TcpProxy;
let processes: Supervisor;
let bus: Supervised<{ connectionString: string; control: string }>;
let app: Supervised<{ url: string; functions: { name: string }[] }>;
let rows: TableClient;

const settings = () => ({
  SERVICE_BUS: bus.report.connectionString.replace(/127\.0\.0\.1:\d+/, proxy.address),
  TABLES: azurite.connectionString,
  HELLO_QUEUE: "hello",
  TICK_SCHEDULE: "0 0 0 1 1 *",
  GREET_MS: "100",
  HOST_KEY_MASTER: "master",
  HOST_KEY_DEFAULT: "default",
});
const call = (route: string, init?: RequestInit) => fetch(`${app.report.url}/api/${route}`, init);
const listed = async (partition: string) => {
  const found: { rowKey?: string; name?: string; metadata?: string }[] = [];
  const filter = `PartitionKey eq '${partition}'`;
  for await (const row of rows.listEntities<{ name: string; metadata: string }>({ queryOptions: { filter } }))
    found.push(row);
  return found;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "host-"));
  processes = supervisor({ logFolder: join(folder, "logs") });
  const [built] = await Promise.all([
    buildApp(path("test/fixtures/host-app/functions"), join(folder, "dist")),
    startAzurite().then((started) => {
      azurite = started;
    }),
    processes
      .start<{ connectionString: string; control: string }>({
        name: "bus",
        file: path("sandbox/bus/process.ts"),
        args: [JSON.stringify({ hello: RULES })],
      })
      .then((started) => {
        bus = started;
      }),
  ]);
  expect(built.entryPoints).toEqual(["greet", "hello", "http", "timers"]);
  const port = Number(/:(\d+);/.exec(bus.report.connectionString)?.[1]);
  proxy = await tcpProxy({ host: "127.0.0.1", port });
  rows = TableClient.fromConnectionString(azurite.connectionString, "greetings", { allowInsecureConnection: true });
  app = await processes.start({
    name: "app-1",
    file: path("sandbox/local/host/process.ts"),
    args: [JSON.stringify({ folder: join(folder, "dist"), timers: true })],
    env: settings(),
    restart: true,
  });
});
afterAll(async () => {
  await processes?.stop();
  await proxy?.close();
  await azurite?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("HTTP → queue → row", () => {
  test("everything arrives although the app is killed in between, again and again", async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `m${index}`);
    const before = app.restarts;
    for (const [index, id] of ids.entries()) {
      if (index % 15 === 14) process.kill(app.pid, "SIGKILL");
      await vi.waitFor(
        async () => {
          const response = await call(`hello/ada?id=${id}`, { method: "POST" });
          expect(response.status).toBe(202);
        },
        { timeout: PATIENCE_MS, interval: 50 },
      );
    }
    await vi.waitFor(
      async () => expect((await listed("hello")).map((row) => row.rowKey)).toEqual(expect.arrayContaining(ids)),
      { timeout: PATIENCE_MS, interval: 200 },
    );
    expect(app.restarts - before).toBe(2);
  });

  test("metadata have the real host's forms; a throw is another delivery, counted from 1", async () => {
    await call("hello/twice?id=again", { method: "POST" });
    const row = await vi.waitFor(
      async () => {
        const found = (await listed("hello")).find(({ rowKey }) => rowKey === "again");
        if (!found) throw new Error("not yet");
        return found;
      },
      { timeout: PATIENCE_MS, interval: 100 },
    );
    expect(JSON.parse(row.metadata ?? "")).toMatchObject({
      messageId: "again",
      deliveryCount: 2,
      sequenceNumber: expect.any(Number),
      lockToken: expect.stringMatching(/^[0-9a-f-]{36}$/),
      enqueuedTimeUtc: expect.stringMatching(/Z$/),
      applicationProperties: { traceKey: "t1" },
      userProperties: { traceKey: "t1" },
    });
  });

  test("what never succeeds reaches the handler of the dead-letter queue", async () => {
    await call("hello/never?id=hopeless", { method: "POST" });
    const row = await vi.waitFor(
      async () => {
        const [found] = await listed("dead");
        if (!found) throw new Error("not yet");
        return found;
      },
      { timeout: PATIENCE_MS, interval: 100 },
    );
    expect(row.rowKey).toBe("hopeless");
    const statistics = await (await fetch(`${bus.report.control}/statistics`)).json();
    expect(statistics).toMatchObject({ hello: { active: 0 } });
  });
});

describe("the process", () => {
  test("a rejection that nobody awaits ends it, and it is started again", async () => {
    const before = app.restarts;
    await call("reject", { method: "POST" }).catch(() => {});
    await vi.waitFor(() => expect([app.restarts, app.ready]).toEqual([before + 1, true]), PATIENCE_MS);
    expect((await call("empty")).status).toBe(204);
  });

  test("a function that runs past functionTimeout ends it", async () => {
    const brief = await processes.start<{ url: string }>({
      name: "app-2",
      file: path("sandbox/local/host/process.ts"),
      args: [JSON.stringify({ folder: join(folder, "dist"), timers: false, serviceBus: false })],
      env: { ...settings(), AzureFunctionsJobHost__functionTimeout: "00:00:01" },
      restart: true,
    });
    await expect(fetch(`${brief.report.url}/api/hang`, { method: "POST" })).rejects.toThrow();
    await vi.waitFor(() => expect([brief.restarts, brief.ready]).toEqual([1, true]), PATIENCE_MS);
  });

  test.each([
    { outage: "cut", play: async () => proxy.cut() },
    { outage: "frozen", play: async () => proxy.freeze() },
    { outage: "refusing", play: () => proxy.refuse() },
  ])("a bus that was $outage is sent to and received from again", async ({ outage, play }) => {
    await play();
    const posted = vi.waitFor(
      async () => {
        const response = await call(`hello/late?id=${outage}`, { method: "POST" });
        expect(response.status).toBe(202);
      },
      { timeout: PATIENCE_MS, interval: 200 },
    );
    const until = Date.now() + 1500;
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(until), PATIENCE_MS);
    await proxy.restore();
    await posted;
    await vi.waitFor(async () => expect((await listed("hello")).map((row) => row.rowKey)).toContain(outage), {
      timeout: PATIENCE_MS,
      interval: 100,
    });
  });
});
