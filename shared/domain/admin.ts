/** Who may do what over the admin API: an app role gives the verb, scopes of the configuration narrow it. */

/** App roles of the app registration; each of them may read. */
export const ADMIN_ROLES = ["Sync.Read", "Sync.Operate", "Sync.Approve"] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** One principal is narrowed to these targets and jobs; several entries add up. */
export interface AdminScope {
  /** Object id of a person or service principal. */
  principalId: string;
  /** `undefined`: every target. */
  targetTenantIds: readonly string[] | undefined;
  /** `undefined`: every job. */
  jobIds: readonly string[] | undefined;
}

/** Somebody who has proved who they are. */
export interface Principal {
  tenantId: string;
  objectId: string;
  appId: string | undefined;
  roles: ReadonlySet<AdminRole>;
  /** Empty: nothing is narrowed. */
  scopes: readonly AdminScope[];
}

/** What an act or a row is about. Without a target it is the whole deployment; without a job the whole target. */
export interface Subject {
  targetTenantId?: string | undefined;
  jobId?: string | undefined;
}

export const principalName = ({ tenantId, objectId }: Pick<Principal, "tenantId" | "objectId">): string =>
  `${tenantId}/${objectId}`;

/** Whether a principal's scope holds the subject as a whole. */
export function covers({ scopes }: Pick<Principal, "scopes">, { targetTenantId, jobId }: Subject): boolean {
  if (scopes.length === 0) return true;
  return scopes.some(
    ({ targetTenantIds, jobIds }) =>
      (targetTenantIds === undefined || (targetTenantId !== undefined && targetTenantIds.includes(targetTenantId))) &&
      (jobIds === undefined || (jobId !== undefined && jobIds.includes(jobId))),
  );
}

/** Whether anything about this target may be seen. */
export function touches({ scopes }: Pick<Principal, "scopes">, targetTenantId: string): boolean {
  return (
    scopes.length === 0 ||
    scopes.some(({ targetTenantIds }) => targetTenantIds === undefined || targetTenantIds.includes(targetTenantId))
  );
}

export function principalOf(
  caller: { tenantId: string; objectId: string; appId: string | undefined; roles: readonly string[] },
  scopes: readonly AdminScope[],
): Principal {
  const { tenantId, objectId, appId } = caller;
  return {
    tenantId,
    objectId,
    appId,
    roles: new Set(ADMIN_ROLES.filter((role) => caller.roles.includes(role))),
    scopes: scopes.filter(({ principalId }) => principalId === objectId),
  };
}
