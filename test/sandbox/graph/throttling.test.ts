import { expect, test } from "vitest";
import { Throttle } from "../../../sandbox/graph/throttling.ts";
import { type Contoso, contoso, EVENTUAL } from "./contoso.ts";

const invite = (world: Contoso, n: number, tenant = "hub") =>
  world.call(tenant, "POST", "/invitations", {
    invitedUserEmailAddress: `p${n}@x.org`,
    inviteRedirectUrl: "https://x.org",
  });

test.each<{ method: string; path: string; body?: object; headers?: Record<string, string>; units: string }>([
  { method: "GET", path: "/users", units: "2" },
  { method: "GET", path: "/users?$select=id", units: "1" },
  { method: "GET", path: "/users?$expand=manager", units: "3" },
  { method: "GET", path: "/users?$top=5", units: "1" },
  { method: "GET", path: "/users/{ada}", units: "1" },
  { method: "GET", path: "/users/{ada}/memberOf", units: "2" },
  { method: "GET", path: "/users/delta", units: "1" },
  { method: "GET", path: "/groups/{group}/members", units: "3" },
  { method: "GET", path: "/groups/{group}/transitiveMembers?$select=id", units: "4" },
  { method: "GET", path: "/groups/{group}/transitiveMembers/$count", headers: EVENTUAL, units: "5" },
  { method: "POST", path: "/users/{ada}/checkMemberGroups", body: { groupIds: [] }, units: "4" },
  { method: "POST", path: "/users/{ada}/getMemberGroups", body: {}, units: "2" },
  { method: "POST", path: "/directoryObjects/getByIds", body: { ids: [] }, units: "5" },
  { method: "GET", path: "/subscribedSkus", units: "3" },
  { method: "PATCH", path: "/users/{ada}", body: { city: "Rome" }, units: "1" },
])("$method $path costs $units", async ({ method, path, body, headers, units }) => {
  const { hub, truth } = contoso({ knobs: { quotas: true } });
  const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
  const group = truth("hub").createGroup({ displayName: "G" });
  const answer = await hub(method, path.replace("{ada}", ada).replace("{group}", group), body, headers);
  expect([answer.status < 300, answer.headers["x-ms-resource-unit"]]).toEqual([true, units]);
});

test.each([
  { people: 0, units: 3500 },
  { people: 100, units: 5000 },
  { people: 501, units: 8000 },
])("a tenant of $people has $units units in ten seconds", async ({ people, units }) => {
  const world = contoso({ knobs: { quotas: true, quotaScale: 0.01 }, hub: { computedUsers: people } });
  let granted = 0;
  while (granted < units && (await world.hub("GET", "/users/delta?$deltatoken=latest")).status === 200) granted++;
  expect(granted).toBe(units / 100);
});

test("the write quota: 429 with everything Microsoft sends, and Retry-After is when it works again", async () => {
  const world = contoso({ knobs: { quotas: true, quotaScale: 0.01 } });
  const seen: (string | undefined)[] = [];
  for (let i = 0; i < 30; i++) {
    const answer = await invite(world, i);
    expect(answer.status).toBe(201);
    seen.push(answer.headers["x-ms-throttle-limit-percentage"]);
  }
  expect([seen[20], seen[25], seen[29]]).toEqual([undefined, "0.87", "1.00"]);
  const refused = await invite(world, 30);
  expect(refused).toMatchObject({
    status: 429,
    body: { error: { code: "TooManyRequests", message: expect.stringMatching(/^Too many requests from Identifier:/) } },
    headers: {
      "retry-after": "5",
      "x-ms-throttle-scope": expect.stringMatching(/^Tenant_Application\/Write\/1{8}-/),
      "x-ms-throttle-information": "WriteLimitExceeded",
    },
  });
  expect((await world.hub("GET", "/users")).status).toBe(200);
  expect((await invite(world, 0, "emea")).status).toBe(201);
  await world.clock.runFor(5000);
  expect((await invite(world, 30)).status).toBe(201);
  expect(world.tenants.statistics().hub).toMatchObject({ writes: 31, throttled: 1, beforeRetryAfter: 0 });
});

test("a call before Retry-After is refused again, counted, and makes it longer", async () => {
  const world = contoso({ knobs: { quotas: true, quotaScale: 0.01 } });
  for (let i = 0; i < 31; i++) await invite(world, i);
  await world.clock.runFor(4000);
  expect((await invite(world, 31)).status).toBe(429);
  expect(world.tenants.statistics().hub).toMatchObject({ throttled: 2, beforeRetryAfter: 1 });
  await world.clock.runFor(1000);
  const again = await invite(world, 31);
  expect([again.status, Number(again.headers["retry-after"]) >= 5]).toEqual([429, true]);
});

test("calls that were under way when the 429 went out are not held against their sender", async () => {
  const world = contoso({ knobs: { quotas: true, quotaScale: 0.01, latencyMs: [100, 100] } });
  const calls = Array.from({ length: 40 }, (_, i) => invite(world, i));
  await world.clock.runFor(200);
  const answers = await Promise.all(calls);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  expect(world.tenants.statistics().hub).toMatchObject({ throttled: 10, beforeRetryAfter: 0 });
});

test("items of a batch count one by one; a refused item tells when to come back, once the batch is answered", async () => {
  const world = contoso({ knobs: { quotas: true, quotaScale: 0.005 } });
  const requests = Array.from({ length: 20 }, (_, i) => ({
    id: String(i),
    method: "POST",
    url: "/invitations",
    headers: { "Content-Type": "application/json" },
    body: { invitedUserEmailAddress: `p${i}@x.org`, inviteRedirectUrl: "https://x.org" },
  }));
  const { body, status } = await world.hub("POST", "/$batch", { requests });
  expect(status).toBe(200);
  expect(body.responses?.map((item) => item.status)).toEqual([...Array(15).fill(201), ...Array(5).fill(429)]);
  expect(body.responses?.[15]?.headers["Retry-After"]).toBe("10");
  expect(world.tenants.statistics().hub).toMatchObject({ calls: 1, requests: 20, throttled: 5, beforeRetryAfter: 0 });
  expect((await invite(world, 50)).status).toBe(429);
  expect(world.tenants.statistics().hub?.beforeRetryAfter).toBe(1);
});

test("all apps of a tenant share 18,000 writes, and one app has 35,000 over its tenants", () => {
  /** Writes until one is refused; which scope refused it. */
  const flood = (tenantOf: (n: number) => string, appOf: (n: number) => string) => {
    const throttle = new Throttle();
    for (let n = 0; ; n++) {
      const ask = { family: "identity", cost: 1, write: true, low: false, users: 1000, now: 0 } as const;
      const verdict = throttle.ask({ ...ask, tenantId: tenantOf(n), appId: appOf(n) });
      if (verdict.kind === "refused") return [n, verdict.scope];
    }
  };
  expect(
    flood(
      () => "t",
      (n) => `app${n % 10}`,
    ),
  ).toEqual([18_000, "Tenant/Write/app0/t"]);
  expect(
    flood(
      (n) => `t${n % 20}`,
      () => "app",
    ),
  ).toEqual([35_000, "Application/Write/app/t0"]);
  expect(
    flood(
      () => "t",
      () => "app",
    ),
  ).toEqual([3000, "Tenant_Application/Write/app/t"]);
});

test("low priority leaves the last of a bucket to the others", async () => {
  const world = contoso({ knobs: { quotas: true, quotaScale: 0.01 } });
  const low = { "x-ms-throttle-priority": "Low" };
  let granted = 0;
  while (granted < 100 && (await world.hub("GET", "/users/delta", undefined, low)).status === 200) granted++;
  expect(granted).toBe(33);
  expect((await world.hub("GET", "/users/delta")).status).toBe(200);
});

test("a 429 that was told by a fault is kept like one of the quotas", async () => {
  const world = contoso();
  world.tenants.addFault({ on: "write", kind: "status", status: 429, retryAfterSeconds: 20, times: 1 });
  expect((await invite(world, 1)).headers["retry-after"]).toBe("20");
  await world.clock.runFor(5000);
  expect((await invite(world, 1)).headers["retry-after"]).toBe("15");
  await world.clock.runFor(15_000);
  expect((await invite(world, 1)).status).toBe(201);
  expect(world.tenants.statistics().hub).toMatchObject({ throttled: 2, beforeRetryAfter: 1, faults: { status: 1 } });
});
