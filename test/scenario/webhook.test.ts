import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { NotificationDesk } from "../../shared/pipeline/accept-notification.ts";
import { BODY_MAX_BYTES, notificationAnswer, type WebhookRequest } from "../../shared/pipeline/notification-answer.ts";
import type { SubscriptionRow, World } from "../../shared/pipeline/world.ts";
import type { DecisionLog } from "../../shared/ports/decision-log.ts";
import { type Contoso, contoso, employee, MINUTE } from "./contoso.ts";

/** What a webhook answers to everything that the world may send it. */
let c: Contoso;
let tenantId: string;
let desk: NotificationDesk;
const NOBODY = "00000000-0000-4000-8000-000000000000";
const warnings: Record<string, unknown>[] = [];
const log: DecisionLog = {
  info: () => {},
  warn: (event, fields) => void warnings.push({ event, ...fields }),
  error: () => {},
};

beforeAll(async () => {
  c = contoso({ seed: 41 });
  await c.untilRight(10 * MINUTE);
  tenantId = c.organization.tenants.find(({ name }) => name === "contoso-us")?.id ?? "";
  const world = c.world.instances[0]?.world;
  if (!world) throw new Error("no instance");
  desk = new NotificationDesk(world);
});
afterAll(() => c.world.close());

const rowOf = (name: "users" | "groups") =>
  c.world.store.dump("subscriptions").find((one) => one.partition === tenantId && one.row === name)
    ?.value as SubscriptionRow & { pathSecret: string };

const call = (more: Partial<WebhookRequest> = {}) =>
  notificationAnswer(
    desk,
    {
      query: new URLSearchParams(),
      params: { tenantId, secret: rowOf("users").pathSecret },
      headers: new Headers(),
      body: null,
      ...more,
    },
    log,
  );

const post = (body: string, query = "", more: Partial<WebhookRequest> = {}) =>
  call({
    query: new URLSearchParams(query),
    headers: new Headers({ "content-length": String(Buffer.byteLength(body)) }),
    body: new Response(body).body,
    ...more,
  });

async function notification(changes: object = {}) {
  const row = rowOf("users");
  const { id } = employee(c, "contoso-us", 0);
  return {
    subscriptionId: row.subscriptionId,
    clientState: row.clientState,
    tenantId,
    changeType: "updated",
    resource: `Users/${id}`,
    resourceData: { id },
    ...changes,
  };
}

describe("the answer", () => {
  test.each([
    ["an empty list", { value: [] }, 202],
    ["rubbish in the list", { value: [null, 7, "x", {}, [], { subscriptionId: {} }] }, 202],
    ["a thousand items", { value: Array.from({ length: 1000 }, () => ({})) }, 202],
    ["more than a thousand", { value: Array.from({ length: 1001 }, () => ({})) }, 413],
    ["more than a megabyte", { value: ["x".repeat(1_048_576)] }, 413],
    ["no list", { value: "x" }, 400],
    ["a list alone", [], 400],
  ])("%s", async (_, body, status) => {
    const answer = await post(JSON.stringify(body));
    expect(answer.status).toBe(status);
    expect(answer.body).toBeUndefined();
  });

  test("not JSON", async () => expect(await post("{ value: [")).toMatchObject({ status: 400 }));
  test("names that are dangerous in objects are names like any other", async () => {
    expect(await post('{"__proto__":{"polluted":true},"value":[{"__proto__":{"polluted":true}}]}')).toMatchObject({
      status: 202,
    });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
  test("a validation is echoed as plain text, decoded, and nothing else is", async () => {
    const token = "Validation: Testing client application reachability for subscription Request-Id: 1+1&'\"";
    const answer = await post("", `validationToken=${encodeURIComponent(token)}`);
    expect(answer).toMatchObject({
      status: 200,
      body: token,
      headers: { "Content-Type": "text/plain", "X-Content-Type-Options": "nosniff" },
    });
  });
  test.each([
    ["too long", "x".repeat(5000)],
    ["markup", "<script>"],
    ["beyond ASCII", "\u00e9"],
    ["of two lines", "a\r\nSet-Cookie: a=b"],
    ["a NUL", "\u0000"],
    ["empty", ""],
  ])("a token that is %s is not", async (_, token) => {
    expect(await post("", `validationToken=${encodeURIComponent(token)}`)).toEqual({ status: 400 });
  });

  test.each<[string, () => WebhookRequest["params"]]>([
    ["a wrong secret", () => ({ tenantId, secret: "x".repeat(64) })],
    ["no secret", () => ({ tenantId })],
    ["the secret of the notifications themselves", () => ({ tenantId, secret: rowOf("users").clientState })],
    ["a tenant that nobody knows", () => ({ tenantId: NOBODY, secret: rowOf("users").pathSecret })],
    ["a tenant that is no key of a table", () => ({ tenantId: "a/b#c?", secret: "x" })],
  ])("with %s there is nothing here: the body is not read, no token is said back", async (_, params) => {
    const touched = vi.fn();
    const body = new ReadableStream<Uint8Array>({ pull: touched }, { highWaterMark: 0 });
    expect(await call({ params: params(), body })).toEqual({ status: 404 });
    const query = new URLSearchParams("validationToken=hello");
    expect(await call({ params: params(), query })).toEqual({ status: 404 });
    expect(touched).not.toHaveBeenCalled();
  });

  test("strangers are told in the log once a minute, with how many they were", async () => {
    await c.world.clock.runFor(2 * MINUTE);
    warnings.length = 0;
    for (let i = 0; i < 100; i++) await call({ params: { tenantId, secret: "x" } });
    expect(warnings).toEqual([{ event: "webhook called by strangers", calls: expect.any(Number) }]);
  });

  test("50 MB are refused after the first megabyte, whatever their header says", async () => {
    let pulled = 0;
    const chunk = new Uint8Array(65_536);
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += chunk.length;
        if (pulled > 50 * 1_048_576) controller.close();
        else controller.enqueue(chunk);
      },
    });
    expect(await call({ body })).toEqual({ status: 413 });
    expect(pulled).toBeLessThan(BODY_MAX_BYTES + 5 * chunk.length);
    const claimed = new ReadableStream<Uint8Array>({ pull: () => expect.fail("read") }, { highWaterMark: 0 });
    expect(await call({ body: claimed, headers: new Headers({ "content-length": "52428800" }) })).toEqual({
      status: 413,
    });
  });

  test("more than an instance takes at once is put off, and taken a second later", async () => {
    const world = c.world.instances[0]?.world as World;
    const own = new NotificationDesk(world);
    const admitted = await own.admit(tenantId, rowOf("users").pathSecret, false, log);
    if (!admitted) throw new Error("not admitted");
    let taken = 0;
    while (own.mayPost(admitted) && taken < 10_000) taken++;
    expect(taken).toBe(2_000);
    await c.world.clock.runFor(1_000);
    expect(own.mayPost(admitted)).toBe(true);
  });

  test("a row that was written a moment ago is known when Graph validates, and read once for many who ask", async () => {
    const world = c.world.instances[0]?.world as World;
    const list = vi.spyOn(world.tables.subscriptions, "list");
    const own = new NotificationDesk(world);
    await own.admit(tenantId, "somebody else", false, log);
    await c.world.store
      .rows<SubscriptionRow>("subscriptions")
      .put(tenantId, "young", { ...rowOf("users"), pathSecret: "young" });
    list.mockClear();
    const asked = Array.from({ length: 50 }, () => own.admit(tenantId, "young", true, log));
    expect(new Set((await Promise.all(asked)).map((admitted) => admitted?.stream))).toEqual(new Set(["young"]));
    expect(list.mock.calls.length).toBeLessThanOrEqual(2);
    list.mockRestore();
    await c.world.store.rows("subscriptions").remove(tenantId, "young");
  });
});

describe("what is believed", () => {
  const sent = () => c.world.bus.sent.changes ?? 0;

  test("a good item among bad ones is acted on, and the bad ones are counted by kind", async () => {
    const before = sent();
    warnings.length = 0;
    const items = [
      await notification({ clientState: "wrong" }),
      await notification({ tenantId: NOBODY }),
      { nothing: true },
      await notification(),
    ];
    expect(await post(JSON.stringify({ value: items }))).toEqual({ status: 202 });
    expect(sent() - before).toBe(2); // at once, and trailing
    expect(warnings).toEqual([
      {
        event: "notifications dropped",
        tenantId,
        accepted: 1,
        malformed: 1,
        wrongTenant: 1,
        wrongSecret: 1,
        lifecycle: 0,
      },
    ]);
  });

  test.each<[string, object]>([
    ["a wrong secret", { clientState: "wrong" }],
    ["a secret of the right length", { clientState: "x".repeat(64) }],
    ["another tenant", { tenantId: NOBODY }],
    ["an id that is no id", { resourceData: { id: "../../groups" } }],
  ])("%s brings nobody anything, and the answer is the same", async (_, changes) => {
    const before = sent();
    expect(await post(JSON.stringify({ value: [await notification(changes)] }))).toEqual({ status: 202 });
    expect(sent()).toBe(before);
  });

  test("an id that is not recorded yet, with the right secret, is believed", async () => {
    const before = sent();
    const pages = c.world.bus.sent.pages ?? 0;
    const { id } = employee(c, "contoso-us", 1);
    await post(
      JSON.stringify({
        value: [await notification({ subscriptionId: "11111111-2222-4333-8444-555555555555", resourceData: { id } })],
      }),
    );
    expect(sent() - before).toBe(2);
    expect((c.world.bus.sent.pages ?? 0) - pages).toBe(1); // it is looked up, and recorded
  });

  test.each([
    ["missed", 1],
    ["subscriptionRemoved", 1],
    ["reauthorizationRequired", 0],
  ])("the lifecycle event %s: %i stream is swept", async (lifecycleEvent, swept) => {
    await c.world.clock.runFor(2 * MINUTE);
    const before = c.world.bus.sent.pages ?? 0;
    await post(JSON.stringify({ value: [await notification({ lifecycleEvent, resourceData: undefined })] }));
    expect((c.world.bus.sent.pages ?? 0) - before).toBe(1 + swept);
  });

  test("the secret of one subscription opens no other", async () => {
    const other = { ...rowOf("users"), pathSecret: "other", clientState: "another" };
    await c.world.store.rows<SubscriptionRow>("subscriptions").put(tenantId, "groups", other);
    await c.world.clock.runFor(MINUTE); // what is remembered of the rows is read again
    const params = { tenantId, secret: "other" };
    const before = sent();
    expect(await post(JSON.stringify({ value: [await notification()] }), "", { params })).toEqual({ status: 202 });
    expect(sent()).toBe(before);
  });

  test("a storm of notifications about one person becomes two looks at once and later, not a thousand", async () => {
    const before = sent();
    const { id } = employee(c, "contoso-us", 2);
    for (let i = 0; i < 50; i++) {
      await post(
        JSON.stringify({
          value: Array.from({ length: 20 }, () => ({})).concat([await notification({ resourceData: { id } })]),
        }),
      );
    }
    expect(sent() - before).toBeLessThanOrEqual(2 + 50); // one at once, one at the end of the window, trailing ones that fall into one slot
    const stored = c.world.broker.statistics().changes;
    expect(stored?.duplicates).toBeGreaterThan(40);
  });
});
