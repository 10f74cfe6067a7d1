import { afterEach, expect, test } from "vitest";
import type { Broker } from "../../sandbox/bus/api.ts";
import type { Bus } from "../../shared/ports/bus.ts";

export interface BusUnderTest {
  bus: Bus;
  /** Where the messages arrive. */
  broker: Broker;
  /** The broker's time. */
  now(): number;
  pass(ms: number): Promise<void>;
}

const HUNDRED_KB = 100_000;

/** What every bus does. `open` gives the same bus and broker each time; the queues are emptied between tests. */
export function busContract(open: () => BusUnderTest): void {
  const taken = (queue: string) => {
    const { broker } = open();
    const messages: { id: string; body: unknown }[] = [];
    for (;;) {
      const message = broker.receive(queue);
      if (!message) return messages;
      messages.push({ id: message.messageId, body: JSON.parse(Buffer.from(message.body).toString()) });
      broker.complete(queue, message.lockToken);
    }
  };
  /** Ids are remembered by the queue over tests, so each test has its own. */
  let tests = 0;
  const fresh = () => `t${++tests}`;

  afterEach(() => {
    for (const queue of ["changes", "sweep", "pages"]) open().broker.purge(queue);
  });

  test("a message arrives with its id and body, in its queue only", async () => {
    const id = fresh();
    const body = { version: 1, names: ["Nguyễn", "王小明"], nested: { nothing: null, at: 1_767_600_000_123 } };
    await open().bus.send("changes", [{ id, body }]);
    expect(taken("sweep")).toEqual([]);
    expect(taken("changes")).toEqual([{ id, body }]);
  });

  test("nothing to send is fine", async () => {
    await open().bus.send("pages", []);
    expect(taken("pages")).toEqual([]);
  });

  test("an id that the queue has seen is accepted and dropped", async () => {
    const id = fresh();
    const { bus } = open();
    await bus.send("sweep", [{ id, body: { first: true } }]);
    await bus.send("sweep", [
      { id, body: { first: false } },
      { id: `${id}-other`, body: {} },
    ]);
    expect(taken("sweep")).toEqual([
      { id, body: { first: true } },
      { id: `${id}-other`, body: {} },
    ]);
  });

  test("a scheduled message comes at its time and not before", async () => {
    const id = fresh();
    const { bus, now, pass } = open();
    const later = now() + 4_000;
    await bus.send("changes", [
      { id: `${id}-later`, body: {}, notBefore: later },
      { id: `${id}-past`, body: {}, notBefore: now() - 60_000 },
      { id: `${id}-now`, body: {} },
    ]);
    expect(taken("changes").map((message) => message.id)).toEqual([`${id}-past`, `${id}-now`]);
    await pass(later - now() + 200);
    expect(taken("changes").map((message) => message.id)).toEqual([`${id}-later`]);
  });

  test("a thousand messages of one send arrive, each once", async () => {
    const id = fresh();
    const messages = Array.from({ length: 1_000 }, (_, index) => ({ id: `${id}-${index}`, body: { index } }));
    await open().bus.send("sweep", messages);
    expect(taken("sweep")).toEqual(messages);
  });

  test("more than one batch holds is split", async () => {
    const id = fresh();
    const text = "x".repeat(HUNDRED_KB);
    const messages = Array.from({ length: 7 }, (_, index) => ({ id: `${id}-${index}`, body: { text } }));
    await open().bus.send("sweep", messages);
    expect(taken("sweep").map((message) => message.id)).toEqual(messages.map((message) => message.id));
  });

  test("many small sends at once arrive, each once", async () => {
    const id = fresh();
    const messages = Array.from({ length: 300 }, (_, index) => ({ id: `${id}-${index}`, body: { index } }));
    await Promise.all(messages.map((message) => open().bus.send("changes", [message])));
    const order = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
    expect(taken("changes").sort(order)).toEqual([...messages].sort(order));
  });

  test("a message that fits into no batch fails its own send and no other", async () => {
    const id = fresh();
    const { bus } = open();
    const results = await Promise.allSettled([
      bus.send("changes", [{ id: `${id}-a`, body: {} }]),
      bus.send("changes", [{ id: `${id}-big`, body: "x".repeat(3 * HUNDRED_KB) }]),
      bus.send("changes", [{ id: `${id}-b`, body: {} }]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: expect.any(RangeError) });
    expect(taken("changes").map((message) => message.id)).toEqual([`${id}-a`, `${id}-b`]);
  });
}
