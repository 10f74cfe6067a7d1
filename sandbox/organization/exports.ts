import { NESTING_MAX, nestingOf } from "../../shared/domain/json.ts";
import { parseCsv } from "./csv.ts";
import { jsonUsers } from "./json-export.ts";
import type { Person } from "./people.ts";

/** People of a real tenant, ready to be put into a simulated one. */
export interface ImportedUsers {
  /** Managers before their reports. */
  people: readonly Person[];
  /** Verified domains that the tenant needs for them, the most used first. */
  domains: readonly string[];
  /** Rows that cannot be used, in the order of the file. */
  refused: readonly Refusal[];
  /** What was changed or guessed, for people to read. */
  notes: readonly string[];
}

export interface Refusal {
  /** `line 7` of a CSV file, `user 7` of a JSON file. */
  where: string;
  /** Whom it is about, as far as the row says. */
  who: string;
  reason: string;
}

/** One row, by Graph property names; values as the file has them. */
export interface Row {
  where: string;
  properties: Readonly<Record<string, unknown>>;
  /** Why it is no user at all. */
  unusable?: string;
}

/** Limits in characters. Source: Graph `resources/user.md`. */
const TEXTS: Readonly<Record<string, number>> = {
  displayName: 256,
  givenName: 64,
  surname: 64,
  jobTitle: 128,
  department: 64,
  companyName: 64,
  employeeId: 16,
  employeeType: 256,
  officeLocation: 128,
  streetAddress: 1024,
  city: 128,
  state: 128,
  postalCode: 40,
  country: 128,
  usageLocation: 2,
  preferredLanguage: 64,
  mobilePhone: 64,
  mail: 256,
  mailNickname: 64,
  ageGroup: 64,
  consentProvidedForMinor: 64,
};
const LISTS = ["businessPhones", "otherMails"] as const;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Source: Graph `user-update.md`, userPrincipalName. */
const UPN = /^[A-Za-z0-9'._!#^~-]{1,1000}@[^@\s]+$/;
const DOMAIN = /^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/;

/** Columns of the Entra portal's bulk download whose Graph property has another name. */
const COLUMNS: Readonly<Record<string, string>> = {
  objectid: "id",
  physicaldeliveryofficename: "officeLocation",
  telephonenumber: "businessPhones",
  mobile: "mobilePhone",
  alternateemailaddress: "otherMails",
};
const NAMES = new Map(
  [
    "id",
    "userPrincipalName",
    "userType",
    "accountEnabled",
    "creationType",
    "externalUserState",
    ...Object.keys(TEXTS),
    ...LISTS,
  ].map((name) => [name.toLowerCase(), name]),
);

/**
 * Reads an export: JSON as `GET /users` returns it (one answer, a bare array, or several pages in an array or one after
 * the other), or the CSV of the Entra portal's bulk download of users. Throws when the file is neither or holds nobody
 * that can be used; single rows that cannot be used are in `refused`.
 */
export function readExport(file: Uint8Array): ImportedUsers {
  const text = textOf(file);
  if (nestingOf(text) > NESTING_MAX) throw new Error(`the file nests more than ${NESTING_MAX} deep`);
  const { rows, notes } = /^\s*[[{]/.test(text) ? jsonUsers(text) : { rows: csvRows(text), notes: [] };
  const imported = usersOf(rows, notes);
  if (imported.people.length === 0) {
    const [first] = imported.refused;
    throw new Error(`the file holds no user that can be used${first ? ` (${first.where}: ${first.reason})` : ""}`);
  }
  return imported;
}

function textOf(file: Uint8Array): string {
  const utf16 = file[0] === 0xff && file[1] === 0xfe; // what PowerShell's `>` writes
  try {
    return new TextDecoder(utf16 ? "utf-16le" : "utf-8", { fatal: true }).decode(file);
  } catch {
    throw new Error("the file is neither UTF-8 nor UTF-16: save it as UTF-8");
  }
}

function csvRows(text: string): Row[] {
  const [header, ...records] = parseCsv(text);
  if (!header) throw new Error("the file is empty");
  const columns = header.values.map((name) => {
    const plain = name.trim().toLowerCase().replace(/[\s_]/g, "");
    return COLUMNS[plain] ?? NAMES.get(plain);
  });
  if (!columns.includes("userPrincipalName")) {
    throw new Error("the first line has no column userPrincipalName: is this the portal's bulk download of users?");
  }
  return records.map(({ line, values }) => {
    const entries = values.flatMap((value, index): [string, unknown][] => {
      const name = columns[index];
      if (name === undefined || value.trim() === "") return [];
      return [[name, LISTS.some((list) => list === name) ? [value.trim()] : value.trim()]];
    });
    const row: Row = { where: `line ${line}`, properties: Object.fromEntries(entries) };
    if (values.length === header.values.length) return row;
    return {
      ...row,
      unusable: `has ${values.length} values where the first line names ${header.values.length} columns`,
    };
  });
}

function usersOf(rows: readonly Row[], notes: readonly string[]): ImportedUsers {
  const refused: Refusal[] = [];
  const remarks = [...notes];
  const seen = new Map<string, string>();
  const people: Person[] = [];
  for (const row of rows) {
    const result = row.unusable === undefined ? personOf(row.properties) : row.unusable;
    const repeated = typeof result === "string" ? undefined : repetition(result, row.where, seen);
    if (typeof result === "string" || repeated !== undefined) {
      const { userPrincipalName, displayName, id } = row.properties;
      const reason = repeated ?? (typeof result === "string" ? result : "");
      refused.push({
        where: row.where,
        who: String(userPrincipalName ?? displayName ?? id ?? "?").slice(0, 120),
        reason,
      });
    } else {
      people.push(result);
    }
  }
  const domains = domainsOf(people);
  const settled = people.map((person) => withVerifiedDomain(person, domains, remarks));
  return { people: managersFirst(settled, remarks), domains, refused, notes: remarks };
}

/** The person, or why there is none. */
function personOf(row: Readonly<Record<string, unknown>>): Person | string {
  const upn = row.userPrincipalName;
  if (typeof upn !== "string" || upn === "") return "userPrincipalName is missing";
  if (!UPN.test(upn)) return "userPrincipalName has characters that Entra does not allow, or no domain";
  const id = row.id;
  if (id !== undefined && (typeof id !== "string" || !GUID.test(id))) return "the object id is no GUID";
  const enabled = booleanOf(row.accountEnabled);
  if (enabled === undefined) return "accountEnabled is neither True nor False";
  const external = upn.toUpperCase().includes("#EXT#") || row.creationType === "Invitation";
  const userType = userTypeOf(row.userType, external);
  if (userType === undefined) return "userType is neither Member nor Guest";
  const properties: Record<string, unknown> = {};
  for (const [name, max] of Object.entries(TEXTS)) {
    const value = row[name];
    if (value === undefined || value === null || value === "") continue;
    if (typeof value !== "string") return `${name} is no text`;
    if (value.length > max) return `${name} has ${value.length} characters, at most ${max} are allowed`;
    properties[name] = value;
  }
  for (const name of LISTS) {
    const value = row[name];
    if (value === undefined || value === null) continue;
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) return `${name} is no list of texts`;
    if (value.length > 0) properties[name] = value;
  }
  const manager = row.manager;
  const text = (name: string) => (typeof properties[name] === "string" ? properties[name] : "");
  return {
    key: (typeof id === "string" ? id : upn).toLowerCase(),
    kind:
      external || userType === "Guest"
        ? "guest"
        : /^contractor|external/i.test(text("employeeType"))
          ? "contractor"
          : "employee",
    manager: isRecord(manager) && typeof manager.id === "string" ? manager.id.toLowerCase() : undefined,
    country: text("country") || text("usageLocation"),
    department: text("department"),
    properties: {
      ...properties,
      ...(typeof id === "string" ? { id: id.toLowerCase() } : {}),
      userPrincipalName: upn,
      displayName: text("displayName") || upn,
      mail: properties.mail ?? null,
      userType,
      accountEnabled: enabled,
      ...(external ? { creationType: "Invitation", externalUserState: row.externalUserState ?? "Accepted" } : {}),
    },
  };
}

/** Graph leaves accountEnabled out unless it is asked for: such people are taken as enabled. */
function booleanOf(value: unknown): boolean | undefined {
  if (value === undefined || value === null || value === true) return true;
  if (value === false) return false;
  const text = String(value).toLowerCase();
  return text === "true" ? true : text === "false" ? false : undefined;
}

function userTypeOf(value: unknown, external: boolean): "Member" | "Guest" | undefined {
  if (value === undefined || value === null || value === "") return external ? "Guest" : "Member";
  const text = String(value).toLowerCase();
  return text === "member" ? "Member" : text === "guest" ? "Guest" : undefined;
}

function repetition({ key, properties }: Person, where: string, seen: Map<string, string>): string | undefined {
  const upn = properties.userPrincipalName.toLowerCase();
  for (const [name, value] of [
    ["userPrincipalName", upn],
    ["object id", key],
  ] as const) {
    const first = seen.get(value);
    if (first !== undefined) return `the same ${name} is in ${first}`;
  }
  seen.set(key, where).set(upn, where);
  return undefined;
}

const domainOf = (upn: string) => upn.slice(upn.lastIndexOf("@") + 1).toLowerCase();

/** Domains that the tenant's own people have, the most used first. */
function domainsOf(people: readonly Person[]): string[] {
  const counts = new Map<string, number>();
  for (const { properties } of people) {
    const domain = domainOf(properties.userPrincipalName);
    if (properties.creationType === undefined && DOMAIN.test(domain)) counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([domain]) => domain);
}

/** A name whose domain could never be verified moves to the tenant's first one. */
function withVerifiedDomain(person: Person, domains: readonly string[], remarks: string[]): Person {
  const upn = person.properties.userPrincipalName;
  const [first] = domains;
  if (person.properties.creationType !== undefined || first === undefined || domains.includes(domainOf(upn)))
    return person;
  const moved = `${upn.slice(0, upn.lastIndexOf("@"))}@${first}`;
  remarks.push(`${upn}: the domain cannot be verified, so the user becomes ${moved}`);
  return { ...person, properties: { ...person.properties, userPrincipalName: moved } };
}

/** Managers before their reports; one who is not in the file, or a circle, is left out with a note. */
function managersFirst(people: readonly Person[], remarks: string[]): Person[] {
  const byKey = new Map(people.map((person) => [person.key, person]));
  const ordered = new Map<string, Person>();
  for (const start of people) {
    const chain: Person[] = [];
    const inChain = new Set<string>();
    for (let next: Person | undefined = start; next && !ordered.has(next.key) && !inChain.has(next.key); ) {
      chain.push(next);
      inChain.add(next.key);
      next = next.manager === undefined ? undefined : byKey.get(next.manager);
    }
    for (const person of chain.reverse()) {
      const known = person.manager === undefined || ordered.has(person.manager);
      if (!known)
        remarks.push(`${person.properties.userPrincipalName}: the manager is not in the file or reports to them`);
      ordered.set(person.key, known ? person : { ...person, manager: undefined });
    }
  }
  return [...ordered.values()];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
