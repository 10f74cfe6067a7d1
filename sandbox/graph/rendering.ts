/** Directory objects as Graph shows them. */

import type { Resource } from "./filter.ts";
import { ODataError, type Query, timestamp } from "./odata.ts";
import type { Person } from "./people.ts";
import {
  emptyValue,
  GROUP_DEFAULTS,
  GROUP_PROPERTIES,
  isExtensionName,
  OUTSIDE_DIRECTORY,
  USER_DEFAULTS,
  USER_PROPERTIES,
} from "./properties.ts";
import type { ContactRecord, GroupState } from "./records.ts";

export const USER: Resource = { name: "User", type: "microsoft.graph.user", properties: USER_PROPERTIES };
export const GROUP: Resource = { name: "Group", type: "microsoft.graph.group", properties: GROUP_PROPERTIES };

type Json = Record<string, unknown>;

const canonical = new WeakMap<Resource, ReadonlyMap<string, string>>();
function names(resource: Resource): ReadonlyMap<string, string> {
  const known = canonical.get(resource);
  if (known) return known;
  const map = new Map(Object.keys(resource.properties).map((name) => [name.toLowerCase(), name]));
  canonical.set(resource, map);
  return map;
}

/** `$select` with the resource's own spelling; undefined when there is none. `relations` may be named too. */
export function selection(
  query: Query,
  resource: Resource,
  relations: readonly string[] = [],
): readonly string[] | undefined {
  const text = query.get("$select");
  if (text === undefined || text.trim() === "") return undefined;
  const selected: string[] = [];
  for (const part of text.split(",")) {
    const name = part.trim();
    const known =
      name === "*" ? "*" : (names(resource).get(name.toLowerCase()) ?? relations.find((relation) => relation === name));
    if (known === undefined && !isExtensionName(name)) {
      throw new ODataError(
        400,
        "BadRequest",
        `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type '${resource.type}'.`,
      );
    }
    if (known === "*") return undefined;
    selected.push(known ?? name);
  }
  return selected;
}

/** Properties that live outside the directory store cannot be asked for in collections. */
export function refuseOutsideDirectory(selected: readonly string[] | undefined): void {
  const outside = selected?.find((name) => OUTSIDE_DIRECTORY.includes(name));
  if (outside)
    throw new ODataError(
      501,
      "NotImplemented",
      `This operation target is not yet supported: property '${outside}' cannot be requested in a collection.`,
    );
}

const NO_EXTENSION_ATTRIBUTES: Json = Object.fromEntries(
  Array.from({ length: 15 }, (_, i) => [`extensionAttribute${i + 1}`, null]),
);

export function userValue(person: Person, name: string): unknown {
  if (name === "id") return person.id;
  const { state } = person;
  if (name === "deletedDateTime") return state.deletedAt === undefined ? null : timestamp(state.deletedAt);
  const value = state.properties[name];
  if (name === "onPremisesExtensionAttributes") {
    return typeof value === "object" && value !== null
      ? { ...NO_EXTENSION_ATTRIBUTES, ...value }
      : NO_EXTENSION_ATTRIBUTES;
  }
  if (name === "passwordProfile") return null;
  if (name === "securityIdentifier") return securityIdentifier(person.id);
  return value ?? emptyValue(USER_PROPERTIES[name]);
}

export function renderUser(person: Person, selected: readonly string[] | undefined): Json {
  const shown: Json = {};
  for (const name of selected ?? USER_DEFAULTS) {
    const value = userValue(person, name);
    // Extension values show only where there are any.
    if (value === null && isExtensionName(name)) continue;
    shown[name] = value;
  }
  if (selected && !selected.includes("id")) shown.id = person.id;
  return shown;
}

export function groupValue(group: { id: string; state: GroupState }, name: string): unknown {
  if (name === "id") return group.id;
  if (name === "deletedDateTime") return group.state.deletedAt === undefined ? null : timestamp(group.state.deletedAt);
  if (name === "securityIdentifier") return securityIdentifier(group.id);
  return group.state.properties[name] ?? emptyValue(GROUP_PROPERTIES[name]);
}

export function renderGroup(group: { id: string; state: GroupState }, selected: readonly string[] | undefined): Json {
  const shown: Json = {};
  for (const name of selected ?? GROUP_DEFAULTS) shown[name] = groupValue(group, name);
  if (selected && !selected.includes("id")) shown.id = group.id;
  return shown;
}

export function renderContact(contact: ContactRecord, selected: readonly string[] | undefined): Json {
  const whole: Json = {
    id: contact.id,
    displayName: contact.displayName,
    mail: contact.mail,
    mailNickname: contact.mail.split("@")[0],
    proxyAddresses: contact.proxyAddresses,
  };
  if (!selected) return whole;
  return Object.fromEntries(
    [...new Set([...selected, "id"])].filter((name) => name in whole).map((name) => [name, whole[name]]),
  );
}

/** `users(displayName,id)`: what the context of an answer says after `$metadata#`. */
export const contextOf = (collection: string, selected: readonly string[] | undefined): string =>
  selected ? `${collection}(${selected.join(",")})` : collection;

/** The SID that Entra derives from an object id. */
function securityIdentifier(id: string): string {
  const hex = id.replaceAll("-", "");
  const bytes = Buffer.from(hex, "hex");
  const guid = Buffer.concat([
    bytes.subarray(0, 4).reverse(),
    bytes.subarray(4, 6).reverse(),
    bytes.subarray(6, 8).reverse(),
    bytes.subarray(8),
  ]);
  return `S-1-12-1-${[0, 4, 8, 12].map((at) => guid.readUInt32LE(at)).join("-")}`;
}
