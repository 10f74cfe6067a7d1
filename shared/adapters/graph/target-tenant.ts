import * as z from "zod";
import { externalNamePrefix } from "../../domain/address.ts";
import type { Privilege, Reading, SignIn } from "../../domain/adoption.ts";
import { type ErrorCode, SyncError } from "../../domain/error.ts";
import type { Attributes, TargetUser } from "../../domain/user.ts";
import type { Writable } from "../../domain/writable.ts";
import type { Lane } from "../../ports/source-tenant.ts";
import type {
  AttributeNames,
  Holder,
  Invitation,
  Invited,
  TargetTenant,
  WriteCall,
} from "../../ports/target-tenant.ts";
import type { GraphAnswer, GraphCall } from "./connection.ts";
import { extensionsRefused } from "./extensions.ts";
import { errorDetail, type Gateway } from "./gateway.ts";
import { readPrivilege, readSignIns } from "./guest-evidence.ts";
import { readHolders } from "./holders.ts";
import { SignInPace } from "./sign-in-pace.ts";
import { createdAtOf, EXPAND_MANAGER, IDENTITY, patchOf, selectOf, targetUserOf } from "./users.ts";

/** So many refusals of different people in a row are not about the people: the tenant has withdrawn its consent. */
const REFUSALS_IN_A_ROW = 3;
/** Deleted objects can be filtered with the header and the count of advanced queries. */
const ADVANCED = { ConsistencyLevel: "eventual" };
const QUOTA_EXCEEDED = "Directory_QuotaExceeded";
const NOBODY_INVITES = /invitations (?:are )?not allowed/i;
const Page = z.object({ value: z.array(z.unknown()) });
const Created = z.object({
  createdDateTime: z.iso.datetime().nullish(),
  proxyAddresses: z.array(z.string()).nullish(),
});

export class GraphTargetTenant implements TargetTenant {
  private readonly gateway: Gateway;
  private readonly root: string;
  private readonly stampAttribute: string;
  private readonly signInPace: SignInPace;
  private refusals = 0;
  /** The same of invitations, which have a permission and a policy of their own. */
  private invitationsRefused = 0;
  /** The tenant has refused to let this app invite members. */
  private invitesGuestsOnly = false;

  constructor(gateway: Gateway, root: string, stampAttribute: string) {
    this.gateway = gateway;
    this.root = root;
    this.stampAttribute = stampAttribute;
    this.signInPace = new SignInPace(gateway.tenantId, gateway.now);
  }

  async read(targetId: string, attributes: AttributeNames, lane: Lane): Promise<TargetUser | undefined> {
    const select = this.select(attributes);
    const live = await this.gateway.read(
      { method: "GET", path: `/users/${encodeURIComponent(targetId)}?$select=${select}&${EXPAND_MANAGER}` },
      lane,
    );
    if (live.status !== 404) return this.user(this.found(live), attributes, false);
    const deleted = await this.gateway.read(
      { method: "GET", path: `/directory/deletedItems/${encodeURIComponent(targetId)}?$select=${select}` },
      lane,
    );
    return deleted.status === 404 ? undefined : this.user(this.found(deleted), attributes, true);
  }

  async find(
    address: string | undefined,
    stamp: string,
    attributes: AttributeNames,
    lane: Lane,
  ): Promise<readonly TargetUser[]> {
    const filters = [`${this.stampAttribute} eq ${quoted(stamp)}`, ...(address ? [addressFilter(address)] : [])];
    const select = `${this.select(attributes)},${IDENTITY}`;
    const pages = await Promise.all(
      filters.flatMap((filter) => [
        this.page(`/users?$filter=${encodeURIComponent(filter)}&$select=${select}&${EXPAND_MANAGER}`, undefined, lane),
        this.page(
          `/directory/deletedItems/microsoft.graph.user?$count=true&$filter=${encodeURIComponent(filter)}&$select=${select}`,
          ADVANCED,
          lane,
        ),
      ]),
    );
    const users = new Map<string, TargetUser>();
    for (const [index, items] of pages.entries()) {
      for (const item of items) {
        const user = this.user(item, attributes, index % 2 === 1);
        if (!users.get(user.id)?.softDeleted || !user.softDeleted) users.set(user.id, user);
      }
    }
    return [...users.values()];
  }

  async findBy(
    attribute: string,
    value: string,
    attributes: AttributeNames,
    lane: Lane,
  ): Promise<readonly TargetUser[]> {
    const filter = encodeURIComponent(`${attribute.replace(".", "/")} eq ${quoted(value)}`);
    const path = `/users?$count=true&$filter=${filter}&$select=${this.select(attributes)},${IDENTITY}`;
    const items = await this.page(path, ADVANCED, lane);
    return items.map((item) => this.user(item, attributes, false));
  }

  holders(attribute: string, values: readonly string[], lane: Lane): Promise<readonly Holder[]> {
    const readPage = (path: string, advanced: boolean) => this.page(path, advanced ? ADVANCED : undefined, lane);
    return readHolders(this.gateway.tenantId, readPage, attribute, values);
  }

  privilegeOf(targetId: string, lane: Lane): Promise<Reading<Privilege>> {
    return readPrivilege(this.gateway, targetId, lane);
  }

  signInsOf(targetId: string, lane: Lane): Promise<Reading<readonly SignIn[]>> {
    return readSignIns(this.gateway, this.signInPace, targetId, lane);
  }

  async resetRedemption(
    target: Writable,
    { address, redirectUrl }: Pick<Invitation, "address" | "redirectUrl">,
    call: WriteCall,
  ): Promise<"done" | "missing"> {
    const body = {
      invitedUserEmailAddress: address,
      inviteRedirectUrl: redirectUrl,
      sendInvitationMessage: false,
      invitedUser: { id: this.idOf(target) },
      resetRedemption: true,
    };
    const answer = await this.write({ method: "POST", path: "/invitations", body }, call);
    if (answer.status === 404) return "missing";
    this.accepted(answer, "GUEST_NOT_PROVEN");
    return "done";
  }

  async invited(
    targetId: string,
    lane: Lane,
  ): Promise<{ createdAt: number; addresses: readonly string[] } | undefined> {
    const path = `/users/${encodeURIComponent(targetId)}?$select=createdDateTime,proxyAddresses`;
    const answer = await this.gateway.read({ method: "GET", path }, lane);
    if (answer.status === 404) return undefined;
    const parsed = Created.safeParse(this.found(answer));
    if (!parsed.success) throw this.strange("a user without the documented form");
    const { createdDateTime, proxyAddresses } = parsed.data;
    return { createdAt: createdAtOf(createdDateTime), addresses: proxyAddresses ?? [] };
  }

  /**
   * Whether an app may invite members is not documented: where it may not, people are invited as guests. Sponsors who are
   * unknown here refuse the whole invitation, which then goes without them. Source: Graph `invitation-post.md`.
   */
  async invite(invitation: Invitation, call: WriteCall): Promise<Invited> {
    let userType = this.invitesGuestsOnly ? "guest" : invitation.userType;
    let sponsors = invitation.sponsors;
    for (;;) {
      const answer = await this.write(this.invitationCall({ ...invitation, userType, sponsors }), call);
      if (isRefusal(answer) && userType === "member" && !isQuota(answer)) {
        userType = "guest";
        continue;
      }
      if (answer.status === 404 && sponsors.length > 0) {
        sponsors = [];
        continue;
      }
      this.refuseIfBlocked(answer);
      const targetId = this.invitedId(this.accepted(answer, "ADDRESS_IN_USE_IN_TARGET"));
      this.invitesGuestsOnly = userType !== invitation.userType;
      return { targetId, userType, hasSponsors: sponsors.length > 0 };
    }
  }

  /**
   * Nobody may invite: says the text, or that several people in a row were refused. The status is not documented.
   * Source: Entra `external-id/troubleshoot.md`, `authorizationpolicy.md`.
   */
  private refuseIfBlocked(answer: GraphAnswer): void {
    const { status, body } = answer;
    if (status >= 200 && status < 300) this.invitationsRefused = 0;
    const detail = `${status} ${errorDetail(body)}`;
    const says = (status === 400 || isRefusal(answer)) && NOBODY_INVITES.test(messageOf(body));
    const refused = isRefusal(answer) && !detail.includes(QUOTA_EXCEEDED);
    if (!says && !(refused && ++this.invitationsRefused >= REFUSALS_IN_A_ROW)) return;
    throw new SyncError("INBOUND_INVITATIONS_BLOCKED", { tenantId: this.gateway.tenantId, detail });
  }

  private invitationCall({ address, displayName, redirectUrl, userType, sponsors }: Invitation): GraphCall {
    const body = {
      invitedUserEmailAddress: address,
      ...(displayName === undefined ? {} : { invitedUserDisplayName: displayName }),
      inviteRedirectUrl: redirectUrl,
      invitedUserType: userType === "member" ? "Member" : "Guest",
      sendInvitationMessage: false,
      ...(sponsors.length === 0 ? {} : { "invitedUserSponsors@odata.bind": sponsors.map((id) => this.objectUrl(id)) }),
    };
    return { method: "POST", path: "/invitations", body };
  }

  private invitedId(body: unknown): string {
    const invited = z.object({ invitedUser: z.object({ id: z.string() }) }).safeParse(body);
    if (invited.success) return invited.data.invitedUser.id;
    throw this.strange("an invitation without its user");
  }

  /** Users and groups alike. */
  private readonly objectUrl = (id: string): string => `${this.root}/v1.0/directoryObjects/${id}`;

  async update(target: Writable, changes: Attributes, call: WriteCall): Promise<"done" | "missing"> {
    return this.change(
      { method: "PATCH", path: `/users/${this.idOf(target)}`, body: patchOf(changes, this.stampAttribute) },
      call,
    );
  }

  async setManager(target: Writable, managerId: string | null, call: WriteCall): Promise<"done" | "missing"> {
    const path = `/users/${this.idOf(target)}/manager/$ref`;
    if (managerId !== null) {
      const body = { "@odata.id": `${this.root}/v1.0/users/${managerId}` };
      return this.change({ method: "PUT", path, body }, call);
    }
    await this.change({ method: "DELETE", path }, call); // 404: there is none
    return "done";
  }

  /** In every cloud. A sponsor whom the user has already is refused as a reference that exists. Source: Graph `user-post-sponsors.md`. */
  async addSponsor(target: Writable, sponsorId: string, call: WriteCall): Promise<"done" | "missing"> {
    const body = { "@odata.id": this.objectUrl(sponsorId) };
    const answer = await this.write({ method: "POST", path: `/users/${this.idOf(target)}/sponsors/$ref`, body }, call);
    if (answer.status === 404) return "missing";
    if (answer.status === 400 && REFERENCE_EXISTS.test(messageOf(answer.body))) return "done";
    this.accepted(answer, "VALUE_REFUSED");
    return "done";
  }

  async softDelete(target: Writable, call: WriteCall): Promise<"done" | "missing"> {
    return this.change({ method: "DELETE", path: `/users/${this.idOf(target)}` }, call);
  }

  async restore(target: Writable, call: WriteCall): Promise<"done" | "missing"> {
    return this.change({ method: "POST", path: `/directory/deletedItems/${this.idOf(target)}/restore` }, call);
  }

  /** Before any call. */
  private idOf(target: Writable): string {
    return target.in(this.gateway.tenantId);
  }

  private async change(graphCall: GraphCall, call: WriteCall): Promise<"done" | "missing"> {
    const answer = await this.write(graphCall, call);
    if (answer.status === 404) return "missing";
    this.accepted(answer, "VALUE_REFUSED");
    return "done";
  }

  private write(graphCall: GraphCall, call: WriteCall): Promise<GraphAnswer> {
    return this.gateway.write(graphCall, call.lane, call.signal);
  }

  /** The body of a 2xx; otherwise what the refusal says about this user. */
  private accepted(answer: GraphAnswer, otherwise: ErrorCode): unknown {
    const { status, body } = answer;
    if (status >= 200 && status < 300) {
      this.refusals = 0;
      return body;
    }
    const extensions = extensionsRefused(body);
    if (extensions) throw new SyncError("EXTENSION_MISSING", { detail: extensions });
    const detail = `${status} ${errorDetail(body)}`;
    if (!isRefusal(answer)) throw new SyncError(otherwise, { detail });
    if (detail.includes(QUOTA_EXCEEDED)) throw new SyncError("DIRECTORY_QUOTA_EXCEEDED", { detail });
    if (++this.refusals < REFUSALS_IN_A_ROW) throw new SyncError("TARGET_REFUSED", { detail });
    throw new SyncError("TENANT_CONSENT_MISSING", { tenantId: this.gateway.tenantId, detail });
  }

  private async page(
    path: string,
    headers: Readonly<Record<string, string>> | undefined,
    lane: Lane,
  ): Promise<readonly unknown[]> {
    const answer = await this.gateway.read({ method: "GET", path, ...(headers ? { headers } : {}) }, lane);
    if (answer.status === 400 && path.includes(encodeURIComponent(`${this.stampAttribute} eq`))) {
      throw new SyncError("STAMP_ATTRIBUTE_MISSING", {
        tenantId: this.gateway.tenantId,
        detail: errorDetail(answer.body),
      });
    }
    const parsed = Page.safeParse(this.found(answer));
    if (parsed.success) return parsed.data.value;
    throw this.strange("a list without its values");
  }

  private found({ status, body }: GraphAnswer): unknown {
    if (status >= 200 && status < 300) return body;
    throw this.strange(`${status} ${errorDetail(body)}`);
  }

  private strange(detail: string): SyncError {
    return new SyncError("TENANT_UNAVAILABLE", { tenantId: this.gateway.tenantId, detail });
  }

  private user(body: unknown, attributes: AttributeNames, softDeleted: boolean): TargetUser {
    return targetUserOf(body, attributes, this.gateway.tenantId, this.stampAttribute, softDeleted);
  }

  private select(attributes: AttributeNames): string {
    return selectOf(attributes, "target", this.stampAttribute);
  }
}

/** Everybody who could answer to this address: guests and internal users alike. Source: Graph `user-list.md`, Entra `user-properties.md`. */
function addressFilter(address: string): string {
  const value = quoted(address);
  return [
    `mail eq ${value}`,
    `userPrincipalName eq ${value}`,
    `startsWith(userPrincipalName,${quoted(externalNamePrefix(address))})`,
    `otherMails/any(x:x eq ${value})`,
    `proxyAddresses/any(x:x eq ${quoted(`smtp:${address}`)})`,
  ].join(" or ");
}

const REFERENCE_EXISTS = /references already exist/i;
const ErrorBody = z.object({ error: z.object({ message: z.string() }) });
const messageOf = (body: unknown): string => ErrorBody.safeParse(body).data?.error.message ?? "";
/** 401: by the service of invitations; what concerns the token does not come this far. */
const isRefusal = ({ status }: GraphAnswer): boolean => status === 403 || status === 401;
const isQuota = ({ body }: GraphAnswer): boolean => errorDetail(body).includes(QUOTA_EXCEEDED);

/** A string of OData. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
