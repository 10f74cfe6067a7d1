import type { CloudPair } from "../cloud.ts";
import type { AttributeMapping } from "../job.ts";
import type { Attributes, AttributeValue, SourceUser } from "../user.ts";

/**
 * The default mapping set: the attributes that Entra's default cross-tenant mappings show, and those that its pages
 * recommend to add. Across clouds `mail` is the home userPrincipalName, because sign-in takes its hint from it.
 * Source: Entra `cross-tenant-synchronization-configure.md`, `cross-cloud-settings.md`.
 */
export const DEFAULT_ATTRIBUTES = [
  "displayName",
  "givenName",
  "surname",
  "jobTitle",
  "department",
  "companyName",
  "employeeId",
  "streetAddress",
  "city",
  "state",
  "postalCode",
  "country",
  "officeLocation",
  "mobilePhone",
  "businessPhones",
  "preferredLanguage",
] as const;

export function defaultMappings(clouds: CloudPair): readonly AttributeMapping[] {
  return [
    ...DEFAULT_ATTRIBUTES.map((name) => ({ target: name, source: name })),
    { target: "mail", source: clouds.crossCloud ? "userPrincipalName" : "mail" },
  ];
}

/** The attributes of the target user that this source user asks for. Empty at the source: the target keeps what it has, as in Entra. */
export function mapUser(source: SourceUser, mappings: readonly AttributeMapping[]): Attributes {
  const wanted: Record<string, AttributeValue> = {};
  for (const mapping of mappings) {
    const value = "constant" in mapping ? mapping.constant : sourceValue(source, mapping.source);
    if (!isEmpty(value)) wanted[mapping.target] = value;
  }
  return wanted;
}

/**
 * What has to be written so that the target shows what is wanted. A part of `employeeOrgData` goes with the other mapped
 * part: what a PATCH leaves out of it becomes null. Source: Graph `user-update.md`.
 */
export function changesOf(wanted: Attributes, current: Attributes): Attributes {
  const differs = Object.entries(wanted).filter(([name, value]) => !same(value, current[name] ?? null));
  const replaced = (name: string) => name.startsWith("employeeOrgData.");
  if (!differs.some(([name]) => replaced(name))) return Object.fromEntries(differs);
  const kept = Object.entries(current).filter(([name, value]) => replaced(name) && value !== null);
  const asked = Object.entries(wanted).filter(([name]) => replaced(name));
  return Object.fromEntries([...kept, ...asked, ...differs]);
}

function sourceValue(source: SourceUser, name: string): AttributeValue {
  if (name === "userPrincipalName") return source.userPrincipalName;
  if (name === "mail") return source.mail;
  return source.attributes[name] ?? null;
}

function isEmpty(value: AttributeValue): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function same(a: AttributeValue, b: AttributeValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => item === b[index]);
  return a === b;
}
