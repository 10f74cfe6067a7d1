/**
 * Attributes of users as a synchronization schema names and defines them. Its names are older than Graph's.
 * Source: Graph `synchronization-objectdefinition.md`, `synchronization-attributedefinition.md`.
 */

export const SOURCE_DIRECTORY = "Azure Active Directory";
export const TARGET_DIRECTORY = "Azure Active Directory (target tenant)";
export const USER = "User";

const RENAMED: readonly (readonly [entra: string, graph: string])[] = [
  ["objectId", "id"],
  ["mobile", "mobilePhone"],
  ["physicalDeliveryOfficeName", "officeLocation"],
  ["facsimileTelephoneNumber", "faxNumber"],
  ["dirSyncEnabled", "onPremisesSyncEnabled"],
  ...Array.from({ length: 15 }, (_, index): readonly [string, string] => {
    const name = `extensionAttribute${index + 1}`;
    return [name, `onPremisesExtensionAttributes.${name}`];
  }),
];
const TO_GRAPH = new Map(RENAMED);
const TO_ENTRA = new Map(RENAMED.map(([entra, graph]) => [graph, entra]));

export const graphName = (name: string): string => TO_GRAPH.get(name) ?? name;
export const entraName = (name: string): string => TO_ENTRA.get(name) ?? name;

/** Entra has one number where Graph has a list of at most one. */
const [ONE_PHONE, PHONES] = ["telephoneNumber", "businessPhones"];
export const graphTarget = (name: string): string => (name === ONE_PHONE ? PHONES : graphName(name));
export const entraTarget = (name: string): string => (name === PHONES ? ONE_PHONE : entraName(name));
/** The source of a direct mapping: the number flows into the number as the list into the list. */
export const graphSource = (name: string, target: string): string =>
  name === ONE_PHONE && target === PHONES ? PHONES : graphName(name);
export const entraSource = (name: string, target: string): string =>
  name === PHONES && target === PHONES ? ONE_PHONE : entraName(name);

/** What a schema says about an attribute. */
export interface AttributeDefinition {
  name: string;
  type: string;
  anchor: boolean;
  caseExact: boolean;
  defaultValue: null;
  flowNullValues: boolean;
  metadata: readonly [];
  multivalued: boolean;
  mutability: string;
  referencedObjects: readonly { referencedObjectName: string; referencedProperty: null }[];
  required: boolean;
}

const BOOLEANS = ["accountEnabled", "showInAddressList", "dirSyncEnabled", "IsSoftDeleted", "isResourceAccount"];
const DATES = ["createdDateTime", "employeeHireDate", "employeeLeaveDateTime", "onPremisesLastSyncDateTime"];
const LISTS = ["otherMails", "proxyAddresses", "imAddresses", "businessPhones"];

/** `name` as Entra has it. */
export function definitionOf(
  name: string,
  told: { caseExact?: boolean; flowNullValues?: boolean; boolean?: boolean } = {},
): AttributeDefinition {
  const reference = name === "manager";
  return {
    anchor: name === "objectId",
    caseExact: told.caseExact ?? false,
    defaultValue: null,
    flowNullValues: told.flowNullValues ?? false,
    metadata: [],
    multivalued: LISTS.includes(name),
    mutability: "ReadWrite",
    name,
    referencedObjects: reference ? [{ referencedObjectName: USER, referencedProperty: null }] : [],
    required: false,
    type: reference
      ? "Reference"
      : told.boolean || BOOLEANS.includes(name)
        ? "Boolean"
        : DATES.includes(name)
          ? "DateTime"
          : "String",
  };
}

export const isBoolean = (name: string): boolean => BOOLEANS.includes(name);
