import { SyncConfig } from "../../shared/config/schema.ts";
import type { Cloud } from "../../shared/domain/cloud.ts";
import type { ClientSpec, GraphTenants, TenantSpec } from "../graph/api.ts";
import { type Random, random } from "../random.ts";
import type { ImportedUsers } from "./exports.ts";
import { type GroupPlan, groupsOf } from "./groups.ts";
import type { CultureName } from "./names.ts";
import { guests, type Person, staff, things } from "./people.ts";

/** What an organization is made from. The same options give the same organization. */
export interface OrganizationOptions {
  seed: number;
  /** Employees and contractors of all tenants together; 300 unless said. */
  people?: number;
  /** PEM of the certificate that the app's registration of a tenant trusts, by tenant name. None: tokens without ceremony only. */
  certificates?: Readonly<Record<string, string>>;
  /** A real export that takes the place of the people of Contoso EMEA. */
  users?: ImportedUsers;
}

export interface Organization {
  tenants: readonly TenantSpec[];
  /** By tenant name: everybody with an account, managers before their reports. */
  people: Readonly<Record<string, readonly Person[]>>;
  /** By tenant name: inner groups before the groups that contain them. */
  groups: Readonly<Record<string, readonly GroupPlan[]>>;
  contacts: Readonly<Record<string, readonly { displayName: string; mail: string }[]>>;
  /** By tenant name: the app's registration, and the one for people and scripts. */
  clients: Readonly<Record<string, { app: string; people: { id: string; secret: string } }>>;
  /** Who calls the app's admin API: registrations of the hub that stand for people, each with an app role. */
  administrators: readonly Administrator[];
  /** `sync.config.json`; `certificatePath` gives the PEM file with certificate and key for a tenant name. */
  config(certificatePath: (tenant: string) => string): SyncConfig;
}

/** The short name of the directory extension that the app stamps target users with. */
export const STAMP = "syncSource";
/** The tenant that a real export fills. */
export const IMPORT_TENANT = "contoso-emea";

export interface Administrator {
  name: string;
  roles: readonly string[];
  clientId: string;
  clientSecret: string;
}

/** The tenant whose people call the admin API. */
export const HUB = "contoso";
const ADMINISTRATORS = [
  { name: "alice", roles: ["Sync.Operate"] },
  { name: "bob", roles: ["Sync.Approve"] },
  { name: "carol", roles: ["Sync.Read"] },
];
const EVERY_ROLE = ["Sync.Read", "Sync.Operate", "Sync.Approve"];

const APP_PERMISSIONS = {
  source: ["User.Read.All", "GroupMember.Read.All", "Group.Read.All"],
  target: [
    "User.Read.All",
    "User.ReadWrite.All",
    "User.Invite.All",
    "User.DeleteRestore.All",
    "User.EnableDisableAccount.All",
  ],
};

interface Site {
  name: string;
  cloud: Cloud;
  company: string;
  domain: string;
  initialDomain: string;
  prefix: string;
  /** Of all people. */
  share: number;
  cultures: readonly CultureName[];
  source: boolean;
  target: boolean;
}

const SITES: readonly Site[] = [
  {
    name: "contoso",
    cloud: "global",
    company: "Contoso Ltd",
    domain: "contoso.com",
    initialDomain: "contoso.onmicrosoft.com",
    prefix: "c",
    share: 0.36,
    cultures: ["en", "en", "en", "mx", "hi", "vi", "ja", "ko", "de", "ie", "ar", "he"],
    source: true,
    target: true,
  },
  {
    name: "contoso-emea",
    cloud: "global",
    company: "Contoso EMEA GmbH",
    domain: "contoso-emea.com",
    initialDomain: "contosoemea.onmicrosoft.com",
    prefix: "e",
    share: 0.29,
    cultures: ["de", "de", "fr", "fr", "pl", "pl", "ie", "es", "ru", "ar", "he", "el"],
    source: true,
    target: false,
  },
  {
    name: "contoso-us",
    cloud: "global",
    company: "Contoso US Inc.",
    domain: "us.contoso.com",
    initialDomain: "contosous.onmicrosoft.com",
    prefix: "u",
    share: 0.2,
    cultures: ["en", "en", "en", "mx", "hi", "vi", "zh"],
    source: true,
    target: false,
  },
  {
    name: "contoso-gov",
    cloud: "usGov",
    company: "Contoso Federal LLC",
    domain: "contoso.us",
    initialDomain: "contosogov.onmicrosoft.us",
    prefix: "g",
    share: 0.08,
    cultures: ["en", "en", "mx"],
    source: true,
    target: true,
  },
  {
    name: "contoso-china",
    cloud: "china",
    company: "康托索（中国）有限公司",
    domain: "contoso.cn",
    initialDomain: "contosochina.partner.onmschina.cn",
    prefix: "z",
    share: 0.07,
    cultures: ["zh"],
    source: false,
    target: true,
  },
];

/** Contoso: a hub, two sources in its cloud, and a tenant in each of two other clouds. */
export function organization(options: OrganizationOptions): Organization {
  const seed = random(options.seed);
  const count = options.people ?? 300;
  const specs: Record<string, TenantSpec> = {};
  const people: Record<string, readonly Person[]> = {};
  const groups: Record<string, readonly GroupPlan[]> = {};
  const clients: Record<string, { app: string; people: { id: string; secret: string } }> = {};
  const administrators = ADMINISTRATORS.map(({ name, roles }) => {
    const chance = seed.fork(`administrator ${name}`);
    return { name, roles, clientId: chance.uuid(), clientSecret: chance.secret(24) };
  });
  let left = count;
  for (const site of SITES) {
    const chance = seed.fork(site.name);
    const size = site === SITES.at(-1) ? left : Math.round(count * site.share);
    left -= size;
    const imported = site.name === IMPORT_TENANT ? options.users : undefined;
    const client = { app: chance.uuid(), people: { id: chance.uuid(), secret: chance.secret(24) } };
    clients[site.name] = client;
    const spec = tenantSpec(site, chance, client, options.certificates?.[site.name], imported);
    specs[site.name] = site.name === HUB ? withAdministrators(spec, administrators) : spec;
    people[site.name] = imported ? imported.people : inhabitants(site, chance.fork("people"), size);
    groups[site.name] = groupsOf(site.name, people[site.name] ?? [], chance.fork("groups"));
  }
  return {
    tenants: Object.values(specs),
    people,
    groups,
    contacts: { contoso: contactsOf(people[IMPORT_TENANT] ?? []) },
    clients,
    administrators,
    config: (certificatePath) => configOf(specs, people, groups, clients, certificatePath),
  };
}

function tenantSpec(
  site: Site,
  chance: Random,
  client: { app: string; people: { id: string; secret: string } },
  certificate: string | undefined,
  imported: ImportedUsers | undefined,
): TenantSpec {
  const app: ClientSpec = {
    clientId: client.app,
    ...(certificate === undefined ? {} : { certificate }),
    permissions: [
      ...new Set([...(site.source ? APP_PERMISSIONS.source : []), ...(site.target ? APP_PERMISSIONS.target : [])]),
    ],
    extensions: [{ name: STAMP, dataType: "String" }],
  };
  const [domain = site.domain, ...others] = imported?.domains ?? [];
  return {
    name: site.name,
    id: chance.uuid(),
    cloud: site.cloud,
    domain,
    ...(others.length > 0 ? { otherDomains: others } : {}),
    initialDomain: site.initialDomain,
    clients: [app, { clientId: client.people.id, secret: client.people.secret, permissions: ["*"] }],
  };
}

/** Registrations that may call the app's admin API; the one for scripts has every role. */
function withAdministrators(spec: TenantSpec, administrators: readonly Administrator[]): TenantSpec {
  const people = administrators.map(({ name, roles, clientId, clientSecret }) => ({
    clientId,
    displayName: name,
    secret: clientSecret,
    permissions: [],
    appRoles: roles,
  }));
  const scripts = (client: ClientSpec) =>
    client.permissions.includes("*") ? { ...client, appRoles: EVERY_ROLE } : client;
  return { ...spec, clients: [...spec.clients.map(scripts), ...people] };
}

function inhabitants(site: Site, chance: Random, count: number): readonly Person[] {
  const common = { ...site, random: chance };
  const everybody = staff({ ...common, count });
  // A valid userPrincipalName that no invitation accepts: seen as a failure, and everybody else goes on.
  const odd = everybody[Math.min(everybody.length - 1, 9)];
  if (site.name === "contoso" && odd) {
    const userPrincipalName = odd.properties.userPrincipalName.replace(/^[^@]*/, (local) => `ops~${local}`);
    everybody[everybody.indexOf(odd)] = { ...odd, properties: { ...odd.properties, userPrincipalName } };
  }
  return [...everybody, ...guests({ ...common }, Math.max(2, Math.round(count * 0.04))), ...things(common)];
}

/** Mail contacts of the hub: one shares its address with somebody who will be invited, one with nobody. */
function contactsOf(people: readonly Person[]): { displayName: string; mail: string }[] {
  const shared = people.find(({ properties, kind }) => kind === "employee" && typeof properties.mail === "string");
  return [
    ...(shared
      ? [{ displayName: `${shared.properties.displayName} (EMEA)`, mail: String(shared.properties.mail) }]
      : []),
    { displayName: "Press Desk, Fabrikam", mail: "press@fabrikam.com" },
  ];
}

/** A day in the sandbox is short: so is the time in which removals are counted before they are made. */
const SETTLING_MINUTES = 0.1;

function configOf(
  specs: Readonly<Record<string, TenantSpec>>,
  people: Organization["people"],
  groups: Organization["groups"],
  clients: Organization["clients"],
  certificatePath: (tenant: string) => string,
): SyncConfig {
  const group = (tenant: string, name: string) => {
    const found = groups[tenant]?.find(({ displayName }) => displayName === name);
    if (!found) throw new Error(`there is no group ${name} in ${tenant}`);
    return found.id;
  };
  const job = (source: string, target: string, more: object) => ({
    id: `${source}-to-${target}`,
    source,
    target,
    state: "on",
    limits: { settlingMinutes: SETTLING_MINUTES },
    firstCycle: { expected: Object.values(people).flat().length },
    ...more,
  });
  const globalEmployees = (tenant: string) => ({
    scope: { groups: [{ id: group(tenant, "GlobalEmployees"), transitive: true }] },
  });
  return SyncConfig.parse({
    version: 1,
    deployment: "contoso",
    tenants: Object.values(specs).map(({ name, id, cloud }) => ({
      name,
      id,
      cloud,
      credential: { kind: "certificate", clientId: clients[name]?.app, path: certificatePath(name) },
    })),
    jobs: [
      job("contoso-emea", "contoso", { userType: "member", ...globalEmployees("contoso-emea") }),
      job("contoso-us", "contoso", { userType: "member", scope: { allUsers: true } }),
      job("contoso", "contoso-gov", { userType: "guest", ...globalEmployees("contoso") }),
      job("contoso-gov", "contoso", {
        userType: "guest",
        scope: { allUsers: true },
        mappings: ["displayName", "department", "companyName"].map((name) => ({ target: name, source: name })),
      }),
      job("contoso", "contoso-china", {
        userType: "guest",
        scope: { groups: [{ id: group("contoso", "China Program"), transitive: false }] },
      }),
    ],
  });
}

/** Puts everybody and everything into the tenants, as commits of people. Gives the ids of users by tenant and key. */
export function populate(
  tenants: Pick<GraphTenants, "truth">,
  contoso: Organization,
): Record<string, ReadonlyMap<string, string>> {
  const ids: Record<string, ReadonlyMap<string, string>> = {};
  for (const { name } of contoso.tenants) {
    const truth = tenants.truth(name);
    const byKey = new Map<string, string>();
    for (const { key, properties, manager } of contoso.people[name] ?? []) {
      const managerId = manager === undefined ? undefined : byKey.get(manager);
      byKey.set(key, truth.createUser(managerId === undefined ? properties : { ...properties, manager: managerId }));
    }
    const memberId = (key: string) => {
      const id = byKey.get(key);
      if (id === undefined) throw new Error(`nobody has the key ${key} in ${name}`);
      return id;
    };
    for (const { id, displayName, unified, people, groups } of contoso.groups[name] ?? []) {
      truth.createGroup({ id, displayName, unified, members: [...groups, ...people.map(memberId)] });
    }
    for (const contact of contoso.contacts[name] ?? []) truth.createContact(contact);
    ids[name] = byKey;
  }
  return ids;
}
