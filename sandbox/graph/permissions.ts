/** Application permissions by operation. Source: the permission tables of the Graph API pages. */
import type { Principal } from "./tokens.ts";

type Rows = readonly (readonly string[])[];
const any = (...permissions: string[]): Rows => permissions.map((permission) => [permission]);

export const READ_USERS = any("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All");
export const CREATE_USERS = any("User.ReadWrite.All", "Directory.ReadWrite.All");
/** Which properties may be written is decided for each of them. */
export const UPDATE_USERS = any(
  "User.ReadUpdate.All",
  "User.ReadWrite.All",
  "Directory.ReadWrite.All",
  "User.EnableDisableAccount.All",
  "User-Phone.ReadWrite.All",
  "User-Mail.ReadWrite.All",
  "User.ManageIdentities.All",
  "User-LifeCycleInfo.ReadWrite.All",
  "User-PasswordProfile.ReadWrite.All",
  "CustomSecAttributeAssignment.ReadWrite.All",
);
export const DELETE_USERS = any("User.DeleteRestore.All", "User.ReadWrite.All", "Directory.ReadWrite.All");
export const INVITE = any("User.Invite.All", "User.ReadWrite.All", "Directory.ReadWrite.All");
export const READ_GROUPS = any(
  "GroupMember.Read.All",
  "Group.Read.All",
  "GroupMember.ReadWrite.All",
  "Group.ReadWrite.All",
  "Directory.Read.All",
  "Directory.ReadWrite.All",
);
export const WRITE_GROUPS = any("Group.ReadWrite.All", "Directory.ReadWrite.All");
export const CREATE_GROUPS = any("Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All");
export const WRITE_MEMBERS = any("GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All");

const USER_READS = ["User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All"];
const GROUP_READS = ["GroupMember.Read.All", "Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All"];
/** Memberships of a user: the user and the groups must be readable. */
export const READ_MEMBERSHIPS: Rows = [
  ["Directory.Read.All"],
  ["Directory.ReadWrite.All"],
  ...USER_READS.flatMap((user) => GROUP_READS.map((group) => [user, group])),
];
export const READ_BIN = any(
  "User.Read.All",
  "User.ReadWrite.All",
  "User.DeleteRestore.All",
  "Group.Read.All",
  "Group.ReadWrite.All",
  "Directory.Read.All",
  "Directory.ReadWrite.All",
);
export const WRITE_BIN = any(
  "User.DeleteRestore.All",
  "User.ReadWrite.All",
  "Group.ReadWrite.All",
  "Directory.ReadWrite.All",
);
export const READ_OBJECTS = any("Directory.Read.All", "Directory.ReadWrite.All");
export const READ_APPLICATIONS = any(
  "Application.Read.All",
  "Application.ReadWrite.OwnedBy",
  "Application.ReadWrite.All",
  "Directory.Read.All",
  "Directory.ReadWrite.All",
);
export const WRITE_APPLICATIONS = any(
  "Application.ReadWrite.OwnedBy",
  "Application.ReadWrite.All",
  "Directory.ReadWrite.All",
);
export const READ_POLICIES = any("Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess");
export const READ_AUTHORIZATION = any("Policy.Read.All", "Policy.ReadWrite.Authorization");
export const WRITE_AUTHORIZATION = any("Policy.ReadWrite.Authorization");
export const WRITE_POLICIES = any("Policy.ReadWrite.CrossTenantAccess");
export const READ_SKUS = any(
  "LicenseAssignment.Read.All",
  "LicenseAssignment.ReadWrite.All",
  "Organization.Read.All",
  "Organization.ReadWrite.All",
  "Directory.Read.All",
  "Directory.ReadWrite.All",
);
export const READ_LICENCES = any(
  "LicenseAssignment.Read.All",
  "User.Read.All",
  "User.ReadWrite.All",
  "Directory.Read.All",
  "Directory.ReadWrite.All",
);
export const READ_ORGANIZATION = any(
  "Organization.Read.All",
  "Organization.ReadWrite.All",
  "Directory.Read.All",
  "Directory.ReadWrite.All",
  "User.Read.All",
);
export const READ_CONTACTS = any("OrgContact.Read.All", "Directory.Read.All", "Directory.ReadWrite.All");
/** Role assignments. */
export const READ_ROLES = any(
  "RoleManagement.Read.Directory",
  "RoleManagement.Read.All",
  "Directory.Read.All",
  "RoleManagement.ReadWrite.Directory",
  "Directory.ReadWrite.All",
);
export const READ_SIGN_INS = any("AuditLog.Read.All");
export const REVOKE_SESSIONS = any("User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All");
/** What is subscribed to decides; checked with the resource. */
export const SUBSCRIBE = any("User.Read.All", "Group.Read.All");
export const NOTHING: Rows = [[]];

/** What `*` stands for. */
export const EVERY_PERMISSION: readonly string[] = [
  ...new Set(
    [
      READ_USERS,
      UPDATE_USERS,
      DELETE_USERS,
      INVITE,
      READ_GROUPS,
      CREATE_GROUPS,
      WRITE_GROUPS,
      READ_APPLICATIONS,
      READ_POLICIES,
      READ_SKUS,
      READ_CONTACTS,
      READ_ROLES,
      READ_SIGN_INS,
      REVOKE_SESSIONS,
      SUBSCRIBE,
    ]
      .flat(2)
      .concat("Member.Read.Hidden"),
  ),
].sort();

export const permits = (principal: Principal, rows: Rows): boolean =>
  rows.some((row) => row.every((permission) => principal.roles.has(permission)));

export const hasAny = (principal: Principal, permissions: readonly string[]): boolean =>
  permissions.some((permission) => principal.roles.has(permission));
