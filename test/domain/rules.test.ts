import { describe, expect, test } from "vitest";
import { CLOUDS, type Cloud, cloudPair } from "../../shared/domain/cloud.ts";
import { ERRORS } from "../../shared/domain/error.ts";
import { groupKey } from "../../shared/domain/job.ts";
import { claimIsLive, LEASE_MS, type Link, type LinkSignal, type LinkState, NEXT } from "../../shared/domain/link.ts";
import { canBeInvited, invitationAddress } from "../../shared/domain/matching.ts";
import { obeyRetryAfter, type PaceState, paceLimits, takeWrites } from "../../shared/domain/pace.ts";
import { scopeOf } from "../../shared/domain/scope.ts";
import { ada, clouds, EVERYBODY, GROUP_ID, job, pair } from "./people.ts";

describe("pairs of clouds", () => {
  const verdict = (from: Cloud, to: Cloud) => {
    const found = cloudPair(from, to);
    if ("refused" in found) return "refused";
    return `${found.unlisted ? "unlisted" : "supported"}${found.crossCloud ? " across" : ""}${found.manager ? " with manager" : ""}`;
  };
  const all = Object.keys(CLOUDS) as Cloud[];
  const table: Record<Cloud, Record<Cloud, string>> = {
    global: {
      global: "supported with manager",
      usGov: "supported across",
      usGovDoD: "supported across",
      china: "supported across",
    },
    usGov: { global: "supported across", usGov: "supported", usGovDoD: "supported", china: "refused" },
    usGovDoD: { global: "supported across", usGov: "supported", usGovDoD: "supported", china: "refused" },
    china: { global: "unlisted across", usGov: "refused", usGovDoD: "refused", china: "unlisted" },
  };
  test.each(all.flatMap((from) => all.map((to) => [from, to] as const)))("%s → %s", (from, to) => {
    expect(verdict(from, to)).toBe(table[from][to]);
  });
});

describe("scope", () => {
  const none = new Set<string>();
  const member = new Set([groupKey({ id: GROUP_ID, transitive: true })]);
  const byGroup = job({
    id: "group",
    scope: { ...EVERYBODY, allUsers: false, groups: [{ id: GROUP_ID, transitive: true }] },
  });
  test.each([
    { name: "everybody", source: ada(), memberOf: none, jobs: [job()], decision: { kind: "in", job: { id: "emea" } } },
    {
      name: "a member",
      source: ada(),
      memberOf: member,
      jobs: [byGroup],
      decision: { kind: "in", job: { id: "group" } },
    },
    {
      name: "not a member",
      source: ada(),
      memberOf: none,
      jobs: [byGroup],
      decision: { kind: "out", because: "notAssigned" },
    },
    {
      name: "the first job whose scope holds",
      source: ada(),
      memberOf: member,
      jobs: [byGroup, job()],
      decision: { kind: "in", job: { id: "group" } },
    },
    {
      name: "the next job otherwise",
      source: ada(),
      memberOf: none,
      jobs: [byGroup, job()],
      decision: { kind: "in", job: { id: "emea" } },
    },
    {
      name: "a guest of the source",
      source: ada({ userType: "Guest" }),
      memberOf: none,
      jobs: [job()],
      decision: { kind: "out", because: "guestAtSource" },
    },
    {
      name: "an external member of the source",
      source: ada({ creationType: "Invitation" }),
      memberOf: none,
      jobs: [job()],
      decision: { kind: "out", because: "externalAtSource" },
    },
    {
      name: "an external user by name",
      source: ada({ userPrincipalName: "ada_x.example#EXT#@emea.onmicrosoft.com" }),
      memberOf: none,
      jobs: [job()],
      decision: { kind: "out", because: "externalAtSource" },
    },
  ])("$name", ({ source, memberOf, jobs, decision }) => {
    expect(scopeOf({ kind: "found", user: source, memberOf }, pair(jobs))).toMatchObject(decision);
  });
  test("deleted and missing are different findings", () => {
    expect(scopeOf({ kind: "deleted" }, pair())).toEqual({ kind: "out", because: "sourceDeleted" });
    expect(scopeOf({ kind: "missing" }, pair())).toEqual({ kind: "missing" });
  });
});

describe("addresses", () => {
  test.each([
    ["ada@emea.example", true],
    ["ada.b-c_d@emea.example", true],
    ["o'brien@emea.example", false],
    ["a#b@emea.example", false],
    [".ada@emea.example", false],
    ["ada.@emea.example", false],
    ["ada@emea", false],
    ["ada", false],
    ["a b@emea.example", false],
    ["a@b@emea.example", false],
  ])("%s can be invited: %s", (address, expected) => expect(canBeInvited(address)).toBe(expected));

  test("within a cloud mail comes first and the name is the way out; across clouds only the name counts", () => {
    const user = ada({ mail: "a!b@emea.example", userPrincipalName: "ada.upn@emea.example" });
    expect(invitationAddress(user, clouds)).toBe("ada.upn@emea.example");
    const across = ada({ mail: "ada@emea.example", userPrincipalName: "o'ada@emea.example" });
    expect(invitationAddress(across, { ...clouds, crossCloud: true })).toBeUndefined();
  });
});

describe("links", () => {
  test("every state knows every signal, and a mark changes none", () => {
    const signals: LinkSignal[] = ["inviting", "invited", "settled", "marked", "removed", "restored", "forgotten"];
    for (const state of Object.keys(NEXT) as LinkState[]) {
      expect(Object.keys(NEXT[state]).sort()).toEqual([...signals].sort());
      expect(NEXT[state].marked).toBe(state);
      expect(NEXT[state].forgotten).toBe("none");
    }
    expect(NEXT.inviting.settled).toBe("inviting");
    expect(NEXT.invited.settled).toBe("linked");
    expect(NEXT.linked.removed).toBe("removed");
    expect(NEXT.removed.restored).toBe("linked");
    expect(NEXT.removed.settled).toBe("linked"); // somebody has restored it, and it is as wished
  });
  test("a claim lives as long as its lease", () => {
    const link: Link = { state: "linked", userId: "u", claim: { id: "c", plan: "update", at: 0 } };
    expect(claimIsLive(link, LEASE_MS - 1)).toBe(true);
    expect(claimIsLive(link, LEASE_MS)).toBe(false);
    expect(claimIsLive({ state: "linked", userId: "u" }, 0)).toBe(false);
  });
});

describe("pace", () => {
  const limits = paceLimits({ writes: 3000, perSeconds: 150 });
  test("bulk leaves a reserve to people", () => {
    let state: PaceState | undefined;
    let granted = 0;
    for (let i = 0; i < 3000; i++) {
      const taken = takeWrites(state, 1, "sweep", 0, limits);
      state = taken.state;
      if (taken.grant.kind === "granted") granted++;
      else break;
    }
    expect(granted).toBe(2640);
    expect(takeWrites({ ...(state as PaceState), tokens: 300 }, 2, "changes", 0, limits).grant).toEqual({
      kind: "granted",
    });
  });
  test("slots follow one another at the pace of the quota", () => {
    const empty: PaceState = { tokens: limits.reserve, countedAt: 0, blockedUntil: 0 };
    const first = takeWrites(empty, 2, "sweep", 0, limits);
    const second = takeWrites(first.state, 2, "sweep", 0, limits);
    expect(first.grant).toMatchObject({ kind: "slot", afterMs: 103 });
    expect(second.grant).toMatchObject({ kind: "slot", afterMs: 205 });
  });
  test("people pass by the bulk that waits, and bulk that comes back finds what they left", () => {
    let state: PaceState | undefined = { tokens: limits.reserve, countedAt: 0, blockedUntil: 0 };
    for (let i = 0; i < 5_000; i++) state = takeWrites(state, 2, "sweep", 0, limits).state;
    for (let i = 0; i < 100; i++) {
      const taken = takeWrites(state, 2, "changes", 0, limits);
      expect(taken.grant).toEqual({ kind: "granted" });
      state = taken.state;
    }
    const returning = takeWrites(state, 2, "sweep", 103, limits, true);
    expect(returning.grant).toMatchObject({ kind: "slot" }); // to the end of the line: people were quicker
    const later = takeWrites(returning.state, 2, "sweep", 10_000, limits, true);
    expect(later.grant).toEqual({ kind: "granted" });
  });
  test("bulk that nobody disturbs uses all that flows", () => {
    let state: PaceState | undefined = { tokens: limits.reserve, countedAt: 0, blockedUntil: 0 };
    const slots: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const taken = takeWrites(state, 2, "sweep", 0, limits);
      state = taken.state;
      if (taken.grant.kind === "slot") slots.push(taken.grant.afterMs);
    }
    const grants = slots.map((at) => {
      const taken = takeWrites(state, 2, "sweep", at, limits, true);
      state = taken.state;
      return taken.grant.kind;
    });
    expect(new Set(grants)).toEqual(new Set(["granted"]));
    expect((slots.length * 2 * 1000) / (slots.at(-1) ?? 1)).toBeCloseTo(19.6, 1);
  });
  test("Retry-After stops everybody and sets nothing aside", () => {
    const state = obeyRetryAfter(undefined, 1_000, 30_000, limits);
    expect(takeWrites(state, 1, "changes", 2_000, limits).grant).toEqual({ kind: "blocked", afterMs: 29_000 });
    expect(takeWrites(state, 1, "changes", 31_000, limits).grant).toEqual({ kind: "granted" });
  });
});

test("every error says what to do", () => {
  for (const [code, entry] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^[A-Z_]+$/);
    expect(entry.remedy.length).toBeGreaterThan(10);
  }
});
