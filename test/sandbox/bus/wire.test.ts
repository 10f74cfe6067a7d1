import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { ServiceBusClient, type ServiceBusReceivedMessage } from "@azure/service-bus";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type AmqpServer, amqpServer } from "../../../sandbox/bus/amqp-server.ts";
import { broker as makeBroker } from "../../../sandbox/bus/broker.ts";
import { realClock } from "../../../sandbox/clock.ts";
import { PATIENCE_MS } from "../../patience.ts";

const RULES = { lockSeconds: 60, maxDeliveryCount: 3, duplicateDetectionSeconds: 600 };
const broker = makeBroker({
  clock: realClock(),
  queues: { changes: RULES, brief: { ...RULES, lockSeconds: 1 }, held: { ...RULES, lockSeconds: 6 } },
  uuid: randomUUID,
});
let server: AmqpServer;
let client: ServiceBusClient;

beforeAll(async () => {
  server = await amqpServer({ broker, uuid: randomUUID });
  client = new ServiceBusClient(server.connectionString);
});
afterAll(async () => {
  await client.close();
  broker.close();
  await server.close();
});
afterEach(() => {
  for (const queue of ["changes", "brief", "held"]) {
    broker.purge(queue);
    broker.purge(`${queue}/$deadletterqueue`);
  }
});

const receive = async (count: number, queue = "changes") => {
  const receiver = client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 });
  const messages: ServiceBusReceivedMessage[] = [];
  while (messages.length < count) {
    const more = await receiver.receiveMessages(count - messages.length, { maxWaitTimeInMs: PATIENCE_MS });
    if (more.length === 0) throw new Error(`only ${messages.length} of ${count} came`);
    messages.push(...more);
  }
  return { receiver, messages, message: messages[0] as ServiceBusReceivedMessage };
};

describe("sending", () => {
  test("single messages carry everything, with numbers, dates and bytes", async () => {
    const sender = client.createSender("changes");
    const when = new Date(1_700_000_000_000);
    const properties = { text: "ä", number: 1.5, flag: true, when };
    await sender.sendMessages({
      messageId: "m1",
      body: { hello: "wörld" },
      subject: "s",
      contentType: "application/json",
      correlationId: "c",
      to: "t",
      replyTo: "r",
      partitionKey: "p",
      applicationProperties: properties,
    });
    const sentAt = Date.now();
    const { receiver, message } = await receive(1);
    expect(message).toMatchObject({
      messageId: "m1",
      body: { hello: "wörld" },
      subject: "s",
      contentType: "application/json",
      correlationId: "c",
      to: "t",
      replyTo: "r",
      partitionKey: "p",
      deliveryCount: 0,
    });
    expect(message.applicationProperties).toMatchObject({ text: "ä", number: 1.5, flag: true });
    expect(message.lockedUntilUtc?.getTime()).toBeGreaterThanOrEqual(sentAt + 1000 * RULES.lockSeconds);
    await receiver.completeMessage(message);
    await sender.close();
    await receiver.close();
  });

  test("a message without an id gets one, and bytes stay bytes", async () => {
    const sender = client.createSender("changes");
    await sender.sendMessages({ body: Buffer.from([0, 1, 254, 255]) });
    const { receiver, message } = await receive(1);
    expect(message.messageId).toMatch(/^[0-9a-f-]{36}$/);
    expect([...(message.body as Buffer)]).toEqual([0, 1, 254, 255]);
    await receiver.completeMessage(message);
    await sender.close();
    await receiver.close();
  });

  test("a batch of many, filled to the link's size", async () => {
    const sender = client.createSender("changes");
    const batch = await sender.createMessageBatch();
    expect(batch.maxSizeInBytes).toBe(262_144);
    let count = 0;
    while (batch.tryAddMessage({ messageId: `b${count}`, body: { text: "x".repeat(1000) } })) count++;
    await sender.sendMessages(batch);
    const { receiver, messages } = await receive(count);
    expect(new Set(messages.map((m) => m.messageId)).size).toBe(count);
    await Promise.all(messages.map((message) => receiver.completeMessage(message)));
    expect(broker.statistics().changes).toMatchObject({ active: 0, locked: 0 });
    await sender.close();
    await receiver.close();
  });

  test("too large is MessageSizeExceeded, an unknown queue MessagingEntityNotFound, a session refused", async () => {
    const sender = client.createSender("changes");
    await expect(sender.sendMessages({ body: "x".repeat(300_000) })).rejects.toMatchObject({
      code: "MessageSizeExceeded",
    });
    const nowhere = client.createSender("nowhere");
    await expect(nowhere.sendMessages({ body: 1 })).rejects.toMatchObject({ code: "MessagingEntityNotFound" });
    await expect(client.acceptSession("changes", "s1")).rejects.toThrow(
      "Failed to create a receiver for the requested session",
    );
    await expect(client.acceptNextSession("changes")).rejects.toThrow("doesn't require sessions");
    await sender.close();
    await nowhere.close();
  });

  test("scheduled messages wait, and can be cancelled", async () => {
    const sender = client.createSender("changes");
    const soon = new Date(Date.now() + 3_600_000);
    const [first, second] = await sender.scheduleMessages(
      [
        { messageId: "s1", body: 1 },
        { messageId: "s2", body: 2 },
      ],
      soon,
    );
    await sender.sendMessages({ messageId: "s3", body: 3, scheduledEnqueueTimeUtc: soon });
    expect(broker.statistics().changes).toMatchObject({ active: 0, scheduled: 3 });
    await sender.cancelScheduledMessages([first, second].filter((n) => n !== undefined));
    expect(broker.peek("changes", 10).map((m) => m.messageId)).toEqual(["s3"]);
    await sender.scheduleMessages({ messageId: "s4", body: 4 }, new Date(Date.now() + 200));
    const { receiver, message } = await receive(1);
    expect(message.messageId).toBe("s4");
    await receiver.completeMessage(message);
    await sender.close();
    await receiver.close();
  });

  test("a second message with the same id is dropped", async () => {
    const sender = client.createSender("changes");
    await sender.sendMessages({ messageId: "once", body: 1 });
    await sender.sendMessages({ messageId: "once", body: 1 });
    expect(broker.statistics().changes).toMatchObject({ active: 1 });
    await sender.close();
  });
});

describe("settling", () => {
  test("abandoned until the limit, then a dead letter with the reason", async () => {
    const sender = client.createSender("changes");
    await sender.sendMessages({ messageId: "bad", body: 1 });
    for (let count = 0; count < 3; count++) {
      const { receiver, message } = await receive(1);
      expect(message.deliveryCount).toBe(count);
      await receiver.abandonMessage(message, { tried: count });
      await receiver.close();
    }
    const { receiver, message } = await receive(1, "changes/$deadletterqueue");
    expect(message).toMatchObject({ messageId: "bad", deadLetterReason: "MaxDeliveryCountExceeded" });
    expect(message.applicationProperties?.tried).toBe(2);
    await receiver.completeMessage(message);
    expect(broker.statistics().changes?.deadLettered).toBe(0);
    await receiver.close();
    await sender.close();
  });

  test("dead-lettered with a reason of one's own", async () => {
    const sender = client.createSender("changes");
    await sender.sendMessages({ messageId: "odd", body: 1 });
    const { receiver, message } = await receive(1);
    await receiver.deadLetterMessage(message, { deadLetterReason: "Odd", deadLetterErrorDescription: "version 9" });
    const dead = await receive(1, "changes/$deadletterqueue");
    expect(dead.message).toMatchObject({ deadLetterReason: "Odd", deadLetterErrorDescription: "version 9" });
    await receiver.close();
    await dead.receiver.close();
    await sender.close();
  });

  test("a lock that ran out: the settlement fails with MessageLockLost, the message comes again", async () => {
    const sender = client.createSender("brief");
    await sender.sendMessages({ messageId: "slow", body: 1 });
    const { receiver, message } = await receive(1, "brief");
    await vi.waitFor(() => expect(broker.statistics().brief).toMatchObject({ active: 1 }), PATIENCE_MS);
    await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: "MessageLockLost" });
    const again = await receive(1, "brief");
    expect(again.message.deliveryCount).toBe(1);
    await receiver.close();
    await again.receiver.close();
    await sender.close();
  });

  test("a renewed lock lives on, also by itself in a subscription", async () => {
    const sender = client.createSender("held");
    await sender.sendMessages({ messageId: "long", body: 1 });
    const { receiver, message } = await receive(1, "held");
    const until = message.lockedUntilUtc?.getTime() ?? 0;
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(until - 5000), PATIENCE_MS);
    expect((await receiver.renewMessageLock(message)).getTime()).toBeGreaterThan(until);
    await receiver.completeMessage(message);
    await receiver.close();

    await sender.sendMessages({ messageId: "longer", body: 1 });
    const subscriber = client.createReceiver("held", { maxAutoLockRenewalDurationInMs: PATIENCE_MS });
    const counts: (number | undefined)[] = [];
    subscriber.subscribe({
      processMessage: async (received) => {
        counts.push(received.deliveryCount);
        const first = received.lockedUntilUtc?.getTime() ?? 0;
        await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(first + 500), PATIENCE_MS);
      },
      processError: async () => {},
    });
    await vi.waitFor(() => expect(broker.statistics().held).toMatchObject({ active: 0, locked: 0 }), PATIENCE_MS);
    expect(counts).toEqual([0]);
    await subscriber.close();
    await sender.close();
  });

  test("deferred, then received by number; peeked; received and deleted", async () => {
    const sender = client.createSender("changes");
    await sender.sendMessages([
      { messageId: "d", body: "deferred" },
      { messageId: "e", body: "deleted" },
    ]);
    const { receiver, message } = await receive(1);
    await receiver.deferMessage(message);
    const peeked = await receiver.peekMessages(10);
    expect(peeked.map((m) => [m.messageId, m.state])).toEqual([
      ["d", "deferred"],
      ["e", "active"],
    ]);
    const [back] = await receiver.receiveDeferredMessages(message.sequenceNumber ? [message.sequenceNumber] : []);
    expect(back?.body).toBe("deferred");
    await receiver.completeMessage(back as ServiceBusReceivedMessage);
    const deleting = client.createReceiver("changes", { receiveMode: "receiveAndDelete" });
    expect((await deleting.receiveMessages(1, { maxWaitTimeInMs: PATIENCE_MS })).map((m) => m.body)).toEqual([
      "deleted",
    ]);
    expect(broker.statistics().changes).toMatchObject({ active: 0, locked: 0 });
    await receiver.close();
    await deleting.close();
    await sender.close();
  });
});

test("3,000 messages through one receiver, more than its ring holds, all settled", async () => {
  const sender = client.createSender("changes");
  for (let from = 0; from < 3000; from += 500) {
    await sender.sendMessages(Array.from({ length: 500 }, (_, i) => ({ messageId: `n${from + i}`, body: from + i })));
  }
  const seen = new Set<number>();
  const receiver = client.createReceiver("changes");
  receiver.subscribe(
    {
      processMessage: async (message) => {
        seen.add(message.body);
      },
      processError: async (args) => {
        throw args.error;
      },
    },
    { maxConcurrentCalls: 32 },
  );
  await vi.waitFor(() => expect(broker.statistics().changes).toMatchObject({ active: 0, locked: 0 }), PATIENCE_MS);
  expect(seen.size).toBe(3000);
  await receiver.close();
  await sender.close();
});

test("two receivers share what is there", async () => {
  const counts = [0, 0];
  const receivers = counts.map((_, index) => {
    const receiver = client.createReceiver("changes");
    receiver.subscribe(
      {
        processMessage: async () => {
          counts[index] = (counts[index] ?? 0) + 1;
        },
        processError: async () => {},
      },
      { maxConcurrentCalls: 8 },
    );
    return receiver;
  });
  const sender = client.createSender("changes");
  await vi.waitFor(async () => {
    await sender.sendMessages(Array.from({ length: 50 }, () => ({ body: 1 })));
    expect(Math.min(...counts)).toBeGreaterThan(20);
  }, PATIENCE_MS);
  await Promise.all(receivers.map((receiver) => receiver.close()));
  await sender.close();
});

test("bytes that are no AMQP end that connection alone", async () => {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
    socket.on("close", () => resolve());
    socket.on("error", reject);
    socket.resume();
  });
  const sender = client.createSender("changes");
  await sender.sendMessages({ messageId: "after", body: 1 });
  expect(broker.statistics().changes).toMatchObject({ active: 1 });
  await sender.close();
});
