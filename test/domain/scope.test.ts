import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../shared/domain/error.ts";
import { groupKey, type Job } from "../../shared/domain/job.ts";
import { scopeOf, scopingDetails } from "../../shared/domain/scope.ts";
import { compileScopingFilter, type ScopingFilter } from "../../shared/domain/scoping-filter.ts";
import { type Because, SKIP_REASONS, type SkipReason, skipReasonOf } from "../../shared/domain/skip-reason.ts";
import { ADA_ID, ada, EVERYBODY, GROUP_ID, job, pair } from "./people.ts";

const OTHER_GROUP = "88888888-8888-4888-8888-888888888888";
const department = (operatorName: string, value?: string): ScopingFilter["groups"] => [
  {
    name: "Department",
    clauses: [{ sourceOperandName: "department", operatorName, targetOperand: { values: value ? [value] : [] } }],
  },
];
function filter(of: ScopingFilter): Job["scope"]["filter"] {
  const compiled = compileScopingFilter(of);
  if (!compiled.ok) throw new Error("the filter has mistakes");
  return compiled;
}
const engines = filter({ groups: department("EQUALS", "Engines") });
const poetry = filter({ groups: department("EQUALS", "Poetry") });
const readsPoetry = filter({ inputFilterGroups: department("EQUALS", "Poetry") });
const all = (id: string, changes: Partial<Job["scope"]> = {}) => job({ id, scope: { ...EVERYBODY, ...changes } });
const group = (id: string, changes: Partial<Job["scope"]> = {}, groupId = GROUP_ID) =>
  all(id, { allUsers: false, groups: [{ id: groupId, transitive: false }], ...changes });
const users = (id: string, ids: readonly string[], changes: Partial<Job["scope"]> = {}) =>
  all(id, { allUsers: false, users: ids, ...changes });
const member = new Set([groupKey({ id: GROUP_ID, transitive: false })]);
const nowhere = new Set<string>();
const found = (memberOf: ReadonlySet<string> = nowhere, user = ada()) => ({ kind: "found", user, memberOf }) as const;

describe("scoping filters", () => {
  test.each<{ name: string; jobs: readonly Job[]; memberOf?: ReadonlySet<string>; decision: object }>([
    { name: "everybody who passes", jobs: [all("a", { filter: engines })], decision: { kind: "in", job: { id: "a" } } },
    {
      name: "everybody, and one who does not",
      jobs: [all("a", { filter: poetry })],
      decision: { because: "filteredOut", leftAloneBy: [] },
    },
    {
      name: "a member who passes",
      jobs: [group("a", { filter: engines })],
      memberOf: member,
      decision: { kind: "in", job: { id: "a" } },
    },
    {
      name: "a member who does not",
      jobs: [group("a", { filter: poetry })],
      memberOf: member,
      decision: { because: "filteredOut" },
    },
    {
      name: "no member, who would pass: the membership decides, and is read twice",
      jobs: [group("a", { filter: engines })],
      decision: { because: "notAssigned" },
    },
    {
      name: "no member, whom the filter puts out in any case",
      jobs: [group("a", { filter: poetry })],
      decision: { because: "notListed" },
    },
    {
      name: "assigned by name",
      jobs: [users("a", [ADA_ID], { filter: engines })],
      decision: { kind: "in", job: { id: "a" } },
    },
    {
      name: "assigned by name, and filtered out",
      jobs: [users("a", [ADA_ID], { filter: poetry })],
      decision: { because: "filteredOut" },
    },
    { name: "not named, where no group could help", jobs: [users("a", ["x"])], decision: { because: "notListed" } },
    {
      name: "not named, where a group could",
      jobs: [users("a", ["x"]), group("b")],
      decision: { because: "notAssigned" },
    },
    {
      name: "the first job filters, the second holds",
      jobs: [all("a", { filter: poetry }), all("b", { filter: engines })],
      decision: { kind: "in", job: { id: "b" } },
    },
    {
      name: "both hold: the first",
      jobs: [all("a", { filter: engines }), all("b")],
      decision: { kind: "in", job: { id: "a" } },
    },
    {
      name: "filtered out of one job, and a membership in the other's group is missing",
      jobs: [all("a", { filter: poetry }), group("b")],
      decision: { because: "notAssigned" },
    },
    {
      name: "filtered out of one job, and the other would filter too",
      jobs: [all("a", { filter: poetry }), group("b", { filter: poetry })],
      decision: { because: "filteredOut" },
    },
    {
      name: "an input filter leaves the person alone",
      jobs: [all("a", { filter: readsPoetry })],
      decision: { because: "filteredOut", leftAloneBy: ["a"] },
    },
    {
      name: "what one job does not read, another one may own",
      jobs: [all("a", { filter: readsPoetry }), all("b")],
      decision: { kind: "in", job: { id: "b" } },
    },
    {
      name: "left alone by a job whose group has lost the person too",
      jobs: [group("a", { filter: readsPoetry }), group("b", {}, OTHER_GROUP)],
      decision: { because: "notAssigned", leftAloneBy: ["a"] },
    },
  ])("$name", ({ jobs, memberOf, decision }) => {
    expect(scopeOf(found(memberOf), pair(jobs))).toMatchObject(decision);
  });

  test("external users and guests of the source are left out whatever a filter says", () => {
    const jobs = [all("a", { filter: poetry })];
    expect(scopeOf(found(nowhere, ada({ creationType: "Invitation" })), pair(jobs))).toMatchObject({
      because: "externalAtSource",
    });
    expect(scopeOf(found(nowhere, ada({ userType: "Guest" })), pair(jobs))).toMatchObject({ because: "guestAtSource" });
  });
});

describe("what the log shows of the scope", () => {
  const details = (jobs: readonly Job[], user = ada(), memberOf = nowhere) =>
    scopingDetails(scopeOf(found(memberOf, user), pair(jobs)));

  test("documented names, and clauses with the filter's values", () => {
    expect(details([all("a", { filter: poetry })], ada({ accountEnabled: false }))).toEqual({
      "Active in the source system": "False",
      "Assigned to the application": "True",
      "Scoping filter evaluation passed": "False",
      ScopeEvaluationResult: JSON.stringify({ "Department.department EQUALS 'Poetry'": false }),
    });
  });

  test("nothing of the user but the filter's verdicts", () => {
    expect(JSON.stringify(details([all("a", { filter: poetry })]))).not.toMatch(/Engines|Ada/);
  });

  test("clauses of every job that the person is assigned to", () => {
    const shown = details([
      all("a", { filter: poetry }),
      all("b", { filter: filter({ groups: department("IS NULL") }) }),
    ]);
    expect(JSON.parse(shown?.ScopeEvaluationResult ?? "")).toEqual({
      "Department.department EQUALS 'Poetry'": false,
      "Department.department IS NULL ''": false,
    });
  });

  test.each([
    { name: "in scope", jobs: [all("a")], user: ada(), assigned: "True", passed: "True" },
    { name: "unassigned", jobs: [group("a")], user: ada(), assigned: "False", passed: "True" },
    {
      name: "external",
      jobs: [all("a")],
      user: ada({ creationType: "Invitation" }),
      assigned: "True",
      passed: "False",
    },
  ])("$name", ({ jobs, user, assigned, passed }) => {
    expect(details(jobs, user)).toMatchObject({
      "Assigned to the application": assigned,
      "Scoping filter evaluation passed": passed,
    });
  });

  test("external users fail the system filter", () => {
    const shown = details([all("a")], ada({ creationType: "Invitation" }));
    expect(JSON.parse(shown?.ScopeEvaluationResult ?? "")).toEqual({
      "Filter external users.alternativeSecurityIds EQUALS 'None'": false,
    });
  });

  test("of somebody who was not read there is nothing to show", () => {
    expect(scopingDetails({ kind: "missing" })).toBeUndefined();
    expect(scopingDetails({ kind: "out", because: "sourceDeleted" })).toBeUndefined();
  });
});

describe("documented names of reasons", () => {
  test.each<[Because | ErrorCode, SkipReason | undefined]>([
    ["notAssigned", "NotEffectivelyEntitled"],
    ["filteredOut", "NotEffectivelyEntitled"],
    ["disabledAndNeverProvisioned", "NotEffectivelyEntitled"],
    ["leftAlone", "ImportSkipped"],
    ["ADDRESS_CANNOT_BE_INVITED", "ImportSkipped"],
    ["IgnoreObjectFlow", "EntrySynchronizationSkipped"],
    ["asWished", "RedundantExport"],
    ["AMBIGUOUS_MATCH", "DuplicateTargetEntries"],
    ["GUEST_NOT_ADOPTED", undefined],
  ])("%s is %s", (because, name) => expect(skipReasonOf(because)).toBe(name));

  test("the documentation has every one of them in the row of its name", () => {
    const page = readFileSync(new URL("../../docs/scope.md", import.meta.url), "utf8");
    const row = (name: string) =>
      page.split("\n").find((line) => line.startsWith("| `") && line.endsWith(`| \`${name}\` |`));
    const told = Object.entries(SKIP_REASONS).filter(([, name]) => name !== undefined);
    expect(told.filter(([because, name]) => !row(String(name))?.includes(`\`${because}\``))).toEqual([]);
  });

  test("only what matches already means success", () => {
    const successes = Object.entries(SKIP_REASONS).filter(([, name]) => name === "RedundantExport");
    expect(successes.map(([because]) => because)).toEqual(["asWished", "TARGET_BLOCKED_THERE"]);
  });
});
