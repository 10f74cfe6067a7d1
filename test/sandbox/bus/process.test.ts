import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ServiceBusClient } from "@azure/service-bus";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Supervised, type Supervisor, supervisor } from "../../../sandbox/local/supervisor.ts";
import { QUEUES } from "../../../shared/messages/queues.ts";

let folder: string;
let all: Supervisor;
let bus: Supervised<{ connectionString: string; control: string }>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bus-"));
  all = supervisor({ logFolder: folder });
  bus = await all.start({
    name: "bus",
    file: fileURLToPath(new URL("../../../sandbox/bus/process.ts", import.meta.url)),
  });
});
afterAll(async () => {
  await all.stop();
  await rm(folder, { recursive: true, force: true });
});

const control = async (path: string, method = "GET") => {
  const response = await fetch(`${bus.report.control}${path}`, { method });
  return { status: response.status, body: await response.json() };
};

test("the process has the product's queues, shows what is in them, and can lose it all", async () => {
  const client = new ServiceBusClient(bus.report.connectionString);
  await client.createSender("pages").sendMessages([
    { messageId: "a", body: { n: 1 } },
    { messageId: "b", body: { n: 2 } },
  ]);
  await client.close();
  const { body: statistics } = await control("/statistics");
  expect(Object.keys(statistics as object)).toEqual(Object.keys(QUEUES));
  expect(statistics).toMatchObject({ pages: { active: 2 }, changes: { active: 0 } });
  const { body: peeked } = await control("/peek?queue=pages&limit=1&from=2");
  expect(peeked).toMatchObject([{ messageId: "b", body: '{"n":2}', state: "active" }]);
  await control("/purge?queue=pages", "POST");
  expect((await control("/statistics")).body).toMatchObject({ pages: { active: 0 } });
});

test("what is not there is said", async () => {
  expect(await control("/peek?queue=nowhere")).toEqual({
    status: 404,
    body: { error: "The messaging entity 'nowhere' could not be found." },
  });
  expect((await control("/unknown")).status).toBe(404);
});
