import { propertyOf } from "./boundary.ts";
import type { Job, Pair, Tenant } from "./job.ts";

/**
 * Application permissions of Microsoft Graph, feature by feature: what has to be granted in which tenant, and why. Nothing
 * is asked for that no feature in use needs. Sources: the permission tables of the Graph pages named in each line.
 */
export interface Permission {
  side: "source" | "target";
  permissions: readonly string[];
  /** What it is for, and when. */
  feature: string;
  /** The product does without it, and says what it cannot do then. */
  optional?: true;
  /** Page of the Graph API. */
  page: string;
  needed(job: Job, tenant: Tenant): boolean;
}

const always = () => true;
const writes = ({ actions }: Job): boolean => actions.create || actions.update;
const maps = (job: Job, pattern: RegExp): boolean =>
  writes(job) && job.mapper.targets.some((name) => pattern.test(name));
const reads = (job: Job, pattern: RegExp): boolean =>
  [...job.mapper.sources, ...(job.scope.filter?.attributes ?? []).map(propertyOf)].some((name) => pattern.test(name));
const redeems = ({ adopt }: Job): boolean => adopt === "redeemed";

export const PERMISSIONS: readonly Permission[] = [
  {
    side: "source",
    permissions: ["User.Read.All"],
    feature: "users, their changes and the subscription to them",
    page: "user-delta.md, subscription-post-subscriptions.md",
    needed: always,
  },
  {
    side: "source",
    permissions: ["GroupMember.Read.All", "Group.Read.All"],
    feature: "groups in `scope`: members and their changes; the subscription to groups asks for `Group.Read.All`",
    page: "group-delta.md, subscription-post-subscriptions.md",
    needed: ({ scope }) => scope.groups.length > 0,
  },
  {
    side: "source",
    permissions: ["Member.Read.Hidden"],
    optional: true,
    feature: "groups in `scope` whose membership is hidden; without it nobody is removed because of them",
    page: "group-list-members.md",
    needed: ({ scope }) => scope.groups.length > 0,
  },
  {
    side: "source",
    permissions: ["User-LifeCycleInfo.Read.All"],
    feature: "`employeeLeaveDateTime` in a mapping or filter",
    page: "user-get.md",
    needed: (job) => reads(job, /^employeeLeaveDateTime$/),
  },
  {
    side: "source",
    permissions: ["Organization.Read.All"],
    feature: "`adopt: redeemed`: domains that the source has verified",
    page: "organization-list.md",
    needed: redeems,
  },
  {
    side: "target",
    permissions: ["User.Read.All"],
    feature: "who is there already, and what they look like",
    page: "user-list.md",
    needed: always,
  },
  {
    side: "target",
    permissions: ["User.Invite.All"],
    feature: "`actions.create`: invitations",
    page: "invitation-post.md",
    needed: ({ actions }) => actions.create,
  },
  {
    side: "target",
    permissions: ["User.ReadWrite.All"],
    feature: "attributes, user type and the stamp; manager and sponsors; `adoptBy: resetRedemption`",
    page: "user-update.md, user-post-manager.md, user-post-sponsors.md",
    needed: writes,
  },
  {
    side: "target",
    permissions: ["User.EnableDisableAccount.All"],
    feature: "blocking sign-in and allowing it again",
    page: "user-update.md",
    needed: always,
  },
  {
    side: "target",
    permissions: ["User.DeleteRestore.All"],
    feature: "`actions.delete`: to the recycle bin, and back",
    page: "user-delete.md, directory-deleteditems-restore.md",
    needed: ({ actions }) => actions.delete,
  },
  {
    side: "target",
    permissions: ["User-LifeCycleInfo.ReadWrite.All"],
    feature: "`employeeLeaveDateTime` written by a mapping",
    page: "user-update.md",
    needed: (job) => maps(job, /^employeeLeaveDateTime$/),
  },
  {
    side: "target",
    permissions: ["RoleManagement.Read.Directory"],
    optional: true,
    feature: "people who were made administrators of the target are parked before Graph refuses them",
    page: "rbacapplication-list-roleassignments.md",
    needed: always,
  },
  {
    side: "target",
    permissions: ["Policy.Read.All"],
    optional: true,
    feature: "to notice that the target's administrators have closed it to a source",
    page: "crosstenantidentitysyncpolicypartner-get.md",
    needed: always,
  },
  {
    side: "target",
    permissions: ["RoleManagement.Read.Directory", "Group.Read.All"],
    feature: "`adopt: redeemed`: that a guest is no administrator",
    page: "rbacapplication-list-roleassignments.md, user-list-transitivememberof.md",
    needed: redeems,
  },
  {
    side: "target",
    permissions: ["AuditLog.Read.All"],
    feature: "`adopt: redeemed` by `adoptBy: signIn`: sign-ins with their home tenant; needs Entra ID P1 too",
    page: "signin-list.md",
    needed: (job) => redeems(job) && job.adoptBy === "signIn",
  },
  {
    side: "target",
    permissions: ["Application.ReadWrite.OwnedBy"],
    feature: "`extensions` with `create: true`, on the app's own registration, of which the app has to be an owner",
    page: "application-post-extensionproperty.md",
    needed: (_, { extensions }) => extensions.some(({ create }) => create),
  },
];

/** What has to be granted in every tenant, by its id; nothing that is optional. */
export function leastPermissions(pairs: readonly Pair[]): ReadonlyMap<string, readonly string[]> {
  const granted = new Map<string, Set<string>>();
  for (const { source, target, jobs } of pairs) {
    for (const { side, permissions, optional, needed } of PERMISSIONS) {
      const tenant = side === "source" ? source : target;
      if (optional || !jobs.some((job) => needed(job, tenant))) continue;
      const names = granted.get(tenant.id) ?? new Set();
      for (const name of permissions) names.add(name);
      granted.set(tenant.id, names);
    }
  }
  return new Map([...granted].map(([id, names]) => [id, [...names].sort()]));
}
