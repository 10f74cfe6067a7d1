import { type ErrorCode, unreachable } from "../domain/error.ts";
import type { Job } from "../domain/job.ts";
import { type Cause, creationCause, removalCause, type Verdict } from "../domain/limits.ts";
import { type Plan, type PlanRules, safetyBlock, stays, type WritingPlan, waitingBlock } from "../domain/plan.ts";
import type { LinkChange, StoredLink } from "./claims.ts";
import type { LimitDesk } from "./limits.ts";
import type { Person, Seen } from "./look.ts";

/** `waits`: not now. With `afterMs` it goes on by itself, otherwise somebody has to decide, or has decided. */
export type Admission = { kind: "go" } | { kind: "waits"; code: ErrorCode; afterMs?: number; change: LinkChange };

/** Asks the limits of the job about a removal or a creation; anything else goes. */
export async function admit(
  limits: LimitDesk,
  person: Person,
  stored: StoredLink,
  look: Seen,
  plan: WritingPlan,
  job: Job | undefined,
): Promise<Admission> {
  const { pair, userId } = person;
  if (!job) return { kind: "go" };
  if (plan.kind === "create") return asked("creations", creationCause(pair.rulesHash));
  const because = removalReason(plan, look);
  return because === undefined
    ? { kind: "go" }
    : asked("removals", removalCause(because, stored?.value, pair.rulesHash));

  async function asked(kind: "removals" | "creations", cause: Cause): Promise<Admission> {
    if (stored?.value.rejected === cause.key) return rejected(kind, cause);
    const verdict = await limits.ask(pair, job as Job, kind, { userId, cause });
    return admissionOf(kind, cause, verdict);
  }
}

function admissionOf(kind: "removals" | "creations", cause: Cause, verdict: Verdict): Admission {
  switch (verdict.kind) {
    case "go":
      return verdict;
    case "staged":
      return { kind: "waits", code: "REMOVALS_STAGED", afterMs: verdict.afterMs, change: {} };
    case "held":
      return { kind: "waits", code: kind === "removals" ? "REMOVALS_HELD" : "CREATIONS_HELD", change: {} };
    case "rejected":
      return rejected(kind, cause);
    default:
      return unreachable(verdict);
  }
}

const rejected = (kind: "removals" | "creations", cause: Cause): Admission => ({
  kind: "waits",
  code: kind === "removals" ? "REMOVALS_REJECTED" : "CREATIONS_REJECTED",
  change: { rejected: cause.key },
});

/** Why the plan takes somebody away. A block that follows from a disabled account is no removal: it is never stopped. */
function removalReason(plan: WritingPlan, { view: { scope } }: Seen): string | undefined {
  if (plan.kind === "delete") return plan.because;
  const blocks = plan.kind === "update" && plan.effect === "disable";
  return blocks && scope.kind === "out" && scope.user?.accountEnabled !== false ? scope.because : undefined;
}

/** A block that follows from a disabled account: written also while the job is in quarantine, or tables are lost. */
export const isSafetyBlock = (plan: WritingPlan, look: Seen): boolean =>
  plan.kind === "update" && plan.effect === "disable" && removalReason(plan, look) === undefined;

/** What is written although the removal waits: sign-in follows the source, or is blocked meanwhile if the job says so. */
export function meanwhile(
  { code }: Admission & { kind: "waits" },
  { view }: Seen,
  rules: PlanRules,
  job: Job,
  planned: WritingPlan,
): WritingPlan | undefined {
  if (planned.kind === "create") return undefined;
  const block = safetyBlock(view, job);
  if (block) return block;
  if (code === "REMOVALS_REJECTED") return update(stays(view, rules, job, "asWished"));
  return job.limits.whileHeld === "block" ? waitingBlock(view, job) : undefined;
}

const update = (plan: Plan): WritingPlan | undefined =>
  plan.kind === "update" ? { ...plan, unsettled: true } : undefined;
