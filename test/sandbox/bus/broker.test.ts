import { describe, expect, test } from "vitest";
import { type Broker, BusError, type BusMessage } from "../../../sandbox/bus/api.ts";
import { broker as makeBroker } from "../../../sandbox/bus/broker.ts";
import { type SimulatedClock, simulatedClock } from "../../../sandbox/clock.ts";
import { PATIENCE_MS } from "../../patience.ts";

const RULES = { lockSeconds: 60, maxDeliveryCount: 3, duplicateDetectionSeconds: 600 };
const DEAD = "changes/$deadletterqueue";

function world(): { broker: Broker; clock: SimulatedClock } {
  const clock = simulatedClock();
  let next = 0;
  const broker = makeBroker({
    clock,
    queues: { changes: RULES, sweep: RULES },
    uuid: () => `00000000-0000-4000-8000-${String(++next).padStart(12, "0")}`,
  });
  return { broker, clock };
}

const message = (messageId: string, more: Partial<BusMessage> = {}): BusMessage => ({
  messageId,
  body: Buffer.from(JSON.stringify(messageId)),
  properties: {},
  ...more,
});
const taken = (broker: Broker, queue = "changes") => {
  const received = broker.receive(queue);
  if (!received) throw new Error(`nothing to receive from ${queue}`);
  return received;
};
const condition = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return error.condition;
  }
};
const LOCK_LOST = "com.microsoft:message-lock-lost";

describe("peek-lock", () => {
  test("a locked message is nobody else's until it is settled; completed it is gone", () => {
    const { broker } = world();
    broker.send("changes", [message("a"), message("b")]);
    const a = taken(broker);
    expect([a.messageId, a.deliveryCount]).toEqual(["a", 0]);
    expect(taken(broker).messageId).toBe("b");
    expect(broker.receive("changes")).toBeUndefined();
    broker.complete("changes", a.lockToken);
    expect(broker.statistics().changes).toMatchObject({ active: 0, locked: 1 });
    expect(condition(() => broker.complete("changes", a.lockToken))).toBe(LOCK_LOST);
  });

  test("an abandoned message is the next one again, counted, with the properties that were modified", () => {
    const { broker } = world();
    broker.send("changes", [message("a", { properties: { kept: 1, changed: 1 } }), message("b")]);
    broker.abandon("changes", taken(broker).lockToken, { changed: 2 });
    const again = taken(broker);
    expect(again).toMatchObject({ messageId: "a", deliveryCount: 1, properties: { kept: 1, changed: 2 } });
  });

  test("a lock that ran out is lost, and the message comes again, counted", async () => {
    const { broker, clock } = world();
    broker.send("changes", [message("a")]);
    const first = taken(broker);
    let freed = 0;
    broker.onAvailable("changes", () => freed++);
    await clock.runFor(59_999);
    expect(broker.receive("changes")).toBeUndefined();
    await clock.runFor(1);
    expect(freed).toBe(1);
    expect(condition(() => broker.complete("changes", first.lockToken))).toBe(LOCK_LOST);
    expect(taken(broker)).toMatchObject({ messageId: "a", deliveryCount: 1 });
  });

  test("a late settlement fails although no timer has fired", () => {
    let now = 0;
    const still = { now: () => now, after: () => () => {}, sleep: () => Promise.resolve() };
    const broker = makeBroker({ clock: still, queues: { changes: RULES }, uuid: () => "t" });
    broker.send("changes", [message("a")]);
    const { lockToken } = taken(broker);
    now = 60_000;
    expect(condition(() => broker.complete("changes", lockToken))).toBe(LOCK_LOST);
    expect(broker.statistics().changes).toMatchObject({ active: 1, locked: 0 });
  });

  test("a renewed lock holds", async () => {
    const { broker, clock } = world();
    broker.send("changes", [message("a")]);
    const { lockToken } = taken(broker);
    for (let minute = 0; minute < 5; minute++) {
      await clock.runFor(50_000);
      expect(broker.renew("changes", lockToken)).toBe(clock.now() + 60_000);
    }
    broker.complete("changes", lockToken);
    expect(broker.statistics().changes).toMatchObject({ active: 0, locked: 0, deadLettered: 0 });
    expect(condition(() => broker.renew("changes", lockToken))).toBe(LOCK_LOST);
  });

  test("a released message was not delivered: nothing is counted", () => {
    const { broker } = world();
    broker.send("changes", [message("a")]);
    broker.release("changes", taken(broker).lockToken);
    expect(taken(broker).deliveryCount).toBe(0);
  });
});

describe("dead letters", () => {
  test.each([
    { way: "abandoned", fail: async (broker: Broker) => broker.abandon("changes", taken(broker).lockToken) },
    {
      way: "left until the lock runs out",
      fail: async (broker: Broker, clock: SimulatedClock) => {
        taken(broker);
        await clock.runFor(60_000);
      },
    },
  ])("a message $way as often as the limit says is given up", async ({ fail }) => {
    const { broker, clock } = world();
    broker.send("changes", [message("a")]);
    for (let delivery = 0; delivery < 3; delivery++) await fail(broker, clock);
    expect(broker.receive("changes")).toBeUndefined();
    expect(broker.statistics().changes).toMatchObject({ active: 0, deadLettered: 1 });
    expect(taken(broker, DEAD)).toMatchObject({
      messageId: "a",
      deadLetterReason: "MaxDeliveryCountExceeded",
      deadLetterErrorDescription: "Message could not be consumed after 3 delivery attempts.",
    });
  });

  test("the receiver's own reason is kept; the dead-letter queue gives nothing up and is emptied by completing", async () => {
    const { broker, clock } = world();
    broker.send("changes", [message("a")]);
    broker.deadLetter("changes", taken(broker).lockToken, "Unreadable", "version 9", { by: "test" });
    for (let delivery = 0; delivery < 5; delivery++) {
      taken(broker, DEAD);
      await clock.runFor(60_000);
    }
    const dead = taken(broker, "Changes/$DeadLetterQueue");
    expect(dead).toMatchObject({ deadLetterReason: "Unreadable", deadLetterErrorDescription: "version 9" });
    expect(dead.properties).toEqual({ by: "test" });
    broker.complete(DEAD, dead.lockToken);
    expect(broker.statistics().changes?.deadLettered).toBe(0);
  });
});

describe("sending", () => {
  test("an id seen within the window is accepted and dropped, afterwards it is a new message", async () => {
    const { broker, clock } = world();
    broker.send("changes", [message("a"), message("a")]);
    broker.complete("changes", taken(broker).lockToken);
    await clock.runFor(599_999);
    broker.send("changes", [message("a")]);
    expect(broker.receive("changes")).toBeUndefined();
    expect(broker.statistics().changes?.duplicates).toBe(2);
    broker.send("sweep", [message("a")]);
    expect(taken(broker, "sweep").messageId).toBe("a");
    await clock.runFor(1);
    broker.send("changes", [message("a")]);
    expect(taken(broker).messageId).toBe("a");
  });

  test("a scheduled message comes at its time, under a new number; cancelled it never comes", async () => {
    const { broker, clock } = world();
    const at = clock.now() + 90_000;
    const [first, second] = broker.send("changes", [
      message("a", { scheduledEnqueueTime: at }),
      message("b", { scheduledEnqueueTime: at }),
    ]);
    expect(broker.peek("changes", 10).map(({ messageId, state }) => [messageId, state])).toEqual([
      ["a", "scheduled"],
      ["b", "scheduled"],
    ]);
    broker.cancelScheduled("changes", [second ?? -1]);
    let freed = 0;
    broker.onAvailable("changes", () => freed++);
    await clock.runFor(89_999);
    expect([broker.receive("changes"), broker.statistics().changes?.scheduled]).toEqual([undefined, 1]);
    await clock.runFor(1);
    expect(freed).toBe(1);
    const due = taken(broker);
    expect(due).toMatchObject({ messageId: "a", enqueuedTime: at });
    expect(due.sequenceNumber).toBeGreaterThan(second ?? Infinity);
    expect(condition(() => broker.cancelScheduled("changes", [first ?? -1]))).toBe("com.microsoft:message-not-found");
    expect(broker.receive("changes")).toBeUndefined();
  });

  test("a batch that is too large is refused whole", () => {
    const { broker } = world();
    const half = new Uint8Array(140_000);
    broker.send("changes", [message("fits", { body: half })]);
    const refused = condition(() =>
      broker.send("changes", [message("a", { body: half }), message("b", { body: half })]),
    );
    expect(refused).toBe("amqp:link:message-size-exceeded");
    expect(broker.statistics().changes?.active).toBe(1);
  });

  test("a message with a time to live vanishes when nobody took it", async () => {
    const { broker, clock } = world();
    broker.send("changes", [message("a", { timeToLiveMs: 1000 }), message("b")]);
    await clock.runFor(1000);
    expect(taken(broker).messageId).toBe("b");
  });

  test("what does not exist is said by name", () => {
    const { broker } = world();
    expect(() => broker.send("nowhere", [])).toThrow("The messaging entity 'nowhere' could not be found.");
    expect(condition(() => broker.receive("nowhere"))).toBe("amqp:not-found");
    expect(condition(() => broker.send(DEAD, [message("a")]))).toBe("amqp:not-allowed");
    expect(condition(() => broker.send("changes", [message("x".repeat(129))]))).toBe("amqp:invalid-field");
  });
});

test("a deferred message comes back only by its number", () => {
  const { broker } = world();
  const [number = 0] = broker.send("changes", [message("a")]);
  broker.defer("changes", taken(broker).lockToken);
  expect(broker.receive("changes")).toBeUndefined();
  const [back] = broker.receiveDeferred("changes", [number]);
  expect(back?.messageId).toBe("a");
  expect(condition(() => broker.receiveDeferred("changes", [number]))).toBe("com.microsoft:message-not-found");
  broker.abandon("changes", back?.lockToken ?? "");
  broker.complete("changes", broker.receiveDeferred("changes", [number])[0]?.lockToken ?? "");
  expect(broker.peek("changes", 1)).toEqual([]);
});

test("peeking goes on from a number and locks nothing; purging leaves nothing, not even locks", () => {
  const { broker } = world();
  broker.send("changes", [message("a"), message("b"), message("c")]);
  const { lockToken } = taken(broker);
  expect(broker.peek("changes", 2).map((m) => m.messageId)).toEqual(["a", "b"]);
  expect(broker.peek("changes", 2, 3).map((m) => m.messageId)).toEqual(["c"]);
  broker.purge("changes");
  expect(broker.statistics().changes).toMatchObject({ active: 0, scheduled: 0, locked: 0 });
  expect(broker.receive("changes")).toBeUndefined();
  expect(condition(() => broker.complete("changes", lockToken))).toBe(LOCK_LOST);
});

test("100,000 messages in one queue go through in order, a tenth of them twice", { timeout: PATIENCE_MS }, () => {
  const { broker } = world();
  const count = 100_000;
  for (let i = 0; i < count; i++) broker.send("changes", [message(String(i))]);
  let completed = 0;
  let last = 0;
  for (let next = broker.receive("changes"); next; next = broker.receive("changes")) {
    if (next.deliveryCount === 0 && next.sequenceNumber % 10 === 0) broker.abandon("changes", next.lockToken);
    else {
      expect(next.sequenceNumber).toBeGreaterThan(last);
      last = next.sequenceNumber;
      completed++;
      broker.complete("changes", next.lockToken);
    }
  }
  expect(completed).toBe(count);
});
