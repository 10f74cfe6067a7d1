/** What the tenant has bought. Sources: Graph `subscribedsku-list.md`, `user-list-licensedetails.md`, `organization-get.md`. */
import { notFound, type Reply } from "./odata.ts";
import { READ_LICENCES, READ_ORGANIZATION, READ_SKUS } from "./permissions.ts";
import { type Call, context, type Route, replicaTime, type Tenant } from "./runtime.ts";

interface Plan {
  servicePlanId: string;
  servicePlanName: string;
}

const P1: Plan = { servicePlanId: "41781fb2-bc02-4b7c-bd55-b576c07bb09d", servicePlanName: "AAD_PREMIUM" };
const P2: Plan = { servicePlanId: "eec0eb4f-6444-4f95-aba0-50c24d67f998", servicePlanName: "AAD_PREMIUM_P2" };
const GOVERNANCE: Plan = {
  servicePlanId: "e866a266-3cff-43a3-acca-0c90a7e00c8b",
  servicePlanName: "Entra_Identity_Governance",
};

const SKUS = {
  AAD_PREMIUM_P2: { skuId: "84a661c4-e949-4bd2-a560-ed7766fcaf2b", skuPartNumber: "AAD_PREMIUM_P2", plans: [P1, P2] },
  Microsoft_Entra_ID_Governance: {
    skuId: "cf6b0d46-4093-4546-a0ab-0b1546dcc10e",
    skuPartNumber: "Microsoft_Entra_ID_Governance",
    plans: [GOVERNANCE],
  },
  Microsoft_Entra_Suite: {
    skuId: "f9602137-2203-447b-9fff-41b36e08ce5d",
    skuPartNumber: "Microsoft_Entra_Suite",
    plans: [GOVERNANCE],
  },
} as const;

const skusOf = (tenant: Tenant) => (tenant.spec.skus ?? ["AAD_PREMIUM_P2"]).map((name) => SKUS[name]);
const plansOf = (plans: readonly Plan[]) =>
  plans.map((plan) => ({ ...plan, provisioningStatus: "Success", appliesTo: "User" }));

function list({ tenant }: Call): Reply {
  const value = skusOf(tenant).map((sku) => ({
    id: `${tenant.spec.id}_${sku.skuId}`,
    accountName: tenant.spec.name,
    accountId: tenant.spec.id,
    appliesTo: "User",
    capabilityStatus: "Enabled",
    consumedUnits: tenant.directory.people.live,
    prepaidUnits: { enabled: tenant.directory.people.live + 100, suspended: 0, warning: 0, lockedOut: 0 },
    skuId: sku.skuId,
    skuPartNumber: sku.skuPartNumber,
    subscriptionIds: [],
    servicePlans: plansOf(sku.plans),
  }));
  return { status: 200, body: { "@odata.context": context(tenant, "subscribedSkus"), value } };
}

/** Internal members have everything that the tenant has; guests have nothing. */
function details(call: Call): Reply {
  const { tenant } = call;
  const id = call.parameters[0] as string;
  const person = tenant.directory.userAt(id, replicaTime(tenant));
  if (!person) throw notFound(id);
  const licensed =
    person.state.properties.userType === "Member" && person.state.properties.creationType !== "Invitation";
  const value = !licensed
    ? []
    : skusOf(tenant).map((sku) => ({
        id: sku.skuId,
        skuId: sku.skuId,
        skuPartNumber: sku.skuPartNumber,
        servicePlans: plansOf(sku.plans),
      }));
  return { status: 200, body: { "@odata.context": context(tenant, `users('${id}')/licenseDetails`), value } };
}

function organization({ tenant }: Call): Reply {
  const { spec } = tenant;
  const value = [
    {
      id: spec.id,
      displayName: spec.name,
      tenantType: "AAD",
      verifiedDomains: [
        {
          capabilities: "Email, OfficeCommunicationsOnline",
          isDefault: false,
          isInitial: true,
          name: spec.initialDomain,
          type: "Managed",
        },
        {
          capabilities: "Email, OfficeCommunicationsOnline",
          isDefault: true,
          isInitial: false,
          name: spec.domain,
          type: "Managed",
        },
        ...(spec.otherDomains ?? []).map((name) => ({
          capabilities: "Email, OfficeCommunicationsOnline",
          isDefault: false,
          isInitial: false,
          name,
          type: "Managed",
        })),
      ],
    },
  ];
  return { status: 200, body: { "@odata.context": context(tenant, "organization"), value } };
}

const quota = "identity";
const read = { method: "GET", write: false, quota } as const;
export const LICENCE_ROUTES: readonly Route[] = [
  { ...read, path: "/subscribedSkus", cost: 3, permissions: READ_SKUS, handle: list },
  { ...read, path: "/users/{id}/licenseDetails", cost: 2, permissions: READ_LICENCES, handle: details },
  { ...read, path: "/organization", cost: 1, permissions: READ_ORGANIZATION, handle: organization },
];
