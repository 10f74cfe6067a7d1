import { hash } from "../random.ts";
import type { Properties } from "./properties.ts";
import type { UserState } from "./records.ts";

// biome-ignore format: a long list of short words
const GIVEN = [
  "Ada", "Amélie", "Anna", "Aarav", "Björn", "Carlos", "Chiara", "Chloé", "Daniel", "Diego", "Elif", "Emma", "Fatima", "Felix",
  "Giulia", "Hana", "Hugo", "Ines", "Ivan", "Jakub", "João", "Karin", "Kofi", "Lars", "Leila", "Li", "Luca", "Maja",
  "Mateusz", "Mei", "Mia", "Mohammed", "Nadia", "Noah", "Olga", "Omar", "Priya", "Quentin", "Rania", "Rosa", "Samuel", "Sofia",
  "Søren", "Tariq", "Thandi", "Tomás", "Uma", "Viktor", "Wei", "Yara", "Yuki", "Zoë",
] as const;
// biome-ignore format: a long list of short words
const SURNAMES = [
  "Adeyemi", "Almeida", "Andersson", "Becker", "Bianchi", "Brown", "Chen", "Costa", "Dubois", "Eriksson", "Fernández", "Fischer",
  "García", "Gupta", "Haddad", "Hansen", "Ito", "Ivanov", "Jansen", "Jensen", "Kaya", "Khan", "Kim", "Kowalski", "Larsen", "Lopez",
  "Martin", "Meyer", "Mensah", "Moreau", "Müller", "Nakamura", "Nguyen", "Novák", "O'Brien", "Okafor", "Olsen", "Patel", "Pereira",
  "Petrov", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Smith", "Suzuki", "Tanaka", "Wang", "Weber", "Yılmaz", "Zhang",
] as const;
const DEPARTMENTS = [
  "Engineering",
  "Sales",
  "Finance",
  "Human Resources",
  "Legal",
  "Operations",
  "Marketing",
  "Support",
] as const;
const TITLES = [
  "Analyst",
  "Engineer",
  "Manager",
  "Specialist",
  "Consultant",
  "Director",
  "Assistant",
  "Architect",
] as const;
const PLACES = [
  { city: "Berlin", country: "Germany", usageLocation: "DE", preferredLanguage: "de-DE" },
  { city: "Paris", country: "France", usageLocation: "FR", preferredLanguage: "fr-FR" },
  { city: "Seattle", country: "United States", usageLocation: "US", preferredLanguage: "en-US" },
  { city: "São Paulo", country: "Brazil", usageLocation: "BR", preferredLanguage: "pt-BR" },
  { city: "Tokyo", country: "Japan", usageLocation: "JP", preferredLanguage: "ja-JP" },
  { city: "Mumbai", country: "India", usageLocation: "IN", preferredLanguage: "en-IN" },
] as const;

/** Each of these has as many direct reports as there are. */
const REPORTS = 10;

/**
 * People who need no memory: everything about them follows from the tenant and their index, and their id and
 * userPrincipalName lead back to it. Person 0 is the head; the manager of person i is person (i - 1) / 10.
 */
export interface ComputedPeople {
  readonly count: number;
  id(index: number): string;
  indexOf(id: string): number | undefined;
  indexOfName(userPrincipalName: string): number | undefined;
  state(index: number): UserState;
  reports(index: number): { from: number; to: number };
}

const hex = (value: number, digits: number) => (value >>> 0).toString(16).padStart(8, "0").slice(-digits);

/** A bijection of 32-bit integers, scrambled enough to look like chance. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const ODD = 0x9e3779b1;
const INVERSE = (() => {
  let inverse = 1;
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(ODD, inverse));
  return inverse;
})();

const ascii = (name: string) =>
  name
    .replaceAll("ø", "o")
    .replaceAll("ı", "i")
    .normalize("NFD")
    .replace(/[^A-Za-z]/g, "")
    .toLowerCase();
const GIVEN_ASCII = GIVEN.map(ascii);
const SURNAMES_ASCII = SURNAMES.map(ascii);

export function computedPeople(
  seed: number,
  tenantId: string,
  domain: string,
  count: number,
  createdAt: number,
): ComputedPeople {
  const key = hash(`${seed}/${tenantId}/people`);
  const suffix = `@${domain.toLowerCase()}`;
  const created = new Date(createdAt).toISOString().slice(0, 19);

  const id = (index: number) => {
    const first = (Math.imul(index ^ key, ODD) + key) >>> 0;
    const a = mix(first ^ 0x5bd1e995);
    const b = mix(first + 0x1b873593);
    const c = mix(a ^ key);
    return `${hex(first, 8)}-${hex(a >>> 16, 4)}-4${hex(a, 3)}-a${hex(b, 3)}-${hex(c, 8)}${hex(b >>> 12, 4)}`;
  };
  const indexOf = (text: string) => {
    const first = Number.parseInt(text.slice(0, 8), 16);
    if (Number.isNaN(first)) return undefined;
    const index = (Math.imul((first - key) | 0, INVERSE) ^ key) >>> 0;
    return index < count && id(index) === text ? index : undefined;
  };
  const nameParts = (index: number) => {
    const h = mix(index ^ key);
    return { h, given: h % GIVEN.length, surname: (h >>> 8) % SURNAMES.length };
  };
  const local = (index: number) => {
    const { given, surname } = nameParts(index);
    return `${GIVEN_ASCII[given]}.${SURNAMES_ASCII[surname]}.${index + 1}`;
  };
  const indexOfName = (name: string) => {
    const lower = name.toLowerCase();
    if (!lower.endsWith(suffix)) return undefined;
    const nickname = lower.slice(0, -suffix.length);
    const index = Number(nickname.slice(nickname.lastIndexOf(".") + 1)) - 1;
    return Number.isInteger(index) && index >= 0 && index < count && local(index) === nickname ? index : undefined;
  };

  const state = (index: number): UserState => {
    const { h, given, surname } = nameParts(index);
    const nickname = local(index);
    const upn = `${nickname}@${domain}`;
    const place = PLACES[(h >>> 4) % PLACES.length] as (typeof PLACES)[number];
    const department = DEPARTMENTS[(h >>> 12) % DEPARTMENTS.length] as string;
    const properties: Properties = {
      accountEnabled: true,
      businessPhones: [`+1 555 ${String(h % 10_000_000).padStart(7, "0")}`],
      city: place.city,
      companyName: domain.split(".")[0] as string,
      country: place.country,
      createdDateTime: `${created}Z`,
      department,
      displayName: `${GIVEN[given]} ${SURNAMES[surname]}`,
      employeeId: String(index + 1).padStart(8, "0"),
      employeeType: "Employee",
      givenName: GIVEN[given],
      identities: [{ signInType: "userPrincipalName", issuer: domain, issuerAssignedId: upn }],
      jobTitle: `${department} ${TITLES[(h >>> 20) % TITLES.length]}`,
      mail: upn,
      mailNickname: nickname,
      officeLocation: `${place.city} ${(h >>> 24) % 9}`,
      preferredLanguage: place.preferredLanguage,
      proxyAddresses: [`SMTP:${upn}`],
      surname: SURNAMES[surname],
      usageLocation: place.usageLocation,
      userPrincipalName: upn,
      userType: "Member",
    };
    return {
      properties,
      managerId: index === 0 ? undefined : id(Math.floor((index - 1) / REPORTS)),
      deletedAt: undefined,
    };
  };

  const reports = (index: number) => ({
    from: Math.min(index * REPORTS + 1, count),
    to: Math.min(index * REPORTS + REPORTS + 1, count),
  });
  return { count, id, indexOf, indexOfName, state, reports };
}
