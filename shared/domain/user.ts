/** What Graph gives for one property of a user. `null`: the property is empty. */
export type AttributeValue = string | number | boolean | readonly string[] | null;
/** By Graph property name; nested ones with a dot (`employeeOrgData.division`). */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A user as the source tenant shows it, with the attributes that the jobs ask for. */
export interface SourceUser {
  id: string;
  userPrincipalName: string;
  mail: string | null;
  userType: string | null;
  /** `Invitation` and the like for users who sign in elsewhere, `null` for the tenant's own. */
  creationType: string | null;
  accountEnabled: boolean;
  managerId: string | undefined;
  attributes: Attributes;
}

/** A user as the target tenant shows it. */
export interface TargetUser {
  id: string;
  userPrincipalName: string;
  mail: string | null;
  otherMails: readonly string[];
  userType: string | null;
  creationType: string | null;
  externalUserState: string | null;
  accountEnabled: boolean;
  /** ms since 1970. */
  createdAt: number;
  managerId: string | undefined;
  /** Our directory extension: which source user this one stands for. */
  stamp: string | null;
  attributes: Attributes;
  /** In the target's recycle bin (30 days). */
  softDeleted: boolean;
  /** Whose account it is, as far as Graph says; present where it was asked for. */
  identity?: {
    /** Of `identities` beside the userPrincipalName: `ExternalAzureAD`, `mail`, `MicrosoftAccount`, `google.com`, … */
    federatedIssuers: readonly string[];
    /** When `externalUserState` last changed, ms since 1970. */
    redeemedAt: number | undefined;
  };
}

/** Users whose home is this tenant: not invited from elsewhere and not named as such. */
export function isInternalMember(user: Pick<SourceUser, "userType" | "creationType" | "userPrincipalName">): boolean {
  return !isExternal(user) && user.userType === "Member";
}

/** Signs in elsewhere. `#EXT#` marks the name of every invited user. Source: Entra `user-properties.md`. */
export function isExternal(user: { creationType: string | null; userPrincipalName: string }): boolean {
  return user.creationType === "Invitation" || user.userPrincipalName.toUpperCase().includes("#EXT#");
}
