import { expect, test } from "vitest";
import { SyncConfig } from "../../shared/config/schema.ts";
import { weakenings, weakeningsSince } from "../../shared/config/weakenings.ts";

const id = (n: number) => `${n}0000000-0000-4000-8000-000000000000`;
const [HOME, HUB, GOV, OTHER] = [id(1), id(2), id(3), id(4)];
const tenant = (name: string, tenantId: string, cloud: string, more: object = {}) => ({
  name,
  id: tenantId,
  cloud,
  credential: { kind: "certificate", clientId: id(9), path: `${name}.pem` },
  ...more,
});
type Part = Record<string, unknown>;
const group = { scope: { groups: [{ id: id(8) }] } };

/** Jobs `hub` (home → hub) and `gov` (hub → gov), each as said; `other` is a tenant without a job. */
function configOf(change: { hub?: Part; gov?: Part; tenants?: Record<string, Part>; jobs?: Part[]; root?: Part } = {}) {
  const job = (name: string, source: string, target: string, more: Part = {}) => ({
    id: name,
    source,
    target,
    state: "on",
    userType: "guest",
    ...group,
    ...more,
  });
  const with_ = (name: string) => change.tenants?.[name] ?? {};
  return SyncConfig.parse({
    version: 1,
    deployment: "d",
    tenants: [
      tenant("home", HOME, "global", with_("home")),
      tenant("hub", HUB, "global", with_("hub")),
      tenant("gov", GOV, "usGov", with_("gov")),
      tenant("other", OTHER, "global", with_("other")),
    ],
    jobs: [job("hub", "home", "hub", change.hub), job("gov", "hub", "gov", change.gov), ...(change.jobs ?? [])],
    ...change.root,
  });
}
type Change = Parameters<typeof configOf>[0];
const told = (before: Change, after: Change) =>
  weakenings(configOf(before), configOf(after)).map(({ path, targetTenantId }) => [path, targetTenantId ?? "all"]);
const scope = (principal: string, more: object) => ({ root: { admin: { scopes: [{ principal, ...more }] } } });
const newJob = (source: string, target: string, more: object = {}) => ({
  jobs: [{ id: "new", source, target, state: "on", userType: "guest", ...group, ...more }],
});

test.each<[string, Change, Change, string[][]]>([
  ["nothing changed", {}, {}, []],
  ["guests become members", {}, { hub: { userType: "member" } }, [["jobs.hub.userType", HUB]]],
  [
    "guests who are there become members",
    { hub: { userType: "member" } },
    { hub: { userType: "member", changeUserType: true } },
    [["jobs.hub.changeUserType", HUB]],
  ],
  ["none → pending", { hub: { adopt: "none" } }, { hub: { adopt: "pending" } }, [["jobs.hub.adopt", HUB]]],
  ["pending → redeemed", {}, { hub: { adopt: "redeemed" } }, [["jobs.hub.adopt", HUB]]],
  ["the default of a government is none", {}, { gov: { adopt: "pending" } }, [["jobs.gov.adopt", GOV]]],
  [
    "no sign-in is asked for",
    { hub: { adopt: "redeemed" } },
    { hub: { adopt: "redeemed", adoptBy: "resetRedemption" } },
    [["jobs.hub.adoptBy", HUB]],
  ],
  ["groups → all users", {}, { hub: { scope: { allUsers: true } } }, [["jobs.hub.scope.allUsers", HUB]]],
  [
    "the filter is gone",
    { hub: { scope: { ...group.scope, filter: [{ clauses: [{ attribute: "a", operator: "IS NULL" }] }] } } },
    {},
    [["jobs.hub.scope.filter", HUB]],
  ],
  ["leavers stay", {}, { hub: { onOutOfScope: "keep" } }, [["jobs.hub.onOutOfScope", HUB]]],
  ["leavers are blocked only", {}, { hub: { onOutOfScope: "disable" } }, []],
  ["nobody is removed", {}, { hub: { actions: { delete: false } } }, [["jobs.hub.actions.delete", HUB]]],
  ["an unlisted pair", {}, { hub: { acceptUnlistedPair: true } }, [["jobs.hub.acceptUnlistedPair", HUB]]],
  ["a new job into an unprotected target", {}, newJob("other", "hub"), []],
  ["a new job with the default limits", {}, newJob("other", "hub", { limits: { removals: { perDay: 50 } } }), []],
  [
    "a new job with wider limits than the default ones: the old one under another name",
    {},
    newJob("home", "hub", { limits: { removals: { immediatePerHour: 6 } } }),
    [["jobs.new.limits", HUB]],
  ],
  [
    "wider limits for a job that retires",
    {},
    { hub: { state: "retire", limits: { removals: { perDay: 1_000_000 } } } },
    [["jobs.hub.limits", HUB]],
  ],
  [
    "wider limits for a job that is off, until it is on again",
    { hub: { state: "off" } },
    { hub: { state: "off", limits: { removals: { perHour: 500 } } } },
    [["jobs.hub.limits", HUB]],
  ],
  [
    "a first cycle where there was none",
    {},
    { hub: { firstCycle: { expected: 1 } } },
    [["jobs.hub.firstCycle.expected", HUB]],
  ],
  ["a new source of a government", {}, newJob("home", "gov"), [["jobs.new.source", GOV]]],
  ["a new source, and the job is off", {}, newJob("home", "gov", { state: "off" }), []],
  ["a job that was off is a new source", { gov: { state: "off" } }, {}, [["jobs.gov.source", GOV]]],
  ["a second job from the same source", {}, newJob("hub", "gov"), []],
  [
    "a new source of a target that says what it lets in",
    { tenants: { hub: { inbound: { userTypes: ["guest"] } } } },
    { tenants: { hub: { inbound: { userTypes: ["guest"] } } }, ...newJob("other", "hub") },
    [["jobs.new.source", HUB]],
  ],
  [
    "the app signs in as somebody else",
    {},
    { tenants: { hub: { credential: { kind: "certificate", clientId: id(7), path: "x" } } } },
    [
      ["tenants.hub.credential", HUB],
      ["tenants.hub.credential", GOV],
    ],
  ],
  [
    "a tenant without a job",
    {},
    { tenants: { other: { credential: { kind: "certificate", clientId: id(7), path: "x" } } } },
    [],
  ],
  ["the name stands for another tenant", {}, { tenants: { home: { id: id(5) } } }, [["tenants.home.id", HUB]]],
  ["another cloud", {}, { tenants: { home: { cloud: "china" } } }, [["tenants.home.cloud", HUB]]],
  [
    "invited people land elsewhere",
    {},
    { tenants: { gov: { redirectUrl: "https://x.example" } } },
    [["tenants.gov.redirectUrl", GOV]],
  ],
  [
    "another stamp",
    {},
    { tenants: { gov: { stampAttribute: `extension_${"a".repeat(32)}_s` } } },
    [["tenants.gov.stampAttribute", GOV]],
  ],
  [
    "the target lets members in",
    { tenants: { gov: { inbound: { userTypes: ["guest"] } } } },
    { tenants: { gov: { inbound: { userTypes: ["guest", "member"] } } } },
    [["tenants.gov.inbound.userTypes", GOV]],
  ],
  [
    "the target says nothing any more",
    { tenants: { gov: { inbound: { userTypes: ["guest"] } } } },
    {},
    [["tenants.gov.inbound.userTypes", GOV]],
  ],
  ["the target begins to say something", {}, { tenants: { gov: { inbound: { userTypes: ["guest"] } } } }, []],
  ["another name in the stamps", {}, { root: { deployment: "e" } }, [["deployment", "all"]]],
  ["a principal is not narrowed any more", scope(id(6), { targets: ["gov"] }), {}, [[`admin.scopes.${id(6)}`, "all"]]],
  [
    "a principal gets another target",
    scope(id(6), { targets: ["gov"] }),
    scope(id(6), { targets: ["gov", "hub"] }),
    [[`admin.scopes.${id(6)}`, "all"]],
  ],
  [
    "a principal is narrowed further",
    scope(id(6), { targets: ["gov"] }),
    scope(id(6), { targets: ["gov"], jobs: ["gov"] }),
    [],
  ],
  ["a job is taken out", newJob("other", "hub"), {}, []],
  [
    "a job gets another name, and members on the way",
    newJob("other", "hub"),
    { jobs: [{ ...newJob("other", "hub", { userType: "member" }).jobs[0], id: "renamed" }] },
    [["jobs.renamed.userType", HUB]],
  ],
  ["a second job of a pair makes guests too", {}, newJob("home", "hub"), []],
  [
    "a second job of a pair is as loose as the first",
    { hub: { userType: "member" } },
    { hub: { userType: "member" }, ...newJob("home", "hub", { userType: "member" }) },
    [],
  ],
  [
    "a new job takes over redeemed guests",
    {},
    newJob("other", "hub", { adopt: "redeemed" }),
    [["jobs.new.adopt", HUB]],
  ],
  ["a new job takes over as many as by default", {}, newJob("other", "hub", { adopt: "pending" }), []],
  ["stricter everywhere", { hub: { userType: "member", adopt: "redeemed", scope: { allUsers: true } } }, {}, []],
])("%s", (_name, before, after, expected) => {
  expect(told(before, after)).toEqual(expected);
});

/** Keys by name, so that they are protected from the day that they exist. */
test.each<[string, object, object, boolean]>([
  ["limits are removed", { limits: { removals: { perHour: 20 } } }, { limits: undefined }, true],
  ["a limit grows", { limits: { removals: { perHour: 20 } } }, { limits: { removals: { perHour: 21 } } }, true],
  ["a limit shrinks", { limits: { removals: { perHour: 20 } } }, { limits: { removals: { perHour: 5 } } }, false],
  ["a least shrinks", { limits: { minimumSourceSize: 20 } }, { limits: { minimumSourceSize: 5 } }, true],
  ["a least grows", { limits: { minimumSourceSize: 5 } }, { limits: { minimumSourceSize: 20 } }, false],
  ["one of the limits is taken out", { limits: { a: 1, b: 2 } }, { limits: { a: 1 } }, true],
  ["a gate is taken out", { gates: ["training", "nda"] }, { gates: ["nda"] }, true],
  ["a gate comes in", { gates: ["nda"] }, { gates: ["nda", "training"] }, false],
  ["while held, block → nothing", { whileHeld: "block" }, { whileHeld: "nothing" }, true],
  ["while held, nothing → block", { whileHeld: "nothing" }, { whileHeld: "block" }, false],
  ["a first cycle is expected", {}, { firstCycle: { expected: 10 } }, true],
  ["a first cycle is over", { firstCycle: { expected: 10 } }, {}, false],
  ["settling takes longer", { limits: { settlingMinutes: 5 } }, { limits: { settlingMinutes: 10 } }, false],
  ["settling is shortened", { limits: { settlingMinutes: 5 } }, { limits: { settlingMinutes: 0 } }, true],
  ["the boundary is removed", { boundary: { attributes: ["mail"] } }, {}, true],
])("%s", (_name, before, after, weaker) => {
  const base = configOf();
  const [first, ...others] = base.jobs;
  if (!first) throw new Error("no job");
  const of = (more: object): SyncConfig => ({ ...base, jobs: [{ ...first, ...more }, ...others] });
  expect(weakenings(of(before), of(after)).length > 0).toBe(weaker);
});

test("whoever decides reads what it was and what it is", () => {
  const limits = (perHour: number, settlingMinutes: number) => ({ limits: { removals: { perHour }, settlingMinutes } });
  const [{ what } = { what: "" }, ...others] = weakenings(
    configOf({ hub: limits(20, 5) }),
    configOf({ hub: limits(500, 1) }),
  );
  expect([what, others]).toEqual(["is relaxed: removals.perHour 20 → 500; settlingMinutes 5 → 1", []]);
  const [fresh] = weakenings(configOf(), configOf(newJob("other", "hub", limits(500, 5))));
  expect(fresh?.what).toMatch(/than the default ones: removals.perHour 20 → 500$/);
});

test("what this version cannot read weakens everything", () => {
  expect(weakeningsSince('{"version":99}', configOf())).toMatchObject([{ path: "(root)" }]);
  expect(weakeningsSince("{", configOf())).toMatchObject([{ path: "(root)" }]);
  expect(weakeningsSince(JSON.stringify(configOf()), configOf())).toEqual([]);
});
