import { describe, expect, test } from "vitest";
import type { WebhookCall } from "../../../sandbox/graph/api.ts";
import { app, type Contoso, contoso, NOBODY, OTHER_APP } from "./contoso.ts";

const MINUTE = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

const wanted = (world: Contoso, more: object = {}) => ({
  changeType: "updated,deleted",
  resource: "/users",
  notificationUrl: "https://app.example.net/notify?key=1",
  lifecycleNotificationUrl: "https://app.example.net/lifecycle",
  expirationDateTime: iso(world.clock.now() + 24 * 60 * MINUTE),
  clientState: "secret",
  ...more,
});
const subscribe = (world: Contoso, more: object = {}) => world.hub("POST", "/subscriptions", wanted(world, more));

interface Notice {
  subscriptionId: string;
  changeType?: string;
  lifecycleEvent?: string;
  resource: string;
  resourceData: Record<string, unknown>;
}
const notices = (posts: readonly WebhookCall[]): Notice[] =>
  posts.flatMap(({ body }) => (JSON.parse(body) as { value: Notice[] }).value);

describe("creating", () => {
  test("both addresses are asked for the token they were sent, then the subscription is there", async () => {
    const world = contoso();
    const asked: string[] = [];
    world.answerWith(async (call) => {
      asked.push(call.url.replace(/=Validation.*/, "="));
      expect(call).toMatchObject({ body: "", headers: { "content-type": "text/plain; charset=utf-8" } });
      return {
        status: 200,
        contentType: "text/plain; charset=utf-8",
        body: new URL(call.url).searchParams.get("validationToken") ?? "",
      };
    });
    const made = await subscribe(world);
    expect(asked).toEqual([
      "https://app.example.net/notify?key=1&validationToken=",
      "https://app.example.net/lifecycle?validationToken=",
    ]);
    expect(made).toMatchObject({
      status: 201,
      body: {
        resource: "/users",
        changeType: "updated,deleted",
        applicationId: expect.any(String),
        creatorId: expect.any(String),
        notificationContentType: "application/json",
        clientState: "secret",
      },
    });
    expect((await world.hub("GET", `/subscriptions/${made.body.id}`)).body).toMatchObject({
      id: made.body.id,
      clientState: null,
    });
    expect((await world.hub("GET", "/subscriptions")).body.value).toHaveLength(1);
  });

  test.each<{
    name: string;
    answer: (token: string) => { status: number; contentType: string; body: string } | Promise<never>;
    message: RegExp;
  }>([
    {
      name: "a token that is still encoded",
      answer: (token) => ({ status: 200, contentType: "text/plain", body: encodeURIComponent(token) }),
      message: /must respond with 200 OK/,
    },
    {
      name: "HTML",
      answer: (token) => ({ status: 200, contentType: "text/html", body: token }),
      message: /must respond with 200 OK/,
    },
    {
      name: "403",
      answer: () => ({ status: 403, contentType: "", body: "" }),
      message: /HTTP status code is 'Forbidden'/,
    },
    { name: "202", answer: () => ({ status: 202, contentType: "", body: "" }), message: /'Accepted'/ },
    { name: "a broken connection", answer: () => Promise.reject(new Error("reset")), message: /must respond/ },
    { name: "no answer", answer: () => new Promise<never>(() => {}), message: /timed out/ },
  ])("$name is no validation", async ({ answer, message }) => {
    const world = contoso();
    world.answerWith(async (call) => answer(new URL(call.url).searchParams.get("validationToken") ?? ""));
    const call = subscribe(world);
    await world.clock.runFor(10_000);
    const { status, body } = await call;
    expect([status, body.error?.code]).toEqual([400, "ValidationError"]);
    expect(body.error?.message).toMatch(message);
    expect((await world.hub("GET", "/subscriptions")).body.value).toEqual([]);
  });

  test.each<{ name: string; more: object; status: number }>([
    { name: "http", more: { notificationUrl: "http://app.example.net" }, status: 400 },
    { name: "an unknown resource", more: { resource: "/me/messages" }, status: 400 },
    { name: "created", more: { changeType: "created" }, status: 400 },
    { name: "too far", more: { expirationDateTime: iso(Date.UTC(2026, 0, 5, 8) + 41_761 * MINUTE) }, status: 400 },
    { name: "the farthest", more: { expirationDateTime: iso(Date.UTC(2026, 0, 5, 8) + 41_760 * MINUTE) }, status: 201 },
    { name: "the past", more: { expirationDateTime: iso(Date.UTC(2026, 0, 5, 7)) }, status: 400 },
    { name: "a long clientState", more: { clientState: "x".repeat(129) }, status: 400 },
    { name: "resource data", more: { includeResourceData: true }, status: 400 },
    { name: "one user", more: { resource: `users/${NOBODY}` }, status: 201 },
    { name: "a group's members", more: { resource: `/groups/${NOBODY}/members` }, status: 201 },
  ])("$name: $status", async ({ more, status }) => {
    expect((await subscribe(contoso(), more)).status).toBe(status);
  });

  test("less than 45 minutes become 45; the same again is 409", async () => {
    const world = contoso();
    const made = await subscribe(world, { expirationDateTime: iso(world.clock.now() + MINUTE) });
    expect(made.body.expirationDateTime).toBe(iso(world.clock.now() + 45 * MINUTE));
    expect(await subscribe(world, { changeType: "deleted,updated" })).toMatchObject({
      status: 409,
      body: { error: { message: "Subscription Id <> already exists for the requested combination" } },
    });
    expect((await subscribe(world, { changeType: "updated" })).status).toBe(201);
  });

  test("rights to write are not rights to subscribe; another app's subscriptions are not there", async () => {
    const world = contoso({
      hub: {
        clients: [
          app(),
          app({ clientId: OTHER_APP, permissions: ["User.ReadWrite.All", "Group.Read.All"], extensions: [] }),
        ],
      },
    });
    const other = (method: string, path: string, body?: object) => world.call("hub", method, path, body, {}, OTHER_APP);
    expect((await other("POST", "/subscriptions", wanted(world))).status).toBe(403);
    expect((await other("POST", "/subscriptions", wanted(world, { resource: "/groups" }))).status).toBe(201);
    const made = await subscribe(world);
    expect((await other("GET", `/subscriptions/${made.body.id}`)).status).toBe(404);
  });

  test("at most 100 for each app", async () => {
    const world = contoso();
    for (let i = 0; i < 100; i++) {
      const id = `99999999-9999-4999-8999-${String(i).padStart(12, "0")}`;
      expect((await subscribe(world, { resource: `/users/${id}` })).status).toBe(201);
    }
    expect(await subscribe(world)).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringMatching(/limit/) } },
    });
  });
});

describe("notifications", () => {
  test("creation, change, soft deletion and return are updated; permanent deletion is deleted", async () => {
    const world = contoso();
    const { body } = await subscribe(world);
    const truth = world.truth("hub");
    const ada = truth.createUser({ userPrincipalName: "ada@hub.com" });
    const steps = [
      () => truth.updateUser(ada, { city: "Rome" }),
      () => truth.deleteUser(ada),
      () => truth.restoreUser(ada),
      () => truth.deleteUser(ada),
      () => truth.purgeUser(ada),
    ];
    for (const step of steps) {
      await world.clock.runFor(1000);
      step();
    }
    await world.clock.runFor(1000);
    expect(notices(world.posts).map(({ changeType }) => changeType)).toEqual([
      "updated",
      "updated",
      "updated",
      "updated",
      "updated",
      "deleted",
    ]);
    expect(notices(world.posts)[0]).toEqual({
      subscriptionId: body.id,
      subscriptionExpirationDateTime: body.expirationDateTime,
      clientState: "secret",
      changeType: "updated",
      tenantId: world.tenants.tenants[0]?.id,
      resource: `Users/${ada}`,
      resourceData: {
        "@odata.type": "#Microsoft.Graph.User",
        "@odata.id": `Users/${ada}`,
        id: ada,
        organizationId: world.tenants.tenants[0]?.id,
        eventTime: "2026-01-05T08:00:00.000Z",
        sequenceNumber: expect.any(Number),
      },
    });
  });

  test("what falls due together travels together, a hundred at most", async () => {
    const world = contoso();
    await subscribe(world);
    for (let i = 0; i < 250; i++) world.truth("hub").createUser({ userPrincipalName: `p${i}@hub.com` });
    await world.clock.runFor(1000);
    expect(world.posts.map(({ body }) => (JSON.parse(body) as { value: unknown[] }).value.length)).toEqual([
      100, 100, 50,
    ]);
    expect(world.tenants.statistics().hub?.notificationsSent).toBe(250);
  });

  test("groups say who came and went; a subscription to one object hears of that one", async () => {
    const world = contoso();
    const truth = world.truth("hub");
    const ada = truth.createUser({ userPrincipalName: "ada@hub.com" });
    const [one, two] = [truth.createGroup({ displayName: "One" }), truth.createGroup({ displayName: "Two" })];
    await subscribe(world, { resource: `/groups/${one}` });
    truth.addMember(two, ada);
    truth.addMember(one, ada);
    truth.removeMember(one, ada);
    await world.clock.runFor(1000);
    expect(notices(world.posts).map(({ resource, resourceData }) => [resource, resourceData["members@delta"]])).toEqual(
      [
        [`Groups/${one}`, [{ id: ada }]],
        [`Groups/${one}`, [{ id: ada, "@removed": "deleted" }]],
      ],
    );
  });

  test("some are lost, some come twice, late and in another order, as told", async () => {
    const world = contoso({
      knobs: {
        notificationDelayMs: [5000, 60_000],
        notificationLost: 0.2,
        notificationDoubled: 0.3,
        notificationReordered: true,
      },
    });
    await subscribe(world);
    const ids = Array.from({ length: 100 }, (_, i) =>
      world.truth("hub").createUser({ userPrincipalName: `p${i}@hub.com` }),
    );
    await world.clock.runFor(4999);
    expect(world.posts).toHaveLength(0);
    await world.clock.runFor(55_001);
    const told = world.tenants.statistics().hub;
    if (!told) throw new Error("no hub");
    const { notificationsSent, notificationsLost, notificationsDoubled } = told;
    expect(notificationsLost).toBeGreaterThan(5);
    expect(notificationsDoubled).toBeGreaterThan(10);
    expect(notificationsSent).toBe(100 - notificationsLost + notificationsDoubled);
    const order = notices(world.posts).map(({ resourceData }) => ids.indexOf(String(resourceData.id)));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    const overtaken = order.filter((place, index) => order.slice(0, index).some((earlier) => earlier > place));
    expect(told.notificationsReordered).toBe(overtaken.length);
    expect(told.notificationsLate).toBeGreaterThan(80);
    expect(told.notificationsLate).toBeLessThan(notificationsSent);
  });

  test("a receiver that fails is tried again, later and later, for four hours", async () => {
    const world = contoso();
    await subscribe(world);
    const tried: number[] = [];
    world.answerWith(async () => {
      tried.push(Math.round((world.clock.now() - start) / 1000));
      return { status: 503, contentType: "", body: "" };
    });
    const start = world.clock.now();
    world.truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
    const { body } = await world.hub("GET", "/subscriptions");
    await world.clock.runFor(30 * MINUTE);
    expect(tried).toEqual([0, 10, 30, 70, 150, 310, 630, 1230]);
    for (let i = 0; i < 9; i++) {
      await world.hub("PATCH", `/subscriptions/${body.value?.[0]?.id}`, {
        expirationDateTime: iso(world.clock.now() + 24 * 60 * MINUTE),
      });
      await world.clock.runFor(30 * MINUTE);
    }
    expect(Math.max(...tried)).toBeLessThanOrEqual(4.2 * 3600);
    expect(world.tenants.statistics().hub).toMatchObject({ notificationsSent: 0, notificationsLost: 1 });
  });

  test("an endpoint whose answers are slow first gets them late, then not at all", async () => {
    const world = contoso();
    await subscribe(world);
    const truth = world.truth("hub");
    let slow = false;
    world.answerWith(async () => {
      await world.clock.sleep(slow ? 11_000 : 0);
      return { status: 202, contentType: "", body: "" };
    });
    const touch = async (waitMs: number) => {
      truth.createUser({ userPrincipalName: `p${world.clock.now()}@hub.com` });
      await world.clock.runFor(waitMs);
    };
    for (let i = 0; i < 17; i++) await touch(1000);
    slow = true;
    await touch(10_001);
    await touch(10_001);
    slow = false;
    const before = world.posts.length;
    await touch(9000);
    expect(world.posts.length - before).toBeLessThan(3);
    slow = true;
    for (let i = 0; i < 4; i++) await touch(10_001);
    slow = false;
    const lost = world.tenants.statistics().hub?.notificationsLost ?? 0;
    await touch(1000);
    expect(world.tenants.statistics().hub?.notificationsLost).toBe(lost + 1);
    await world.clock.runFor(11 * MINUTE);
    const sent = world.tenants.statistics().hub?.notificationsSent ?? 0;
    await touch(1000);
    expect(world.tenants.statistics().hub?.notificationsSent).toBe(sent + 1);
  });
});

describe("life", () => {
  test("reauthorization is asked for before the token dies; without it delivery rests, with it it goes on", async () => {
    const world = contoso();
    const { body } = await subscribe(world);
    await world.clock.runFor(44 * MINUTE);
    expect(world.posts).toHaveLength(0);
    await world.clock.runFor(2 * MINUTE);
    expect(world.posts.map(({ url }) => url)).toEqual(["https://app.example.net/lifecycle"]);
    expect(notices(world.posts)).toMatchObject([
      { subscriptionId: body.id, lifecycleEvent: "reauthorizationRequired" },
    ]);
    await world.clock.runFor(15 * MINUTE);
    expect(world.posts).toHaveLength(2);
    world.posts.length = 0;
    world.truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
    await world.clock.runFor(MINUTE);
    expect(notices(world.posts).filter(({ changeType }) => changeType)).toHaveLength(0);
    expect((await world.hub("POST", `/subscriptions/${body.id}/reauthorize`)).status).toBe(204);
    await world.clock.runFor(5 * MINUTE);
    expect(notices(world.posts).filter(({ changeType }) => changeType)).toHaveLength(1);
  });

  test("it ends at its time unless it is renewed, and without a word", async () => {
    const world = contoso();
    const { body } = await subscribe(world, { expirationDateTime: iso(world.clock.now() + 60 * MINUTE) });
    await world.clock.runFor(50 * MINUTE);
    const renewed = await world.hub("PATCH", `/subscriptions/${body.id}`, {
      expirationDateTime: iso(world.clock.now() + 60 * MINUTE),
    });
    expect(renewed).toMatchObject({ status: 200, body: { expirationDateTime: iso(world.clock.now() + 60 * MINUTE) } });
    await world.clock.runFor(61 * MINUTE);
    expect((await world.hub("GET", `/subscriptions/${body.id}`)).status).toBe(404);
    expect(
      (
        await world.hub("PATCH", `/subscriptions/${body.id}`, {
          expirationDateTime: iso(world.clock.now() + 60 * MINUTE),
        })
      ).status,
    ).toBe(404);
    world.posts.length = 0;
    world.truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
    await world.clock.runFor(MINUTE);
    expect(world.posts).toEqual([]);
  });

  test("all can vanish at once; deleting one is 204", async () => {
    const world = contoso();
    const first = await subscribe(world);
    expect((await world.hub("DELETE", `/subscriptions/${first.body.id}`)).status).toBe(204);
    await subscribe(world);
    world.tenants.addFault({ tenant: "hub", on: "any", kind: "subscriptionsGone" });
    expect((await world.hub("GET", "/subscriptions")).body.value).toEqual([]);
    expect(world.tenants.statistics().hub?.faults).toEqual({ subscriptionsGone: 1 });
  });
});
