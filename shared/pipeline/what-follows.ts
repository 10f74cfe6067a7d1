import { type ErrorCode, unreachable } from "../domain/error.ts";
import type { ManagerChange, WritingPlan } from "../domain/plan.ts";
import type { LinkChange, StoredLink } from "./claims.ts";
import { managerNames, type Person, type Seen } from "./look.ts";
import { shownBy } from "./shows.ts";
import type { World } from "./world.ts";

/** What follows from a look and its plan for the row, the log and the quota, before anything is written. */

/** Who is in scope is so under these rules, and whatever was rejected is over. */
export function scopedBy({ pair }: Person, stored: StoredLink, { view: { now, scope, manager } }: Seen): LinkChange {
  if (scope.kind !== "in") return {};
  const { managerId, accountEnabled } = scope.user;
  const { state, rejected, blockedByUs } = stored?.value ?? {};
  const returns = state === "removed" || rejected !== undefined || (blockedByUs && accountEnabled);
  const known = managerId !== undefined && manager.kind === "set";
  return {
    scopedBy: pair.rulesHash,
    rejected: undefined,
    leaving: undefined,
    ...(returns ? { returned: now } : {}),
    manager: known ? managerNames(managerId, manager.targetId) : undefined,
  };
}

/** Seen and left as it is. */
export function whatShows(world: World, person: Person, look: Seen): LinkChange {
  const shows = shownBy(world, person.pair, look.view);
  return shows === undefined ? {} : { shows };
}

/** We wrote something else a moment ago, and the replica that was read may not know: what looks equal may not be. */
export function mayBeUnseen(world: World, stored: StoredLink, look: Seen): boolean {
  const { writtenAt, inputs } = stored?.value ?? {};
  return (
    writtenAt !== undefined &&
    inputs !== look.inputs &&
    look.view.now < writtenAt + world.settings.replicationAllowanceMs
  );
}

/** Across clouds sign-in takes its hint from the guest's mail. Source: Entra `cross-cloud-settings.md`. */
export function mailWarning({ pair }: Person, { view: { scope } }: Seen, plan: WritingPlan): ErrorCode | undefined {
  if (!pair.clouds.crossCloud || scope.kind !== "in" || plan.kind === "delete") return undefined;
  const { mail } = plan.kind === "create" ? plan.wanted : plan.changes;
  const differs = typeof mail === "string" && mail.toLowerCase() !== scope.user.userPrincipalName.toLowerCase();
  return differs ? "MAIL_DIFFERS_FROM_NAME" : undefined;
}

/** Writes to the target that a plan takes. */
export function costOf(plan: WritingPlan): number {
  const manager = ({ managerId }: { managerId: ManagerChange }) => (managerId === undefined ? 0 : 1);
  switch (plan.kind) {
    case "create":
      return 2 + manager(plan) + plan.job.sponsors.length;
    case "update":
      return (Object.keys(plan.changes).length > 0 ? 1 : 0) + manager(plan) + (plan.rebindBy === undefined ? 0 : 1);
    case "restore":
      return 2 + manager(plan);
    case "delete":
      return 1;
    default:
      return unreachable(plan);
  }
}
