/** Cross-tenant access policy. Sources: Graph `crosstenantaccesspolicy*.md`. */
import { badRequest, isGuid, isRecord, notFound, ODataError, type Reply } from "./odata.ts";
import { READ_AUTHORIZATION, READ_POLICIES, WRITE_AUTHORIZATION, WRITE_POLICIES } from "./permissions.ts";
import { CLOUD_NAMES, INVITES_FROM, PARTNER_PROPERTIES, type Partner, POLICY_BYTES_MAX } from "./policies-store.ts";
import { type Call, context, type Route, type Tenant } from "./runtime.ts";

const CLOUDS = Object.values(CLOUD_NAMES);

/** Undoes the change when the policy would get too large. */
function withinLimit(tenant: Tenant, change: () => void, undo: () => void): void {
  change();
  if (tenant.policies.bytes <= POLICY_BYTES_MAX) return;
  undo();
  throw badRequest("Failure to update policy due to object limit.");
}

function object(call: Call): Record<string, unknown> {
  if (!isRecord(call.body)) throw new ODataError(400, "BadRequest", "Empty Payload. JSON content expected.");
  return call.body;
}

const unknownProperty = (name: string, type: string) =>
  new ODataError(
    400,
    "BadRequest",
    `The property '${name}' does not exist on type 'microsoft.graph.${type}'. Make sure to only use property names that are defined by the type.`,
  );

function getPolicy({ tenant }: Call): Reply {
  const { displayName, allowedCloudEndpoints } = tenant.policies;
  // Outside the Global cloud the schema lacks the cloud settings: they are made in the portal.
  const clouds = tenant.cloud === "global" ? { allowedCloudEndpoints } : {};
  return {
    status: 200,
    body: { "@odata.context": context(tenant, "policies/crossTenantAccessPolicy/$entity"), displayName, ...clouds },
  };
}

function patchPolicy(call: Call): Reply {
  const { policies, cloud } = call.tenant;
  const { displayName, allowedCloudEndpoints, ...rest } = object(call);
  const unknown = Object.keys(rest).find((name) => !name.startsWith("@odata."));
  if (unknown) throw unknownProperty(unknown, "crossTenantAccessPolicy");
  if (allowedCloudEndpoints !== undefined) {
    if (cloud !== "global") throw unknownProperty("allowedCloudEndpoints", "crossTenantAccessPolicy");
    if (
      !Array.isArray(allowedCloudEndpoints) ||
      allowedCloudEndpoints.some((name) => !CLOUDS.includes(String(name)) || name === CLOUD_NAMES[cloud])
    ) {
      throw badRequest(
        "Invalid value specified for property 'allowedCloudEndpoints' of resource 'CrossTenantAccessPolicy'.",
      );
    }
    policies.allowedCloudEndpoints = allowedCloudEndpoints.map(String);
  }
  if (typeof displayName === "string") policies.displayName = displayName;
  return { status: 204 };
}

function getDefault({ tenant }: Call): Reply {
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, "policies/crossTenantAccessPolicy/default/$entity"),
      ...tenant.policies.defaults,
    },
  };
}

function patchDefault(call: Call): Reply {
  const { policies } = call.tenant;
  const changes = readSettings(call, "crossTenantAccessPolicyConfigurationDefault");
  const before = policies.defaults;
  const change = () => {
    policies.defaults = { ...before, ...changes, isServiceDefault: false };
  };
  withinLimit(call.tenant, change, () => {
    policies.defaults = before;
  });
  return { status: 204 };
}

function readSettings(call: Call, type: string): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object(call))) {
    if (name.startsWith("@odata.") || name === "tenantId") continue;
    const known = PARTNER_PROPERTIES.some((property) => property === name);
    if (!known || (name === "tenantRestrictions" && call.tenant.cloud !== "global")) throw unknownProperty(name, type);
    if (
      name === "isServiceProvider" ? typeof value !== "boolean" && value !== null : value !== null && !isRecord(value)
    ) {
      throw badRequest(`Invalid value specified for property '${name}' of resource 'CrossTenantAccessPolicy'.`);
    }
    settings[name] = value;
  }
  return settings;
}

function render(partner: Partner): Record<string, unknown> {
  const settings = Object.fromEntries(
    PARTNER_PROPERTIES.filter((name) => name !== "tenantRestrictions").map((name) => [
      name,
      partner.settings[name] ?? null,
    ]),
  );
  const consent = partner.settings.automaticUserConsentSettings;
  return {
    tenantId: partner.tenantId,
    ...settings,
    automaticUserConsentSettings: {
      inboundAllowed: null,
      outboundAllowed: null,
      ...(isRecord(consent) ? consent : {}),
    },
  };
}

function partnerOf(call: Call): Partner {
  const id = call.parameters[0] as string;
  const partner = call.tenant.policies.partners.get(id.toLowerCase());
  if (!partner) throw notFound(id);
  return partner;
}

function listPartners({ tenant }: Call): Reply {
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, "policies/crossTenantAccessPolicy/partners"),
      value: [...tenant.policies.partners.values()].map(render),
    },
  };
}

function getPartner(call: Call): Reply {
  return {
    status: 200,
    body: {
      "@odata.context": context(call.tenant, "policies/crossTenantAccessPolicy/partners/$entity"),
      ...render(partnerOf(call)),
    },
  };
}

function createPartner(call: Call): Reply {
  const { policies } = call.tenant;
  const { tenantId } = object(call);
  if (typeof tenantId !== "string" || !isGuid(tenantId))
    throw badRequest(
      "Invalid value specified for property 'tenantId' of resource 'CrossTenantAccessPolicyConfigurationPartner'.",
    );
  const id = tenantId.toLowerCase();
  if (policies.partners.has(id)) {
    const message = "Another object with the same value for property tenantId already exists.";
    throw new ODataError(409, "Request_MultipleObjectsWithSameKeyValue", message, {
      details: [{ code: "ConflictingObjects", message, target: "tenantId" }],
    });
  }
  const partner: Partner = {
    tenantId: id,
    settings: readSettings(call, "crossTenantAccessPolicyConfigurationPartner"),
    identitySynchronization: undefined,
  };
  withinLimit(
    call.tenant,
    () => policies.partners.set(id, partner),
    () => policies.partners.delete(id),
  );
  return {
    status: 201,
    body: {
      "@odata.context": context(call.tenant, "policies/crossTenantAccessPolicy/partners/$entity"),
      ...render(partner),
    },
  };
}

function patchPartner(call: Call): Reply {
  const partner = partnerOf(call);
  const before = partner.settings;
  const changes = readSettings(call, "crossTenantAccessPolicyConfigurationPartner");
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    merged[name] = isRecord(value) && isRecord(before[name]) ? { ...before[name], ...value } : value;
  }
  const change = () => {
    partner.settings = merged;
  };
  withinLimit(call.tenant, change, () => {
    partner.settings = before;
  });
  return { status: 204 };
}

function removePartner(call: Call): Reply {
  call.tenant.policies.partners.delete(partnerOf(call).tenantId);
  return { status: 204 };
}

function getSynchronization(call: Call): Reply {
  const { tenantId, identitySynchronization } = partnerOf(call);
  if (!identitySynchronization) throw notFound("identitySynchronization");
  return {
    status: 200,
    body: {
      "@odata.context": context(
        call.tenant,
        `policies/crossTenantAccessPolicy/partners('${tenantId}')/identitySynchronization/$entity`,
      ),
      tenantId,
      displayName: null,
      ...identitySynchronization,
    },
  };
}

function putSynchronization(call: Call): Reply {
  const partner = partnerOf(call);
  if (call.method === "PUT" && partner.identitySynchronization) {
    const message = "Another object with the same value for property tenantId already exists.";
    throw new ODataError(409, "Request_MultipleObjectsWithSameKeyValue", message, {
      details: [{ code: "ConflictingObjects", message, target: "tenantId" }],
    });
  }
  if (call.method === "PATCH" && !partner.identitySynchronization) throw notFound("identitySynchronization");
  const { displayName, userSyncInbound } = object(call);
  const inbound = isRecord(userSyncInbound) && typeof userSyncInbound.isSyncAllowed === "boolean";
  if (userSyncInbound !== undefined && userSyncInbound !== null && !inbound)
    throw badRequest(
      "Invalid value specified for property 'userSyncInbound' of resource 'CrossTenantIdentitySyncPolicyPartner'.",
    );
  partner.identitySynchronization = {
    ...partner.identitySynchronization,
    ...(displayName === undefined ? {} : { displayName }),
    ...(userSyncInbound === undefined ? {} : { userSyncInbound }),
  };
  return { status: 204 };
}

function removeSynchronization(call: Call): Reply {
  partnerOf(call).identitySynchronization = undefined;
  return { status: 204 };
}

/** Who may invite guests. Source: Graph `resources/authorizationpolicy.md`. */
function getAuthorization({ tenant }: Call): Reply {
  const { allowInvitesFrom } = tenant.policies;
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, "policies/authorizationPolicy/$entity"),
      id: "authorizationPolicy",
      allowInvitesFrom,
    },
  };
}

function patchAuthorization(call: Call): Reply {
  const { allowInvitesFrom, ...rest } = object(call);
  const unknown = Object.keys(rest).find((name) => !name.startsWith("@odata."));
  if (unknown) throw unknownProperty(unknown, "authorizationPolicy");
  const value = INVITES_FROM.find((name) => name === allowInvitesFrom);
  if (!value)
    throw badRequest("Invalid value specified for property 'allowInvitesFrom' of resource 'AuthorizationPolicy'.");
  call.tenant.policies.allowInvitesFrom = value;
  return { status: 204 };
}

const authorization = "/policies/authorizationPolicy";
const root = "/policies/crossTenantAccessPolicy";
const quota = "identity";
const read = { method: "GET", cost: 1, write: false, quota, permissions: READ_POLICIES } as const;
const write = { cost: 1, write: true, quota, permissions: WRITE_POLICIES } as const;
export const POLICY_ROUTES: readonly Route[] = [
  { ...read, path: authorization, permissions: READ_AUTHORIZATION, handle: getAuthorization },
  { ...write, method: "PATCH", path: authorization, permissions: WRITE_AUTHORIZATION, handle: patchAuthorization },
  { ...read, path: root, handle: getPolicy },
  { ...write, method: "PATCH", path: root, handle: patchPolicy },
  { ...read, path: `${root}/default`, handle: getDefault },
  { ...write, method: "PATCH", path: `${root}/default`, handle: patchDefault },
  { ...read, path: `${root}/partners`, handle: listPartners },
  { ...write, method: "POST", path: `${root}/partners`, handle: createPartner },
  { ...read, path: `${root}/partners/{tenant}`, handle: getPartner },
  { ...write, method: "PATCH", path: `${root}/partners/{tenant}`, handle: patchPartner },
  { ...write, method: "DELETE", path: `${root}/partners/{tenant}`, handle: removePartner },
  { ...read, path: `${root}/partners/{tenant}/identitySynchronization`, handle: getSynchronization },
  { ...write, method: "PUT", path: `${root}/partners/{tenant}/identitySynchronization`, handle: putSynchronization },
  { ...write, method: "PATCH", path: `${root}/partners/{tenant}/identitySynchronization`, handle: putSynchronization },
  {
    ...write,
    method: "DELETE",
    path: `${root}/partners/{tenant}/identitySynchronization`,
    handle: removeSynchronization,
  },
];
