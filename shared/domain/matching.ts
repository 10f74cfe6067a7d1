import type { CloudPair } from "./cloud.ts";
import type { ErrorCode } from "./error.ts";
import type { Job } from "./job.ts";
import { isExternal, type SourceUser, type TargetUser } from "./user.ts";

/** Characters that `POST /invitations` refuses. Source: Graph `invitation-post.md`; the apostrophe is how some clients print the quotation mark. */
const REFUSED = /[~!#$%^&*()+=[\]{}\\/|;:"'<>?,\s]/;

/** The address that a person is invited by: across clouds the userPrincipalName, otherwise mail and failing that the userPrincipalName. */
export function invitationAddress(user: SourceUser, clouds: CloudPair): string | undefined {
  const candidates = clouds.crossCloud ? [user.userPrincipalName] : [user.mail, user.userPrincipalName];
  return candidates.find((address): address is string => typeof address === "string" && canBeInvited(address));
}

export function canBeInvited(address: string): boolean {
  const [local, domain, ...rest] = address.split("@");
  if (!local || !domain || rest.length > 0 || REFUSED.test(address)) return false;
  return !/^[.-]|[.-]$/.test(local) && !/^[.-]|[.-]$/.test(domain) && domain.includes(".");
}

/** `{local}_{domain}#EXT#`: how the userPrincipalName of an invited user begins. Source: Entra `user-properties.md`. */
export function externalNamePrefix(address: string): string {
  return `${address.replace("@", "_")}#EXT#`;
}

/** A user of the target that has the address, with what ties it to somebody. */
export interface Candidate {
  user: TargetUser;
  /** The link that owns this target user or the address, as our tables say: `{sourceTenant}/{userId}`. */
  owner: string | undefined;
}

export type Match =
  | { kind: "none" }
  /** Ours: a stamp or a row names this very source user. */
  | { kind: "own"; user: TargetUser }
  | { kind: "adoptable"; user: TargetUser }
  | { kind: "held"; code: ErrorCode };

/** Whether a newcomer has a target user already. Mail and userPrincipalName are hints, never proof of who signs in. */
export function matchNewcomer(
  candidates: readonly Candidate[],
  self: { link: string; stamp: string },
  job: Job,
): Match {
  const own = candidates.find(({ user, owner }) => user.stamp === self.stamp || owner === self.link);
  if (own)
    return isExternal(own.user) ? { kind: "own", user: own.user } : { kind: "held", code: "TARGET_NOT_EXTERNAL" };
  if (candidates.some(({ user }) => !user.softDeleted && !isExternal(user))) {
    return { kind: "held", code: "INTERNAL_USER_HAS_ADDRESS" };
  }
  const tied = candidates.find(({ user, owner }) => owner !== undefined || user.stamp !== null);
  if (tied) return { kind: "held", code: sameSource(tied, self) ? "ADDRESS_REUSED" : "TARGET_TAKEN" };
  const live = candidates.filter(({ user }) => !user.softDeleted);
  const [only] = live;
  if (!only) return { kind: "none" };
  if (live.length > 1) return { kind: "held", code: "AMBIGUOUS_MATCH" };
  const pending = only.user.externalUserState === "PendingAcceptance" && only.user.accountEnabled;
  if (job.adopt === "pending" && pending) return { kind: "adoptable", user: only.user };
  return { kind: "held", code: "GUEST_NOT_ADOPTED" };
}

/** The other owner lives in the same source tenant: the address went from one person to another. */
function sameSource({ user, owner }: Candidate, self: { link: string; stamp: string }): boolean {
  const tenantOf = (name: string) => name.split("/").at(-2);
  const other = owner ?? user.stamp ?? "";
  return tenantOf(other) === tenantOf(self.link);
}
