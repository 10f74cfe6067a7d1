import { randomUUID } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AmqpServer, amqpServer } from "../../sandbox/bus/amqp-server.ts";
import { broker as makeBroker } from "../../sandbox/bus/broker.ts";
import { memoryBus } from "../../sandbox/bus/memory-bus.ts";
import { realClock, simulatedClock } from "../../sandbox/clock.ts";
import { serviceBus } from "../../shared/adapters/servicebus/bus.ts";
import { gather } from "../../shared/adapters/servicebus/gather.ts";
import { QUEUES } from "../../shared/messages/queues.ts";
import { type Bus, BusUnavailable } from "../../shared/ports/bus.ts";
import { busContract } from "./bus.contract.ts";

describe("the bus in memory", () => {
  const clock = simulatedClock();
  const broker = makeBroker({ clock, queues: QUEUES, uuid: randomUUID });
  const bus = memoryBus(broker);
  busContract(() => ({ bus, broker, now: clock.now, pass: (ms) => clock.runFor(ms) }));

  test("hooks: a send that never arrives, and an answer that is lost", async () => {
    const hooked = memoryBus(broker, {
      hooks: {
        before: (queue) => {
          if (queue === "pages") throw new BusUnavailable("refused");
        },
        after: () => {
          throw new BusUnavailable("lost");
        },
      },
    });
    await expect(hooked.send("pages", [{ id: "h1", body: {} }])).rejects.toThrow("refused");
    await expect(hooked.send("sweep", [{ id: "h2", body: {} }])).rejects.toThrow("lost");
    expect(broker.statistics()).toMatchObject({ pages: { active: 0 }, sweep: { active: 1 } });
    expect(hooked.sent).toEqual({ sweep: 1 });
    broker.purge("sweep");
  });
});

describe("Service Bus (AMQP broker, through the SDK)", () => {
  const broker = makeBroker({ clock: realClock(), queues: QUEUES, uuid: randomUUID });
  let server: AmqpServer;
  let bus: Bus & { close(): Promise<void> };
  beforeAll(async () => {
    server = await amqpServer({ broker, uuid: randomUUID });
    bus = serviceBus({ connectionString: server.connectionString });
  });
  afterAll(async () => {
    await bus.close();
    broker.close();
    await server.close();
  });
  busContract(() => ({
    bus,
    broker,
    now: () => Date.now(),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }));

  test("a queue that does not exist is no outage", async () => {
    const few = makeBroker({ clock: realClock(), queues: { pages: QUEUES.pages }, uuid: randomUUID });
    const other = await amqpServer({ broker: few, uuid: randomUUID });
    const wrong = serviceBus({ connectionString: other.connectionString });
    const sent = wrong.send("changes", [{ id: "x1", body: {} }]);
    await expect(sent).rejects.toMatchObject({ code: "MessagingEntityNotFound" });
    await wrong.close();
    few.close();
    await other.close();
  });

  test("it sends again after the connection was cut", async () => {
    const cut = await proxy(server.port);
    const through = serviceBus({ connectionString: connectionString(cut.port) });
    await through.send("pages", [{ id: "c1", body: {} }]);
    cut.cutAll();
    for (const id of ["c2", "c3"]) await sendUntilAccepted(through, id);
    expect(broker.peek("pages", 10).map(({ messageId }) => messageId)).toEqual(["c1", "c2", "c3"]);
    await through.close();
    await cut.close();
    broker.purge("pages");
  });
});

describe("a bus that cannot answer", () => {
  test("a refused connection is BusUnavailable, for everybody who waits, at once", async () => {
    const gone = createServer();
    const port = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
    const bus = serviceBus({ connectionString: connectionString(port) });
    const start = performance.now();
    const sends = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => bus.send("changes", [{ id: `r${index}`, body: {} }])),
    );
    expect(performance.now() - start).toBeLessThan(30_000);
    for (const send of sends) expect(send).toMatchObject({ reason: expect.any(BusUnavailable) });
    await bus.close();
  });

  test("a connection that hangs is given up after ten seconds, and the next send has a new one", async () => {
    const broker = makeBroker({ clock: realClock(), queues: QUEUES, uuid: randomUUID });
    const server = await amqpServer({ broker, uuid: randomUUID });
    const door = await proxy(server.port);
    door.frozen = true;
    const bus = serviceBus({ connectionString: connectionString(door.port) });
    await expect(bus.send("changes", [{ id: "f1", body: {} }])).rejects.toThrow(BusUnavailable);
    door.frozen = false;
    await bus.send("changes", [{ id: "f1", body: {} }]);
    expect(broker.peek("changes", 10).map(({ messageId }) => messageId)).toEqual(["f1"]);
    await bus.close();
    await door.close();
    broker.close();
    await server.close();
  });
});

describe("gathering", () => {
  /** A sender whose batches hold three, and whose rounds end when the test says so. */
  const slowSender = () => {
    const batches: number[][] = [];
    const release: (() => void)[] = [];
    const send = gather<number, number[]>(
      {
        open: async () => {
          const batch: number[] = [];
          return { batch, add: (message) => batch.length < 3 && message < 100 && batch.push(message) > 0 };
        },
        send: (batch) => {
          batches.push(batch);
          return new Promise((resolve) => release.push(resolve));
        },
      },
      (message) => new RangeError(`${message} is too large`),
      1,
    );
    return { batches, release, send };
  };
  const until = async (done: () => boolean) => {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  };

  test("what waits at one moment travels together; what comes during a round travels in the next", async () => {
    const { batches, release, send } = slowSender();
    const first = Promise.all([send([1]), send([2])]);
    await until(() => release.length === 1);
    const second = Promise.all([send([3]), send([4, 5])]);
    release[0]?.();
    await first;
    await until(() => release.length === 2);
    release[1]?.();
    await second;
    expect(batches).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  test("a full batch is followed by another, and its failure is only theirs who were in it", async () => {
    const batches: number[][] = [];
    const send = gather<number, number[]>(
      {
        open: async () => {
          const batch: number[] = [];
          return { batch, add: (message) => batch.length < 3 && batch.push(message) > 0 };
        },
        send: async (batch) => {
          batches.push(batch);
          if (batches.length === 1) throw new BusUnavailable("lost");
        },
      },
      () => new RangeError(),
      1,
    );
    const sends = await Promise.allSettled([send([1, 2]), send([3, 4]), send([5])]);
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(sends.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  });

  test("when no batch can be opened the whole round fails at once", async () => {
    let opened = 0;
    const send = gather<number, number[]>(
      {
        open: async () => {
          opened++;
          throw new BusUnavailable("no");
        },
        send: async () => {},
      },
      () => new RangeError(),
      1,
    );
    const sends = await Promise.allSettled([send([1]), send([2]), send([3])]);
    expect(sends.every(({ status }) => status === "rejected")).toBe(true);
    expect(opened).toBe(1);
  });
});

function connectionString(port: number): string {
  return `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true`;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

/** The caller of a bus comes again while it is unavailable. */
async function sendUntilAccepted(bus: Bus, id: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bus.send("pages", [{ id, body: {} }]);
    } catch (error) {
      if (!(error instanceof BusUnavailable) || attempt === 10) throw error;
    }
  }
}

/** A way to the broker that can be cut, or that swallows everything. */
async function proxy(target: number) {
  const { connect } = await import("node:net");
  const sockets = new Set<Socket>();
  const state = { frozen: false };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    if (state.frozen) return;
    const onward = connect(target, "127.0.0.1");
    sockets.add(onward);
    onward.on("error", () => {});
    socket.pipe(onward).pipe(socket);
  });
  const port = await listen(server);
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return Object.assign(state, {
    port,
    cutAll,
    close: () => {
      cutAll();
      return new Promise((resolve) => server.close(resolve));
    },
  });
}
