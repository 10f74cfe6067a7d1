import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Host } from "../../sandbox/local/host/host.ts";
import { supervisor } from "../../sandbox/local/supervisor.ts";
import { organization } from "../../sandbox/organization/topology.ts";
import { deadLetterQueue, QUEUES, type QueueName } from "../../shared/messages/queues.ts";
import { buildApp } from "../../tools/build.ts";

/** The deployable app as the worker sees it: what `main` names is loaded, and these functions register themselves. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bundle-"));
  await buildApp("functions", join(folder, "dist"));
  const config = organization({ seed: 1, people: 30 }).config((tenant) => join(folder, `${tenant}.pem`));
  await writeFile(join(folder, "sync.config.json"), JSON.stringify(config));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("names and bindings", async () => {
  const all = supervisor({ logFolder: join(folder, "logs") });
  const app = await all.start<Pick<Host, "functions">>({
    name: "app",
    file: fileURLToPath(new URL("../../sandbox/local/host/process.ts", import.meta.url)),
    args: [JSON.stringify({ folder: join(folder, "dist"), timers: false, serviceBus: false })],
    env: {
      SYNC_CONFIG: join(folder, "sync.config.json"),
      TABLES: "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=eA==;TableEndpoint=http://127.0.0.1:1/a;",
      SERVICE_BUS: "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true;",
    },
  });
  await all.stop();
  const { functions } = app.report;
  const found = Object.fromEntries(
    functions.map(({ name, trigger }) => [
      name,
      [trigger.type, trigger.route ?? trigger.schedule ?? trigger.queueName, trigger.authLevel ?? trigger.connection],
    ]),
  );
  expect(found).toMatchObject({
    "graph-notification": ["httpTrigger", "graph-notification/{tenantId}/{secret}", "anonymous"],
    "admin-api": ["httpTrigger", "manage/{*path}", "anonymous"],
    "graph-lifecycle": ["httpTrigger", "graph-lifecycle/{tenantId}/{secret}", "anonymous"],
    "start-sweeps": ["timerTrigger", "%SWEEP_SCHEDULE%", undefined],
    "start-passes": ["timerTrigger", "%PASS_SCHEDULE%", undefined],
    "keep-subscriptions": ["timerTrigger", "%SUBSCRIPTION_SCHEDULE%", undefined],
    "collect-changes": ["serviceBusTrigger", "pages", "SERVICE_BUS"],
    "reconcile-changes": ["serviceBusTrigger", "changes", "SERVICE_BUS"],
    "reconcile-sweep": ["serviceBusTrigger", "sweep", "SERVICE_BUS"],
  });
  const listened = functions.map(({ trigger }) => trigger.queueName);
  for (const queue of Object.keys(QUEUES) as QueueName[]) {
    expect(listened).toContain(queue);
    expect(listened).toContain(deadLetterQueue(queue));
  }
});
