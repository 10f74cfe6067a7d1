import type { Random } from "../random.ts";
import { CULTURES, type Culture, type CultureName, spellings } from "./names.ts";

export type Kind = "employee" | "contractor" | "guest" | "room" | "service";

/** Somebody, or something, with an account in one tenant. */
export interface Person {
  /** Unique within its tenant. */
  key: string;
  kind: Kind;
  /** Graph property names and values, as `POST /users` would have them. */
  properties: Readonly<Record<string, unknown>> & { userPrincipalName: string; displayName: string };
  /** Key of the manager; a manager comes before the people who report to them. */
  manager: string | undefined;
  country: string;
  department: string;
}

export interface Staff {
  random: Random;
  /** Before the `@`, only letters, digits, `.`, `-`, and an apostrophe or tilde now and then. */
  domain: string;
  initialDomain: string;
  company: string;
  /** Begins the employee numbers. */
  prefix: string;
  /** Cultures, the more often named the more people. */
  cultures: readonly CultureName[];
  /** Employees and contractors, disabled ones too. Guests, rooms and service accounts come on top. */
  count: number;
}

const DEPARTMENTS: Readonly<Record<string, readonly [head: string, lead: string, ...titles: string[]]>> = {
  Engineering: [
    "Vice President, Engineering",
    "Engineering Manager",
    "Senior Software Engineer",
    "Software Engineer",
    "Test Engineer",
  ],
  Sales: [
    "Vice President, Sales",
    "Regional Sales Manager",
    "Account Executive",
    "Sales Engineer",
    "Inside Sales Representative",
  ],
  Finance: ["Chief Financial Officer", "Finance Manager", "Controller", "Accountant", "Payroll Specialist"],
  "Human Resources": [
    "Chief People Officer",
    "HR Manager",
    "Recruiter",
    "HR Business Partner",
    "Learning & Development Specialist",
  ],
  Operations: [
    "Chief Operating Officer",
    "Operations Manager",
    "Supply Chain Planner",
    "Logistics Coordinator",
    "Quality Inspector",
  ],
  "Legal & Compliance": [
    "General Counsel",
    "Compliance Manager",
    "Senior Counsel",
    "Paralegal",
    "Export Control Officer",
  ],
};
const NAMES = Object.keys(DEPARTMENTS);
/** Departments by size. */
const WEIGHTED = [
  NAMES[0],
  NAMES[0],
  NAMES[0],
  NAMES[1],
  NAMES[1],
  NAMES[2],
  NAMES[3],
  NAMES[4],
  NAMES[4],
  NAMES[5],
] as readonly string[];
const REPORTS_PER_LEAD = 7;
const PARTNERS = ["fabrikam.com", "litware.example", "wingtiptoys.example", "proseware.co.uk"];

/** The people of one tenant; the same seed gives the same people. Managers first. */
export function staff(options: Staff): Person[] {
  const { random, count } = options;
  const names = new Set<string>();
  const byDepartment = new Map<string, Person[]>();
  const people: Person[] = [];
  for (let index = 0; index < count; index++) {
    const department = index === 0 ? "Executive Office" : (NAMES[index - 1] ?? random.pick(WEIGHTED));
    const colleagues = byDepartment.get(department) ?? [];
    byDepartment.set(department, colleagues);
    const rank = index === 0 ? -1 : colleagues.length;
    const manager =
      rank === -1 ? undefined : rank === 0 ? people[0] : colleagues[Math.floor((rank - 1) / REPORTS_PER_LEAD)];
    const person = employee(options, names, { index, department, rank, manager });
    colleagues.push(person);
    people.push(person);
  }
  return people;
}

interface Position {
  index: number;
  department: string;
  /** -1: the head of the tenant; 0: of the department; below 8: leads a team. */
  rank: number;
  manager: Person | undefined;
}

function employee(options: Staff, names: Set<string>, position: Position): Person {
  const { random, company, prefix, domain } = options;
  const { index, department, rank, manager } = position;
  const culture: Culture = CULTURES[random.pick(options.cultures)];
  const [given, surname] = [spellings(random.pick(culture.given)), spellings(random.pick(culture.surnames))];
  const office = random.pick(culture.offices);
  const local = localPart(random, names, given.ascii, surname);
  const mailbox = local.replace(/['~]/g, "");
  const contractor = rank > REPORTS_PER_LEAD && random.chance(0.09);
  const digits = (length: number) => String(random.below(10 ** length)).padStart(length, "0");
  return {
    key: `${prefix}${index}`,
    kind: contractor ? "contractor" : "employee",
    country: culture.country,
    department,
    manager: manager?.key,
    properties: {
      userPrincipalName: `${local}@${domain}`,
      // Most people are written to under the name they sign in with; some under a shorter one.
      mail: mailAddress(random, names, given.ascii, surname.ascii, mailbox, domain),
      mailNickname: mailbox,
      displayName: culture.surnameFirst ? eastern(surname.native, given.native) : `${given.native} ${surname.native}`,
      givenName: given.native,
      surname: surname.native,
      userType: "Member",
      accountEnabled: !(rank > REPORTS_PER_LEAD && random.chance(0.05)),
      department,
      jobTitle: titleOf(random, department, rank, company),
      companyName: contractor ? `${random.pick(["Fabrikam", "Litware", "Proseware"])} Consulting` : company,
      employeeId: `${prefix.toUpperCase()}-${String(10_000 + index)}`,
      employeeType: contractor ? "Contractor" : "Employee",
      officeLocation: `${office.city} ${1 + random.below(9)}.${digits(2)}`,
      streetAddress: office.street,
      city: office.city,
      state: office.state,
      postalCode: office.postalCode,
      country: culture.country,
      usageLocation: culture.usageLocation,
      preferredLanguage: culture.language,
      ...(random.chance(0.9) ? { businessPhones: [`${culture.phone} 555 ${digits(4)}`] } : {}),
      ...(random.chance(0.6) ? { mobilePhone: `${culture.phone} 555 ${digits(5)}` } : {}),
    },
  };
}

/** Chinese, Japanese and Korean names are written without a space between, Vietnamese with one. */
const eastern = (surname: string, given: string) =>
  /^[\p{Script=Latin}\s]+$/u.test(surname) ? `${surname} ${given}` : `${surname}${given}`;

/** `given.surname`, sometimes `gsurname` or `given`; some O'Briens kept the apostrophe, which a userPrincipalName may have. */
function localPart(
  random: Random,
  taken: Set<string>,
  given: string,
  surname: { native: string; ascii: string },
): string {
  const apostrophe = /^([A-Z])'(.+)$/.exec(surname.native);
  const family = apostrophe && random.chance(0.3) ? `${apostrophe[1]}'${apostrophe[2]}`.toLowerCase() : surname.ascii;
  const style = random.next();
  const wanted =
    style < 0.8 ? `${given}.${family}` : style < 0.95 ? `${given.charAt(0)}${family}` : `${given}-${family}`;
  return free(taken, wanted.slice(0, 56));
}

function mailAddress(
  random: Random,
  taken: Set<string>,
  given: string,
  surname: string,
  mailbox: string,
  domain: string,
): string {
  if (!random.chance(0.08)) return `${mailbox}@${domain}`;
  return `${free(taken, `${given}${surname}`.replace("-", "").slice(0, 7))}@${domain}`;
}

/** The name, or the name with the least number from 2 that nobody has. */
function free(taken: Set<string>, wanted: string): string {
  let name = wanted;
  for (let number = 2; taken.has(name.replace(/['~]/g, "")); number++) name = `${wanted}${number}`;
  taken.add(name.replace(/['~]/g, ""));
  return name;
}

function titleOf(random: Random, department: string, rank: number, company: string): string {
  const titles = DEPARTMENTS[department];
  if (!titles) return `Managing Director, ${company}`;
  const [head, lead, ...others] = titles;
  if (rank === 0) return head;
  return rank <= REPORTS_PER_LEAD ? lead : random.pick(others);
}

/** People from elsewhere who were invited here by hand: never pushed on. */
export function guests(options: Pick<Staff, "random" | "initialDomain" | "prefix">, count: number): Person[] {
  const { random, initialDomain, prefix } = options;
  return Array.from({ length: count }, (_, index) => {
    const culture: Culture = CULTURES[random.pick(Object.keys(CULTURES) as CultureName[])];
    const [given, surname] = [spellings(random.pick(culture.given)), spellings(random.pick(culture.surnames))];
    const local = `${given.ascii}.${surname.ascii}${index}`;
    const partner = random.pick(PARTNERS);
    return {
      key: `${prefix}guest${index}`,
      kind: "guest",
      country: culture.country,
      department: "",
      manager: undefined,
      properties: {
        userPrincipalName: `${local}_${partner}#EXT#@${initialDomain}`,
        mail: `${local}@${partner}`,
        otherMails: [`${local}@${partner}`],
        mailNickname: `${local}_${partner}#EXT#`,
        displayName: `${given.native} ${surname.native} (${partner.split(".")[0]})`,
        givenName: given.native,
        surname: surname.native,
        userType: random.chance(0.8) ? "Guest" : "Member",
        creationType: "Invitation",
        externalUserState: random.chance(0.7) ? "Accepted" : "PendingAcceptance",
        accountEnabled: true,
      },
    };
  });
}

/** Meeting rooms and the accounts of programs: members of the tenant without mail. */
export function things(options: Pick<Staff, "domain" | "prefix" | "company">): Person[] {
  const thing = (kind: "room" | "service", local: string, displayName: string, enabled: boolean): Person => ({
    key: `${options.prefix}${local}`,
    kind,
    country: "",
    department: "",
    manager: undefined,
    properties: {
      userPrincipalName: `${local}@${options.domain}`,
      mail: null,
      mailNickname: local,
      displayName,
      userType: "Member",
      accountEnabled: enabled,
      companyName: options.company,
    },
  });
  return [
    thing("room", "room-matterhorn", "Conference Room Matterhorn (12)", false),
    thing("room", "room-fuji", "会議室 富士 (6)", false),
    thing("service", "svc-backup", "Backup Service", true),
    thing("service", "svc_scanner-2f", "Scanner, 2nd floor", true),
  ];
}
