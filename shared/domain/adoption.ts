import { externalNamePrefix } from "./address.ts";
import type { ErrorCode } from "./error.ts";
import type { Job } from "./job.ts";
import type { TargetUser } from "./user.ts";

/**
 * Whether a redeemed guest that somebody else invited may be taken over. Mail and userPrincipalName are hints, never proof
 * of who signs in: a guest of an address may be bound to a one-time passcode, to a personal account, or to a tenant that
 * owned the domain before. Graph does not show a guest's home account; what it does show is gathered here, and every
 * piece has to hold. Sources: Entra `user-properties.md`, `redemption-experience.md`, `reset-redemption-status.md`.
 */
export interface Evidence {
  /** Lower-case domains that the source tenant has verified today. */
  verifiedDomains: Reading<ReadonlySet<string>>;
  /** Another user of the source has the guest's address today. */
  addressIsShared: boolean;
  /** When the source user was created, ms since 1970. */
  sourceCreatedAt: number | undefined;
  privilege: Reading<Privilege>;
  /** Successful sign-ins of the guest; `undefined`: the job does not go by them. */
  signIns: Reading<readonly SignIn[]> | undefined;
}

export type Privilege = "none" | "directoryRole" | "roleAssignableGroup";

/** `unreadable`: Graph answered 403; no evidence is no adoption. */
export type Reading<T> =
  | { kind: "read"; value: T }
  | { kind: "unreadable"; tenant: "source" | "target"; needs: string };

export interface SignIn {
  homeTenantId: string | undefined;
  /** ms since 1970. */
  at: number;
}

/** What stands in the plan and in the log for a guest that is taken over. */
export const ADOPTED_BECAUSE = {
  own: "the user of the target carries our stamp or is recorded as this person's",
  pending: "an un-redeemed guest of exactly this address",
  signIn:
    "a redeemed guest: bound to Entra ID, domain verified at the source, no administrator, signed in from the source tenant",
  resetRedemption:
    "a redeemed guest: bound to Entra ID, domain verified at the source, no administrator, bound anew by resetRedemption",
} as const;
export type AdoptionGround = keyof typeof ADOPTED_BECAUSE;

export type Verdict =
  | { kind: "adoptable"; ground: AdoptionGround }
  /** The evidence has to be read before anything can be said. */
  | { kind: "wantsEvidence" }
  | { kind: "held"; code: ErrorCode; detail?: string };

/** Issuer of guests who sign in with an account of Entra ID, whichever tenant it is in. */
const ENTRA_ISSUER = "ExternalAzureAD";
/** Clocks of two services may differ by this much. */
const CLOCK_SKEW_MS = 120_000;

export interface Suspect {
  user: TargetUser;
  /** The address that the person would be invited by. */
  address: string;
  /** The attribute that the guest was found by; `undefined`: by its address. */
  foundBy: string | undefined;
}

/** A live external user that nothing ties to anybody. */
export function judgeGuest(
  suspect: Suspect,
  job: Pick<Job, "adopt" | "adoptBy" | "sourceTenantId">,
  evidence: Evidence | undefined,
): Verdict {
  const { user } = suspect;
  const issuers = user.identity?.federatedIssuers ?? [];
  if (issuers.some((issuer) => issuer !== ENTRA_ISSUER)) return held("GUEST_BOUND_ELSEWHERE", issuers.join(", "));
  if (job.adopt === "none" || !user.accountEnabled) return held("GUEST_NOT_ADOPTED");
  if (user.externalUserState === "PendingAcceptance") {
    return isOfAddress(suspect)
      ? { kind: "adoptable", ground: "pending" }
      : held("GUEST_NOT_ADOPTED", "another address");
  }
  if (job.adopt !== "redeemed") return held("GUEST_NOT_ADOPTED");
  if (issuers.length !== 1) return held("GUEST_NOT_PROVEN", `${issuers.length} federated identities`);
  if (job.adoptBy === "resetRedemption" && !hasAddress(suspect)) {
    return held("GUEST_NOT_PROVEN", "resetRedemption needs the address in mail or otherMails");
  }
  return evidence ? judgeEvidence(suspect, job, evidence) : { kind: "wantsEvidence" };
}

function judgeEvidence(suspect: Suspect, job: Pick<Job, "adoptBy" | "sourceTenantId">, evidence: Evidence): Verdict {
  const { user } = suspect;
  const { verifiedDomains, privilege, signIns } = evidence;
  for (const reading of [verifiedDomains, privilege, signIns]) {
    if (reading?.kind === "unreadable") return held("EVIDENCE_UNREADABLE", `${reading.needs} in the ${reading.tenant}`);
  }
  const domain = domainOf(addressOf(suspect));
  if (verifiedDomains.kind === "read" && !verifiedDomains.value.has(domain)) {
    return held("GUEST_NOT_PROVEN", "the domain of the address is not verified in the source tenant");
  }
  if (evidence.addressIsShared) return held("DUPLICATE_SOURCE");
  if (privilege.kind === "read" && privilege.value !== "none") return held("GUEST_IS_PRIVILEGED", privilege.value);
  const redeemedAt = user.identity?.redeemedAt;
  if (redeemedAt === undefined || evidence.sourceCreatedAt === undefined) {
    return held("GUEST_NOT_PROVEN", "nobody knows whether the person is older than the redemption");
  }
  if (evidence.sourceCreatedAt > redeemedAt + CLOCK_SKEW_MS) {
    return held("ADDRESS_REUSED", "the guest was redeemed before the person existed");
  }
  if (job.adoptBy === "resetRedemption") return { kind: "adoptable", ground: "resetRedemption" };
  return judgeSignIns(signIns?.kind === "read" ? signIns.value : [], job.sourceTenantId, redeemedAt);
}

/** Sign-ins before the redemption are those of whoever was bound before. */
function judgeSignIns(signIns: readonly SignIn[], sourceTenantId: string, redeemedAt: number): Verdict {
  const homes = new Set(
    signIns.filter(({ at }) => at >= redeemedAt - CLOCK_SKEW_MS).map(({ homeTenantId }) => homeTenantId?.toLowerCase()),
  );
  homes.delete(undefined);
  if (homes.size === 0) return held("GUEST_NOT_PROVEN", "no sign-in with its home tenant has been seen");
  const elsewhere = [...homes].some((home) => home !== sourceTenantId.toLowerCase());
  return elsewhere
    ? held("GUEST_BOUND_ELSEWHERE", "a sign-in from another home tenant")
    : { kind: "adoptable", ground: "signIn" };
}

/** The guest was invited by exactly this address. */
function isOfAddress({ user, address }: Suspect): boolean {
  const key = address.toLowerCase();
  const named = user.userPrincipalName.toLowerCase().startsWith(externalNamePrefix(key).toLowerCase());
  return named || user.mail?.toLowerCase() === key;
}

function hasAddress({ user, address }: Suspect): boolean {
  const key = address.toLowerCase();
  return [user.mail, ...user.otherMails].some((mail) => mail?.toLowerCase() === key);
}

/** The address that the guest is asked about: its own where it was found by something else. */
export const addressOf = ({ user, address, foundBy }: Suspect): string =>
  foundBy === undefined ? address : (user.mail ?? address);

const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

const held = (code: ErrorCode, detail?: string): Verdict => ({ kind: "held", code, ...(detail ? { detail } : {}) });
