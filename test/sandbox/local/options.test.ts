import { expect, test } from "vitest";
import { readOptions } from "../../../sandbox/local/options.ts";
import { paceOf } from "../../../sandbox/local/pace.ts";

test("without flags everything has a default; flags are read", () => {
  expect(readOptions([])).toEqual({
    once: false,
    idle: false,
    realistic: false,
    people: 300,
    seed: 1,
    speed: 1,
    instances: 1,
  });
  const flags = [
    "--once",
    "--realistic",
    "--people",
    "50",
    "--seed=9",
    "--speed",
    "2.5",
    "--instances",
    "3",
    "--users",
    "package.json",
    "--record",
    "out.har",
  ];
  expect(readOptions(flags)).toEqual({
    once: true,
    idle: false,
    realistic: true,
    people: 50,
    seed: 9,
    speed: 2.5,
    instances: 3,
    usersFile: "package.json",
    recordFile: "out.har",
  });
  expect(readOptions(["--help"])).toBe("help");
});

test.each([
  [["--poeple", "5"], "Unknown option '--poeple'"],
  [["now"], "Unexpected argument 'now'"],
  [["--people", "many"], "--people many: give a number from 10"],
  [["--people", "20.5"], "--people 20.5: give a whole number"],
  [["--speed", "0"], "--speed 0: give a number from 0.1"],
  [["--seed"], "argument missing"],
  [["--once", "--idle"], "choose one"],
  [["--users", "nowhere.csv"], "there is no file nowhere.csv"],
])("%s is refused with a reason", (args, message) => expect(() => readOptions(args)).toThrow(message));

test("lags, quotas and the allowances that follow from them scale together", () => {
  expect(paceOf({ realistic: false, speed: 1 })).toMatchObject({
    knobs: { replicationLagMs: 2000, notificationDelayMs: [200, 2000] },
    settings: { REPLICATION_ALLOWANCE_SECONDS: "4", WRITE_QUOTA: "3000/150" },
    limitMs: 64_000,
  });
  expect(paceOf({ realistic: false, speed: 4 })).toMatchObject({
    knobs: { replicationLagMs: 500, quotaScale: 4 },
    settings: { REPLICATION_ALLOWANCE_SECONDS: "1", WRITE_QUOTA: "12000/150" },
  });
  expect(paceOf({ realistic: true, speed: 1 })).toMatchObject({
    knobs: { quotaScale: 1 },
    settings: { REPLICATION_ALLOWANCE_SECONDS: "90", INDEX_ALLOWANCE_SECONDS: "300" },
    limitMs: 420_000,
  });
});
