import type { AttributeValue } from "../user.ts";
import { isExtensionName, type NameProblem, sourceAttribute } from "./attributes.ts";
import { parseDateText } from "./expression/date-time.ts";
import { didYouMean } from "./expression/near-miss.ts";

/**
 * What an application may write to a user, in which type and length.
 * Sources: Graph `user-update.md`, `resources/user.md`, `resources/extensionproperty.md`.
 */

export type TargetType = "string" | "boolean" | "integer" | "dateTime" | "list" | "any";

export interface TargetAttribute {
  /** `any`: a directory extension of which the configuration says nothing. */
  type: TargetType;
  /** Characters; of a list, of each of its values. */
  charactersMax?: number;
  valuesMax?: number;
  /** May be emptied. */
  clearable: boolean;
  /** Graph finds users by it: for SelectUniqueValue and for matching. */
  filterable: boolean;
  /** Allowed, and worth knowing. */
  warning?: string;
  /** An application permission that it takes beside those for every user. */
  permission?: string;
}

export const EXTENSION_TYPES = ["String", "Boolean", "Integer", "LargeInteger", "DateTime", "Binary"] as const;

/** A directory extension of a target tenant, as the configuration declares it. */
export interface DirectoryExtension {
  /** `extension_{appId without hyphens}_{name}`. */
  name: string;
  dataType: (typeof EXTENSION_TYPES)[number];
  multiValued: boolean;
  /** Made in the tenant when it is missing. */
  create: boolean;
}

const text = (charactersMax?: number, more: Partial<TargetAttribute> = {}): TargetAttribute => ({
  type: "string",
  ...(charactersMax === undefined ? {} : { charactersMax }),
  clearable: true,
  filterable: true,
  ...more,
});
const UNSEARCHED = { filterable: false } as const;
const KEPT = { clearable: false } as const;
const EXTENSION_CHARACTERS_MAX = 256;
/** 256 bytes in base64. */
const BINARY_CHARACTERS_MAX = 344;

const TARGETS: ReadonlyMap<string, TargetAttribute> = new Map([
  ["displayName", text(256, KEPT)],
  ["givenName", text(64)],
  ["surname", text(64)],
  ["jobTitle", text(128)],
  ["department", text(64)],
  ["companyName", text(64, UNSEARCHED)],
  ["employeeId", text(16)],
  ["employeeType", text(undefined, UNSEARCHED)],
  ["employeeOrgData.division", text(undefined, UNSEARCHED)],
  ["employeeOrgData.costCenter", text(undefined, UNSEARCHED)],
  [
    "employeeLeaveDateTime",
    {
      type: "dateTime",
      clearable: true,
      filterable: false,
      permission: "User-LifeCycleInfo.ReadWrite.All",
      warning: "the app needs User-LifeCycleInfo.ReadWrite.All in the target tenant to write it",
    },
  ],
  ["streetAddress", text(1024, UNSEARCHED)],
  ["city", text(128)],
  ["state", text(128)],
  ["postalCode", text(40, UNSEARCHED)],
  ["country", text(128)],
  ["officeLocation", text(128, UNSEARCHED)],
  ["usageLocation", text(2, KEPT)],
  ["preferredLanguage", text(undefined, UNSEARCHED)],
  ["preferredDataLocation", text()],
  ["mobilePhone", text(64, { ...UNSEARCHED, permission: "User-Phone.ReadWrite.All" })],
  [
    "businessPhones",
    {
      type: "list",
      charactersMax: 64,
      valuesMax: 1,
      clearable: false,
      filterable: false,
      permission: "User-Phone.ReadWrite.All",
    },
  ],
  ["faxNumber", text()],
  ["mail", text(256, KEPT)],
  ["mailNickname", text(64, KEPT)],
  ["ageGroup", text()],
  ["consentProvidedForMinor", text()],
  [
    "showInAddressList",
    {
      type: "boolean",
      clearable: true,
      filterable: false,
      warning:
        "Microsoft advises against setting it through Graph: with a mailbox in the target Exchange decides, and Exchange's own hide setting wins",
    },
  ],
  ...Array.from({ length: 15 }, (_, index): [string, TargetAttribute] => [
    `onPremisesExtensionAttributes.extensionAttribute${index + 1}`,
    text(1024, UNSEARCHED),
  ]),
]);

const PEOPLE_ONLY = "aboutMe birthday interests mySite pastProjects responsibilities schools skills";
const SERVICE_ONLY =
  "assignedLicenses assignedPlans createdDateTime creationType externalUserState externalUserStateChangeDateTime imAddresses isResourceAccount proxyAddresses securityIdentifier";
const EXCHANGE_ONLY = "HiddenFromAddressListEnabled targetAddress";
const INVISIBLE = "Graph does not know it. Guests are matched by the link, the stamp and the address.";

/** Why a property is not a target, and what to do instead. */
export const NOT_WRITABLE: Readonly<Record<string, string>> = {
  ...named("id", "The directory gives it."),
  ...named("userPrincipalName", "The invitation makes the name of a guest."),
  ...named("userType", "Set `userType`, and `changeUserType`, of the job."),
  ...named("accountEnabled IsSoftDeleted", "Sign-in follows the source by itself."),
  ...named("manager", "Set `manager` of the job."),
  ...named("sponsors", "Set `sponsors` of the job."),
  ...named("syncSource", "It is the product's own: the stamp that names the source user."),
  ...named("otherMails", "The target computes it."),
  ...named("identities", "How somebody signs in is never written."),
  ...named("employeeHireDate", "Graph does not let an application write it. Use a directory extension."),
  ...named(PEOPLE_ONLY, "Graph does not let an application write it."),
  ...named(SERVICE_ONLY, "It is read-only in Graph."),
  ...named(EXCHANGE_ONLY, "It is Exchange's, and Graph does not have it. See `showInAddressList`."),
  ...named("photo", "Photos are not synchronized."),
  ...named("passwordProfile passwordPolicies", "Passwords are not synchronized: people sign in at home."),
  ...named("customSecurityAttributes", "They are not synchronized. Use a directory extension."),
  ...named("alternativeSecurityIds netId", INVISIBLE),
};

function named(names: string, reason: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [name, reason]));
}

/** `undefined`: not a property that can be mapped. */
export function targetAttribute(
  name: string,
  extensions: readonly DirectoryExtension[] = [],
): TargetAttribute | undefined {
  return isExtensionName(name) ? extensionAttribute(extensions.find((one) => one.name === name)) : TARGETS.get(name);
}

const EXTENSION_TARGETS = {
  String: { type: "string", charactersMax: EXTENSION_CHARACTERS_MAX },
  Binary: { type: "string", charactersMax: BINARY_CHARACTERS_MAX },
  Boolean: { type: "boolean" },
  Integer: { type: "integer" },
  LargeInteger: { type: "integer" },
  DateTime: { type: "dateTime" },
} as const satisfies Record<DirectoryExtension["dataType"], Partial<TargetAttribute>>;

function extensionAttribute(declared: DirectoryExtension | undefined): TargetAttribute {
  const rules = { clearable: true, filterable: true, charactersMax: EXTENSION_CHARACTERS_MAX };
  if (!declared) return { ...rules, type: "any" };
  if (declared.multiValued) return { ...rules, type: "list", clearable: false };
  return { clearable: true, filterable: true, ...EXTENSION_TARGETS[declared.dataType] };
}

/** What is wrong with a name as target of a mapping. */
export function targetProblem(name: string): NameProblem | undefined {
  if (isExtensionName(name) || TARGETS.has(name)) return undefined;
  const reason = Object.hasOwn(NOT_WRITABLE, name) ? NOT_WRITABLE[name] : undefined;
  if (reason !== undefined) return { problem: `${name} cannot be mapped`, remedy: reason };
  if (name.startsWith("onPremises"))
    return { problem: `${name} cannot be mapped`, remedy: "It is read-only for users whose home is a cloud." };
  if (/^extension_/i.test(name)) {
    const remedy = "Write it as Graph does, letter case included: extension_{appId without hyphens}_{name}.";
    return { problem: `${name} is not the name of a directory extension`, remedy };
  }
  const graph = sourceAttribute(name)?.reads;
  const meant =
    graph !== undefined && TARGETS.has(graph) ? ` Graph calls it ${graph}.` : didYouMean(name, TARGETS.keys());
  const remedy = meant.trim() || "See the list of target attributes in docs/mappings.md.";
  return { problem: `an app cannot write an attribute ${name}`, remedy };
}

/** Every property that can be a target, beside directory extensions. */
export const TARGET_NAMES: readonly string[] = [...TARGETS.keys()];

/** Why a value does not fit its target attribute. */
export type MisfitCode =
  | "SchemaPropertyCanOnlyAcceptValue"
  | "ValueTooLong"
  | "TooManyValues"
  | "InvalidBoolean"
  | "InvalidNumber"
  | "InvalidDate";
export type Typed = { value: AttributeValue } | { wrong: MisfitCode; message: string };

const INTEGER = /^[+-]?\d+$/;

/** A value in the type that the target attribute has in Graph. Text of an expression becomes what it says. */
export function typed(attribute: TargetAttribute, value: AttributeValue): Typed {
  if (value === null || value === "") return { value: null };
  const isList = typeof value === "object";
  if (attribute.type === "list") return typedList(attribute, isList ? value : [textOf(value)]);
  if (!isList) return typedScalar(attribute, value);
  if (value.length === 0) return { value: null };
  const message = "It takes one value, and there is a list. Use Item or Join in an expression.";
  return { wrong: "SchemaPropertyCanOnlyAcceptValue", message };
}

type Scalar = Exclude<AttributeValue, null | readonly string[]>;

function typedScalar(attribute: TargetAttribute, value: Scalar): Typed {
  switch (attribute.type) {
    case "boolean":
      return typedBoolean(value);
    case "integer":
      return typedInteger(value);
    case "dateTime":
      return typedDate(value);
    case "string":
      return fitting(attribute, textOf(value));
    case "any":
    case "list":
      return typeof value === "string" ? fitting(attribute, value) : { value };
  }
}

function fitting({ charactersMax }: TargetAttribute, value: string): Typed {
  if (charactersMax === undefined || value.length <= charactersMax) return { value };
  const message = `It has ${value.length} characters; ${charactersMax} are allowed. Shorten it with Left in an expression.`;
  return { wrong: "ValueTooLong", message };
}

function typedList(attribute: TargetAttribute, values: readonly string[]): Typed {
  const { valuesMax } = attribute;
  if (valuesMax !== undefined && values.length > valuesMax) {
    const message = `There are ${values.length} values; ${valuesMax} can be stored. Use Item in an expression.`;
    return { wrong: "TooManyValues", message };
  }
  for (const value of values) {
    const fits = fitting(attribute, value);
    if ("wrong" in fits) return fits;
  }
  return { value: values.length === 0 ? null : values };
}

/** As Entra writes it: Booleans are `True` and `False`. */
const textOf = (value: AttributeValue): string =>
  typeof value === "boolean" ? (value ? "True" : "False") : String(value);

function typedBoolean(value: Scalar): Typed {
  if (typeof value === "boolean") return { value };
  const lower = textOf(value).toLowerCase();
  if (lower === "true" || lower === "false") return { value: lower === "true" };
  return { wrong: "InvalidBoolean", message: "It takes True or False." };
}

function typedInteger(value: Scalar): Typed {
  const number = typeof value === "number" ? value : INTEGER.test(textOf(value)) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return { value: number };
  return { wrong: "InvalidNumber", message: "It takes a whole number." };
}

/** In the form in which Graph gives it back. */
function typedDate(value: Scalar): Typed {
  const date = typeof value === "string" ? parseDateText(value) : undefined;
  if (date) return { value: new Date(date.ms).toISOString().replace(/\.000Z$/, "Z") };
  return { wrong: "InvalidDate", message: "It takes a date: CDate and FormatDateTime make one." };
}
