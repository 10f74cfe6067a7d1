import type { AttributeValue, SourceUser } from "../user.ts";

/** Properties that every reading of a source user has. */
const CORE = new Set(["id", "userPrincipalName", "mail", "userType", "creationType", "accountEnabled"]);

/** The Graph properties to be read for these names. */
export function readAttributes(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => !CORE.has(name));
}

/** One property of a source user. */
export function graphAttribute(user: SourceUser, name: string): AttributeValue {
  switch (name) {
    case "id":
    case "userPrincipalName":
    case "mail":
    case "userType":
    case "creationType":
    case "accountEnabled":
      return user[name];
    default:
      return user.attributes[name] ?? null;
  }
}

/** A source user as expressions and scoping filters see it. */
export function sourceView(user: SourceUser): Readonly<Record<string, unknown>> {
  const { id, userPrincipalName, mail, userType, creationType, accountEnabled } = user;
  return { ...user.attributes, id, userPrincipalName, mail, userType, creationType, accountEnabled };
}

const BOOLEANS = new Set(["showInAddressList"]);
const LISTS = new Set(["businessPhones", "otherMails"]);

/** A value in the type that the target attribute has in Graph. */
export function typed(
  target: string,
  value: AttributeValue,
): { value: AttributeValue } | { wrong: string; message: string } {
  if (value === null) return { value };
  if (LISTS.has(target)) return { value: Array.isArray(value) ? value : [String(value)] };
  if (Array.isArray(value))
    return { wrong: "SchemaPropertyCanOnlyAcceptValue", message: `${target} takes one value, not a list.` };
  if (BOOLEANS.has(target) && typeof value === "string") return { value: value.toLowerCase() === "true" };
  return { value };
}
