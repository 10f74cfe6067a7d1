import * as z from "zod";
import type { Privilege, Reading, SignIn } from "../../domain/adoption.ts";
import { SyncError } from "../../domain/error.ts";
import type { Lane } from "../../ports/source-tenant.ts";
import type { GraphAnswer } from "./connection.ts";
import { errorDetail, type Gateway } from "./gateway.ts";
import type { SignInPace } from "./sign-in-pace.ts";

/**
 * What Graph says about whose guest somebody is, and what the guest may do. Each has a permission of its own, which an app
 * that adopts no redeemed guests does not need. Sources: Graph `organization-list.md`, `rbacapplication-list-roleassignments.md`,
 * `user-list-transitivememberof.md`, `signin-list.md`.
 */

const Organization = z.object({
  value: z.array(z.object({ verifiedDomains: z.array(z.object({ name: z.string() })) })),
});
const Assignments = z.object({ value: z.array(z.unknown()) });
const Memberships = z.object({
  value: z.array(z.looseObject({ "@odata.type": z.string().optional(), isAssignableToRole: z.boolean().nullish() })),
  "@odata.nextLink": z.string().optional(),
});
const SignIns = z.object({
  value: z.array(
    z.looseObject({
      createdDateTime: z.string(),
      homeTenantId: z.string().nullish(),
      status: z.looseObject({ errorCode: z.number().nullish() }).nullish(),
    }),
  ),
});

const SIGN_INS_MAX = 50;

export async function readVerifiedDomains(gateway: Gateway, lane: Lane): Promise<Reading<ReadonlySet<string>>> {
  const answer = await gateway.read(
    { method: "GET", path: "/organization?$select=id,verifiedDomains", aside: true },
    lane,
  );
  if (answer.status === 403) return { kind: "unreadable", tenant: "source", needs: "Organization.Read.All" };
  const { value } = parsed(gateway, Organization, answer);
  const names = value.flatMap(({ verifiedDomains }) => verifiedDomains.map(({ name }) => name.toLowerCase()));
  return { kind: "read", value: new Set(names) };
}

/** Role assignments tell those that are limited to a part of the directory too, which memberships do not. */
export async function readPrivilege(gateway: Gateway, targetId: string, lane: Lane): Promise<Reading<Privilege>> {
  const filter = encodeURIComponent(`principalId eq '${targetId}'`);
  const roles = {
    method: "GET",
    path: `/roleManagement/directory/roleAssignments?$filter=${filter}`,
    aside: true,
  } as const;
  const path = `/users/${targetId}/transitiveMemberOf?$select=id,isAssignableToRole&$top=999`;
  const [assigned, first] = await Promise.all([
    gateway.read(roles, lane),
    gateway.read({ method: "GET", path, aside: true }, lane),
  ]);
  if (assigned.status === 403) return { kind: "unreadable", tenant: "target", needs: "RoleManagement.Read.Directory" };
  if (first.status === 403) return { kind: "unreadable", tenant: "target", needs: "Group.Read.All" };
  if (parsed(gateway, Assignments, assigned).value.length > 0) return { kind: "read", value: "directoryRole" };
  let answer = first;
  for (;;) {
    const page = parsed(gateway, Memberships, answer);
    if (page.value.some((item) => item["@odata.type"] === "#microsoft.graph.directoryRole"))
      return { kind: "read", value: "directoryRole" };
    if (page.value.some(({ isAssignableToRole }) => isAssignableToRole === true))
      return { kind: "read", value: "roleAssignableGroup" };
    const next = page["@odata.nextLink"];
    if (!next) return { kind: "read", value: "none" };
    answer = await gateway.alone("read", { method: "GET", path: next });
  }
}

/** Attempts that failed prove nothing. */
export async function readSignIns(
  gateway: Gateway,
  pace: SignInPace,
  targetId: string,
  lane: Lane,
): Promise<Reading<readonly SignIn[]>> {
  const filter = encodeURIComponent(`userId eq '${targetId}' and status/errorCode eq 0`);
  const path = `/auditLogs/signIns?$filter=${filter}&$top=${SIGN_INS_MAX}`;
  pace.enter();
  const answer = await gateway.read({ method: "GET", path, aside: true }, lane).catch((error: unknown) => {
    if (error instanceof SyncError && error.blame === "pace") pace.refused(error.afterMs ?? 0);
    throw error;
  });
  pace.answered();
  if (answer.status === 403)
    return { kind: "unreadable", tenant: "target", needs: "AuditLog.Read.All and Entra ID P1" };
  const { value } = parsed(gateway, SignIns, answer);
  return {
    kind: "read",
    value: value
      .filter(({ status }) => status?.errorCode === 0)
      .map(({ homeTenantId, createdDateTime }) => ({
        homeTenantId: homeTenantId ?? undefined,
        at: Date.parse(createdDateTime),
      })),
  };
}

function parsed<T>({ tenantId }: Gateway, schema: z.ZodType<T>, { status, body }: GraphAnswer): T {
  const good = status >= 200 && status < 300 ? schema.safeParse(body) : undefined;
  if (good?.success) return good.data;
  throw new SyncError("TENANT_UNAVAILABLE", { tenantId, detail: `${status} ${errorDetail(body)}`, isolated: true });
}
