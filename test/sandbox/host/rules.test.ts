import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { simulatedClock } from "../../../sandbox/clock.ts";
import { globToRegExp, readAppFolder } from "../../../sandbox/local/host/app-folder.ts";
import { type AppFunction, loadApp } from "../../../sandbox/local/host/core-api.ts";
import { readHostSettings, substitute } from "../../../sandbox/local/host/host-settings.ts";
import type { Trigger } from "../../../sandbox/local/host/invoke.ts";
import { parseNcrontab } from "../../../sandbox/local/host/ncrontab.ts";
import { parseRoute } from "../../../sandbox/local/host/routes.ts";
import { startTimers } from "../../../sandbox/local/host/timers.ts";

const folder = mkdtempSync(join(tmpdir(), "host-rules-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("NCRONTAB", () => {
  test.each([
    ["*/5 * * * * *", "2026-01-05T08:00:00Z", "2026-01-05T08:00:05Z"],
    ["0 */5 * * * *", "2026-01-05T08:00:00Z", "2026-01-05T08:05:00Z"],
    ["30 1-10/3 * * * *", "2026-01-05T08:04:31Z", "2026-01-05T08:07:30Z"],
    ["0 30 9 * Jan Mon", "2026-01-05T09:30:00Z", "2026-01-12T09:30:00Z"],
    ["0 0 0 13 * 5", "2026-01-01T00:00:00Z", "2026-02-13T00:00:00Z"],
    ["0 0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["0 0 12 * * 1-5", "2026-01-09T12:00:00Z", "2026-01-12T12:00:00Z"],
    ["59 59 23 31 12 7", "2026-01-01T00:00:00Z", "2028-12-31T23:59:59Z"],
    ["*/15 * * * *", "2026-01-05T08:07:10.500Z", "2026-01-05T08:15:00Z"],
  ])("%s after %s is %s", (expression, after, next) =>
    expect(new Date(parseNcrontab(expression).next(Date.parse(after))).toISOString()).toBe(
      new Date(next).toISOString(),
    ),
  );

  test.each([
    ["* * *", "six fields"],
    ["60 * * * * *", "no second"],
    ["0 * * 32 * *", "no day"],
    ["0 5-1 * * * *", "no minute"],
    ["0 */0 * * * *", "no minute"],
    ["0 0 0 * Foo *", "no month"],
  ])("%s is refused: %s", (expression, message) => expect(() => parseNcrontab(expression)).toThrow(message));

  test("a date that never comes is said", () => expect(() => parseNcrontab("0 0 0 31 2 *").next(0)).toThrow("never"));
});

describe("routes", () => {
  test.each<[string, string, Record<string, string> | undefined]>([
    ["api/a/{n:int}", "/api/a/12", { n: "12" }],
    ["api/a/{n:int}", "/api/a/x", undefined],
    ["api/{a=1}", "/api", { a: "1" }],
    ["api/{a:int:min(3)?}", "/api", {}],
    ["api/{a:int:min(3)?}", "/api/2", undefined],
    ["api/{a:length(2,3)}/b", "/api/xyz/b/", { a: "xyz" }],
    ["api/{a:regex(^x\\d{{2}}$)}", "/api/y", undefined],
    ["files/{name}.{ext}", "/files/a.b.c", { name: "a", ext: "b.c" }],
    ["api/{*rest:minlength(1)}", "/api/a/b", { rest: "a/b" }],
    ["", "/", {}],
  ])("%s and %s", (template, path, params) => expect(parseRoute(template).match(path)).toEqual(params));

  test("a constraint that does not exist is said", () => expect(() => parseRoute("a/{b:odd}")).toThrow("'odd'"));
});

describe("settings", () => {
  test("host.json has the documented defaults, and app settings override it", () => {
    expect(readHostSettings({}, {})).toMatchObject({
      routePrefix: "api",
      functionTimeoutMs: 1_800_000,
      serviceBus: {
        maxConcurrentCalls: 16,
        prefetchCount: 0,
        autoCompleteMessages: true,
        maxAutoLockRenewalMs: 300_000,
      },
    });
    const hostJson = {
      functionTimeout: "-1",
      extensions: { http: { routePrefix: "" }, serviceBus: { maxConcurrentCalls: 4, autoCompleteMessages: false } },
    };
    const override = { AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls: "8" };
    expect(readHostSettings(hostJson, override)).toMatchObject({
      routePrefix: "",
      functionTimeoutMs: undefined,
      serviceBus: { maxConcurrentCalls: 8, autoCompleteMessages: false },
    });
    expect(() => readHostSettings({ functionTimeout: "5 min" }, {})).toThrow("'5 min' is not a time span");
  });

  test("%NAME% is the setting, and one that is missing is an error", () => {
    expect(substitute("%A%/x", { A: "queue" }, "here")).toBe("queue/x");
    expect(() => substitute("%B%", {}, "Function 'f', queueName")).toThrow("Add the app setting B");
  });

  test.each([
    ["functions/*.js", "functions/a.js", true],
    ["functions/*.js", "chunks/a.js", false],
    ["functions/*.js", "functions/deep/a.js", false],
    ["dist/src/{index.js,functions/*.js}", "dist/src/functions/a.js", true],
    ["dist/**/*.mjs", "dist/a/b/c.mjs", true],
  ])("%s and %s", (glob, file, matches) => expect(globToRegExp(glob).test(file)).toBe(matches));
});

describe("an app that cannot start says why", () => {
  const app = (name: string, files: Record<string, string>) => {
    const root = join(folder, name);
    for (const [file, text] of Object.entries({ "host.json": "{}", ...files })) {
      mkdirSync(join(root, file, ".."), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return root;
  };
  const main = '{ "type": "module", "main": "functions/*.mjs" }';

  test("no files, no main, no host.json", () => {
    expect(() => readAppFolder(app("none", { "package.json": main }))).toThrow("zero files");
    expect(() => readAppFolder(app("blank", { "package.json": "{}" }))).toThrow('no "main"');
    expect(() => readAppFolder(join(folder, "nowhere"))).toThrow("not the folder of a function app");
  });

  test("files that register nothing, or do not load", async () => {
    const idle = app("idle", { "package.json": main, "functions/a.mjs": "export {};" });
    await expect(loadApp(idle)).rejects.toThrow("No job functions found");
    const broken = app("broken", { "package.json": main, "functions/a.mjs": "throw new Error('on purpose');" });
    await expect(loadApp(broken)).rejects.toThrow(/unable to load entry point .*on purpose/);
  });
});

describe("timers", () => {
  const clock = simulatedClock();
  const timer = (name: string, trigger: object): AppFunction => ({
    metadata: { name, bindings: {} },
    callback: () => {},
    trigger: { type: "timerTrigger", direction: "in", ...trigger },
    triggerName: "t",
  });
  const world = (fn: AppFunction, workMs = 0) => {
    const runs: { at: string; isPastDue: boolean }[] = [];
    let most = 0;
    let running = 0;
    const invoke = async (_: AppFunction, trigger: Trigger) => {
      runs.push({
        at: new Date(clock.now()).toISOString().slice(11, 19),
        isPastDue: JSON.parse(trigger.data.json ?? "{}").IsPastDue,
      });
      most = Math.max(most, ++running);
      await clock.sleep(workMs);
      running--;
      return undefined;
    };
    const stop = startTimers({
      functions: [fn],
      invoker: { invoke, running: 0, idle: async () => true },
      clock,
      settings: { EVERY: "*/10 * * * * *" },
      log: () => {},
      stateFolder: join(folder, "timers"),
    });
    return { runs, stop, most: () => most };
  };

  test("runs at its times, never two of one timer at once, and not after the stop", async () => {
    const { runs, stop, most } = world(timer("slow", { schedule: "%EVERY%" }), 15_000);
    await clock.runFor(60_000);
    expect(runs.map(({ at }) => at)).toEqual(["08:00:10", "08:00:30", "08:00:50"]);
    expect(most()).toBe(1);
    stop();
    await clock.runFor(60_000);
    expect(runs).toHaveLength(3);
  });

  test("runOnStartup runs at once", async () => {
    const { runs, stop } = world(timer("eager", { schedule: "0 0 3 * * *", runOnStartup: true }));
    await clock.runFor(1);
    expect(runs).toHaveLength(1);
    stop();
  });

  test("a time that passed while the host was down is caught up, marked past due", async () => {
    const daily = timer("daily", { schedule: "0 0 3 * * *" });
    const first = world(daily);
    await clock.runFor(24 * 3_600_000);
    first.stop();
    expect(first.runs).toEqual([{ at: "03:00:00", isPastDue: false }]);
    await clock.runFor(24 * 3_600_000);
    const second = world(daily);
    await clock.runFor(1000);
    second.stop();
    expect(second.runs).toMatchObject([{ isPastDue: true }]);
  });
});
