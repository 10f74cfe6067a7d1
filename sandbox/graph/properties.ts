/**
 * The properties of users and groups: types, limits, who may write them, which `$filter` operators they know.
 * Sources: Graph `resources/user.md`, `user-update.md`, `includes/filter-directory-objects.md`, `resources/group.md`.
 */
export type PropertyType = "string" | "boolean" | "strings" | "dateTime" | "object" | "objects";

export interface PropertySpec {
  type: PropertyType;
  /** Characters. */
  max?: number;
  /** May be set to null. */
  nullable: boolean;
  /** `app`: also by applications; `people`: not by applications; `no`: the service's own. */
  write: "app" | "people" | "no";
  /** Application permissions of which one is needed instead of the base ones. */
  permission?: readonly string[];
  /** `$filter` operators that work by default; absent: not filterable. */
  filter?: string;
  /** `$filter` operators that only advanced queries know. */
  advanced?: string;
}

const TEXT = "eq in ge le startsWith";
const ALL = "eq in ge le startsWith";
const text = (max: number | undefined, filter: string, more: Partial<PropertySpec> = {}): PropertySpec => ({
  type: "string",
  ...(max === undefined ? {} : { max }),
  nullable: true,
  write: "app",
  filter,
  advanced: `${ALL} ne not null`,
  ...more,
});
const own = (type: PropertyType, filter?: string, advanced?: string): PropertySpec => ({
  type,
  nullable: true,
  write: "no",
  ...(filter === undefined ? {} : { filter }),
  ...(advanced === undefined ? {} : { advanced }),
});

const PHONE = ["User-Phone.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"];
const people = (type: PropertyType): PropertySpec => ({ type, nullable: true, write: "people" });

export const USER_PROPERTIES: Readonly<Record<string, PropertySpec>> = {
  id: own("string", "eq in", "eq in ne not"),
  accountEnabled: {
    type: "boolean",
    nullable: false,
    write: "app",
    permission: ["User.EnableDisableAccount.All", "User.ReadWrite.All", "Directory.ReadWrite.All"],
    filter: "eq in",
    advanced: "eq in ne not ge le",
  },
  ageGroup: text(undefined, "eq in", { advanced: "eq in ne not" }),
  businessPhones: {
    type: "strings",
    max: 64,
    nullable: false,
    write: "app",
    permission: PHONE,
    filter: "eq",
    advanced: "eq not ge le startsWith",
  },
  city: text(128, "eq in ge startsWith"),
  companyName: text(64, ""),
  consentProvidedForMinor: text(undefined, "eq in", { advanced: "eq in ne not" }),
  country: text(128, TEXT),
  createdDateTime: own("dateTime", "eq ge le", "eq ne not ge le in"),
  creationType: own("string", "eq in", "eq in ne not null"),
  deletedDateTime: own("dateTime", "eq ge le", "eq ne not ge le in"),
  department: text(64, TEXT),
  displayName: text(256, "eq in startsWith", { nullable: false }),
  employeeHireDate: { type: "dateTime", nullable: true, write: "people", filter: "", advanced: "eq ne ge le in" },
  employeeId: text(16, "eq in startsWith"),
  employeeLeaveDateTime: {
    type: "dateTime",
    nullable: true,
    write: "app",
    permission: ["User-LifeCycleInfo.ReadWrite.All"],
    filter: "",
    advanced: "eq ne not ge le in",
  },
  employeeOrgData: {
    type: "object",
    nullable: true,
    write: "app",
    filter: "",
    advanced: "eq ne not ge le in startsWith",
  },
  employeeType: text(undefined, ""),
  externalUserState: own("string", "eq in", "eq in ne not null"),
  externalUserStateChangeDateTime: own("string", "eq in", "eq in ne not"),
  faxNumber: text(undefined, "eq in ge le startsWith"),
  givenName: text(64, TEXT),
  identities: {
    type: "objects",
    nullable: false,
    write: "app",
    permission: ["User.ManageIdentities.All"],
    filter: "eq",
  },
  imAddresses: own("strings", "eq ge le startsWith", "eq not ge le startsWith"),
  isResourceAccount: own("boolean"),
  jobTitle: text(128, "eq in ge le", {}),
  mail: text(256, TEXT, { nullable: false, advanced: `${ALL} ne not null endsWith` }),
  mailNickname: text(64, TEXT, { nullable: false }),
  mobilePhone: text(64, "", { permission: PHONE }),
  officeLocation: text(128, ""),
  onPremisesDistinguishedName: own("string"),
  onPremisesDomainName: own("string"),
  onPremisesExtensionAttributes: {
    type: "object",
    nullable: true,
    write: "app",
    filter: "",
    advanced: "eq ne not in ge le",
  },
  onPremisesImmutableId: text(undefined, ""),
  onPremisesLastSyncDateTime: own("dateTime", "", "eq ne not ge le in"),
  onPremisesSamAccountName: own("string", "", "eq ne not ge le in startsWith"),
  onPremisesSecurityIdentifier: own("string", "eq in", "eq in ne not null"),
  onPremisesSyncEnabled: own("boolean", "eq in", "eq in ne not null"),
  onPremisesUserPrincipalName: own("string", TEXT, `${ALL} ne not`),
  otherMails: {
    type: "strings",
    max: 250,
    nullable: false,
    write: "app",
    permission: ["User-Mail.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"],
    filter: TEXT,
    advanced: `${ALL} ne not endsWith count`,
  },
  passwordPolicies: text(undefined, "", { advanced: "eq ne not null" }),
  passwordProfile: {
    type: "object",
    nullable: true,
    write: "app",
    permission: ["User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"],
  },
  postalCode: text(40, ""),
  preferredDataLocation: text(undefined, "eq in"),
  preferredLanguage: text(undefined, ""),
  proxyAddresses: own("strings", "eq ge le startsWith", "eq not ge le startsWith endsWith count null"),
  securityIdentifier: own("string", "eq in", "eq in ne not"),
  showInAddressList: { type: "boolean", nullable: true, write: "app", filter: "", advanced: "eq ne not ge le in" },
  signInSessionsValidFromDateTime: own("dateTime"),
  state: text(128, TEXT),
  streetAddress: text(1024, ""),
  surname: text(64, TEXT),
  usageLocation: text(2, TEXT, { nullable: false }),
  userPrincipalName: text(1024, "eq in le startsWith", { nullable: false, advanced: `${ALL} ne not endsWith` }),
  userType: text(undefined, "eq in", { advanced: "eq in ne not null" }),
  assignedLicenses: own("objects", "eq", "eq not count"),
  assignedPlans: own("objects", "eq", "eq not"),
  provisionedPlans: own("objects"),
  aboutMe: people("string"),
  birthday: people("dateTime"),
  interests: people("strings"),
  mySite: people("string"),
  pastProjects: people("strings"),
  responsibilities: people("strings"),
  schools: people("strings"),
  skills: people("strings"),
  customSecurityAttributes: {
    type: "object",
    nullable: true,
    write: "app",
    permission: ["CustomSecAttributeAssignment.ReadWrite.All"],
  },
};

/** Not in the directory store: a collection or delta that asks for them answers 501. */
export const OUTSIDE_DIRECTORY = [
  "aboutMe",
  "birthday",
  "interests",
  "mySite",
  "pastProjects",
  "responsibilities",
  "schools",
  "skills",
];

/** Returned without `$select`. */
export const USER_DEFAULTS = [
  "businessPhones",
  "displayName",
  "givenName",
  "jobTitle",
  "mail",
  "mobilePhone",
  "officeLocation",
  "preferredLanguage",
  "surname",
  "userPrincipalName",
  "id",
] as const;

/** Base permissions to change a user. */
export const USER_UPDATE = ["User.ReadUpdate.All", "User.ReadWrite.All", "Directory.ReadWrite.All"] as const;

/** Writes that are refused to ordinary applications when the user holds an administrator role. */
export const SENSITIVE = [
  "accountEnabled",
  "businessPhones",
  "faxNumber",
  "mobilePhone",
  "otherMails",
  "passwordProfile",
];

export const GROUP_PROPERTIES: Readonly<Record<string, PropertySpec>> = {
  id: own("string", "eq in", "eq in ne not"),
  classification: text(undefined, "", {}),
  createdDateTime: own("dateTime"),
  creationOptions: own("strings"),
  deletedDateTime: own("dateTime"),
  description: text(1024, "eq in ge le startsWith"),
  displayName: text(256, "eq in ge le startsWith", { nullable: false }),
  expirationDateTime: own("dateTime"),
  groupTypes: { type: "strings", nullable: false, write: "app", filter: "eq", advanced: "eq not" },
  isAssignableToRole: own("boolean", "eq in", "eq in ne not"),
  mail: own("string", TEXT, `${ALL} ne not null`),
  mailEnabled: { type: "boolean", nullable: false, write: "app", filter: "eq in", advanced: "eq in ne not" },
  mailNickname: text(64, TEXT, { nullable: false }),
  membershipRule: text(undefined, "eq in ge le startsWith"),
  membershipRuleProcessingState: text(undefined, "eq in"),
  onPremisesDomainName: own("string"),
  onPremisesLastSyncDateTime: own("dateTime", "eq ge le", "eq ne not ge le in"),
  onPremisesNetBiosName: own("string"),
  onPremisesSamAccountName: own("string"),
  onPremisesSecurityIdentifier: own("string"),
  onPremisesSyncEnabled: own("boolean", "eq in", "eq in ne not"),
  preferredDataLocation: text(undefined, "eq in"),
  preferredLanguage: text(undefined, ""),
  proxyAddresses: own("strings", "eq ge le startsWith", "eq not ge le startsWith endsWith count"),
  renewedDateTime: own("dateTime"),
  resourceBehaviorOptions: own("strings"),
  resourceProvisioningOptions: own("strings"),
  securityEnabled: { type: "boolean", nullable: false, write: "app", filter: "eq in", advanced: "eq in ne not" },
  securityIdentifier: own("string"),
  theme: text(undefined, ""),
  uniqueName: own("string"),
  visibility: text(undefined, ""),
};

export const GROUP_DEFAULTS = Object.keys(GROUP_PROPERTIES);

export type Properties = Readonly<Record<string, unknown>>;

/** What Graph gives for a property that has no value. */
export function emptyValue(spec: PropertySpec | undefined): unknown {
  return spec && (spec.type === "strings" || spec.type === "objects") ? [] : null;
}

export const isExtensionName = (name: string): boolean => /^extension_[0-9a-f]{32}_\w+$/i.test(name);
