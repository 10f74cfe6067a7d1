import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Admin } from "../../shared/admin/router.ts";
import { NotificationDesk } from "../../shared/pipeline/accept-notification.ts";
import { notificationAnswer } from "../../shared/pipeline/notification-answer.ts";
import { receiveHint, receivePageMessage } from "../../shared/pipeline/receive.ts";
import type { SubscriptionRow } from "../../shared/pipeline/world.ts";
import type { DecisionLog } from "../../shared/ports/decision-log.ts";
import { type Stage, stage } from "../admin/stage.ts";
import { run } from "../cli/run.ts";
import { MINUTE } from "../scenario/contoso.ts";
import { bears, hostileTried, slowestMs, TEXTS, texts } from "./hostile.ts";
import { takeConfig, takeExport, takeGraphAnswer, takeRow, takeSchema } from "./takers.ts";

/** Whatever comes from outside is taken or refused with a code, soon, and leaves nothing behind. */
const quiet: DecisionLog = { info: () => {}, warn: () => {}, error: () => {} };
const folder = mkdtempSync(join(tmpdir(), "cross-cloud-sync-fuzz-"));
let c: Stage;
let row: SubscriptionRow;

beforeAll(async () => {
  c = stage({ seed: 81 });
  c.hire("ada", [c.groupA]);
  await c.world.clock.runFor(2 * MINUTE);
  row = c.world.store.dump("subscriptions")[0]?.value as SubscriptionRow;
});
afterAll(() => {
  c.world.close();
  rmSync(folder, { recursive: true });
  // For whoever counts them from outside.
  if (process.env.HOSTILE_COUNTS)
    writeFileSync(process.env.HOSTILE_COUNTS, JSON.stringify({ tried: hostileTried(), slowestMs: slowestMs() }));
});

async function takeWebhook(text: string): Promise<void> {
  const { world } = c.world.instances[0] as NonNullable<(typeof c.world.instances)[0]>;
  const ask = (body: string, query: string) =>
    notificationAnswer(
      new NotificationDesk(world),
      {
        query: new URLSearchParams(query),
        params: { tenantId: c.sourceId, secret: row.pathSecret },
        headers: new Headers(),
        body: new Response(body).body,
      },
      quiet,
    );
  const items = `{"value":[{"clientState":"${row.clientState}","tenantId":"${c.sourceId}","subscriptionId":"x","resourceData":${text}}]}`;
  for (const body of [text, items]) expect([202, 400, 413]).toContain((await ask(body, "")).status);
  expect([200, 400]).toContain(
    (await ask("", `validationToken=${encodeURIComponent(text.slice(0, 5_000).toWellFormed())}`)).status,
  );
}

/** As the host hands them over: parsed if they were JSON. */
async function takeMessage(text: string): Promise<void> {
  const { receiver } = c.world.instances[0] as NonNullable<(typeof c.world.instances)[0]>;
  const message: unknown = parsed(text);
  for (const taken of [receiveHint(receiver, message, 1, quiet), receivePageMessage(receiver, message, quiet)])
    await expect(taken).rejects.toThrow(/^MESSAGE_UNREADABLE: /);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function takeAdmin(text: string): Promise<void> {
  const admin = new Admin((c.world.instances[0] as NonNullable<(typeof c.world.instances)[0]>).receiver, {
    verify: async () => ({ tenantId: c.sourceId, objectId: c.sourceId, appId: undefined, roles: ["Sync.Read"] }),
  });
  const word = text.slice(0, 2_000).toWellFormed();
  const calls = [
    { method: "POST", path: "commands/sweep", body: text },
    {
      method: "GET",
      path: `log`,
      body: "",
      query: `target=${encodeURIComponent(word)}&from=${encodeURIComponent(word)}`,
    },
    { method: "GET", path: word, body: "" },
    { method: word.slice(0, 20), path: "status", body: "" },
  ];
  for (const { method, path, body, query = "" } of calls) {
    const headers = new Headers({ authorization: "Bearer x" });
    const answer = await admin.answer(
      { method, path, query: new URLSearchParams(query), headers, text: async () => body },
      quiet,
    );
    expect(answer.status).toBeGreaterThanOrEqual(200);
    expect(answer.status).not.toBe(500);
    if (answer.status >= 400) expect(JSON.parse(answer.body)).toMatchObject({ code: expect.any(String) });
  }
}

/** One process for all of these commands: files of any content. */
async function takeCommand(text: string): Promise<void> {
  const file = join(folder, "input");
  writeFileSync(file, text);
  const commands = [
    ["expression", "eval", text.slice(0, 2_000), "--user", file],
    ["scope", "test", "--cases", file],
    ["scope", "test", "--filter", file, "--user", file],
    ["doctor", "boundary", "--config", file],
    ["schema", "import", file],
  ];
  for (const args of commands) {
    const { status, stdout, stderr } = await run(...args);
    expect([0, 1, 2], args.slice(0, 2).join(" ")).toContain(status);
    expect(stdout + stderr).not.toMatch(/^\s+at .*\.ts:\d+/m); // a stack trace is no answer
  }
}

const KINDS: readonly [string, number, (text: string) => unknown][] = [
  ["webhook bodies", 150, takeWebhook],
  ["config files", 300, takeConfig],
  ["bus messages", 300, takeMessage],
  ["table rows", 500, takeRow],
  ["Graph answers", 40, takeGraphAnswer],
  ["admin requests", 150, takeAdmin],
  ["schema files", 300, takeSchema],
  ["exports of users", 300, takeExport],
  ["commands", 40, takeCommand],
];

describe.each(KINDS)("%s", (kind, runs, take) => {
  test.each(Object.entries(TEXTS))("recorded: %s", (_, text) => bears(kind, text, take));
  test("made up", async () => {
    await fc.assert(
      fc.asyncProperty(texts, (text) => bears(kind, text, take)),
      { numRuns: runs },
    );
  });
});

test("every kind was tried, and counted", () => {
  for (const [kind, runs] of KINDS)
    expect(hostileTried()[kind]).toBeGreaterThanOrEqual(runs + Object.keys(TEXTS).length);
});
