/**
 * The cross-tenant access policy of one tenant. Sources: Graph `crosstenantaccesspolicy*.md`; Entra
 * `cross-cloud-settings.md`.
 */
import type { Cloud } from "../../shared/domain/cloud.ts";
import { isRecord } from "./odata.ts";
import type { Tenant } from "./runtime.ts";

/** What one cloud is called in another's settings. */
export const CLOUD_NAMES: Readonly<Record<Cloud, string>> = {
  global: "microsoftonline.com",
  usGov: "microsoftonline.us",
  usGovDoD: "microsoftonline.us",
  china: "partner.microsoftonline.cn",
};

/** The whole policy object may have this many bytes. */
export const POLICY_BYTES_MAX = 25 * 1024;

const everyone = (accessType: "allowed" | "blocked") => ({
  usersAndGroups: { accessType, targets: [{ target: "AllUsers", targetType: "user" }] },
  applications: { accessType, targets: [{ target: "AllApplications", targetType: "application" }] },
});

export const DEFAULT_POLICY = {
  isServiceDefault: true,
  inboundTrust: { isMfaAccepted: false, isCompliantDeviceAccepted: false, isHybridAzureADJoinedDeviceAccepted: false },
  b2bCollaborationInbound: everyone("allowed"),
  b2bCollaborationOutbound: everyone("allowed"),
  b2bDirectConnectInbound: everyone("blocked"),
  b2bDirectConnectOutbound: everyone("blocked"),
  automaticUserConsentSettings: { inboundAllowed: false, outboundAllowed: false },
} as const;

/** Properties of a partner entry; null inherits the default. */
export const PARTNER_PROPERTIES = [
  "isServiceProvider",
  "isInMultiTenantOrganization",
  "inboundTrust",
  "b2bCollaborationInbound",
  "b2bCollaborationOutbound",
  "b2bDirectConnectInbound",
  "b2bDirectConnectOutbound",
  "tenantRestrictions",
  "automaticUserConsentSettings",
] as const;

export interface Partner {
  tenantId: string;
  settings: Record<string, unknown>;
  identitySynchronization: Record<string, unknown> | undefined;
}

/** Source: Graph `resources/authorizationpolicy.md`, values of allowInvitesFrom. */
export const INVITES_FROM = ["none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone"] as const;

export class CrossTenantPolicies {
  /** Of the authorization policy. Everywhere but in US Government everybody may invite by default. */
  allowInvitesFrom: (typeof INVITES_FROM)[number];
  displayName = "CrossTenantAccessPolicy";
  allowedCloudEndpoints: string[] = [];
  defaults: Record<string, unknown> = { ...DEFAULT_POLICY };
  readonly partners = new Map<string, Partner>();
  private readonly cloud: Cloud;

  constructor(cloud: Cloud) {
    this.cloud = cloud;
    this.allowInvitesFrom = cloud === "usGov" || cloud === "usGovDoD" ? "adminsAndGuestInviters" : "everyone";
  }

  /** As after onboarding: both directions open, redeemed and synchronized automatically. */
  onboard(partner: { id: string; cloud: Cloud }): void {
    const name = CLOUD_NAMES[partner.cloud];
    if (name !== CLOUD_NAMES[this.cloud] && !this.allowedCloudEndpoints.includes(name))
      this.allowedCloudEndpoints.push(name);
    this.partners.set(partner.id, {
      tenantId: partner.id,
      settings: { automaticUserConsentSettings: { inboundAllowed: true, outboundAllowed: true } },
      identitySynchronization: { displayName: null, userSyncInbound: { isSyncAllowed: true } },
    });
  }

  get bytes(): number {
    return Buffer.byteLength(
      JSON.stringify([this.displayName, this.allowedCloudEndpoints, this.defaults, [...this.partners.values()]]),
    );
  }

  /** Whether people of that organization may be invited here. */
  admits(home: Tenant): boolean {
    return this.reaches(home) && this.allowed(home.spec.id, "b2bCollaborationInbound");
  }

  /** Whether people of this organization may be invited there. */
  releasesTo(target: Tenant): boolean {
    return this.reaches(target) && this.allowed(target.spec.id, "b2bCollaborationOutbound");
  }

  redeemsFrom(home: Tenant): boolean {
    return this.consent(home.spec.id, "inboundAllowed");
  }

  releasesAutomatically(target: Tenant): boolean {
    return this.consent(target.spec.id, "outboundAllowed");
  }

  /** Another cloud must be enabled and its organization added, or everything with it is blocked. */
  private reaches(other: Tenant): boolean {
    const name = CLOUD_NAMES[other.cloud];
    return (
      name === CLOUD_NAMES[this.cloud] ||
      (this.allowedCloudEndpoints.includes(name) && this.partners.has(other.spec.id))
    );
  }

  private allowed(partnerId: string, direction: "b2bCollaborationInbound" | "b2bCollaborationOutbound"): boolean {
    const setting = this.partners.get(partnerId)?.settings[direction] ?? this.defaults[direction];
    const users = isRecord(setting) ? setting.usersAndGroups : undefined;
    const applications = isRecord(setting) ? setting.applications : undefined;
    return !blocksAll(users, "AllUsers") && !blocksAll(applications, "AllApplications");
  }

  private consent(partnerId: string, direction: "inboundAllowed" | "outboundAllowed"): boolean {
    const settings = this.partners.get(partnerId)?.settings.automaticUserConsentSettings;
    return isRecord(settings) && settings[direction] === true;
  }
}

function blocksAll(setting: unknown, all: string): boolean {
  if (!isRecord(setting) || setting.accessType !== "blocked" || !Array.isArray(setting.targets)) return false;
  return setting.targets.some((target) => isRecord(target) && target.target === all);
}
