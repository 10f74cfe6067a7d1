import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Commit } from "../../../sandbox/graph/api.ts";
import { describeDifference, peopleRight } from "../../../sandbox/oracle.ts";
import { playDay } from "../../../sandbox/organization/day.ts";
import type { DayCloud } from "../../../sandbox/organization/day-cloud.ts";
import { type DayReport, dayTable, eventLines } from "../../../sandbox/organization/day-report.ts";
import { organization, populate } from "../../../sandbox/organization/topology.ts";
import { type SimulatedWorld, simulatedWorld } from "../../../sandbox/world.ts";
import { watchWrites } from "../../../sandbox/write-watch.ts";
import { PATIENCE_MS } from "../../patience.ts";
import { KNOBS, SETTINGS } from "../../scenario/contoso.ts";

const SEED = 5;
/** Of real time, while simulated time goes on beside. */
const LIMIT_MS = PATIENCE_MS;

/** Contoso in simulated time behind `fetch`: what the day sees of a local cloud. */
function cloudOf(world: SimulatedWorld, made: ReturnType<typeof organization>): DayCloud {
  const commits: (Commit & { seq: number })[] = [];
  for (const { name } of made.tenants) {
    world.graph.truth(name).onCommit((commit) => commits.push({ ...commit, seq: commits.length + 1 }));
  }
  const control = async (url: URL) => {
    const [after, waitMs] = ["after", "waitMs"].map((name) => Number(url.searchParams.get(name)));
    const giveUpAt = Date.now() + Math.min(waitMs ?? 0, 200);
    while (commits.length <= (after ?? 0) && Date.now() < giveUpAt)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return Response.json({ next: commits.length, commits: commits.filter(({ seq }) => seq > (after ?? 0)) });
  };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(String(input));
    if (url.hostname === "control.sandbox") return control(url);
    const [root, tenant = ""] = url.hostname.split(".");
    const request = {
      method: init?.method ?? "GET",
      url: url.pathname + url.search,
      headers: Object.fromEntries(
        new Headers({
          ...(init?.body instanceof URLSearchParams ? { "content-type": "application/x-www-form-urlencoded" } : {}),
          ...init?.headers,
        }),
      ),
      ...(init?.body ? { body: String(init.body) } : {}),
    };
    const { status, headers, body } = await (root === "graph"
      ? world.graph.graph(tenant, request)
      : world.graph.login(tenant, request));
    return new Response(body === "" ? null : body, { status, headers });
  };
  return {
    endpoints: {
      version: 1,
      caFile: "",
      configFile: "",
      tenants: made.tenants.map(({ name, id, cloud, domain }) => ({
        name,
        id,
        cloud,
        domain,
        graph: `https://graph.${name}.sandbox`,
        login: `https://login.${name}.sandbox`,
        client: made.clients[name]?.people ?? { id: "", secret: "" },
      })),
      storage: "",
      control: "https://control.sandbox",
    },
    fetch,
    logCode: async (userId) =>
      world.store
        .dump("provisioninglog")
        .map(({ value }) => value as { userId: string; code?: string; at: number })
        .filter((row) => row.userId === userId && row.code)
        .sort((a, b) => b.at - a.at)[0]?.code,
  };
}

function start() {
  const made = organization({ seed: SEED, people: 150 });
  const config = made.config((name) => `${name}.pem`);
  const world = simulatedWorld({
    seed: SEED,
    tenants: made.tenants,
    config,
    knobs: KNOBS,
    settings: SETTINGS,
    populate: (graph) => void populate(graph, made),
  });
  const watch = watchWrites(world.graph, config);
  const wrong = () => peopleRight(world.graph, config, watch).differences.map(describeDifference);
  return { made, world, wrong };
}

/** Lets simulated time go on while something waits for it in real time. */
async function whileTimePasses<T>(world: SimulatedWorld, work: Promise<T>): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  ended.catch(() => {});
  while (!over) await world.clock.runFor(20);
  return ended;
}

describe("a day at work, with the real pipeline in simulated time", () => {
  const { made, world, wrong } = start();
  const printed: string[] = [];
  let report: DayReport;
  beforeAll(async () => {
    for (let minute = 0; minute < 30 && wrong().length > 0; minute++) await world.clock.runFor(60_000);
    expect(wrong()).toEqual([]);
    const day = playDay(cloudOf(world, made), (text) => printed.push(text), { limitMs: LIMIT_MS });
    report = await whileTimePasses(world, day);
  }, 300_000);
  afterAll(() => world.close());

  test("every event is played and comes out as expected", () => {
    expect(report.events.filter(({ skipped }) => skipped !== undefined)).toEqual([]);
    const problems = report.events.flatMap(({ name, outcomes }) =>
      outcomes
        .filter(({ problem }) => problem !== undefined)
        .map(({ target, problem }) => `${name} in ${target}: ${problem}`),
    );
    expect(problems).toEqual([]);
    expect(report.ok).toBe(true);
  });

  test("it holds everything that a day has", () => {
    expect(report.events.map(({ name }) => name)).toEqual([
      "Joiner",
      "Out of the group",
      "A group out of the group",
      "Joiner for two clouds",
      "Mover",
      "Mover in Government",
      "Rename",
      "Manager change",
      "Leaver, account disabled",
      "Leaver, account deleted",
      "Return within 30 days",
      "New person with an old address",
      "A block set in the target",
    ]);
  });

  test("each event is printed with what happened where and after how long", () => {
    expect(printed).toHaveLength(report.events.length);
    const joiner = printed.find((text) => text.startsWith("  Joiner: "));
    expect(joiner).toMatch(/^ {2}Joiner: Łucja Wiśniewska is hired.*\n {4}✓ contoso: user created after \d+\.\d s/);
    expect(dayTable(report).split("\n").length).toBeGreaterThan(report.events.length);
  });

  test("afterwards every target is as the jobs say", async () => {
    for (let minute = 0; minute < 10 && wrong().length > 0; minute++) await world.clock.runFor(60_000);
    expect(wrong()).toEqual([]);
  });
});

test("an event that does not come out as expected is told and the day goes on", async () => {
  const { made, world, wrong } = start();
  for (let minute = 0; minute < 30 && wrong().length > 0; minute++) await world.clock.runFor(60_000);
  for (const instance of world.instances) instance.kill();
  const printed: string[] = [];
  const day = playDay(cloudOf(world, made), (text) => printed.push(text), { limitMs: 300 });
  const report = await whileTimePasses(world, day);
  world.close();
  expect(report.ok).toBe(false);
  expect(report.events).toHaveLength(13);
  expect(printed.find((text) => text.startsWith("  Joiner: "))).toContain("✗ contoso: user created: not within 0 s");
});

test("an event that could not be played says why", () => {
  expect(eventLines({ name: "Mover", what: "nobody", outcomes: [], skipped: "nobody is left for it" })).toBe(
    "  Mover: nobody\n    – not played: nobody is left for it",
  );
});
