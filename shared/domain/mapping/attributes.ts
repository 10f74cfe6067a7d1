import type { AttributeValue, SourceUser } from "../user.ts";
import { didYouMean } from "./expression/near-miss.ts";

/**
 * The attributes of a source user: those that Graph's user has, and the directory's older names, in which Entra's
 * synchronization schema and most existing expressions are written.
 * Sources: Graph `resources/user.md`, `synchronization-objectdefinition.md`.
 */

export type SourceKind = "string" | "boolean" | "dateTime" | "list" | "any";

export interface SourceAttribute {
  /** `any`: a directory extension, whose type the source tenant knows. */
  kind: SourceKind;
  /** The Graph property that has to be read for it. */
  reads: string;
  of(user: SourceUser): AttributeValue;
}

export interface NameProblem {
  problem: string;
  remedy: string;
}

/** Properties that every reading of a source user has. */
const CORE = ["id", "userPrincipalName", "mail", "userType", "creationType", "accountEnabled"] as const;
type Core = (typeof CORE)[number];
const isCore = (name: string): name is Core => (CORE as readonly string[]).includes(name);

const EXTENSION_ATTRIBUTES = Array.from({ length: 15 }, (_, index) => `extensionAttribute${index + 1}`);
const ON_PREMISES = "onPremisesExtensionAttributes";

const TEXTS =
  "id ageGroup city companyName consentProvidedForMinor country creationType department displayName employeeId employeeOrgData.costCenter employeeOrgData.division employeeType externalUserState faxNumber givenName jobTitle mail mailNickname mobilePhone officeLocation onPremisesDistinguishedName onPremisesDomainName onPremisesImmutableId onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesUserPrincipalName passwordPolicies postalCode preferredDataLocation preferredLanguage securityIdentifier state streetAddress surname usageLocation userPrincipalName";
const LISTS = "businessPhones imAddresses otherMails proxyAddresses";
const BOOLEANS = "accountEnabled isResourceAccount onPremisesSyncEnabled showInAddressList";
const DATES =
  "createdDateTime employeeHireDate employeeLeaveDateTime externalUserStateChangeDateTime onPremisesLastSyncDateTime";

const read = (name: string): SourceAttribute["of"] =>
  isCore(name) ? (user) => user[name] : (user) => user.attributes[name] ?? null;

const property = (kind: SourceKind, name: string): [string, SourceAttribute] => [
  name,
  {
    kind,
    reads: name,
    // Of a guest of the source the name at home: that is what the directory's `userPrincipalName` is there.
    of: name === "userPrincipalName" ? homeName : read(name),
  },
];

/** The home address of an external user; everybody else's name as it is. Source: Entra `user-properties.md`. */
function homeName({ userPrincipalName }: SourceUser): string {
  if (!userPrincipalName.includes("#")) return userPrincipalName;
  const mark = userPrincipalName.toUpperCase().indexOf("#EXT#");
  if (mark < 0) return userPrincipalName;
  const home = userPrincipalName.slice(0, mark);
  const at = home.lastIndexOf("_");
  return at < 0 ? home : `${home.slice(0, at)}@${home.slice(at + 1)}`;
}

export const PROPERTIES: ReadonlyMap<string, SourceAttribute> = new Map([
  ...TEXTS.split(" ").map((name) => property("string", name)),
  ...EXTENSION_ATTRIBUTES.map((name) => property("string", `${ON_PREMISES}.${name}`)),
  ...LISTS.split(" ").map((name) => property("list", name)),
  ...BOOLEANS.split(" ").map((name) => property("boolean", name)),
  ...DATES.split(" ").map((name) => property("dateTime", name)),
]);

/** Another name for a Graph property. */
function renamed(name: string, reads: string): [string, SourceAttribute] {
  return [name, { kind: PROPERTIES.get(reads)?.kind ?? "string", reads, of: read(reads) }];
}

/** The directory's older names. */
export const ALIASES: ReadonlyMap<string, SourceAttribute> = new Map([
  renamed("objectId", "id"),
  renamed("mobile", "mobilePhone"),
  renamed("physicalDeliveryOfficeName", "officeLocation"),
  renamed("facsimileTelephoneNumber", "faxNumber"),
  renamed("dirSyncEnabled", "onPremisesSyncEnabled"),
  // The full form, with #EXT#, where `userPrincipalName` of a guest is the name at home.
  renamed("originalUserPrincipalName", "userPrincipalName"),
  ...EXTENSION_ATTRIBUTES.map((name) => renamed(name, `${ON_PREMISES}.${name}`)),
  // One number, where Graph has a list of at most one.
  ["telephoneNumber", { kind: "string", reads: "businessPhones", of: firstPhone }],
  // Whoever is looked at is in scope and not deleted: what remains of its four cases is a disabled account.
  ["IsSoftDeleted", { kind: "boolean", reads: "accountEnabled", of: ({ accountEnabled }) => !accountEnabled }],
]);

function firstPhone({ attributes: { businessPhones } }: SourceUser): AttributeValue {
  return (Array.isArray(businessPhones) ? businessPhones[0] : businessPhones) ?? null;
}

/** What Microsoft documents as not usable, or what flows in another way. */
export const NOT_USABLE: Readonly<Record<string, string>> = {
  userType: "Microsoft does not offer it as a source. Carry it in a directory extension.",
  samAccountName: "Microsoft does not offer it as a source. Use onPremisesSamAccountName or a directory extension.",
  manager: "The manager is not text: set `manager` of the job.",
  netId: "Graph does not show it. Guests are matched by the link, the stamp and the address.",
  alternativeSecurityIds: "Graph does not show it. Guests are matched by the link, the stamp and the address.",
  appRoleAssignments: "Roles of an enterprise application are not part of this product.",
  customSecurityAttributes: "Custom security attributes are not synchronized. Use a directory extension.",
};

const EXTENSION = /^extension_[0-9a-f]{32}_\w+$/;
/** The name of a directory extension; letter case counts. Source: Graph `resources/extensionproperty.md`. */
export const isExtensionName = (name: string): boolean => EXTENSION.test(name);

/** `undefined`: a source user has no such attribute, or it cannot be used. */
export function sourceAttribute(name: string): SourceAttribute | undefined {
  if (isExtensionName(name)) return { kind: "any", reads: name, of: read(name) };
  return PROPERTIES.get(name) ?? ALIASES.get(name);
}

/** Every name that can be used, for near misses; `has` knows directory extensions too. */
export const SOURCE_NAMES: Iterable<string> & { has(name: string): boolean } = {
  has: (name) => sourceAttribute(name) !== undefined || Object.hasOwn(NOT_USABLE, name),
  *[Symbol.iterator]() {
    yield* PROPERTIES.keys();
    yield* ALIASES.keys();
  },
};

/** What is wrong with a name as source of a mapping or attribute of a filter. */
export function sourceProblem(name: string): NameProblem | undefined {
  if (sourceAttribute(name)) return undefined;
  const reason = Object.hasOwn(NOT_USABLE, name) ? NOT_USABLE[name] : undefined;
  if (reason !== undefined) return { problem: `${name} cannot be a source`, remedy: reason };
  if (/^extension_/i.test(name)) {
    const remedy = "Write it as Graph does, letter case included: extension_{appId without hyphens}_{name}.";
    return { problem: `${name} is not the name of a directory extension`, remedy };
  }
  const remedy = didYouMean(name, SOURCE_NAMES).trim() || "See the list of source attributes in docs/mappings.md.";
  return { problem: `a source user has no attribute ${name}`, remedy };
}

/** The Graph properties that have to be read for these names. */
export function readAttributes(names: readonly string[]): readonly string[] {
  const properties = names.map((name) => sourceAttribute(name)?.reads ?? name);
  return [...new Set(properties)].filter((name) => !isCore(name));
}

const ALIAS_LIST = [...ALIASES];

/** A source user as scoping filters see it: everything that was read, under both names. */
export function sourceView(user: SourceUser): Readonly<Record<string, AttributeValue>> {
  const { id, mail, userType, creationType, accountEnabled } = user;
  const userPrincipalName = homeName(user);
  const view = { ...user.attributes, id, userPrincipalName, mail, userType, creationType, accountEnabled };
  return addAliases(view, user);
}

function addAliases(view: Record<string, AttributeValue>, user: SourceUser): Record<string, AttributeValue> {
  for (const [name, { reads, of }] of ALIAS_LIST) if (Object.hasOwn(view, reads)) view[name] = of(user);
  return view;
}

/** As `sourceView`, for these names alone: what a compiled mapping evaluates with. */
export function viewOf(names: readonly string[]): (user: SourceUser) => Readonly<Record<string, AttributeValue>> {
  const wanted = [...new Set(names)].map((name) => [name, sourceAttribute(name)?.of ?? read(name)] as const);
  return (user) => {
    const view: Record<string, AttributeValue> = {};
    for (const [name, of] of wanted) view[name] = of(user);
    return view;
  };
}
