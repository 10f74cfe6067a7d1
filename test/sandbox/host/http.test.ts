import { request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Host, startHost } from "../../../sandbox/local/host/host.ts";
import type { LogLine } from "../../../sandbox/local/host/invoke.ts";

/** HTTP triggers of an app whose sources are loaded as they are, in this process. */
let host: Host;
const lines: LogLine[] = [];

beforeAll(async () => {
  process.env.SERVICE_BUS =
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true;";
  process.env.TABLES =
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=eA==;TableEndpoint=http://127.0.0.1:1/a;";
  host = await startHost({
    folder: fileURLToPath(new URL("../../fixtures/host-app", import.meta.url)),
    settings: {
      HOST_KEY_MASTER: "master",
      HOST_KEY_DEFAULT: "default",
      FUNCTION_KEY_keyed: "own",
      TICK_SCHEDULE: "0 0 0 1 1 *",
    },
    log: (line) => lines.push(line),
    timers: false,
    serviceBus: false,
    onTimeout: () => {},
  });
});
afterAll(() => host.stop(0));

const call = (path: string, init?: RequestInit) => fetch(`${host.url}${path}`, init);
const json = async (path: string, init?: RequestInit) => (await call(path, init)).json();

test("names and bindings are known through the core API", () => {
  expect(host.functions.map(({ name }) => name).sort()).toEqual([
    "binary",
    "daily",
    "echo",
    "empty",
    "fails",
    "greet",
    "hang",
    "hello",
    "item",
    "keyed",
    "mourn",
    "nothing",
    "reject",
    "ruled",
    "special",
    "tick",
  ]);
});

describe("routes", () => {
  const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  test.each([
    { path: `/api/items/${id}`, answer: { id } },
    { path: `/API/Items/${id}/a%20b`, answer: { id, part: "a b" } },
    { path: "/api/echo/a/b%2Fc", answer: expect.objectContaining({ params: { rest: "a/b/c" } }) },
    { path: "/api/echo", answer: expect.objectContaining({ params: {} }) },
  ])("$path is found", async ({ path, answer }) => expect(await json(path)).toEqual(answer));

  test.each(["/api/items/no-guid", `/api/items/${id}/a/b`, "/items/special", "/api/unknown", "/api"])(
    "%s is not there",
    async (path) => expect((await call(path)).status).toBe(404),
  );

  test("a literal comes before a parameter, and `/` says that the app is up", async () => {
    expect(await (await call("/api/items/special")).text()).toBe("special");
    expect((await call("/")).status).toBe(200);
  });

  test("a method that is not listed is 404, HEAD too unless listed", async () => {
    expect((await call("/api/empty", { method: "POST" })).status).toBe(404);
    expect((await call("/api/empty", { method: "HEAD" })).status).toBe(404);
    const head = await call("/api/echo/x", { method: "HEAD" });
    expect([head.status, head.headers.get("x-method"), await head.text()]).toEqual([200, "HEAD", ""]);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(0);
  });
});

describe("requests and answers", () => {
  test("query, headers, address and bytes arrive", async () => {
    const answer = await json("/api/echo/x?a=1&a=2&b=%C3%BC&empty=", {
      method: "POST",
      headers: { "x-given": "yes", "x-forwarded-proto": "https", "x-forwarded-host": "app.example" },
      body: new Uint8Array([0, 255, 128]),
    });
    expect(answer).toMatchObject({
      query: { a: "1,2", b: "ü", empty: "" },
      header: "yes",
      bytes: [0, 255, 128],
      url: "https://app.example/api/echo/x?a=1&a=2&b=%C3%BC&empty=",
    });
  });

  test("bytes, status and cookies come back", async () => {
    const answer = await call("/api/binary", { method: "POST", body: new Uint8Array([1, 2, 254]) });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([201, "application/octet-stream"]);
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([254, 2, 1]);
    expect(answer.headers.getSetCookie()).toEqual([
      "a=1; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict",
      "b=%C3%BC",
    ]);
  });

  test("nothing returned is 204, a body of a 204 is dropped, a throw is 500 without a word", async () => {
    expect((await call("/api/nothing", { method: "POST" })).status).toBe(204);
    const empty = await call("/api/empty");
    expect([empty.status, await empty.text()]).toEqual([204, ""]);
    const failed = await call("/api/fails");
    expect([failed.status, await failed.text()]).toEqual([500, ""]);
    const line = lines.find(({ function: name, level }) => name === "fails" && level === "error");
    expect(line?.message).toContain("a secret detail");
    expect(line?.invocationId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("a body over 100 MB is refused before it is read", async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${host.url}/api/binary`, {
        method: "POST",
        headers: { "content-length": 104_857_601 },
      });
      request.on("response", (response) => resolve(response.statusCode)).on("error", reject);
      request.flushHeaders();
    });
    expect(status).toBe(413);
  });
});

test.each([
  { path: "/api/keyed", keys: ["default", "own", "master"] },
  { path: "/api/ruled", keys: ["master"] },
])("$path opens to its keys only", async ({ path, keys }) => {
  for (const key of ["default", "own", "master", "wrong", ""]) {
    const expected = keys.includes(key) ? 200 : 401;
    expect((await call(path, { headers: { "x-functions-key": key } })).status).toBe(expected);
    expect((await call(`${path}?code=${key}`)).status).toBe(expected);
  }
  expect((await call(path)).status).toBe(401);
});
