/** What an app may write to a user, and what follows from it. Source: Graph `user-update.md`, `resources/user.md`. */
import { lower, strings } from "./directory.ts";
import { badRequest, conflict, denied, invalidValue, isRecord, notFound, ODataError } from "./odata.ts";
import { alive, bareAddress, type Person } from "./people.ts";
import { hasAny } from "./permissions.ts";
import {
  isExtensionName,
  type Properties,
  type PropertySpec,
  SENSITIVE,
  USER_PROPERTIES,
  USER_UPDATE,
} from "./properties.ts";
import { type Call, replicaTime, type Tenant } from "./runtime.ts";
import type { Principal } from "./tokens.ts";

const UPN = /^[A-Za-z0-9'._!#^~-]+@[A-Za-z0-9.-]+$/;
/** No accents. */
const MAIL = /^[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;
const OTHER_MAILS_MAX = 250;
const EXTENSION_ATTRIBUTE = /^extensionAttribute([1-9]|1[0-5])$/;
const EXTENSION_TEXT_MAX = 256;
/** Values of directory extensions that one object can have. */
const EXTENSIONS_MAX = 100;

const invalid = (property: string) =>
  invalidValue(property, `Invalid value specified for property '${property}' of resource 'User'.`);

/**
 * The changes that a PATCH body means, checked one by one: known, writable, permitted, of the right type and length.
 * `creating`: the permission to create users covers everything.
 */
export function readChanges(
  tenant: Tenant,
  principal: Principal,
  body: unknown,
  person: Person | undefined,
): Record<string, unknown> {
  if (!isRecord(body)) throw new ODataError(400, "BadRequest", "Empty Payload. JSON content expected.");
  const changes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (name.startsWith("@odata.")) continue;
    if (isExtensionName(name)) changes[name] = readExtension(tenant, principal, name, value);
    else {
      const spec = Object.hasOwn(USER_PROPERTIES, name) ? USER_PROPERTIES[name] : undefined;
      if (!spec) {
        throw new ODataError(
          400,
          "BadRequest",
          `The property '${name}' does not exist on type 'microsoft.graph.user'. Make sure to only use property names that are defined by the type.`,
        );
      }
      if (spec.write === "no") throw invalidValue(name, `Property '${name}' is read-only and cannot be set.`);
      if (spec.write === "people") throw denied();
      if (person) checkPermission(principal, person, name, spec);
      changes[name] = readProperty(name, spec, value, person?.state.properties);
    }
  }
  const extensions = Object.keys({ ...person?.state.properties, ...changes }).filter(isExtensionName);
  const present = extensions.filter(
    (name) => (changes[name] ?? (name in changes ? null : person?.state.properties[name])) != null,
  );
  if (present.length > EXTENSIONS_MAX) {
    throw new ODataError(
      403,
      "Directory_ResourceSizeExceeded",
      "The size of the object has exceeded its limit. Please reduce the number of values and retry your request.",
    );
  }
  return changes;
}

function checkPermission(principal: Principal, person: Person, name: string, spec: PropertySpec): void {
  if (!hasAny(principal, spec.permission ?? USER_UPDATE)) throw denied();
  if (person.record?.administrator && SENSITIVE.includes(name) && !principal.administrator) throw denied();
}

function readExtension(tenant: Tenant, principal: Principal, name: string, value: unknown): unknown {
  const extension = tenant.applications.extension(name);
  if (!extension) throw badRequest(`The following extension properties are not available: ${name}.`);
  if (!hasAny(principal, USER_UPDATE)) throw denied();
  if (value === null) return null;
  const one = (item: unknown) => {
    const fits =
      extension.dataType === "Boolean"
        ? typeof item === "boolean"
        : extension.dataType === "Integer" || extension.dataType === "LargeInteger"
          ? Number.isInteger(item)
          : extension.dataType === "DateTime"
            ? typeof item === "string" && !Number.isNaN(Date.parse(item))
            : typeof item === "string" && item !== "" && item.length <= EXTENSION_TEXT_MAX;
    if (!fits) throw invalid(name);
  };
  if (extension.isMultiValued) {
    if (!Array.isArray(value)) throw invalid(name);
    value.forEach(one);
  } else one(value);
  return value;
}

function readProperty(name: string, spec: PropertySpec, value: unknown, before: Properties | undefined): unknown {
  if (value === null) {
    if (!spec.nullable) throw invalid(name);
    return null;
  }
  switch (spec.type) {
    case "boolean":
      if (typeof value !== "boolean") throw invalid(name);
      return value;
    case "dateTime":
      if (typeof value !== "string" || Number.isNaN(Date.parse(value))) throw invalid(name);
      return value;
    case "strings":
      return readStrings(name, spec, value);
    case "object":
      return readObject(name, value, before);
    case "objects":
      return readIdentities(value, before);
    case "string":
      return readText(name, spec, value);
  }
}

function readText(name: string, spec: PropertySpec, value: unknown): string {
  if (typeof value !== "string" || value === "" || value.length > (spec.max ?? Number.POSITIVE_INFINITY))
    throw invalid(name);
  if (name === "usageLocation" && !/^[A-Za-z]{2}$/.test(value)) throw invalid(name);
  if (name === "userType" && value !== "Member" && value !== "Guest") throw invalid(name);
  if (name === "preferredLanguage" && !/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(value)) throw invalid(name);
  if (name === "mail" && !MAIL.test(value)) throw invalid(name);
  if (name === "userPrincipalName" && !UPN.test(value)) throw invalid(name);
  if (name === "mailNickname" && /[@()\\[\]";:<>, ]/.test(value)) throw invalid(name);
  return value;
}

function readStrings(name: string, spec: PropertySpec, value: unknown): string[] {
  if (
    !Array.isArray(value) ||
    value.some((item) => typeof item !== "string" || item.length > (spec.max ?? Number.POSITIVE_INFINITY))
  )
    throw invalid(name);
  const texts = strings(value);
  if (name === "businessPhones" && texts.length > 1) throw invalid(name);
  if (name === "otherMails" && (texts.length > OTHER_MAILS_MAX || texts.some((mail) => !MAIL.test(mail))))
    throw invalid(name);
  return texts;
}

function readObject(name: string, value: unknown, before: Properties | undefined): unknown {
  if (!isRecord(value)) throw invalid(name);
  const text = (item: unknown, max: number) => {
    if (item !== null && (typeof item !== "string" || item === "" || item.length > max)) throw invalid(name);
    return item;
  };
  if (name === "employeeOrgData") {
    const unknown = Object.keys(value).find(
      (key) => key !== "division" && key !== "costCenter" && !key.startsWith("@odata."),
    );
    if (unknown) throw invalid(name);
    return { costCenter: text(value.costCenter ?? null, 256), division: text(value.division ?? null, 256) };
  }
  if (name === "onPremisesExtensionAttributes") {
    if (before?.onPremisesSyncEnabled === true) {
      throw badRequest(
        "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
      );
    }
    const merged: Record<string, unknown> = { ...(isRecord(before?.[name]) ? before[name] : {}) };
    for (const [key, item] of Object.entries(value)) {
      if (!EXTENSION_ATTRIBUTE.test(key)) throw invalid(name);
      merged[key] = text(item, 1024);
    }
    return merged;
  }
  return value;
}

function readIdentities(value: unknown, before: Properties | undefined): unknown {
  if (!Array.isArray(value) || !value.every(isRecord)) throw invalid("identities");
  const name = lower(before?.userPrincipalName);
  const kept = value.some((item) => item.signInType === "userPrincipalName" && lower(item.issuerAssignedId) === name);
  if (before && !kept) throw invalid("identities");
  return value;
}

/**
 * What else changes with these changes: a new `mail` becomes the primary proxy address. Refuses names and addresses that
 * somebody else has, and names outside the verified domains. Looks at the truth, not at a replica.
 */
export function completeChanges(
  tenant: Tenant,
  person: Person | undefined,
  changes: Record<string, unknown>,
): Record<string, unknown> {
  const { directory } = tenant;
  const before = person?.state.properties ?? {};
  const name = changes.userPrincipalName;
  if (typeof name === "string" && lower(name) !== lower(before.userPrincipalName)) {
    if (!isVerified(tenant, name)) {
      throw invalidValue(
        "userPrincipalName",
        "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
      );
    }
    const other = directory.userByName(name, Number.POSITIVE_INFINITY);
    if (other && other.id !== person?.id) throw conflict("userPrincipalName");
  }
  const mail = changes.mail;
  if (typeof mail !== "string" || lower(mail) === lower(before.mail)) return changes;
  const holder = directory.proxyHolder(mail);
  if (holder && holder.id !== person?.id) throw conflict("proxyAddresses");
  return { ...changes, proxyAddresses: withPrimary(strings(before.proxyAddresses), mail) };
}

/** The proxy addresses with a new primary one; the old one stays as a secondary one. */
export function withPrimary(proxies: readonly string[], mail: string): string[] {
  const others = proxies
    .filter((proxy) => bareAddress(proxy) !== mail.toLowerCase())
    .map((proxy) => proxy.replace(/^SMTP:/, "smtp:"));
  return [`SMTP:${mail}`, ...others];
}

export function isVerified(tenant: Tenant, name: string): boolean {
  const domain = name.slice(name.lastIndexOf("@") + 1).toLowerCase();
  return tenant.applications.verifiedDomains.includes(domain);
}

/** Refuses a new object when the tenant's quota is used up. */
export function checkObjectQuota(tenant: Tenant): void {
  if (tenant.directory.objects < tenant.world.knobs.objectQuota) return;
  throw new ODataError(
    403,
    "Directory_QuotaExceeded",
    "The directory object quota limit for the Tenant has been exceeded. Please ask your administrator to increase the quota limit or delete objects to reduce the used quota.",
  );
}

/** The user whom a write is about: known to the replica that takes it, and not deleted in truth. */
export function userToWrite(call: Call): Person {
  const { directory } = call.tenant;
  const id = call.parameters[0] as string;
  const seen = directory.userAt(id, replicaTime(call.tenant));
  const person = seen && directory.people.now(seen.id);
  if (!person || !alive(person.state)) throw notFound(id);
  return person;
}
