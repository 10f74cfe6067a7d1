import type { Pair } from "../domain/job.ts";
import { graphUserType, type PersonView, type WritingPlan } from "../domain/plan.ts";
import type { AttributeValue, TargetUser } from "../domain/user.ts";
import { targetAttributes } from "./look.ts";
import type { World } from "./world.ts";

/**
 * What a link remembers of how its target user looked when the last decision was settled. A listing that shows the same is
 * an echo of ours, or of something that was seen and left alone; anything else is looked at.
 */

export const GONE = "gone";

type Shown = Pick<TargetUser, "accountEnabled" | "userType" | "stamp" | "attributes" | "softDeleted">;

/** Everything that jobs of this pair write, or that decides whether they may; managers are not in listings. */
export function showsOf(world: Pick<World, "hash">, pair: Pair, user: Shown): string {
  if (user.softDeleted) return GONE;
  const { accountEnabled, userType, stamp, attributes } = user;
  const values = targetAttributes(pair).map((name) => [name, plain(attributes[name])]);
  return world.hash(JSON.stringify([accountEnabled, userType, stamp, values])).slice(0, 22);
}

/** Delta leaves out what was never set. */
const plain = (value: AttributeValue | undefined): AttributeValue =>
  value === undefined || (Array.isArray(value) && value.length === 0) ? null : value;

/** What a decision without a write has seen; `undefined`: it did not look. */
export function shownBy(world: World, pair: Pair, { target }: PersonView): string | undefined {
  if (target.kind === "missing") return GONE;
  return target.kind === "found" ? showsOf(world, pair, target.user) : undefined;
}

/** What the target user looks like once the plan is written. */
export function showsAfter(world: World, pair: Pair, view: PersonView, plan: WritingPlan): string | undefined {
  if (plan.kind === "delete") return GONE;
  if (plan.kind === "create") {
    const userType = graphUserType(plan.job);
    const created = { accountEnabled: true, userType, stamp: view.self.stamp, attributes: {}, softDeleted: false };
    return showsOf(world, pair, changed(created, plan.wanted));
  }
  const before = seenAs(view, plan.targetId);
  return before && showsOf(world, pair, changed({ ...before, softDeleted: false }, plan.changes));
}

function seenAs({ target }: PersonView, targetId: string): TargetUser | undefined {
  if (target.kind === "found") return target.user;
  if (target.kind !== "candidates") return undefined;
  return target.candidates.find(({ user }) => user.id === targetId)?.user;
}

function changed(user: Shown, changes: Readonly<Record<string, AttributeValue>>): Shown {
  const { accountEnabled = user.accountEnabled, userType = user.userType, syncSource = user.stamp } = changes;
  return {
    accountEnabled: accountEnabled === true,
    userType: typeof userType === "string" ? userType : null,
    stamp: typeof syncSource === "string" ? syncSource : null,
    attributes: { ...user.attributes, ...changes },
    softDeleted: user.softDeleted,
  };
}
