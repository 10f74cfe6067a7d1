import type { SyncConfig } from "../shared/config/schema.ts";
import type { GraphTenants, TruthUser } from "./graph/api.ts";

type Tenants = Pick<GraphTenants, "tenants" | "truth">;
type JobConfig = SyncConfig["jobs"][number];

/** What a job does with guests that somebody else made; `pending` unless said, but never by itself in a government cloud. */
export function adoptionOf(job: JobConfig, config: SyncConfig): "none" | "pending" | "redeemed" {
  const cloud = config.tenants.find(({ name }) => name === job.target)?.cloud;
  return job.adopt ?? (cloud === "usGov" || cloud === "usGovDoD" ? "none" : "pending");
}

const isPending = (guest: TruthUser): boolean => guest.properties.externalUserState === "PendingAcceptance";

/** Issuers of `identities` beside the name that the guest has here. */
export function issuersOf(guest: TruthUser): readonly string[] {
  const { identities } = guest.properties;
  const items: readonly unknown[] = Array.isArray(identities) ? identities : [];
  return items.flatMap((item) => {
    const of = (name: string): unknown =>
      typeof item === "object" && item !== null ? Object.getOwnPropertyDescriptor(item, name)?.value : undefined;
    return of("signInType") === "userPrincipalName" ? [] : [String(of("issuer"))];
  });
}

/**
 * Whether a job may take over this guest, which somebody else made: told from the directories alone. `rebound`: the app has
 * just bound it anew, so that no sign-in has to be there.
 */
export function mayTakeOver(
  tenants: Tenants,
  config: SyncConfig,
  job: JobConfig,
  guest: TruthUser,
  rebound = job.adoptBy === "resetRedemption",
): boolean {
  const rule = adoptionOf(job, config);
  if (rule === "none" || !guest.accountEnabled || guest.deletedAt !== undefined) return false;
  if (isPending(guest)) return true;
  return rule === "redeemed" && isProven(tenants, config, job, guest, rebound);
}

/** An account of Entra ID alone, of the job's source as that tenant is today, of no administrator, who was seen here. */
function isProven(tenants: Tenants, config: SyncConfig, job: JobConfig, guest: TruthUser, rebound: boolean): boolean {
  const idOf = (name: string) => config.tenants.find((tenant) => tenant.name === name)?.id;
  const source = tenants.tenants.find(({ id }) => id === idOf(job.source));
  const target = tenants.tenants.find(({ id }) => id === idOf(job.target));
  if (!source || !target || (!rebound && guest.home?.tenant !== source.name)) return false;
  const issuers = issuersOf(guest);
  if (issuers.length !== 1 || issuers[0] !== "ExternalAzureAD") return false;
  const domains = [source.domain, source.initialDomain, ...(source.otherDomains ?? [])].map((name) =>
    name.toLowerCase(),
  );
  const domain = guest.invitedAddress?.split("@").at(-1)?.toLowerCase() ?? "";
  if (!domains.includes(domain)) return false;
  const truth = tenants.truth(target.name);
  const privileged = [...truth.groups()].some(
    ({ roleAssignable, memberIds }) => roleAssignable === true && memberIds.includes(guest.id),
  );
  if (guest.administrator === true || privileged) return false;
  if (rebound) return true;
  const seen = truth.signIns(guest.id).filter(({ errorCode }) => errorCode === 0);
  return seen.length > 0 && seen.every(({ homeTenantId }) => homeTenantId === source.id);
}
