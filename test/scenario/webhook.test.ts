import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotificationDesk } from "../../shared/pipeline/accept-notification.ts";
import { notificationAnswer } from "../../shared/pipeline/notification-answer.ts";
import type { DecisionLog } from "../../shared/ports/decision-log.ts";
import { type Contoso, contoso, employee, MINUTE } from "./contoso.ts";

/** What a webhook answers to everything that the world may send it. */
let c: Contoso;
let tenantId: string;
let desk: NotificationDesk;
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

const post = (body: string, query = "") =>
  notificationAnswer(
    desk,
    {
      query: new URLSearchParams(query),
      params: { tenantId },
      headers: new Headers({ "content-length": String(Buffer.byteLength(body)) }),
      text: async () => body,
    },
    log,
  );

async function notification(changes: object = {}) {
  const row = c.world.store.dump("subscriptions").find((one) => one.partition === tenantId && one.row === "users")
    ?.value as {
    subscriptionId: string;
    clientState: string;
  };
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
    const token = "Validation: <b>&'\"\u00e9 1+1";
    const answer = await post("", `validationToken=${encodeURIComponent(token)}`);
    expect(answer).toMatchObject({
      status: 200,
      body: token,
      headers: { "Content-Type": "text/plain", "X-Content-Type-Options": "nosniff" },
    });
    expect(await post("", `validationToken=${"x".repeat(5000)}`)).toMatchObject({ status: 400 });
  });
});

describe("what is believed", () => {
  const sent = () => c.world.bus.sent.changes ?? 0;

  test("a good item among bad ones is acted on, and the bad ones are counted by kind", async () => {
    const before = sent();
    warnings.length = 0;
    const items = [
      await notification({ clientState: "wrong" }),
      await notification({ tenantId: "00000000-0000-4000-8000-000000000000" }),
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
    ["another tenant", { tenantId: "00000000-0000-4000-8000-000000000000" }],
    ["an id that is no id", { resourceData: { id: "../../groups" } }],
  ])("%s brings nobody anything, and the answer is the same", async (_, changes) => {
    const before = sent();
    expect(await post(JSON.stringify({ value: [await notification(changes)] }))).toEqual({ status: 202 });
    expect(sent()).toBe(before);
  });

  test("an id that is not recorded yet, with the right secret, is believed", async () => {
    const before = sent();
    const { id } = employee(c, "contoso-us", 1);
    await post(
      JSON.stringify({
        value: [await notification({ subscriptionId: "11111111-2222-4333-8444-555555555555", resourceData: { id } })],
      }),
    );
    expect(sent() - before).toBe(2);
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
