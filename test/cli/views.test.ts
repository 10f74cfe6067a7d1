import { expect, test } from "vitest";
import { jobsText, namesIn, statusText } from "../../cli/online/views.ts";

const [EMEA, GOV] = ["e7a70b42-5855-41b5-bb91-45030c60ca13", "b784b975-4f6e-47ef-a4d1-725a219b5432"];
const status = {
  deployment: "contoso",
  configuration: { state: "accepted", revision: "r1" },
  killSwitch: { on: false },
  pairs: [
    {
      source: { name: "emea", id: EMEA, cloud: "global" },
      target: { name: "gov", id: GOV, cloud: "usGov" },
      jobs: [{ id: "to-gov", state: "on", stopped: null }],
    },
  ],
  sources: [
    {
      tenantId: EMEA,
      streams: [{ stream: "users", phase: "idle", full: false, touchedAt: "2026-01-05T08:00:00.000Z" }],
    },
  ],
  tables: { says: "The tables are those that this deployment knows." },
  orphans: { jobs: [], users: 0 },
};

test("status in words: what is in force, the switch, the tables, jobs, streams, whom nobody owns", () => {
  expect(statusText(status).split("\n")).toEqual([
    "Deployment contoso, configuration r1: accepted.",
    "Kill switch: off.",
    "The tables are those that this deployment knows.",
    "",
    "source  target  job     state  stopped",
    "emea    gov     to-gov  on     no",
    "",
    "source  stream  phase  touchedAt",
    "emea    users   idle   2026-01-05T08:00:00.000Z",
    "",
    "Users in the targets whom no link knows: 0.",
    "",
  ]);
});

test("what waits is told with each weakening and the command that agrees to it", () => {
  const weakenings = [
    { path: "jobs.to-gov.limits", what: "is relaxed: removals.perHour 20 → 500", targetTenantId: GOV },
  ];
  const configuration = {
    state: "waits",
    revision: "r1",
    waiting: "r2",
    says: "It waits.",
    weakenings,
    requests: ["id-1"],
  };
  const text = statusText({ ...status, configuration });
  expect(text).toContain("Configuration r2 waits. It waits.\n");
  expect(text).toMatch(/\ngov +jobs\.to-gov\.limits +is relaxed: removals\.perHour 20 → 500\n/);
  expect(text).toContain("\n  cross-cloud-sync approve id-1\n");
});

test("a switch that is on says who, since when and what it does; nothing of it reaches the terminal as control characters", () => {
  const killSwitch = { on: true, by: "t/alice", since: "2026-01-05T08:00:00.000Z", reason: "odd\u001b[2J" };
  const text = statusText({ ...status, killSwitch });
  expect(text).toContain(
    "Kill switch: ON since 2026-01-05T08:00:00.000Z (odd [2J; by t/alice): nothing is written to any target.",
  );
});

test("jobs in words: stopped or not, how many people, and what jobs have left behind", () => {
  const row = { job: "to-gov", sourceTenantId: EMEA, targetTenantId: GOV, health: "healthy" };
  const counts = { events: 12, failures: 3, referenceFailures: 0, at: "2026-01-05T08:00:00.000Z" };
  const answer = {
    items: [{ ...row, stopped: "JOB_PAUSED", counts }],
    orphans: [{ ...row, job: "old", stopped: null, people: 4 }],
  };
  expect(jobsText(answer, namesIn(status)).split("\n")).toEqual([
    "source  target  job     health   stopped     people  failures  countedAt",
    "emea    gov     to-gov  healthy  JOB_PAUSED  12      3         2026-01-05T08:00:00.000Z",
    "",
    "Not in the configuration any more:",
    "source  target  job  health   people  stopped",
    "emea    gov     old  healthy  4       no",
    "",
  ]);
});
