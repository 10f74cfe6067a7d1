import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { InboundPolicy } from "../../ports/inbound-policy.ts";
import type { GraphAnswer } from "./connection.ts";
import type { Gateway } from "./gateway.ts";
import { LOW } from "./listing.ts";
import { withoutToken } from "./token-refusal.ts";

const Synchronization = z.object({ userSyncInbound: z.object({ isSyncAllowed: z.boolean() }).nullish() });
const Partner = z.object({
  b2bCollaborationInbound: z
    .object({
      usersAndGroups: z
        .object({ accessType: z.string(), targets: z.array(z.object({ target: z.string() }).loose()) })
        .nullish(),
    })
    .nullish(),
});

/** Other values than `none` let an app invite that holds `User.Invite.All`. Source: Graph `authorizationpolicy.md`. */
const Authorization = z.object({ allowInvitesFrom: z.string() });

/**
 * Reads the cross-tenant access policy. Needs `Policy.Read.All`; without it nothing is known, and nothing follows.
 * Source: Graph `crosstenantidentitysyncpolicypartner-get.md`, `crosstenantaccesspolicyconfigurationpartner-get.md`, `authorizationpolicy-get.md`.
 */
export class GraphInboundPolicy implements InboundPolicy {
  private readonly gateway: Gateway;
  private readonly probe: () => Promise<void>;

  /**
   * `probe` asks for a new token: an app that is disabled gets none, while those that it has are good for an hour.
   * Source: Entra `deactivate-application-portal.md`.
   */
  constructor(gateway: Gateway, probe: () => Promise<void>) {
    this.gateway = gateway;
    this.probe = probe;
  }

  async from(sourceTenantId: string) {
    const login = await this.login();
    if (login !== "open") return login;
    const partner = `/policies/crossTenantAccessPolicy/partners/${sourceTenantId}`;
    const answer = await this.get(`${partner}/identitySynchronization`);
    if (!answer) return (await this.get("/users?$select=id&$top=1")) ? "unknown" : "consentMissing";
    const allowed = Synchronization.safeParse(answer.body).data?.userSyncInbound?.isSyncAllowed;
    if (answer.status === 200 && allowed === false) return "refused";
    const policy = (await this.get("/policies/authorizationPolicy"))?.body;
    if (Authorization.safeParse(policy).data?.allowInvitesFrom === "none") return "blocked";
    const users = Partner.safeParse((await this.get(partner))?.body).data?.b2bCollaborationInbound?.usersAndGroups;
    const everybody = users?.targets.some(({ target }) => target === "AllUsers");
    if (users?.accessType === "blocked" && everybody) return "blocked";
    return answer.status === 200 && allowed === true ? "allowed" : "unknown";
  }

  private async login(): Promise<"open" | "disabled" | "consentMissing"> {
    try {
      await this.probe();
      return "open";
    } catch (cause) {
      const error = withoutToken(this.gateway.tenantId, cause);
      if (error.code === "TENANT_UNAVAILABLE") throw error;
      return error.code === "TENANT_APP_DISABLED" ? "disabled" : "consentMissing";
    }
  }

  /** `undefined`: refused. Policies need a permission of their own: without it the tenant is not taken for one that is down. */
  private async get(path: string): Promise<GraphAnswer | undefined> {
    const aside = path.startsWith("/policies/");
    try {
      const answer = await this.gateway.alone("read", { method: "GET", path, headers: LOW, aside });
      return answer.status === 401 || answer.status === 403 ? undefined : answer;
    } catch (error) {
      if (error instanceof SyncError && error.code === "TENANT_CONSENT_MISSING") return undefined;
      throw error;
    }
  }
}
