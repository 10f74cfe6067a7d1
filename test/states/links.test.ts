import { expect, test } from "vitest";
import type { Link, LinkState } from "../../shared/domain/link.ts";
import { type PersonView, type Plan, planUser } from "../../shared/domain/plan.ts";
import type { OutReason, ScopeDecision } from "../../shared/domain/scope.ts";
import type { SourceUser, TargetUser } from "../../shared/domain/user.ts";
import { ADA_ID, ada, adasGuest, job, MOMENT, pair, SELF, SOURCE_ID } from "../domain/people.ts";
import { FINDINGS, type Finding, LINK_STATES, linkCell, stateAfter } from "./links.ts";

/** Every state of a link × everything that a look may find, asked of the one decision. */

const NOW = 10_000_000;
const ALLOWANCE_MS = 90_000;
const INDEX_MS = 300_000;
const RULES = { replicationAllowanceMs: ALLOWANCE_MS, indexAllowanceMs: INDEX_MS, secondReadingMs: 2_000 };

/** The row and the target as we left them, and the person in scope. */
function asLeft(state: LinkState): { link: Link; guest: TargetUser | undefined } {
  const link: Link = { state, userId: ADA_ID, jobId: "emea" };
  if (state === "none") return { link, guest: undefined };
  if (state === "inviting")
    return {
      link: { ...link, address: "ada@emea.example", since: NOW - INDEX_MS },
      guest: adasGuest({ stamp: null, createdAt: NOW - INDEX_MS + 1_000 }),
    };
  const guest = adasGuest(state === "invited" ? { stamp: null } : { softDeleted: state === "removed" });
  return { link: { ...link, targetId: guest.id }, guest };
}

interface Found {
  source?: Partial<SourceUser>;
  out?: OutReason;
  missing?: boolean;
  link?: Partial<Link>;
  /** How the target user is; `null`: nowhere. */
  guest?: Partial<TargetUser> | null;
  groupsHealthy?: boolean;
}

const LEFT: Found = { out: "notAssigned", link: { outSince: NOW - 2_000 } };
const OTHERS = `contoso/${SOURCE_ID}/bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb`;
const HOME: Partial<TargetUser> = { creationType: null, userPrincipalName: "ada@hub.example", stamp: null };

const FOUND: Readonly<Record<Finding, Found>> = {
  inScope: {},
  changed: { source: { attributes: { displayName: "Ada Lovelace", department: "Poetry" } } },
  disabled: { source: { accountEnabled: false } },
  enabledAgain: { link: { blockedByUs: true }, guest: { accountEnabled: false } },
  left: LEFT,
  filteredOut: { out: "filteredOut" },
  deleted: { out: "sourceDeleted" },
  notFoundOnce: { missing: true },
  notFoundTwice: { missing: true, link: { missingSince: NOW - ALLOWANCE_MS } },
  groupsUnreadable: { ...LEFT, groupsHealthy: false },
  jobGone: { ...LEFT, link: { jobId: "another", outSince: NOW - 2_000 } },
  changedThere: { guest: { attributes: { displayName: "Ada Lovelace", department: "Theirs" } } },
  blockedThere: { guest: { accountEnabled: false } },
  redeemedThere: { guest: { externalUserState: "Accepted" } },
  removedThere: { guest: { softDeleted: true } },
  restoredThere: { guest: { softDeleted: false } },
  missingThereOnce: { guest: null },
  missingThereTwice: { guest: null, link: { targetMissingSince: NOW - ALLOWANCE_MS } },
  takenThere: { guest: { stamp: OTHERS } },
  internalThere: { guest: HOME },
  administratorThere: { link: { administrator: NOW - 1_000 } },
  leftAndRemovedThere: { ...LEFT, guest: { softDeleted: true } },
  leftAndRestoredThere: { ...LEFT, guest: { softDeleted: false } },
};

function scopeOf({ source, out, missing }: Found): ScopeDecision {
  if (missing) return { kind: "missing" };
  if (out === "sourceDeleted") return { kind: "out", because: out };
  if (out) return { kind: "out", because: out, user: ada(source), assignedTo: [], leftAloneBy: [] };
  return { kind: "in", job: job(), user: ada(source) };
}

function planOf(state: LinkState, finding: Finding): Plan {
  const { link, guest } = asLeft(state);
  const found = FOUND[finding];
  // Whoever has no link may still find somebody there.
  const stands = found.guest === null ? undefined : (guest ?? (finding.endsWith("There") ? adasGuest() : undefined));
  const user = stands && { ...stands, ...found.guest };
  // The index may not have seen the invitation yet.
  const early = state === "inviting" && finding === "missingThereOnce" ? { since: NOW - 1_000 } : {};
  const linked: PersonView["target"] = user ? { kind: "found", user } : { kind: "missing" };
  const candidates = user ? [{ user, owner: undefined }] : [];
  return planUser(
    {
      now: NOW,
      link: { ...link, ...(state === "none" ? {} : found.link), ...early },
      scope: scopeOf(found),
      target: link.targetId ? linked : { kind: "candidates", candidates },
      manager: { kind: "leave" },
      groupsHealthy: found.groupsHealthy ?? true,
      moment: MOMENT,
      self: SELF,
    },
    { pair: pair(), ...RULES },
  );
}

function inWords(plan: Plan): string {
  if (plan.kind === "hold") return `hold ${plan.code}`;
  if (plan.kind === "keep" && plan.because === "TARGET_BLOCKED_THERE") return `keep ${plan.because}`;
  return plan.kind === "update" && plan.effect !== "update" ? `update ${plan.effect}` : plan.kind;
}

const cells = LINK_STATES.flatMap((state) =>
  FINDINGS.flatMap((finding) => {
    const cell = linkCell(state, finding);
    return "never" in cell ? [] : [{ state, finding, ...cell }];
  }),
);

test.each(cells)(
  "a look at a link that is $state finds $finding: $plan, then $next",
  ({ state, finding, plan, next }) => {
    const made = planOf(state, finding);
    expect(inWords(made)).toBe(plan);
    expect(stateAfter(state, made)).toBe(next);
  },
);

test("what cannot be found is said with a reason, and little of it", () => {
  const rest = FINDINGS.flatMap((finding) => LINK_STATES.map((state) => linkCell(state, finding)));
  expect(rest.filter((cell) => "never" in cell)).toHaveLength(LINK_STATES.length * FINDINGS.length - cells.length);
  expect(cells.length).toBeGreaterThan(100);
});
