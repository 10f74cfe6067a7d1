import { describe, expect, test } from "vitest";
import type { Job } from "../../shared/domain/job.ts";
import type { Link } from "../../shared/domain/link.ts";
import { type PersonView, type Plan, planUser } from "../../shared/domain/plan.ts";
import type { OutReason, ScopeDecision } from "../../shared/domain/scope.ts";
import { ADA_ID, ada, adasGuest, job, MOMENT, mapper, pair, SELF } from "./people.ts";

const NOW = 10_000_000;
const linked = (changes: Partial<Link> = {}): Link => ({
  state: "linked",
  userId: ADA_ID,
  targetId: "t1",
  jobId: "emea",
  ...changes,
});
const within = (changes: Parameters<typeof ada>[0] = {}, of: Job = job()): ScopeDecision => ({
  kind: "in",
  job: of,
  user: ada(changes),
});
const out = (because: OutReason, user = ada(), leftAloneBy: readonly string[] = []): ScopeDecision =>
  because === "sourceDeleted"
    ? { kind: "out", because }
    : { kind: "out", because, user, assignedTo: because === "filteredOut" ? [job()] : [], leftAloneBy };
const disabled = ada({ accountEnabled: false });
const found = (changes: Parameters<typeof adasGuest>[0] = {}): PersonView["target"] => ({
  kind: "found",
  user: adasGuest(changes),
});
const TYPED = job({ changeUserType: true });
const FAILING = job({ mapper: mapper([{ target: "city", expression: 'Error("no city")' }]) });
const nobody: PersonView["target"] = { kind: "candidates", candidates: [] };

function decide(view: Partial<PersonView>, jobs: readonly Job[] = [job()], clouds = pair().clouds): Plan {
  const whole: PersonView = {
    now: NOW,
    link: undefined,
    scope: within(),
    target: { kind: "unread" },
    manager: { kind: "leave" },
    groupsHealthy: true,
    moment: MOMENT,
    self: SELF,
    ...view,
  };
  const rules = {
    pair: pair(jobs, { clouds }),
    replicationAllowanceMs: 90_000,
    indexAllowanceMs: 300_000,
    secondReadingMs: 2_000,
  };
  return planUser(whole, rules);
}

describe("newcomers", () => {
  test.each<{ name: string; view: Partial<PersonView>; jobs?: readonly Job[]; plan: Partial<Plan> }>([
    { name: "nobody there", view: { target: nobody }, plan: { kind: "create", address: "ada@emea.example" } },
    {
      name: "disabled",
      view: { scope: within({ accountEnabled: false }) },
      plan: { kind: "skip", because: "disabledAndNeverProvisioned" },
    },
    {
      name: "creation is off",
      view: { scope: within({}, job({ actions: { create: false, update: true, delete: true } })) },
      plan: { kind: "skip", because: "createIsOff" },
    },
    {
      name: "no address",
      view: { scope: within({ mail: null, userPrincipalName: "a#b@emea.example" }), target: nobody },
      plan: { kind: "hold", code: "ADDRESS_CANNOT_BE_INVITED" },
    },
    {
      name: "an internal user has the address",
      view: { target: candidate({ creationType: null, userPrincipalName: "ada@hub.example", stamp: null }) },
      plan: { kind: "hold", code: "INTERNAL_USER_HAS_ADDRESS" },
    },
    {
      name: "another person's deleted guest",
      view: { target: candidate({ softDeleted: true, stamp: "contoso/11111111-1111-4111-8111-111111111111/bbbb" }) },
      plan: { kind: "hold", code: "ADDRESS_REUSED" },
    },
    {
      name: "a guest of another source",
      view: { target: candidate({ stamp: null }, "cccc/dddd") },
      plan: { kind: "hold", code: "TARGET_TAKEN" },
    },
    {
      name: "a pending guest nobody owns",
      view: { target: candidate({ stamp: null }) },
      plan: { kind: "update", effect: "adopt", targetId: "t1", changes: { syncSource: SELF.stamp } },
    },
    {
      name: "a redeemed guest",
      view: { target: candidate({ stamp: null, externalUserState: "Accepted" }) },
      plan: { kind: "hold", code: "GUEST_NOT_ADOPTED" },
    },
    {
      name: "a blocked pending guest",
      view: { target: candidate({ stamp: null, accountEnabled: false }) },
      plan: { kind: "hold", code: "GUEST_NOT_ADOPTED" },
    },
    {
      name: "adoption is off",
      view: { scope: within({}, job({ adopt: "none" })), target: candidate({ stamp: null }) },
      plan: { kind: "hold", code: "GUEST_NOT_ADOPTED" },
    },
    {
      name: "two guests",
      view: {
        target: {
          kind: "candidates",
          candidates: [
            { user: adasGuest({ stamp: null }), owner: undefined },
            { user: adasGuest({ id: "t2", stamp: null }), owner: undefined },
          ],
        },
      },
      plan: { kind: "hold", code: "AMBIGUOUS_MATCH" },
    },
    {
      name: "our own guest, after the tables were lost",
      view: { target: candidate({ externalUserState: "Accepted" }) },
      plan: { kind: "update", effect: "adopt", targetId: "t1", changes: {} },
    },
    {
      name: "our own guest in the recycle bin, after the tables were lost",
      view: { target: candidate({ softDeleted: true }) },
      plan: { kind: "restore", targetId: "t1" },
    },
  ])("$name: $plan.kind", ({ view, jobs, plan }) => expect(decide(view, jobs)).toMatchObject(plan));

  function candidate(changes: Parameters<typeof adasGuest>[0], owner?: string): PersonView["target"] {
    return { kind: "candidates", candidates: [{ user: adasGuest(changes), owner }] };
  }

  test("across clouds the userPrincipalName is invited, and mail is not asked", () => {
    const scope = within({ mail: "ada.lovelace@mail.example" });
    const plan = decide({ scope, target: nobody }, [job()], { crossCloud: true, manager: false, unlisted: false });
    expect(plan).toMatchObject({ kind: "create", address: "ada@emea.example" });
  });
});

describe("linked people in scope", () => {
  test.each<{ name: string; view: Partial<PersonView>; plan: Partial<Plan> }>([
    { name: "as wished", view: { target: found() }, plan: { kind: "keep", because: "asWished" } },
    {
      name: "moved",
      view: { scope: within({ attributes: { displayName: "Ada Lovelace", department: "Poetry" } }), target: found() },
      plan: { kind: "update", effect: "update", changes: { department: "Poetry" } },
    },
    {
      name: "emptied at the source",
      view: { scope: within({ attributes: { displayName: "Ada Lovelace", department: null } }), target: found() },
      plan: { kind: "keep" },
    },
    {
      name: "disabled at the source",
      view: { scope: within({ accountEnabled: false }), target: found() },
      plan: { kind: "update", effect: "disable", changes: { accountEnabled: false } },
    },
    {
      name: "enabled again",
      view: { link: linked({ blockedByUs: true }), target: found({ accountEnabled: false }) },
      plan: { kind: "update", changes: { accountEnabled: true } },
    },
    {
      name: "blocked in the target",
      view: { target: found({ accountEnabled: false }) },
      plan: { kind: "keep", because: "TARGET_BLOCKED_THERE" },
    },
    {
      name: "to be blocked, and we died before the block was written",
      view: {
        scope: within({ accountEnabled: false }),
        link: linked({ blockedByUs: true, writtenAt: NOW - 10_000, claim: { id: "c", plan: "update", at: 0 } }),
        target: found(),
      },
      plan: { kind: "update", effect: "disable" },
    },
    {
      name: "blocked by us, and we died over it",
      view: {
        link: linked({ blockedByUs: true, claim: { id: "c", plan: "update", at: 0 } }),
        target: found({ accountEnabled: false }),
      },
      plan: { kind: "update", changes: { accountEnabled: true } },
    },
    {
      name: "manager has arrived",
      view: { target: found(), manager: { kind: "set", targetId: "m1" } },
      plan: { kind: "update", managerId: "m1", changes: {} },
    },
    {
      name: "manager is set already",
      view: { target: found({ managerId: "m1" }), manager: { kind: "set", targetId: "m1" } },
      plan: { kind: "keep" },
    },
    {
      name: "removed by us, back in scope",
      view: { link: linked({ state: "removed" }), target: found({ softDeleted: true }) },
      plan: { kind: "restore", targetId: "t1" },
    },
    {
      name: "removed by us, back but disabled",
      view: {
        link: linked({ state: "removed" }),
        scope: within({ accountEnabled: false }),
        target: found({ softDeleted: true }),
      },
      plan: { kind: "skip", because: "disabledAndRemoved" },
    },
    {
      name: "removed a moment ago, and a replica still shows it",
      view: { link: linked({ state: "removed", writtenAt: NOW - 10_000 }), target: found() },
      plan: { kind: "confirm", because: "ownWriteNotSeenYet" },
    },
    {
      name: "restored a moment ago, and a replica still shows it deleted",
      view: { link: linked({ writtenAt: NOW - 10_000 }), target: found({ softDeleted: true }) },
      plan: { kind: "confirm", because: "ownWriteNotSeenYet" },
    },
    {
      name: "blocked a moment ago, and a replica still shows it enabled",
      view: { link: linked({ blockedByUs: true, writtenAt: NOW - 10_000 }), target: found() },
      plan: { kind: "confirm", because: "ownWriteNotSeenYet" },
    },
    {
      name: "blocked there, removed by us, back in scope: the block outlives the absence",
      view: { link: linked({ state: "removed" }), target: found({ softDeleted: true, accountEnabled: false }) },
      plan: { kind: "restore", changes: {} },
    },
    {
      name: "blocked by us, removed, back in scope",
      view: {
        link: linked({ state: "removed", blockedByUs: true }),
        target: found({ softDeleted: true, accountEnabled: false }),
      },
      plan: { kind: "restore", changes: { accountEnabled: true } },
    },
    {
      name: "restored in the target by hand",
      view: { link: linked({ state: "removed", writtenAt: NOW - 100_000 }), target: found() },
      plan: { kind: "keep" },
    },
    {
      name: "removed in the target by hand",
      view: { target: found({ softDeleted: true }) },
      plan: { kind: "hold", code: "TARGET_REMOVED_THERE" },
    },
    {
      name: "not found in the target, first time",
      view: { target: { kind: "missing" } },
      plan: { kind: "confirm", mark: "targetMissingSince", afterMs: 90_000 },
    },
    {
      name: "not found in the target, twice",
      view: { link: linked({ targetMissingSince: NOW - 90_000 }), target: { kind: "missing" } },
      plan: { kind: "hold", code: "TARGET_REMOVED_THERE" },
    },
    {
      name: "purged after we removed it",
      view: { link: linked({ state: "removed", targetMissingSince: NOW - 90_000 }), target: { kind: "missing" } },
      plan: { kind: "forget" },
    },
    {
      name: "no manager at the source any more, and the target's is one of ours",
      view: { target: found({ managerId: "m1" }), manager: { kind: "remove" } },
      plan: { kind: "update", managerId: null, changes: {} },
    },
    {
      name: "no manager at the source, none in the target",
      view: { target: found(), manager: { kind: "remove" } },
      plan: { kind: "keep", because: "asWished" },
    },
    {
      name: "of another type, and nobody asks for a change",
      view: { target: found({ userType: "Guest" }) },
      plan: { kind: "keep", because: "asWished" },
    },
    {
      name: "of another type",
      view: { scope: within({}, TYPED), target: found({ userType: "Guest" }) },
      plan: { kind: "update", effect: "changeType", changes: { userType: "Member" } },
    },
    {
      name: "of another type and moved: the type comes last, on its own",
      view: {
        scope: within({ attributes: { displayName: "Ada Lovelace", department: "Poetry" } }, TYPED),
        target: found({ userType: "Guest" }),
      },
      plan: { kind: "update", effect: "update", changes: { department: "Poetry" }, unsettled: true },
    },
    {
      name: "of another type and disabled: the block comes first",
      view: { scope: within({ accountEnabled: false }, TYPED), target: found({ userType: "Guest" }) },
      plan: { kind: "update", effect: "disable" },
    },
    {
      name: "of another type, and the job updates nobody",
      view: {
        scope: within({}, { ...TYPED, actions: { create: true, update: false, delete: true } }),
        target: found({ userType: "Guest" }),
      },
      plan: { kind: "keep", because: "asWished" },
    },
    {
      name: "removed by us, back in scope, of another type",
      view: {
        link: linked({ state: "removed" }),
        scope: within({}, TYPED),
        target: found({ softDeleted: true, userType: "Guest" }),
      },
      plan: { kind: "restore", unsettled: true },
    },
    {
      name: "half created and disabled: blocked first, finished then",
      view: { link: linked({ state: "invited" }), scope: within({ accountEnabled: false }), target: found() },
      plan: { kind: "update", effect: "disable", unsettled: true },
    },
    {
      name: "half created, disabled and blocked",
      view: {
        link: linked({ state: "invited", blockedByUs: true }),
        scope: within({ accountEnabled: false }),
        target: found({ accountEnabled: false }),
      },
      plan: { kind: "update", effect: "finish", changes: {} },
    },
    {
      name: "half created, and nothing differs",
      view: { link: linked({ state: "invited" }), target: found() },
      plan: { kind: "update", effect: "finish", changes: {} },
    },
    {
      name: "half created, invited as a guest because members could not be",
      view: { link: linked({ state: "invited" }), target: found({ userType: "Guest" }) },
      plan: { kind: "update", effect: "finish", changes: { userType: "Member" } },
    },
    {
      name: "disabled, and an expression fails: the block does not wait for it",
      view: { scope: within({ accountEnabled: false }, FAILING), target: found() },
      plan: { kind: "update", effect: "disable", unsettled: true },
    },
    {
      name: "blocked already, and an expression fails",
      view: { scope: within({ accountEnabled: false }, FAILING), target: found({ accountEnabled: false }) },
      plan: { kind: "hold", code: "MAPPING_FAILED" },
    },
    {
      name: "stamped for somebody else",
      view: { target: found({ stamp: "other/x/y" }) },
      plan: { kind: "hold", code: "TARGET_TAKEN" },
    },
    {
      name: "became internal",
      view: { target: found({ creationType: null, userPrincipalName: "ada@hub.example" }) },
      plan: { kind: "hold", code: "TARGET_NOT_EXTERNAL" },
    },
    {
      name: "stamp is missing",
      view: { target: found({ stamp: null }) },
      plan: { kind: "update", changes: { syncSource: SELF.stamp } },
    },
    {
      name: "half created",
      view: { link: linked({ state: "invited" }), target: found({ stamp: null }) },
      plan: { kind: "update", effect: "finish" },
    },
  ])("$name: $plan.kind", ({ view, plan }) => expect(decide({ link: linked(), ...view })).toMatchObject(plan));

  test("without the update action only sign-in follows", () => {
    const only = job({ actions: { create: true, update: false, delete: true } });
    const moved = within({ attributes: { department: "Poetry" } }, only);
    expect(decide({ link: linked(), scope: moved, target: found() }, [only])).toMatchObject({ kind: "keep" });
  });
});

describe("people whom an input filter leaves out", () => {
  const alone = (user = ada()) => out("filteredOut", user, ["emea"]);
  test.each<{ name: string; view: Partial<PersonView>; plan: Partial<Plan> }>([
    { name: "in the target", view: { scope: alone() }, plan: { kind: "keep", because: "leftAlone" } },
    {
      name: "in the target and moved",
      view: { scope: alone(ada({ attributes: { department: "Poetry" } })) },
      plan: { kind: "keep", because: "leftAlone" },
    },
    {
      name: "in the target and disabled: sign-in follows the source",
      view: { scope: alone(disabled) },
      plan: { kind: "update", effect: "disable", changes: { accountEnabled: false } },
    },
    {
      name: "enabled again",
      view: { scope: alone(), link: linked({ blockedByUs: true }), target: found({ accountEnabled: false }) },
      plan: { kind: "update", effect: "update", changes: { accountEnabled: true } },
    },
    {
      name: "blocked a moment ago and enabled again, on a replica that shows no block",
      view: { scope: alone(), link: linked({ blockedByUs: true, writtenAt: NOW - 10_000 }) },
      plan: { kind: "confirm", because: "ownWriteNotSeenYet" },
    },
    {
      name: "blocked there",
      view: { scope: alone(), target: found({ accountEnabled: false }) },
      plan: { kind: "keep", because: "leftAlone" },
    },
    {
      name: "owned by another job, which has lost them",
      view: { scope: out("filteredOut", ada(), ["another"]) },
      plan: { kind: "delete", because: "filteredOut" },
    },
    {
      name: "never provisioned",
      view: { link: undefined, scope: alone(), target: { kind: "unread" } },
      plan: { kind: "skip", because: "leftAlone" },
    },
    {
      name: "deleted at the source all the same",
      view: { scope: out("sourceDeleted") },
      plan: { kind: "delete", because: "sourceDeleted" },
    },
  ])("$name: $plan.kind", ({ view, plan }) =>
    expect(decide({ link: linked(), target: found(), ...view })).toMatchObject(plan),
  );
});

describe("people who left", () => {
  test.each<{ name: string; view: Partial<PersonView>; jobs?: readonly Job[]; plan: Partial<Plan> }>([
    {
      name: "deleted at the source",
      view: { scope: out("sourceDeleted") },
      plan: { kind: "delete", because: "sourceDeleted" },
    },
    { name: "became a guest at the source", view: { scope: out("guestAtSource") }, plan: { kind: "delete" } },
    {
      name: "not a member, first reading",
      view: { scope: out("notAssigned") },
      plan: { kind: "confirm", mark: "outSince", afterMs: 2_000 },
    },
    {
      name: "not a member, second reading",
      view: { link: linked({ outSince: NOW - 2_000 }), scope: out("notAssigned") },
      plan: { kind: "delete" },
    },
    {
      name: "a scope group cannot be believed",
      view: { link: linked({ outSince: NOW - 2_000 }), scope: out("notAssigned"), groupsHealthy: false },
      plan: { kind: "hold", code: "SCOPE_GROUP_UNREADABLE" },
    },
    {
      name: "filtered out: the attributes were read, so nothing is read twice",
      view: { scope: out("filteredOut"), groupsHealthy: false },
      plan: { kind: "delete", because: "filteredOut" },
    },
    {
      name: "taken out of the configuration by name",
      view: { scope: out("notListed") },
      plan: { kind: "delete", because: "notListed" },
    },
    {
      name: "filtered out, and the job disables",
      view: { scope: out("filteredOut") },
      jobs: [job({ onOutOfScope: "disable" })],
      plan: { kind: "update", effect: "disable" },
    },
    {
      name: "filtered out, and the job keeps",
      view: { scope: out("filteredOut") },
      jobs: [job({ onOutOfScope: "keep" })],
      plan: { kind: "keep", because: "filteredOut" },
    },
    {
      name: "filtered out, and nothing is deleted",
      view: { scope: out("filteredOut") },
      jobs: [job({ actions: { create: true, update: true, delete: false } })],
      plan: { kind: "keep", because: "filteredOut" },
    },
    {
      name: "kept out of scope, and disabled afterwards: sign-in follows the source",
      view: { scope: out("filteredOut", disabled) },
      jobs: [job({ onOutOfScope: "keep" })],
      plan: { kind: "update", effect: "disable" },
    },
    {
      name: "kept out of scope, blocked by us and enabled again",
      view: {
        scope: out("filteredOut"),
        link: linked({ blockedByUs: true }),
        target: found({ accountEnabled: false }),
      },
      jobs: [job({ onOutOfScope: "keep" })],
      plan: { kind: "update", changes: { accountEnabled: true } },
    },
    {
      name: "blocked for leaving, which nobody undoes while they are out",
      view: {
        scope: out("filteredOut"),
        link: linked({ blockedByUs: true }),
        target: found({ accountEnabled: false }),
      },
      jobs: [job({ onOutOfScope: "disable" })],
      plan: { kind: "keep", because: "filteredOut" },
    },
    {
      name: "a scope group cannot be believed, and the account is disabled",
      view: { link: linked({ outSince: NOW - 2_000 }), scope: out("notAssigned", disabled), groupsHealthy: false },
      plan: { kind: "update", effect: "disable", unsettled: true },
    },
    {
      name: "disabled first, then filtered out",
      view: { scope: out("filteredOut", disabled), target: found({ accountEnabled: false }) },
      plan: { kind: "keep", because: "disabledBeforeUnassigned" },
    },
    {
      name: "disabled first, then filtered out, and the job treats them as anybody",
      view: { scope: out("filteredOut", disabled), target: found({ accountEnabled: false }) },
      jobs: [job({ onDisabledThenUnassigned: "asOutOfScope" })],
      plan: { kind: "delete", because: "filteredOut" },
    },
    {
      name: "filtered out, and disabled while the removal waits",
      view: {
        link: linked({ leaving: true, blockedByUs: true }),
        scope: out("filteredOut", disabled),
        target: found({ accountEnabled: false }),
      },
      plan: { kind: "delete", because: "filteredOut" },
    },
    {
      name: "disabled and filtered out at once",
      view: { scope: out("filteredOut", disabled) },
      plan: { kind: "delete", because: "filteredOut" },
    },
    {
      name: "disabled first, then unassigned",
      view: {
        link: linked({ outSince: NOW - 2_000, blockedByUs: true }),
        scope: out("notAssigned", ada({ accountEnabled: false })),
        target: found({ accountEnabled: false }),
      },
      plan: { kind: "keep", because: "disabledBeforeUnassigned" },
    },
    {
      name: "the job disables",
      view: { link: linked({ outSince: NOW - 2_000 }), scope: out("notAssigned") },
      jobs: [job({ onOutOfScope: "disable" })],
      plan: { kind: "update", effect: "disable" },
    },
    {
      name: "the job keeps",
      view: { link: linked({ outSince: NOW - 2_000 }), scope: out("notAssigned") },
      jobs: [job({ onOutOfScope: "keep" })],
      plan: { kind: "keep" },
    },
    {
      name: "the delete action is off",
      view: { scope: out("sourceDeleted") },
      jobs: [job({ actions: { create: true, update: true, delete: false } })],
      plan: { kind: "keep" },
    },
    {
      name: "the job was taken out of the file",
      view: { scope: out("notAssigned"), link: linked({ jobId: "gone" }) },
      plan: { kind: "keep", because: "jobIsGone" },
    },
    {
      name: "not found anywhere, first time",
      view: { scope: { kind: "missing" } },
      plan: { kind: "confirm", mark: "missingSince", afterMs: 3_000 },
    },
    {
      name: "not found anywhere, too soon after: the recycle bin may show it sooner",
      view: { link: linked({ missingSince: NOW - 30_000 }), scope: { kind: "missing" } },
      plan: { kind: "confirm", afterMs: 30_000 },
    },
    {
      name: "not found anywhere, nearly long enough after",
      view: { link: linked({ missingSince: NOW - 60_000 }), scope: { kind: "missing" } },
      plan: { kind: "confirm", afterMs: 30_000 },
    },
    {
      name: "not found anywhere, twice",
      view: { link: linked({ missingSince: NOW - 90_000 }), scope: { kind: "missing" } },
      plan: { kind: "delete", because: "sourceGone" },
    },
    {
      name: "already in the target's recycle bin",
      view: { scope: out("sourceDeleted"), target: found({ softDeleted: true }) },
      plan: { kind: "gone", because: "sourceDeleted" },
    },
    {
      name: "not found in the target either, first time",
      view: { scope: out("sourceDeleted"), target: { kind: "missing" } },
      plan: { kind: "confirm", mark: "targetMissingSince", afterMs: 90_000 },
    },
    {
      name: "not found in the target either, twice",
      view: {
        link: linked({ targetMissingSince: NOW - 90_000 }),
        scope: out("sourceDeleted"),
        target: { kind: "missing" },
      },
      plan: { kind: "forget", because: "sourceDeleted" },
    },
    {
      name: "in the target's recycle bin since one of us died over the removal",
      view: {
        link: linked({ claim: { id: "c", plan: "delete", at: 0 }, writtenAt: NOW - 10_000 }),
        scope: out("sourceDeleted"),
        target: found({ softDeleted: true }),
      },
      plan: { kind: "delete", because: "sourceDeleted" },
    },
    {
      name: "restored a moment ago, and replicas of both tenants still show it deleted",
      view: {
        link: linked({ writtenAt: NOW - 10_000 }),
        scope: out("sourceDeleted"),
        target: found({ softDeleted: true }),
      },
      plan: { kind: "confirm", because: "ownWriteNotSeenYet" },
    },
    {
      name: "internal in the target by now",
      view: {
        scope: out("sourceDeleted"),
        target: found({ creationType: null, userPrincipalName: "ada@hub.example" }),
      },
      plan: { kind: "hold", code: "TARGET_NOT_EXTERNAL" },
    },
    {
      name: "removed before, and live again after a restoration that was never heard of",
      view: {
        link: linked({ state: "removed", writtenAt: NOW - 100_000 }),
        scope: out("sourceDeleted"),
        target: found(),
      },
      plan: { kind: "delete" },
    },
    {
      name: "removed before",
      view: { link: linked({ state: "removed" }), scope: out("sourceDeleted"), target: found({ softDeleted: true }) },
      plan: { kind: "skip" },
    },
  ])("$name: $plan.kind", ({ view, jobs, plan }) =>
    expect(decide({ link: linked(), target: found(), ...view }, jobs)).toMatchObject(plan),
  );

  test("somebody without a link who is not found is not yet there", () => {
    expect(decide({ scope: { kind: "missing" } })).toEqual({ kind: "skip", because: "notFoundAtSource" });
  });
});

describe("an interrupted invitation", () => {
  const inviting = (since: number): Link => ({
    state: "inviting",
    userId: ADA_ID,
    jobId: "emea",
    address: "ada@emea.example",
    since,
  });
  const guest = (changes: Parameters<typeof adasGuest>[0], owner?: string): PersonView["target"] => ({
    kind: "candidates",
    candidates: [{ user: adasGuest({ stamp: null, createdAt: NOW - 299_000, ...changes }), owner }],
  });

  test.each<{ name: string; view: Partial<PersonView>; plan: Partial<Plan> }>([
    {
      name: "the index may not have seen it yet",
      view: { link: inviting(NOW - 60_000), target: guest({}) },
      plan: { kind: "confirm", afterMs: 240_000 },
    },
    {
      name: "the index may not have seen it yet, which came late",
      view: { link: { ...inviting(NOW - 900_000), writtenAt: NOW - 60_000 }, target: nobody },
      plan: { kind: "confirm", afterMs: 240_000 },
    },
    {
      name: "made",
      view: { link: inviting(NOW - 300_000), target: guest({}) },
      plan: { kind: "found", targetId: "t1" },
    },
    {
      name: "made, and taken by another of us who has not recorded it yet",
      view: { link: inviting(NOW - 300_000), target: guest({}, SELF.link) },
      plan: { kind: "found", targetId: "t1" },
    },
    { name: "not made", view: { link: inviting(NOW - 300_000), target: nobody }, plan: { kind: "forget" } },
    {
      name: "an older guest is not ours",
      view: { link: inviting(NOW - 300_000), target: guest({ createdAt: NOW - 9_000_000 }) },
      plan: { kind: "forget" },
    },
    {
      name: "somebody else's guest is not ours",
      view: { link: inviting(NOW - 300_000), target: guest({}, "x/y") },
      plan: { kind: "forget" },
    },
    {
      name: "left the scope meanwhile: found first, removed then",
      view: { link: inviting(NOW - 300_000), scope: out("sourceDeleted"), target: guest({}) },
      plan: { kind: "found" },
    },
  ])("$name: $plan.kind", ({ view, plan }) => expect(decide(view)).toMatchObject(plan));
});
