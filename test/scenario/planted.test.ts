import { afterAll, beforeAll, expect, test } from "vitest";
import { TABLES } from "../../shared/adapters/tables/index.ts";
import { decisionLog } from "../../shared/adapters/telemetry/decision-log.ts";
import { NotificationDesk } from "../../shared/pipeline/accept-notification.ts";
import { notificationAnswer } from "../../shared/pipeline/notification-answer.ts";
import type { SubscriptionRow } from "../../shared/pipeline/world.ts";
import { type Stage, stage } from "../admin/stage.ts";
import { MINUTE, SECOND } from "./contoso.ts";

/**
 * Personal data is planted in people, and secrets in whatever an answer, a row or a message can hold; then everything that
 * the app says or keeps is searched for it.
 */
const PLANTED = ["Zebediah", "zz-planted", "Quxborough", "4747-11"];
/** Tokens, keys, certificates. */
const SECRETS = /eyJ[\w-]{10,}|Bearer |SharedAccessKey=|AccountKey=|-----BEGIN/;

let c: Stage;
const said: string[] = [];
const messages: string[] = [];
const answers: string[] = [];
/** Of the admin API, by what was asked. */
const shown = new Map<string, string>();
const sink = {
  info: (line: string) => said.push(line),
  warn: (line: string) => said.push(line),
  error: (line: string) => said.push(line),
};

beforeAll(async () => {
  c = stage({
    seed: 71,
    jobs: (groupA, groupB) => [
      {
        scope: { groups: [{ id: groupA }] },
        mappings: [
          { target: "displayName", source: "displayName" },
          { target: "city", source: "city" },
          { target: "mobilePhone", source: "mobilePhone" },
          { target: "jobTitle", expression: 'IIF(IsPresent([jobTitle]), CStr(CDate([jobTitle])), "none")' },
        ],
      },
      { scope: { groups: [{ id: groupB }] } },
    ],
  });
  const log = c.world.bus.hooks;
  log.before = (_queue, sent) => void messages.push(JSON.stringify(sent));
  const people = Array.from({ length: 12 }, (_, index) =>
    c.hire(`zz-planted${index}`, [c.groupA], {
      displayName: `Zebediah ${index}`,
      city: "Quxborough",
      mobilePhone: `+47 4747-11 ${index}`,
      ...(index % 3 === 0 ? { jobTitle: `Zebediah's title ${index}` } : {}), // no date: the mapping fails
    }),
  );
  await c.world.clock.runFor(MINUTE);
  // Answers that are cut off in the middle of people, refused, and refused with a text about them.
  for (const kind of ["truncate", "timeoutAfterEffect", "consentRevoked"] as const)
    c.world.graph.addFault({ on: "any", kind, probability: 0.1, forMs: 2 * MINUTE });
  for (const status of [400, 403, 409, 500])
    c.world.graph.addFault({ on: "write", kind: "status", status, probability: 0.1, forMs: 2 * MINUTE });
  for (const [index, id] of people.entries()) c.source.updateUser(id, { city: `Quxborough ${index}` });
  // Somebody else has planted a guest, and somebody else's words are in rows and messages.
  const poison = { version: 1, kind: "page", tenantId: c.sourceId, "zz-planted@x.example": "Zebediah" };
  await c.world.bus.send("pages", [{ id: "poison", body: poison }]);
  await c.world.bus.send("changes", [{ id: "poison", body: { version: "Zebediah", userIds: ["zz-planted"] } }]);
  messages.splice(
    messages.findIndex((text) => text.includes("poison")),
    2,
  );
  c.source.updateUser(people[1] ?? "", {
    mail: "zz-planted!#$@home.example",
    userPrincipalName: "zz-planted!@home.example",
  });
  c.source.deleteUser(people[2] ?? "");
  await c.world.clock.runFor(5 * MINUTE);
  c.world.graph.clearFaults();
  await c.world.clock.runFor(30 * SECOND);
  const real = decisionLog(sink);
  for (const { level, event, fields } of c.world.log) real[level](event, fields);
  await askWebhook();
  await askAdmin(people);
});
afterAll(() => c.world.close());

async function askWebhook(): Promise<void> {
  const world = c.world.instances[0]?.world;
  if (!world) throw new Error("no instance");
  const row = c.world.store.dump("subscriptions")[0]?.value as SubscriptionRow;
  for (const secret of [row.pathSecret ?? "", "Zebediah"]) {
    for (const body of ['{"value":["Zebediah",{"clientState":"zz-planted"}]}', "Zebediah", "[]"]) {
      const answer = await notificationAnswer(
        new NotificationDesk(world),
        {
          query: new URLSearchParams(),
          params: { tenantId: c.sourceId, secret },
          headers: new Headers(),
          body: new Response(body).body,
        },
        decisionLog(sink),
      );
      answers.push(JSON.stringify(answer));
    }
  }
}

/** Everything that can be read, and commands that are done, refused and not understood. */
async function askAdmin(people: readonly string[]): Promise<void> {
  const ask = async (path: string, body?: object) => {
    const [route = "", query = ""] = path.split("?");
    const answer = await c.adminOf(0).answer(
      {
        method: body ? "POST" : "GET",
        path: route,
        query: new URLSearchParams(query),
        headers: new Headers({ authorization: "Bearer dora" }),
        text: async () => JSON.stringify(body ?? {}),
      },
      decisionLog(sink),
    );
    shown.set(`${path} ${JSON.stringify(body ?? {})}`, JSON.stringify(answer));
    expect(answer.status, path).toBeLessThan(500);
    return JSON.parse(answer.body) as { items?: readonly { name?: string; userId?: string; path?: string }[] };
  };
  const commands = (await ask("commands")).items ?? [];
  for (const path of [
    "status",
    "held",
    "escrows",
    "held/sets",
    "held/set?job=a&set=none",
    "jobs",
    "orphans",
    "requests",
  ])
    await ask(path);
  for (const status of ["success", "failure", "skipped", "warning"]) await ask(`log?limit=200&status=${status}`);
  const [waiting] = (await ask("escrows?limit=200")).items ?? [];
  const tenants = { source: c.sourceId, target: c.targetId };
  const user = waiting?.userId ?? people[0] ?? "";
  for (const { name } of commands) await ask(`commands/${name}`, {});
  await ask("commands/look", { source: c.sourceId, user });
  await ask("commands/retry", { ...tenants, user });
  await ask("commands/job-pause", { job: "a", reason: "drill" });
  await ask("commands/kill-on", { reason: "drill" });
  for (const path of ["status", "jobs", "requests", "audit", "audit/verify", "nowhere"]) await ask(path);
  await c.world.clock.runFor(30 * SECOND);
}

const found = (texts: readonly string[]) =>
  texts
    .filter((text) => PLANTED.some((word) => text.includes(word)) || SECRETS.test(text))
    .map((text) => text.slice(0, 600));

test("the world was lively enough to say something", () => {
  expect(said.length).toBeGreaterThan(200);
  expect(messages.length).toBeGreaterThan(50);
  const codes = new Set(c.world.store.dump("provisioninglog").map(({ value }) => (value as { code?: string }).code));
  for (const code of ["MAPPING_FAILED", "MESSAGE_UNREADABLE"]) expect(codes).toContain(code);
});

test("no line of the log tells of a person or a secret", () => expect(found(said)).toEqual([]));

test("no message tells of a person", () => expect(found(messages)).toEqual([]));

test("no answer of the webhook does", () => expect(found(answers)).toEqual([]));

test("no answer of the admin API does", () => {
  expect(shown.size).toBeGreaterThan(30);
  const told = [...shown.values()].join("\n");
  for (const word of ["MAPPING_FAILED", "MESSAGE_UNREADABLE", "job-pause", "NOT_FOUND"]) expect(told).toContain(word); // of the lists, of the log, of commands
  expect(found([...shown.values()])).toEqual([]);
});

test("no row does, but for an address of somebody who is being invited; no key does at all", () => {
  const rows = TABLES.filter((table) => table !== "subscriptions")
    .flatMap((table) => c.world.store.dump(table).map((row) => ({ table, ...row })))
    .map(({ table, partition, row, value }) => {
      // A delta link is of no use without a token of the tenant; what the sandbox writes into it begins as a token does.
      const { address: _, link: _link, ...rest } = value as { address?: string; link?: string };
      return JSON.stringify([table, partition, row, rest]);
    });
  expect(rows.length).toBeGreaterThan(50);
  expect(found(rows)).toEqual([]);
});

test("secrets of the webhooks are in their own table and nowhere else", () => {
  const secrets = c.world.store.dump("subscriptions").flatMap(({ value }) => {
    const { clientState, pathSecret = "" } = value as SubscriptionRow;
    return [clientState, pathSecret];
  });
  expect(secrets).toHaveLength(4);
  const everywhere = [...said, ...messages, ...answers, ...shown.values()].join("\n");
  expect(secrets.filter((secret) => everywhere.includes(secret))).toEqual([]);
});
