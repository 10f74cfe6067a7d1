import { type AdoptionGround, type Evidence, judgeGuest, type Suspect } from "./adoption.ts";
import type { CloudPair } from "./cloud.ts";
import { type ErrorCode, unreachable } from "./error.ts";
import type { Job } from "./job.ts";
import type { AttributeMapping } from "./mapping/mapping.ts";
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

/** A user of the target who may be the person's, with what ties it to somebody. */
export interface Candidate {
  user: TargetUser;
  /** The link that owns this target user or the address, as our tables say: `{sourceTenant}/{userId}`. */
  owner: string | undefined;
  /** The attribute that the user was found by; absent: by its stamp or its address. */
  foundBy?: string;
  /**
   * What is known of whoever it is tied to: another source user who has the same address today, or somebody who is gone
   * and whose guest was given up for a new person.
   */
  tie?: "claimsAddress" | "released";
}

export type Match =
  | { kind: "none" }
  /** Ours: a stamp or a row names this very source user. */
  | { kind: "own"; user: TargetUser }
  | { kind: "adoptable"; user: TargetUser; ground: AdoptionGround }
  /** Only more reading about this guest can tell. */
  | { kind: "wantsEvidence"; suspect: Suspect }
  | { kind: "held"; code: ErrorCode; detail?: string };

export interface Newcomer {
  link: string;
  stamp: string;
  /** What the person would be invited by. */
  address: string;
}

/** Whether a newcomer has a target user already. Mail and userPrincipalName are hints, never proof of who signs in. */
export function matchNewcomer(
  all: readonly Candidate[],
  self: Newcomer,
  job: Pick<Job, "adopt" | "adoptBy" | "sourceTenantId">,
  evidence?: Evidence,
): Match {
  const candidates = all.filter(({ user, tie }) => !(tie === "released" && user.softDeleted));
  const own =
    candidates.find(({ user }) => user.stamp === self.stamp) ??
    candidates.find(({ user, owner }) => owner === self.link && !mustBeProvenAgain(user, job));
  if (own)
    return isExternal(own.user) ? { kind: "own", user: own.user } : { kind: "held", code: "TARGET_NOT_EXTERNAL" };
  if (candidates.some(({ user }) => !user.softDeleted && !isExternal(user))) {
    return { kind: "held", code: "INTERNAL_USER_HAS_ADDRESS" };
  }
  const tied = candidates.find(
    ({ user, owner }) => (owner !== undefined && owner !== self.link) || user.stamp !== null,
  );
  if (tied) return { kind: "held", code: tieCode(tied, self) };
  const live = candidates.filter(({ user }) => !user.softDeleted);
  const [only] = live;
  if (!only) return { kind: "none" };
  if (live.length > 1) return { kind: "held", code: "AMBIGUOUS_MATCH" };
  const suspect = { user: only.user, address: self.address, foundBy: only.foundBy };
  const verdict = judgeGuest(suspect, job, evidence);
  switch (verdict.kind) {
    case "adoptable":
      return { ...verdict, user: only.user };
    case "wantsEvidence":
      return { kind: "wantsEvidence", suspect };
    case "held":
      return verdict;
    default:
      return unreachable(verdict);
  }
}

/** Its row is taken before the guest is bound anew: who died in between has taken a guest that is still somebody's. */
function mustBeProvenAgain(user: TargetUser, job: Pick<Job, "adopt" | "adoptBy">): boolean {
  const unbound = user.stamp === null && !user.softDeleted && user.externalUserState !== "PendingAcceptance";
  return job.adopt === "redeemed" && job.adoptBy === "resetRedemption" && unbound;
}

/** Another owner in the same source tenant: two people with one address, or an address that went from one to another. */
function tieCode({ user, owner, tie }: Candidate, self: Newcomer): ErrorCode {
  if (tie === "claimsAddress") return "DUPLICATE_SOURCE";
  const tenantOf = (name: string) => name.split("/").at(-2);
  const other = owner ?? user.stamp ?? "";
  return tenantOf(other) === tenantOf(self.link) ? "ADDRESS_REUSED" : "TARGET_TAKEN";
}

/**
 * Properties of target users that `$filter` compares with `eq`, as an advanced query where it has to be. Source: Graph
 * `resources/user.md`, `aad-advanced-queries.md`.
 */
const FILTERABLE = new Set([
  "city",
  "companyName",
  "country",
  "department",
  "displayName",
  "employeeId",
  "employeeType",
  "faxNumber",
  "givenName",
  "jobTitle",
  "mail",
  "mailNickname",
  "mobilePhone",
  "officeLocation",
  "postalCode",
  "state",
  "streetAddress",
  "surname",
  "usageLocation",
]);

/** Whether guests can be looked for by this property. */
export const canBeMatched = (property: string): boolean =>
  FILTERABLE.has(property) ||
  /^onPremisesExtensionAttributes\.extensionAttribute([1-9]|1[0-5])$/.test(property) ||
  /^extension_[0-9a-f]{32}_\w+$/.test(property);

/** Mappings that match, in the order in which they are asked. */
export function matchingMappings(mappings: readonly AttributeMapping[]): readonly AttributeMapping[] {
  return mappings
    .filter(({ matchingPriority }) => (matchingPriority ?? 0) > 0)
    .sort((a, b) => (a.matchingPriority ?? 0) - (b.matchingPriority ?? 0));
}
