import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./run.ts";

/** Answers of an app, by path. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  "/api/manage/escrows": { people: [] },
  "/api/manage/requests": { items: [] },
  "/api/manage/status": { pairs: [] },
  "/api/manage/held/set": { set: 1 },
  "/api/manage/audit": { items: Array.from({ length: 200 }, (_, index) => ({ seq: index + 1 })) },
};

let server: Server;
let app: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    response.end(JSON.stringify(ANSWERS[pathname] ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  app = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const ask = (...args: readonly string[]) => run(...args, "--app", app, "--token", "t");

describe("an answer in a form that nobody knows is told, and not believed", () => {
  test.each([[["escrows"]], [["held", "show", "a-job", "a-set"]]])("%j", async (args) => {
    const { status, stdout, stderr } = await ask(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("Use the command line of the version that the app runs.");
  });
});

test("an empty list is no failure", async () => {
  expect(await ask("requests", "list")).toMatchObject({ status: 0, stdout: "Nothing.\n", stderr: "" });
});

test.each(["none", "0", "1.5", "-3"])("--limit %s is no number of items", async (limit) => {
  const { status, stderr } = await ask("escrows", `--limit=${limit}`);
  expect({ status, stderr }).toEqual({ status: 2, stderr: `error: --limit ${limit}: give a whole number from 1.\n` });
});

test("a full page of the audit log says that there may be more", async () => {
  expect((await ask("audit", "list")).stderr).toBe("There may be more: go on with --from.\n");
});

test("where no app answers, the command ends with 3", async () => {
  const { status, stderr } = await run("status", "--app", "http://127.0.0.1:1", "--token", "t");
  expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringContaining("The app does not answer") });
});

describe("--json, before or behind the command", () => {
  test.each([[["--json", "escrows"]], [["escrows", "--json"]]])("%j tells a refusal as JSON", async (args) => {
    expect(await ask(...args)).toMatchObject({ status: 1, stderr: "", answers: [{ error: { code: "Unexpected" } }] });
  });

  test("one line an item", async () => {
    const { stdout } = await ask("audit", "list", "--json");
    expect(stdout.split("\n").slice(0, 2)).toEqual(['{"seq":1}', '{"seq":2}']);
  });
});
