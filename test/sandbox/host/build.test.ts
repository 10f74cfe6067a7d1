import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Host } from "../../../sandbox/local/host/host.ts";
import { supervisor } from "../../../sandbox/local/supervisor.ts";
import { type BuiltApp, buildApp } from "../../../tools/build.ts";

/** A built bundle, loaded through the core API as the official worker does it. */
const fixture = fileURLToPath(new URL("../../fixtures/host-app", import.meta.url));
let folder: string;
let built: BuiltApp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "build-"));
  built = await buildApp(join(fixture, "functions"), join(folder, "dist"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the folder is deployable as it is: entry points, chunks beside them, maps without sources", async () => {
  expect((await readdir(built.folder)).sort()).toEqual(["chunks", "functions", "host.json", "package.json"]);
  const entries = (await readdir(join(built.folder, "functions"))).filter((file) => file.endsWith(".js"));
  expect(entries.sort()).toEqual(["greet.js", "hello.js", "http.js", "timers.js"]);
  expect(JSON.parse(await readFile(join(built.folder, "package.json"), "utf8"))).toMatchObject({
    type: "module",
    main: "functions/*.js",
  });
  const map = JSON.parse(await readFile(join(built.folder, "functions/hello.js.map"), "utf8"));
  expect(map.sourcesContent ?? []).toEqual([]);
});

test("names and bindings come out through the core API", async () => {
  const all = supervisor({ logFolder: join(folder, "logs") });
  const app = await all.start<Pick<Host, "functions">>({
    name: "app",
    file: fileURLToPath(new URL("../../../sandbox/local/host/process.ts", import.meta.url)),
    args: [JSON.stringify({ folder: built.folder, timers: false, serviceBus: false })],
    env: {
      SERVICE_BUS: "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true;",
      TABLES: "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=eA==;TableEndpoint=http://127.0.0.1:1/a;",
    },
  });
  await all.stop();
  const bindings = Object.fromEntries(app.report.functions.map(({ name, trigger }) => [name, trigger]));
  expect(bindings.hello).toMatchObject({
    type: "httpTrigger",
    methods: ["POST"],
    route: "hello/{name}",
    authLevel: "anonymous",
  });
  expect(bindings.greet).toMatchObject({
    type: "serviceBusTrigger",
    direction: "in",
    connection: "SERVICE_BUS",
    queueName: "%HELLO_QUEUE%",
  });
  expect(bindings.daily).toMatchObject({ type: "timerTrigger", schedule: "0 0 3 * * *" });
});

test("nothing to build is an error, and leaves what was there", async () => {
  await expect(buildApp(join(fixture, "nowhere"), built.folder)).rejects.toThrow("has no .ts file");
  expect(await readdir(built.folder)).toContain("functions");
});
