import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Proxy as TcpProxy, tcpProxy } from "../../../sandbox/local/proxy.ts";
import { PATIENCE_MS } from "../../patience.ts";

/** A service that answers with what it hears, and a client that says something through the proxy. */
let service: Server;
let proxy: TcpProxy;
let heard = "";

beforeAll(async () => {
  service = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      heard += chunk;
      socket.write(chunk);
    });
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  proxy = await tcpProxy({ host: "127.0.0.1", port: (service.address() as AddressInfo).port });
});
afterAll(async () => {
  await proxy.close();
  await new Promise((resolve) => service.close(resolve));
});

interface Client {
  socket: Socket;
  answer(): string;
  closed(): boolean;
}

function client(): Client {
  const socket = connect(Number(proxy.address.split(":")[1]), "127.0.0.1");
  let answer = "";
  let closed = false;
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  socket.on("error", () => {}); // what is cut says so here
  socket.on("close", () => {
    closed = true;
  });
  return { socket, answer: () => answer, closed: () => closed };
}

/** Everything that was said before has arrived when this has. */
async function expectOnce(one: Client, word: string, before = "") {
  one.socket.write(word);
  await vi.waitFor(() => expect(one.answer().endsWith(word)).toBe(true), PATIENCE_MS);
  one.socket.write("!");
  await vi.waitFor(() => expect(one.answer().endsWith("!")).toBe(true), PATIENCE_MS);
  expect(one.answer()).toBe(`${before}${word}!`);
}

describe("a proxy passes every byte on once", () => {
  test("on connections that were made between a cut and the end of the outage", async () => {
    const early = client();
    await expectOnce(early, "early");
    proxy.cut();
    await vi.waitFor(() => expect(early.closed()).toBe(true), PATIENCE_MS);
    const late = client();
    await expectOnce(late, "late");
    await proxy.restore();
    await expectOnce(late, "again", "late!");
    late.socket.destroy();
  });

  test("after a freeze, on old connections and new ones, and nothing while it lasts", async () => {
    const old = client();
    await expectOnce(old, "old");
    proxy.freeze();
    proxy.freeze();
    const fresh = client();
    heard = "";
    old.socket.write("held");
    fresh.socket.write("held too");
    await vi.waitFor(() => expect(fresh.socket.bytesWritten).toBe("held too".length), PATIENCE_MS);
    expect([heard, old.answer(), fresh.answer()]).toEqual(["", "old!", ""]);
    await proxy.restore();
    await proxy.restore();
    await expectOnce(old, "on", "old!held");
    await expectOnce(fresh, "on", "held too");
    for (const { socket } of [old, fresh]) socket.destroy();
  });

  test("after it has refused everybody", async () => {
    await proxy.refuse();
    const refused = client();
    await vi.waitFor(() => expect(refused.closed()).toBe(true), PATIENCE_MS);
    await proxy.restore();
    const one = client();
    await expectOnce(one, "back");
    one.socket.destroy();
  });
});
