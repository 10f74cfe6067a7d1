import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { simulatedClock } from "../../sandbox/clock.ts";
import { type Azurite, azuriteConnectionString, startAzurite } from "../../sandbox/storage/azurite-process.ts";
import { memoryStore } from "../../sandbox/storage/memory-rows.ts";
import { openTables, type Tables } from "../../shared/adapters/tables/index.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { rowsContract, type Thing } from "./rows.contract.ts";

describe("rows in memory", () => {
  const clock = simulatedClock();
  const store = memoryStore(clock);
  rowsContract(() => ({ rows: store.rows<Thing>("links"), pass: () => clock.runFor(2_500) }));
});

describe("rows in Table Storage (Azurite, through the SDK)", () => {
  let azurite: Azurite;
  let tables: Tables;
  beforeAll(async () => {
    azurite = await startAzurite();
    tables = openTables({ connectionString: azurite.connectionString });
    await tables.ensureTables();
  });
  afterAll(async () => {
    tables.close();
    await azurite.stop();
  });

  rowsContract(() => ({
    rows: tables.rows<Thing>("links"),
    pass: () => new Promise((resolve) => setTimeout(resolve, 2_500)),
  }));

  test("tables that are there already stay as they are", async () => {
    await tables.rows<Thing>("targets").put("kept", "a", { count: 1 });
    await tables.ensureTables();
    expect((await tables.rows<Thing>("targets").read("kept", "a"))?.value).toEqual({ count: 1 });
  });

  test("tables are kept apart", async () => {
    await tables.rows<Thing>("targets").put("apart", "a", { count: 1 });
    expect(await tables.rows<Thing>("pace").read("apart", "a")).toBeUndefined();
  });

  test("rows outlive a storage process that keeps them in a folder", async () => {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const folder = await mkdtemp("node_modules/.azurite-");
    try {
      for (const round of [1, 2]) {
        const server = await startAzurite({ folder });
        const opened = openTables({ connectionString: server.connectionString });
        await opened.ensureTables();
        if (round === 1) await opened.rows<Thing>("links").put("p", "a", { count: 7 });
        else expect((await opened.rows<Thing>("links").read("p", "a"))?.value).toEqual({ count: 7 });
        opened.close();
        await server.stop();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a missing table throws and never looks like a missing row", async () => {
    const server = await startAzurite();
    const empty = openTables({ connectionString: server.connectionString }).rows<Thing>("links");
    await expect(empty.read("p", "a")).rejects.toMatchObject({ statusCode: 404 });
    await expect(empty.write("p", "a", {}, 'W/"x"')).rejects.toMatchObject({ statusCode: 404 });
    await expect(empty.remove("p", "a")).rejects.toMatchObject({ statusCode: 404 });
    await server.stop();
  });
});

describe("a storage that cannot answer", () => {
  const servers: { close(): void; closeAllConnections?(): void }[] = [];
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections?.();
      server.close();
    }
  });
  const rowsAt = (server: { address(): AddressInfo | string | null }) => {
    const { port } = server.address() as AddressInfo;
    return openTables({ connectionString: azuriteConnectionString(`http://127.0.0.1:${port}`) }).rows<Thing>("links");
  };
  const answering = async (status: number): Promise<{ server: Server; calls: () => number }> => {
    let calls = 0;
    const server = createServer((_, response) => {
      calls++;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ "odata.error": { code: "ServerBusy", message: { value: "later" } } }));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, calls: () => calls };
  };

  test.each([500, 503, 429])("status %i is StorageUnavailable after one call, for every operation", async (status) => {
    const { server, calls } = await answering(status);
    const rows = rowsAt(server);
    await expect(rows.read("p", "a")).rejects.toThrow(StorageUnavailable);
    await expect(rows.write("p", "a", {}, undefined)).rejects.toThrow(StorageUnavailable);
    await expect(rows.write("p", "a", {}, 'W/"x"')).rejects.toThrow(StorageUnavailable);
    await expect(rows.put("p", "a", {})).rejects.toThrow(StorageUnavailable);
    await expect(rows.remove("p", "a")).rejects.toThrow(StorageUnavailable);
    await expect(rows.list("p")[Symbol.asyncIterator]().next()).rejects.toThrow(StorageUnavailable);
    expect(calls()).toBe(6);
  });

  test.each([400, 403])("status %i is thrown as it is", async (status) => {
    const { server } = await answering(status);
    const failed = rowsAt(server).read("p", "a");
    await expect(failed).rejects.toMatchObject({ statusCode: status });
    await expect(failed).rejects.not.toThrow(StorageUnavailable);
  });

  test("a refused connection is StorageUnavailable, with its cause", async () => {
    const { server } = await answering(200);
    const rows = rowsAt(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(rows.read("p", "a")).rejects.toMatchObject({
      name: "StorageUnavailable",
      cause: { code: "ECONNREFUSED" },
    });
  });

  test("a connection that breaks is StorageUnavailable", async () => {
    const server = createTcpServer((socket) => socket.once("data", () => socket.destroy()));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await expect(rowsAt(server).put("p", "a", {})).rejects.toThrow(StorageUnavailable);
  });

  test("no answer within eight seconds is StorageUnavailable", async () => {
    const server = createTcpServer(() => {});
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const start = performance.now();
    await expect(rowsAt(server).read("p", "a")).rejects.toThrow(StorageUnavailable);
    expect(performance.now() - start).toBeGreaterThan(7_500);
  });

  test("settings that name no table service are refused", () => {
    expect(() => openTables({ tableServiceUri: "http://account.table.core.windows.net" })).toThrow(TypeError);
    expect(() => openTables({ connectionString: "nonsense" })).toThrow();
  });
});

describe("hooks and counters of the store in memory", () => {
  test("an answer that is lost after the effect", async () => {
    const store = memoryStore(simulatedClock());
    const rows = store.rows<Thing>("links");
    store.hooks = {
      after: () => {
        throw new Error("cut off");
      },
    };
    await expect(rows.write("p", "a", { count: 1 }, undefined)).rejects.toThrow("cut off");
    store.hooks = {};
    expect((await rows.read("p", "a"))?.value).toEqual({ count: 1 });
  });

  test("a call that never arrives, told what it was", async () => {
    const met: string[] = [];
    const store = memoryStore(simulatedClock(), {
      before: (operation, table, partition, row) => {
        met.push(`${operation} ${table} ${partition} ${row}`);
        if (operation === "put") throw new Error("refused");
      },
    });
    const rows = store.rows<Thing>("links");
    await expect(rows.put("p", "a", {})).rejects.toThrow("refused");
    expect(await rows.read("p", "a")).toBeUndefined();
    expect(met).toEqual(["put links p a", "read links p a"]);
    expect(store.operations).toEqual({ links: { read: 1, write: 0, put: 1, remove: 0, list: 0 } });
    expect(store.dump("links")).toEqual([]);
  });
});
