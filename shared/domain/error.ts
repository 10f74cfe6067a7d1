import type { SkipReason } from "./skip-reason.ts";

/**
 * Every error code of the product with its remedy. `blame` decides what happens next: `object` puts the person into escrow
 * and leaves everybody else alone; `tenant` opens that tenant's circuit; `pace` takes a later slot; `ours` is storage or bus.
 */
export interface ErrorEntry {
  blame: "object" | "tenant" | "pace" | "ours";
  /** `held`: nothing is wrong with the service, a rule or a person has to decide. */
  held?: true;
  meaning: string;
  remedy: string;
  /** What Entra's provisioning logs call it. Source: Entra `cross-tenant-synchronization-configure.md`, `how-provisioning-works.md`. */
  entra?: SkipReason;
}

export const ERRORS = {
  ADDRESS_CANNOT_BE_INVITED: {
    entra: "ImportSkipped",
    blame: "object",
    meaning: "The user has no address that Entra accepts in an invitation.",
    remedy:
      "Give the user a userPrincipalName (across clouds) or mail without the characters that invitations refuse (~ ! # $ % ^ & * ( ) + = [ ] { } \\ / | ; : \" ' < > ? ,), not starting or ending with . or -.",
  },
  MAPPING_FAILED: {
    blame: "object",
    meaning:
      "An attribute mapping of the job failed for this user; the log row names the target attribute and the reason.",
    remedy: "Try the user with `cross-cloud-sync map`, and mend the expression or the user's attributes.",
  },
  VALUE_TOO_LONG: {
    blame: "object",
    meaning: "A mapped value is longer than its target attribute; the log row names the attribute.",
    remedy: "Shorten the value at the source, or with `Left` in an expression. Nothing is cut by itself.",
  },
  VALUE_NOT_UNIQUE: {
    blame: "object",
    meaning:
      "Every value that `SelectUniqueValue` offers for this person is taken in the target; the log row names the attribute.",
    remedy: "Give the expression another rule, or make one of the values free in the target.",
  },
  EXTENSION_MISSING: {
    blame: "object",
    meaning: "A mapping writes a directory extension that the target tenant does not have.",
    remedy:
      "Declare it under `extensions` of the tenant with `create: true`, or create it on its app registration, or mend its name in the mapping.",
  },
  ADDRESS_REUSED: {
    entra: "EntryConflict",
    blame: "object",
    held: true,
    meaning: "The target has, or has in its recycle bin, a guest of this address that stands for another source user.",
    remedy:
      "Nobody inherits another person's guest: say who it is with `cross-cloud-sync links transfer` (`--same-person` or `--new-person`), purge the old guest in the target, or give the new person another address.",
  },
  TARGET_TAKEN: {
    entra: "DuplicateSourceEntries",
    blame: "object",
    held: true,
    meaning: "Another source user already owns this address or this target user.",
    remedy: "Make the address unique among the source tenants, or take one of the two people out of scope.",
  },
  AMBIGUOUS_MATCH: {
    entra: "DuplicateTargetEntries",
    blame: "object",
    held: true,
    meaning: "More than one user of the target matches the person.",
    remedy: "Remove the address, or the value that matches, from all users of the target but one.",
  },
  INTERNAL_USER_HAS_ADDRESS: {
    entra: "InvitationCreationFailureAmbiguousUser",
    blame: "object",
    held: true,
    meaning: "An internal user of the target has the address. Internal users are never matched.",
    remedy: "Remove the address from the internal user, or take the person out of scope.",
  },
  ADDRESS_IN_USE_IN_TARGET: {
    entra: "InvitationCreationFailureInvalidPropertyValue",
    blame: "object",
    meaning: "The target refused the address: a group, a contact or a user already has it.",
    remedy: "Remove the address from the other object of the target.",
  },
  GUEST_NOT_ADOPTED: {
    blame: "object",
    held: true,
    meaning:
      "The target has a guest of this address that this deployment did not make, and the job does not allow to take it over.",
    remedy:
      "Set `adopt` to `pending` if the guest has not accepted its invitation yet, to `redeemed` if it has, enable it if it is blocked, or remove the guest.",
  },
  GUEST_BOUND_ELSEWHERE: {
    blame: "object",
    held: true,
    meaning:
      "The target has a guest of this address that signs in with something else than an account of the source tenant: a one-time passcode, a personal account, another identity provider or another tenant. Such a guest is never taken over.",
    remedy:
      "Remove the guest in the target, so that the person gets one of their own, or let its administrators bind it to the source tenant.",
  },
  GUEST_NOT_PROVEN: {
    blame: "object",
    held: true,
    meaning:
      "The target has a redeemed guest of this address, and not all evidence that it belongs to this person is there; the log row names what is missing.",
    remedy:
      "Let the person sign in to the target once, set `adoptBy` to `resetRedemption`, or remove the guest in the target.",
  },
  GUEST_IS_PRIVILEGED: {
    blame: "object",
    held: true,
    meaning:
      "The guest has a directory role, or is in a group that can be given one. Such a guest is never taken over.",
    remedy: "Take the role or the membership away in the target, or take the person out of scope.",
  },
  EVIDENCE_UNREADABLE: {
    blame: "object",
    held: true,
    entra: "InsufficientRights",
    meaning: "The app may not read what proves whose guest this is; the log row names the permission.",
    remedy:
      "Grant the permission: AuditLog.Read.All, RoleManagement.Read.Directory and GroupMember.Read.All in the target, Organization.Read.All in the source. Or set `adopt` to `pending`.",
  },
  DUPLICATE_SOURCE: {
    blame: "object",
    held: true,
    entra: "DuplicateSourceEntries",
    meaning: "Another user of the same source tenant has the same address, and got the guest first.",
    remedy: "Make the address unique in the source tenant, or take one of the two people out of scope.",
  },
  TRANSFER_REFUSED: {
    blame: "object",
    meaning: "`links transfer` cannot do what was asked; nothing was changed.",
    remedy: "The answer says what is in the way.",
  },
  TRANSFER_UNFINISHED: {
    blame: "object",
    held: true,
    meaning: "`links transfer` was begun for this person and cannot be finished; the log row says why.",
    remedy: "Mend what the log row names; it is tried again by itself, and may be asked for again.",
  },
  TARGET_BLOCKED_THERE: {
    blame: "object",
    held: true,
    meaning: "An administrator of the target has blocked the guest. That is respected.",
    remedy: "Enable the user in the target tenant.",
  },
  TARGET_REMOVED_THERE: {
    entra: "InvalidAnchor",
    blame: "object",
    held: true,
    meaning: "The guest was removed in the target by somebody else. That is respected.",
    remedy: "Restore the user in the target tenant, or take the person out of scope and in again.",
  },
  TARGET_IS_ADMINISTRATOR: {
    blame: "object",
    held: true,
    meaning: "The linked target user holds a directory role. Nothing is written to administrators of the target.",
    remedy:
      "Take the role away in the target tenant, or take the person out of scope and look after the account there.",
  },
  TARGET_WITHOUT_LINK: {
    blame: "object",
    held: true,
    meaning: "A user of the target carries the stamp of this deployment, and no link knows it.",
    remedy: "Run `links rebuild` if tables were lost. Otherwise remove the user in the target, or its stamp.",
  },
  TABLES_LOST: {
    blame: "ours",
    meaning: "Our tables are gone or older than the target users that carry our stamps: nobody is created or removed.",
    remedy: "Restore the tables, or run `links rebuild`; what was rebuilt is observed for one full pass first.",
  },
  TARGET_NOT_EXTERNAL: {
    blame: "object",
    held: true,
    meaning: "The linked target user is not an external user any more.",
    remedy: "Take the person out of scope, or undo the conversion in the target.",
  },
  REMOVALS_STAGED: {
    entra: "TooManyDeletes",
    blame: "object",
    held: true,
    meaning: "The removal waits for a few minutes until everybody who is to be removed with it has been counted.",
    remedy: "Nothing: it goes on by itself unless the limits stop it. `cross-cloud-sync held list` shows who waits.",
  },
  REMOVALS_HELD: {
    entra: "TooManyDeletes",
    blame: "object",
    held: true,
    meaning: "More people would be removed than the job's limits allow. Nobody of them is, until somebody agrees.",
    remedy:
      "Find out why they left the scope: `cross-cloud-sync held list` and `held show`. If it is meant, `held approve`; if not, mend the cause and `held reject`.",
  },
  REMOVALS_REJECTED: {
    blame: "object",
    held: true,
    meaning: "Somebody has rejected this removal: the person stays until the cause changes.",
    remedy:
      "Bring the person back into scope, or mend the group or filter that put them out. Another cause is asked anew.",
  },
  CREATIONS_HELD: {
    blame: "object",
    held: true,
    meaning: "More people would be created than the job's limits allow. Nobody beyond them is, until somebody agrees.",
    remedy:
      "Look at who waits with `cross-cloud-sync held list` and `held show`, and `held approve` the set. For a first cycle set `firstCycle.expected` beforehand.",
  },
  TARGET_FULL: {
    blame: "object",
    held: true,
    meaning:
      "This deployment has as many users in the target as the target's administrators allow (`inbound.maxUsers`).",
    remedy:
      "Narrow the scope of the jobs, or ask the administrators of the target to widen `inbound.maxUsers`. Whoever waits is tried again when somebody has left.",
  },
  CREATIONS_REJECTED: {
    blame: "object",
    held: true,
    meaning: "Somebody has rejected this creation: the person is not invited until the rules change.",
    remedy: "Take the person out of the job's scope, or change the scope so that it says what is meant.",
  },
  JOB_PAUSED: {
    blame: "object",
    held: true,
    meaning: "Somebody has paused the job. Nothing is written for it, and nobody is removed.",
    remedy: "`cross-cloud-sync job start` goes on, and looks at everybody again.",
  },
  JOB_QUARANTINED: {
    blame: "object",
    held: true,
    meaning: "Too many people of this job fail. It is tried again after 6, 12 and 24 hours, and then once a day.",
    remedy: "Mend what the failures have in common (see the provisioning log), then `cross-cloud-sync job restart`.",
  },
  JOB_DISABLED: {
    blame: "object",
    held: true,
    meaning: "The job was in quarantine for 28 days.",
    remedy: "Mend what the failures have in common, then `cross-cloud-sync job restart`.",
  },
  INBOUND_INVITATIONS_BLOCKED: {
    blame: "tenant",
    held: true,
    meaning:
      "The target's settings block B2B collaboration from this source, or invitations altogether (`allowInvitesFrom` is `none`). The job pauses; people stay.",
    remedy:
      "Ask its administrators to allow it again. The job goes on by itself: within a sweep where the app may read the policy (`Policy.Read.All`), otherwise it tries once in half an hour.",
  },
  INBOUND_SYNC_NOT_ALLOWED: {
    blame: "tenant",
    held: true,
    meaning:
      "The target's administrators do not allow user synchronization from this source (`isSyncAllowed` is false). The job pauses; people stay.",
    remedy: "Ask them to allow it again in the cross-tenant access settings; the job goes on by itself within a sweep.",
  },
  SCOPE_GROUP_UNREADABLE: {
    blame: "object",
    held: true,
    meaning: "A scope group is missing, empty or hidden, so nobody is removed because of it.",
    remedy: "Correct the group in `sync.config.json`, give it members, or grant Member.Read.Hidden.",
  },
  CONTACT_HAS_ADDRESS: {
    blame: "object",
    meaning:
      "The guest was created, but it got none of its addresses: a contact of the target seems to have the address.",
    remedy: "Remove the contact from the target tenant if the guest is to be found by its address there.",
  },
  MAIL_DIFFERS_FROM_NAME: {
    blame: "object",
    meaning:
      "The user was created across clouds with a mail that is not the userPrincipalName at home, as the job maps it. Sign-in takes its hint from mail.",
    remedy: "Map `mail` from `userPrincipalName`, unless people have to be found by another address.",
  },
  SPONSOR_NOT_FOUND: {
    blame: "object",
    meaning: "The user was created, but the target does not know one of the job's sponsors.",
    remedy: "Correct `sponsors` of the job: object ids of users or groups of the target tenant.",
  },
  ITEM_UNREADABLE: {
    blame: "object",
    meaning:
      "A page of changes held an item that is not a user, or an attribute of a user has a form that is not known; all others went on.",
    remedy: "Nothing, if it happened once. Otherwise map another attribute, or report the item to Microsoft.",
  },
  MESSAGE_UNREADABLE: {
    blame: "ours",
    meaning: "A message on the bus is not one of ours, or of a newer version.",
    remedy: "Finish the roll-out; if the message came from elsewhere, remove it and close the door it came by.",
  },
  PAGE_GAVE_UP: {
    blame: "ours",
    meaning:
      "Going through a tenant has failed again and again at the same step; the log row names the tenant and the step.",
    remedy: "Look at the app's errors for this tenant. The timer goes on from where it stands: nothing is skipped.",
  },
  TARGET_REFUSED: {
    entra: "InsufficientRights",
    blame: "object",
    meaning: "The target tenant refused the write for this user.",
    remedy:
      "Look at the code that Graph gave. Users with an administrator role need rights that this app should not have.",
  },
  VALUE_REFUSED: {
    entra: "UnprocessableEntity",
    blame: "object",
    meaning: "The target tenant refused a value.",
    remedy: "Look at the property that Graph named, and correct the source value or the mapping.",
  },
  DIRECTORY_QUOTA_EXCEEDED: {
    entra: "AzureActiveDirectoryQuotaLimitExceeded",
    blame: "object",
    meaning: "The target tenant has reached its object quota.",
    remedy: "Delete objects in the target or ask Microsoft for a higher quota.",
  },
  KEEPS_FAILING: {
    blame: "object",
    meaning: "Looking at this user has failed again and again without an answer from Graph.",
    remedy: "Look at the app's errors for this user id.",
  },
  CONFIG_SUPERSEDED: {
    blame: "ours",
    meaning: "Another instance runs a newer configuration; this one writes nothing.",
    remedy: "Finish the roll-out. To go back to an earlier configuration, change SYNC_CONFIG_REVISION with it.",
  },
  KILL_SWITCH_ON: {
    blame: "ours",
    meaning: "Somebody has turned the kill switch on: nothing is written to any target.",
    remedy:
      "Work waits and goes on by itself. `cross-cloud-sync kill off` asks for the lifting; a second person approves it.",
  },
  TENANT_THROTTLED: {
    entra: "TooManyRequests",
    blame: "pace",
    meaning: "Graph asked to wait.",
    remedy: "Nothing: it goes on by itself.",
  },
  TENANT_UNAVAILABLE: {
    entra: "InternalServerError",
    blame: "tenant",
    meaning: "The tenant did not answer, or answered with an error of its own.",
    remedy: "Nothing, if Microsoft reports an outage. Otherwise check the network between the app and Graph.",
  },
  TENANT_APP_DISABLED: {
    entra: "Unauthorized",
    blame: "tenant",
    held: true,
    meaning:
      "The tenant's administrators have disabled our enterprise application: it gets no tokens (AADSTS7000112). The job pauses; people stay.",
    remedy: "Ask them to enable it again; the job goes on by itself within a sweep.",
  },
  TENANT_CONSENT_MISSING: {
    entra: "Unauthorized",
    blame: "tenant",
    meaning: "The tenant refused the app's token or its permissions.",
    remedy: "Check the credential, and grant admin consent for the permissions listed in the documentation.",
  },
  STAMP_ATTRIBUTE_MISSING: {
    entra: "SchemaAttributeNotFound",
    blame: "tenant",
    meaning: "The target tenant does not know the directory extension that names the source user.",
    remedy:
      "Create the extension property `syncSource` (String, User) on the app registration, or set `stampAttribute` to the one that exists.",
  },
  FOREIGN_LINK: {
    blame: "tenant",
    meaning:
      "A link to the next page, from an answer of Graph or from a row of ours, leads outside the tenant's Graph root. Nothing was sent, no token either.",
    remedy:
      "Treat it as an attack until it is explained: look at who can write to the tables, and at what stands between the app and Graph. Then `cross-cloud-sync job restart --reset Watermark`.",
  },
  STORAGE_UNAVAILABLE: {
    blame: "ours",
    meaning: "Table Storage did not answer.",
    remedy: "Look at the storage account.",
  },
  BUS_UNAVAILABLE: { blame: "ours", meaning: "Service Bus did not answer.", remedy: "Look at the namespace." },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** A failure with a code of the list. `detail` names codes and properties of Graph, never values or tokens. */
export class SyncError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  /** When it makes sense to try again, ms from now; known for throttling. */
  readonly afterMs: number | undefined;
  /** Whose failure it is, for blame `tenant` and `pace`. */
  readonly tenantId: string | undefined;
  /** The tenant answered others just before: what failed may be this person and not the tenant. */
  readonly isolated: boolean;

  constructor(
    code: ErrorCode,
    more: { detail?: string; afterMs?: number; tenantId?: string; isolated?: boolean; cause?: unknown } = {},
  ) {
    super(`${code}: ${ERRORS[code].meaning}${more.detail ? ` (${more.detail})` : ""}`, { cause: more.cause });
    this.name = "SyncError";
    this.code = code;
    this.detail = more.detail;
    this.afterMs = more.afterMs;
    this.tenantId = more.tenantId;
    this.isolated = more.isolated ?? false;
  }

  get blame(): ErrorEntry["blame"] {
    return ERRORS[this.code].blame;
  }
}

/** For `default:` of a switch over a union: a new kind does not compile until someone has decided about it. */
export function unreachable(value: never): never {
  throw new Error(`impossible: ${JSON.stringify(value)}`);
}
