import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deleteIsUnderWay } from "../../shared/domain/link.ts";
import { type PaceState, paceLimits, takeWrites } from "../../shared/domain/pace.ts";
import { needsTarget, type PersonView, type Plan, planUser, type TargetView } from "../../shared/domain/plan.ts";
import type { ScopeDecision } from "../../shared/domain/scope.ts";
import { SKIP_REASONS } from "../../shared/domain/skip-reason.ts";
import { isExternal, type TargetUser } from "../../shared/domain/user.ts";
import { Repeats } from "../../shared/pipeline/repeats.ts";
import { ada, adasGuest, job, MOMENT, pair, SELF } from "./people.ts";

/** What holds for whatever comes. The seed is fixed; another one is given by `FC_SEED`. */
const PARAMETERS = { seed: Number(process.env.FC_SEED ?? 20_260_105), numRuns: Number(process.env.FC_RUNS ?? 2_000) };
const NOW = 1_800_000_000_000;
const RULES = { replicationAllowanceMs: 90_000, indexAllowanceMs: 300_000, secondReadingMs: 2_000 };

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const ago = fc.integer({ min: 0, max: 400_000 }).map((ms) => NOW - ms);
const word = fc.constantFrom("Engines", "Poetry", null);
const source = fc
  .record({ accountEnabled: fc.boolean(), department: word, displayName: fc.constantFrom("Ada", "Ada Lovelace") })
  .map(({ accountEnabled, ...attributes }) => ada({ accountEnabled, attributes }));
const guest: fc.Arbitrary<TargetUser> = fc
  .record({
    id: fc.constantFrom("t1", "t2"),
    accountEnabled: fc.boolean(),
    userType: fc.constantFrom("Guest", "Member"),
    stamp: fc.constantFrom(SELF.stamp, null, "contoso/elsewhere/somebody"),
    softDeleted: fc.boolean(),
    managerId: maybe(fc.constant("m1")),
    createdAt: ago,
    externalUserState: fc.constantFrom("PendingAcceptance", "Accepted", null),
    attributes: fc.record({
      department: word,
      displayName: fc.constantFrom("Ada", "Ada Lovelace"),
      mail: fc.constantFrom("ada@emea.example", null),
    }),
    internal: fc.boolean(),
  })
  .map(({ internal, ...changes }) =>
    adasGuest({ ...changes, ...(internal ? { creationType: null, userPrincipalName: "ada@hub.example" } : {}) }),
  );
const link = maybe(
  fc.record(
    {
      state: fc.constantFrom("none", "inviting", "invited", "linked", "removed"),
      userId: fc.constant(ada().id),
      jobId: fc.constantFrom("emea", "gone"),
      targetId: fc.constant("t1"),
      address: fc.constant("ada@emea.example"),
      since: ago,
      blockedByUs: fc.constant(true),
      writtenAt: ago,
      missingSince: ago,
      outSince: ago,
      targetMissingSince: ago,
      claim: fc.record({
        id: fc.constant("c"),
        plan: fc.constantFrom("create", "update", "delete", "restore"),
        at: ago,
      }),
    },
    { requiredKeys: ["state", "userId"] },
  ),
);
const jobs = fc
  .record({
    onOutOfScope: fc.constantFrom("softDelete", "disable", "keep"),
    adopt: fc.constantFrom("pending", "none"),
    create: fc.boolean(),
    update: fc.boolean(),
    delete: fc.boolean(),
    changeUserType: fc.boolean(),
    onDisabledThenUnassigned: fc.constantFrom("keep", "asOutOfScope"),
  })
  .map(({ create, update, delete: removes, ...rest }) => [
    job({ ...rest, actions: { create, update, delete: removes } }),
  ]);
const target: fc.Arbitrary<TargetView> = fc.oneof(
  guest.map((user) => ({ kind: "found", user }) as const),
  fc.constant({ kind: "missing" } as const),
  fc
    .array(fc.record({ user: guest, owner: fc.constantFrom(undefined, SELF.link, "elsewhere/somebody") }), {
      maxLength: 3,
    })
    .map((candidates) => ({ kind: "candidates", candidates }) as const),
);
const situation = fc
  .record({
    link,
    target,
    jobs,
    user: source,
    scope: fc.constantFrom(
      "in",
      "in",
      "in",
      "missing",
      "sourceDeleted",
      "notAssigned",
      "notListed",
      "filteredOut",
      "leftAlone",
      "externalAtSource",
      "guestAtSource",
    ),
    manager: fc.constantFrom("leave", "set", "remove"),
    groupsHealthy: fc.boolean(),
  })
  .map(({ jobs, user, scope: kind, manager, ...view }) => {
    const first = jobs[0] ?? job();
    const scope: ScopeDecision =
      kind === "in"
        ? { kind, job: first, user }
        : kind === "missing"
          ? { kind }
          : kind === "leftAlone"
            ? { kind: "out", because: "filteredOut", user, assignedTo: jobs, leftAloneBy: [first.id] }
            : { kind: "out", because: kind, ...(kind === "sourceDeleted" ? {} : { user }) };
    const managers = {
      leave: { kind: "leave" },
      set: { kind: "set", targetId: "m1" },
      remove: { kind: "remove" },
    } as const;
    const seen: PersonView = {
      ...view,
      now: NOW,
      moment: MOMENT,
      self: SELF,
      scope,
      target: needsTarget(view.link, scope) ? view.target : { kind: "unread" },
      manager: managers[scope.kind === "in" ? manager : "leave"],
    };
    return { view: seen, rules: { pair: pair(jobs), ...RULES } };
  });

const targetIdOf = (plan: Plan) => ("targetId" in plan ? plan.targetId : undefined);
const usersOf = (view: TargetView): readonly TargetUser[] =>
  view.kind === "found" ? [view.user] : view.kind === "candidates" ? view.candidates.map(({ user }) => user) : [];
const always = (name: string, holds: (view: PersonView, plan: Plan, rules: Parameters<typeof planUser>[1]) => void) =>
  test(name, () => {
    fc.assert(
      fc.property(situation, ({ view, rules }) => holds(view, planUser(view, rules), rules)),
      PARAMETERS,
    );
  });

describe("a plan", () => {
  always("never writes to an internal user of the target", (view, plan) => {
    const written = usersOf(view.target).find(({ id }) => id === targetIdOf(plan));
    if (written && usersOf(view.target).filter(({ id }) => id === written.id).length === 1) {
      expect(isExternal(written)).toBe(true);
    }
  });

  always("creates and restores nobody who is external at the source, out of scope or gone", (view, plan) => {
    if (plan.kind === "create" || plan.kind === "restore") expect(view.scope.kind).toBe("in");
  });

  always("removes only for a reason that was stated, or read twice far enough apart", (view, plan, rules) => {
    if (plan.kind !== "delete") return;
    const { scope, link, target } = view;
    if (scope.kind === "in") {
      // Only what a removal of ours has done already is recorded.
      expect(target.kind === "found" && target.user.softDeleted).toBe(true);
      expect(link && deleteIsUnderWay(link, NOW)).toBe(true);
    } else if (scope.kind === "missing") {
      expect(NOW - (link?.missingSince ?? NOW)).toBeGreaterThanOrEqual(rules.replicationAllowanceMs);
    } else if (scope.kind === "out" && scope.because === "notAssigned") {
      expect(view.groupsHealthy).toBe(true);
      expect(NOW - (link?.outSince ?? NOW)).toBeGreaterThanOrEqual(rules.secondReadingMs);
    }
  });

  always("removes nobody whom the owning job only reads past", (view, plan) => {
    const { scope, link } = view;
    if (plan.kind === "delete" && scope.kind === "out" && scope.because !== "sourceDeleted") {
      expect(scope.leftAloneBy ?? []).not.toContain(link?.jobId);
    }
  });

  always(
    "blocks whoever is disabled at the source and owned by a job, or removes them, or is about to",
    (view, plan, rules) => {
      const { scope, target, link } = view;
      if (scope.kind === "missing" || scope.user?.accountEnabled !== false) return;
      if (target.kind !== "found" || !link?.targetId || link.state === "inviting") return;
      const { user } = target;
      const ours = isExternal(user) && (user.stamp === null || user.stamp === SELF.stamp);
      const owned = scope.kind === "in" || rules.pair.jobs.some(({ id }) => id === link.jobId);
      if (!ours || !owned || !user.accountEnabled || user.softDeleted) return;
      const done = plan.kind === "update" ? plan.changes.accountEnabled === false : plan.kind === "delete";
      // What a replica shows of a user whom we have removed before is believed only when every replica has seen it.
      expect(done || plan.kind === "confirm" || link.state === "removed").toBe(true);
    },
  );

  always("names only reasons that the log can give a documented name", (_view, plan) => {
    if ("because" in plan) expect(SKIP_REASONS).toHaveProperty(plan.because);
  });

  always(
    "changes the type of nobody but on creation, or where the job asks for it, and then nothing else",
    (_view, plan) => {
      if (plan.kind !== "update" || plan.changes.userType === undefined) return;
      if (plan.effect === "finish") return;
      expect(plan).toMatchObject({
        effect: "changeType",
        changes: { userType: "Member" },
        job: { changeUserType: true },
      });
      expect(Object.keys(plan.changes)).toEqual(["userType"]);
    },
  );

  always("takes nobody who is tied to somebody else", (view, plan) => {
    if (view.target.kind !== "candidates") return;
    if (plan.kind !== "update" && plan.kind !== "restore" && plan.kind !== "found") return;
    const taken = view.target.candidates.filter(({ user }) => user.id === plan.targetId);
    expect(
      taken.some(({ user, owner }) =>
        plan.kind === "found"
          ? (owner ?? SELF.link) === SELF.link && (user.stamp ?? SELF.stamp) === SELF.stamp
          : user.stamp === SELF.stamp || owner === SELF.link || (owner === undefined && user.stamp === null),
      ),
    ).toBe(true);
  });

  always("lifts no block that we did not set", (view, plan) => {
    if (plan.kind !== "update" || plan.changes.accountEnabled !== true) return;
    expect(view.link?.blockedByUs).toBe(true);
  });

  always("is done once it is done: the next look keeps what it wrote", (view, plan, rules) => {
    if (plan.kind !== "update" || view.target.kind !== "found" || view.scope.kind !== "in" || !view.link) return;
    if (plan.unsettled) return;
    const { accountEnabled, syncSource, userType, ...attributes } = plan.changes;
    const before = view.target.user;
    const user: TargetUser = {
      ...before,
      attributes: { ...before.attributes, ...attributes },
      accountEnabled: typeof accountEnabled === "boolean" ? accountEnabled : before.accountEnabled,
      stamp: typeof syncSource === "string" ? syncSource : before.stamp,
      userType: typeof userType === "string" ? userType : before.userType,
      managerId: plan.managerId === undefined ? before.managerId : (plan.managerId ?? undefined),
    };
    const { claim: _, writtenAt: __, ...rest } = view.link; // every replica has seen it
    const after: PersonView = { ...view, link: { ...rest, state: "linked" }, target: { kind: "found", user } };
    expect(planUser(after, rules)).toMatchObject({ kind: "keep" });
  });
});

describe("the pace", () => {
  const asks = fc.array(
    fc.record({
      writes: fc.integer({ min: 1, max: 3 }),
      lane: fc.constantFrom("changes" as const, "sweep" as const),
      afterMs: fc.integer({ min: 0, max: 2_000 }),
    }),
    { maxLength: 300 },
  );

  test("never grants or promises more within any time than the bucket held and what has flowed since", () => {
    fc.assert(
      fc.property(asks, (all) => {
        const limits = paceLimits({ writes: 60, perSeconds: 30 });
        let state: PaceState | undefined;
        let now = NOW;
        const due: { at: number; writes: number }[] = [];
        for (const { writes, lane, afterMs } of all) {
          now += afterMs;
          const taken = takeWrites(state, writes, lane, now, limits);
          state = taken.state;
          if (taken.grant.kind === "granted") due.push({ at: now, writes });
          if (taken.grant.kind === "slot") due.push({ at: now + taken.grant.afterMs, writes });
        }
        const sorted = due.sort((a, b) => a.at - b.at);
        for (let from = 0; from < sorted.length; from += 7) {
          let sum = 0;
          for (const { at, writes } of sorted.slice(from)) {
            sum += writes;
            const flow = (at - (sorted[from]?.at ?? at) + 1) * limits.perMs;
            expect(sum).toBeLessThanOrEqual(limits.capacity + flow + 3);
          }
        }
      }),
      { ...PARAMETERS, numRuns: 300 },
    );
  });
});

describe("repeated notifications", () => {
  test("each is followed by a look, within a minute at the latest", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }), (gaps) => {
        const repeats = new Repeats();
        let now = NOW;
        const looks: number[] = [];
        const told = gaps.map((gap) => {
          now += gap;
          const delay = repeats.delay("ada", now);
          if (delay !== undefined) looks.push(now + delay);
          return now;
        });
        for (const at of told) expect(looks.some((look) => look >= at && look <= at + 60_000)).toBe(true);
      }),
      PARAMETERS,
    );
  });
});
