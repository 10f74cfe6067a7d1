/**
 * B2B invitations. Sources: Graph `invitation-post.md`, `resources/invitation.md`; Entra `external-id/troubleshoot.md`,
 * `user-properties.md`. Where Microsoft documents no answer the choice is marked.
 */
import { cloudPair } from "../../shared/domain/cloud.ts";
import { lower, strings } from "./directory.ts";
import { referenceOf } from "./managers.ts";
import { conflict, denied, isRecord, notFound, ODataError, type Reply } from "./odata.ts";
import { alive, type Person } from "./people.ts";
import { hasAny, INVITE } from "./permissions.ts";
import { type Call, context, type Route, replicaTime, type Tenant } from "./runtime.ts";
import { checkObjectQuota } from "./user-writes.ts";

const REFUSED = /[~!#$%^&*()+=[\]{}\\/|;:"'<>?,\s]/;
const DOMAIN = /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;
const RESET = ["User.ReadWrite.All", "Directory.ReadWrite.All"];

const refused = (message: string) => new ODataError(400, "BadRequest", message);

interface Wanted {
  address: string;
  redirectUrl: string;
  displayName: string | undefined;
  userType: "Guest" | "Member";
  sendMessage: boolean;
  messageInfo: unknown;
  sponsorIds: readonly string[];
  /** The user whose redemption starts anew. */
  resetUserId: string | undefined;
}

function readInvitation(call: Call): Wanted {
  const { body, tenant } = call;
  if (!isRecord(body)) throw refused("Empty Payload. JSON content expected.");
  const address = body.invitedUserEmailAddress;
  if (typeof address !== "string" || address.trim() === "") throw refused("Invited user email address is required.");
  const redirectUrl = body.inviteRedirectUrl;
  if (typeof redirectUrl !== "string" || !/^https?:\/\/\S+$/.test(redirectUrl))
    throw refused("The required property 'inviteRedirectUrl' is missing or not a URL.");
  const userType = body.invitedUserType ?? "Guest";
  if (userType !== "Guest" && userType !== "Member")
    throw refused("Invalid value for property 'invitedUserType'. The value must be 'Guest' or 'Member'.");
  const sponsors = body["invitedUserSponsors@odata.bind"];
  // The published schema has this property in the Global cloud only.
  if ((sponsors !== undefined || body.invitedUserSponsors !== undefined) && tenant.cloud !== "global") {
    throw refused(
      "The property 'invitedUserSponsors' does not exist on type 'microsoft.graph.invitation'. Make sure to only use property names that are defined by the type.",
    );
  }
  const reset = body.resetRedemption === true;
  const invited = isRecord(body.invitedUser) ? body.invitedUser.id : undefined;
  if (reset && typeof invited !== "string")
    throw refused("The property 'invitedUser.id' is required when 'resetRedemption' is true.");
  const displayName = body.invitedUserDisplayName;
  return {
    address: address.trim(),
    redirectUrl,
    displayName: typeof displayName === "string" && displayName !== "" ? displayName : undefined,
    userType,
    sendMessage: body.sendInvitationMessage === true,
    messageInfo: body.invitedUserMessageInfo,
    sponsorIds: strings(sponsors).map((link) => referenceOf(tenant, { "@odata.id": link })),
    resetUserId: reset ? String(invited).toLowerCase() : undefined,
  };
}

/** Letters, digits, `_` anywhere; `.` and `-` but first or last. */
function checkAddress(address: string): void {
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  const ends = /^[.-]|[.-]$/;
  const wrong =
    at <= 0 ||
    REFUSED.test(local) ||
    local.includes("@") ||
    ends.test(local) ||
    !DOMAIN.test(domain) ||
    ends.test(domain);
  if (wrong) throw refused(`The invited user's email address is invalid. InvitedUserEmailAddress: ${address}`);
}

/** The tenant of this world that has verified the address's domain. */
function tenantOfDomain(tenant: Tenant, address: string): Tenant | undefined {
  const domain = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
  for (const other of tenant.world.tenants.values()) {
    if (other !== tenant && other.applications.verifiedDomains.includes(domain)) return other;
  }
  return undefined;
}

/** Whose account this is. Across clouds an address is known only as a userPrincipalName. Somebody in a recycle bin may come back to it. */
export function homeOf(tenant: Tenant, address: string): { tenant: string; userId: string } | undefined {
  return accountOf(tenant, address, true) ?? accountOf(tenant, address, false);
}

function accountOf(tenant: Tenant, address: string, live: boolean): { tenant: string; userId: string } | undefined {
  const key = address.toLowerCase();
  for (const other of tenant.world.tenants.values()) {
    if (other === tenant) continue;
    const pair = cloudPair(other.cloud, tenant.cloud);
    if ("refused" in pair) continue;
    const { people } = other.directory;
    for (const id of live ? people.candidates(key) : people.deleted) {
      const person = people.now(id);
      if (!person || alive(person.state) !== live || isExternal(person)) continue;
      const { userPrincipalName, mail } = person.state.properties;
      const name = lower(userPrincipalName);
      const unprefixed = live ? name : name?.replace(id.replaceAll("-", ""), ""); // the recycle bin puts the id in front
      if (unprefixed === key || (!pair.crossCloud && lower(mail) === key))
        return { tenant: other.spec.name, userId: id };
    }
  }
  return undefined;
}

const isExternal = (person: Person) =>
  person.state.properties.creationType === "Invitation" ||
  String(person.state.properties.userPrincipalName).toUpperCase().includes("#EXT#");

/** Refuses what the settings of the two organizations, or the pair of their clouds, do not allow. */
function checkSettings(tenant: Tenant, address: string): void {
  const home = tenantOfDomain(tenant, address);
  if (!home) return;
  const pair = cloudPair(home.cloud, tenant.cloud);
  const blocked = "refused" in pair || !tenant.policies.admits(home) || !home.policies.releasesTo(tenant);
  // Microsoft documents the text, not the status.
  if (blocked) {
    throw refused(
      "This invitation is blocked by cross-tenant access settings. Admins in both your organization and the invited user's organization must configure cross-tenant access settings to allow the invitation.",
    );
  }
}

/** Everybody here whom this address may mean. */
function holders(
  tenant: Tenant,
  address: string,
): { guests: Person[]; internal: Person | undefined; byProxy: boolean } {
  const key = address.toLowerCase();
  const guests: Person[] = [];
  let internal: Person | undefined;
  for (const id of tenant.directory.people.candidates(key)) {
    const person = tenant.directory.people.now(id);
    if (!person || !alive(person.state)) continue;
    const { mail, otherMails, userPrincipalName } = person.state.properties;
    const named = lower(mail) === key || lower(userPrincipalName) === key;
    if (isExternal(person)) {
      if (named || strings(otherMails).some((other) => lower(other) === key)) guests.push(person);
    } else if (named) internal = person;
  }
  const holder = tenant.directory.proxyHolder(key);
  const byProxy =
    holder !== undefined && holder.type !== "orgContact" && !guests.some((guest) => guest.id === holder.id);
  return { guests, internal, byProxy };
}

function invite(call: Call): Reply {
  const { tenant, principal } = call;
  const wanted = readInvitation(call);
  checkAddress(wanted.address);
  // Microsoft documents the text, not the status and the code.
  if (tenant.policies.allowInvitesFrom === "none") {
    throw new ODataError(
      403,
      "Authorization_RequestDenied",
      "Guest invitations not allowed for your company. Contact your company administrator for more details.",
    );
  }
  // Whether an app may invite members is not documented; the answer of a tenant that refuses it is chosen: 403 as elsewhere,
  // or what the service behind invitations was seen to say, github.com/MicrosoftDocs/azure-docs/issues/58360.
  const { memberInvitations } = tenant.spec;
  if (wanted.userType === "Member" && memberInvitations)
    throw memberInvitations === "refused"
      ? denied()
      : new ODataError(
          401,
          "Unauthorized",
          "Insufficient privileges to perform requested operation by the application.",
        );
  for (const id of wanted.sponsorIds) if (!tenant.directory.typeAt(id, Number.POSITIVE_INFINITY)) throw notFound(id);
  checkSettings(tenant, wanted.address);
  if (wanted.resetUserId !== undefined) return resetRedemption(call, wanted, wanted.resetUserId);

  const { guests, internal, byProxy } = holders(tenant, wanted.address);
  if (internal) {
    throw refused(
      `The invited user already exists in the directory as object ID: ${internal.id}. They can use that account to sign in to shared apps and resources.`,
    );
  }
  const [guest, second] = guests;
  if (guest && second) throw new ODataError(300, "MultipleChoices", "Multiple users match the invited email address.");
  if (guest) {
    if (guest.state.properties.accountEnabled === false) {
      throw new ODataError(412, "PreconditionFailed", "The invited user is blocked from signing in.");
    }
    return answer(call, wanted, guest);
  }
  if (byProxy) throw conflict("proxyAddresses");
  if (tenant.world.knobs.reinviteSoftDeleted === "conflict" && deletedGuest(tenant, wanted.address))
    throw conflict("userPrincipalName");
  checkObjectQuota(tenant);

  const id = createGuest(tenant, wanted, principal.clientId);
  const created = tenant.directory.people.now(id);
  if (!created) throw new Error("the new guest is missing");
  return answer(call, wanted, created);
}

function deletedGuest(tenant: Tenant, address: string): boolean {
  const key = address.toLowerCase();
  return tenant.directory.people.candidates(key).some((id) => {
    const person = tenant.directory.people.now(id);
    return person !== undefined && !alive(person.state) && lower(person.state.properties.mail) === key;
  });
}

/** `{local}_{domain}#EXT#@{initial domain}`; a name that is taken gets digits. */
function guestName(tenant: Tenant, address: string): string {
  const mangled = address.replace("@", "_");
  for (let n = 0; ; n++) {
    const name = `${mangled}${n === 0 ? "" : n}#EXT#@${tenant.spec.initialDomain}`;
    if (!tenant.directory.userByName(name, Number.POSITIVE_INFINITY)) return name;
  }
}

function createGuest(tenant: Tenant, wanted: Wanted, by: string): string {
  const { address } = wanted;
  const name = guestName(tenant, address);
  const now = new Date(tenant.world.clock.now()).toISOString().slice(0, 19);
  const byContact = tenant.directory.proxyHolder(address)?.type === "orgContact";
  const id = tenant.directory.createUser(
    {
      properties: {
        accountEnabled: true,
        creationType: "Invitation",
        displayName: wanted.displayName ?? address.slice(0, address.lastIndexOf("@")),
        externalUserState: "PendingAcceptance",
        externalUserStateChangeDateTime: `${now}Z`,
        identities: [{ signInType: "userPrincipalName", issuer: tenant.spec.initialDomain, issuerAssignedId: name }],
        mail: address,
        mailNickname: name.slice(0, name.lastIndexOf("@")),
        otherMails: [address],
        ...(byContact ? {} : { proxyAddresses: [`SMTP:${address}`] }),
        userPrincipalName: name,
        userType: wanted.userType,
      },
      home: homeOf(tenant, address),
      invitedAddress: address,
      sponsorIds: wanted.sponsorIds,
    },
    by,
  );
  if (tenant.world.knobs.automaticRedemption === "immediate") redeemIfAutomatic(tenant, id, by);
  return id;
}

/** Without a prompt only when the home releases and this tenant accepts automatically. */
function redeemIfAutomatic(tenant: Tenant, id: string, by: string): void {
  const home = tenant.directory.people.now(id)?.record?.home;
  const homeTenant = home && tenant.world.tenants.get(home.tenant);
  if (homeTenant && tenant.policies.redeemsFrom(homeTenant) && homeTenant.policies.releasesAutomatically(tenant))
    redeem(tenant, id, by);
}

/** The guest signs in for the first time, with an account of Entra ID unless another issuer is said. */
export function redeem(tenant: Tenant, id: string, by: string, issuer = "ExternalAzureAD"): void {
  const person = tenant.directory.people.now(id);
  if (!person) throw new Error(`there is no user ${id}`);
  const identities = Array.isArray(person.state.properties.identities) ? person.state.properties.identities : [];
  const kept = identities.filter((item) => isRecord(item) && item.signInType === "userPrincipalName");
  tenant.directory.updateUser(
    id,
    {
      externalUserState: "Accepted",
      externalUserStateChangeDateTime: `${new Date(tenant.world.clock.now()).toISOString().slice(0, 19)}Z`,
      identities: [{ signInType: "federated", issuer, issuerAssignedId: null }, ...kept],
    },
    by,
  );
}

function resetRedemption(call: Call, wanted: Wanted, userId: string): Reply {
  const { tenant, principal } = call;
  if (!hasAny(principal, RESET)) throw denied();
  const seen = tenant.directory.userAt(userId, replicaTime(tenant));
  const person = seen && tenant.directory.people.now(seen.id);
  if (!person || !alive(person.state)) throw notFound(userId);
  if (person.record?.administrator) throw denied();
  const { mail, otherMails } = person.state.properties;
  const key = wanted.address.toLowerCase();
  if (lower(mail) !== key && !strings(otherMails).some((other) => lower(other) === key)) {
    throw refused(
      "The email you're using to invite this user doesn't match any emails on the user object. Please add this email to the user object and try again.",
    );
  }
  const record = tenant.directory.people.record(userId);
  if (record) {
    record.home = homeOf(tenant, wanted.address);
    record.invitedAddress = wanted.address;
  }
  const identities = Array.isArray(person.state.properties.identities) ? person.state.properties.identities : [];
  tenant.directory.updateUser(
    userId,
    {
      externalUserState: "PendingAcceptance",
      externalUserStateChangeDateTime: `${new Date(call.now).toISOString().slice(0, 19)}Z`,
      identities: identities.filter((item) => isRecord(item) && item.signInType === "userPrincipalName"),
    },
    principal.clientId,
  );
  return answer(call, wanted, person);
}

function answer(call: Call, wanted: Wanted, person: Person): Reply {
  const { tenant } = call;
  const { id: tenantId } = tenant.spec;
  const ticket = tenant.chance.ids.uuid();
  const info = isRecord(wanted.messageInfo) ? wanted.messageInfo : {};
  return {
    status: 201,
    headers: { location: `${tenant.roots.graph}/v1.0/invitations/${ticket}` },
    body: {
      "@odata.context": context(tenant, "invitations/$entity"),
      id: ticket,
      inviteRedeemUrl: `${tenant.roots.login}/redeem?rd=${encodeURIComponent(`https://invitations.microsoft.com/redeem/?tenant=${tenantId}&user=${person.id}&ticket=${ticket}&ver=2.0`)}`,
      invitedUserDisplayName: wanted.displayName ?? null,
      invitedUserType: wanted.userType,
      invitedUserEmailAddress: wanted.address,
      sendInvitationMessage: wanted.sendMessage,
      resetRedemption: wanted.resetUserId !== undefined,
      inviteRedirectUrl: wanted.redirectUrl,
      status: "PendingAcceptance",
      invitedUserMessageInfo: {
        messageLanguage: info.messageLanguage ?? null,
        customizedMessageBody: info.customizedMessageBody ?? null,
        ccRecipients: info.ccRecipients ?? [{ emailAddress: { name: null, address: null } }],
      },
      invitedUser: { id: person.id, userPrincipalName: String(person.state.properties.userPrincipalName) },
    },
  };
}

export const INVITATION_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/invitations",
    cost: 1,
    write: true,
    quota: "identity",
    area: "invite",
    permissions: INVITE,
    handle: invite,
  },
];
