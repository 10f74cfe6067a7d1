import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { Attributes, AttributeValue, SourceUser, TargetUser } from "../../domain/user.ts";

/** What every user read asks for, beside the attributes of the jobs. */
const CORE = ["id", "userPrincipalName", "mail", "userType", "creationType", "accountEnabled"];
const TARGET_CORE = [...CORE, "otherMails", "externalUserState", "createdDateTime"];

const text = z.string().nullish();
const User = z.looseObject({
  id: z.string(),
  userPrincipalName: text,
  mail: text,
  userType: text,
  creationType: text,
  accountEnabled: z.boolean().nullish(),
  otherMails: z.array(z.string()).nullish(),
  externalUserState: text,
  createdDateTime: text,
  manager: z.looseObject({ id: z.string() }).nullish(),
  identities: z.array(z.looseObject({ signInType: text, issuer: text })).nullish(),
  externalUserStateChangeDateTime: text,
});
type User = z.infer<typeof User>;

/** `$select` for these attributes: nested ones by their first part, what we compute ourselves not at all. */
export function selectOf(attributes: readonly string[], side: "source" | "target", stampAttribute?: string): string {
  return propertiesOf([
    ...(side === "source" ? CORE : TARGET_CORE),
    ...attributes,
    ...(stampAttribute ? [stampAttribute] : []),
  ]);
}

/** For `$select`: nested attributes come with the property that they are in. */
export const propertiesOf = (attributes: readonly string[]): string =>
  [...new Set(attributes.map((name) => name.split(".")[0] ?? name))].join(",");

/** What tells whose account a guest is, as far as Graph says. */
export const IDENTITY = "identities,externalUserStateChangeDateTime";

export const EXPAND_MANAGER = "$expand=manager($select=id)";

export function sourceUserOf(body: unknown, attributes: readonly string[], tenantId: string): SourceUser {
  const user = parse(body, tenantId);
  const { accountEnabled } = user;
  // Who is not said to be blocked must not be taken for somebody who has left.
  if (typeof accountEnabled !== "boolean") throw strange(tenantId, "a user without accountEnabled");
  return {
    id: user.id,
    userPrincipalName: user.userPrincipalName ?? "",
    mail: user.mail ?? null,
    userType: user.userType ?? null,
    creationType: user.creationType ?? null,
    accountEnabled,
    managerId: user.manager?.id,
    attributes: attributesOf(user, attributes, tenantId),
  };
}

export function targetUserOf(
  body: unknown,
  attributes: readonly string[],
  tenantId: string,
  stampAttribute: string,
  softDeleted: boolean,
): TargetUser {
  const user = parse(body, tenantId);
  const stamp = user[stampAttribute];
  return {
    id: user.id,
    userPrincipalName: user.userPrincipalName ?? "",
    mail: user.mail ?? null,
    otherMails: user.otherMails ?? [],
    userType: user.userType ?? null,
    creationType: user.creationType ?? null,
    externalUserState: user.externalUserState ?? null,
    accountEnabled: user.accountEnabled === true,
    createdAt: createdAtOf(user.createdDateTime),
    managerId: user.manager?.id,
    stamp: typeof stamp === "string" && stamp !== "" ? stamp : null,
    attributes: attributesOf(user, attributes, tenantId),
    softDeleted,
    ...(user.identities ? { identity: identityOf(user) } : {}),
  };
}

/** Old users have no date: what has none is older than anything of ours. Source: Graph `resources/user.md`. */
export const createdAtOf = (date: string | null | undefined): number => (date ? Date.parse(date) : 0);

/** Beside the sign-in by the name that the user has in the target. Source: Graph `resources/objectidentity.md`. */
function identityOf(user: User): NonNullable<TargetUser["identity"]> {
  const federated = (user.identities ?? []).filter(({ signInType }) => signInType !== "userPrincipalName");
  const changedAt = Date.parse(user.externalUserStateChangeDateTime ?? "");
  return {
    federatedIssuers: federated.map(({ issuer }) => issuer ?? "unknown"),
    redeemedAt: Number.isFinite(changedAt) ? changedAt : undefined,
  };
}

/** The body of a PATCH: nested attributes gathered, `syncSource` under the name that it has in this tenant. */
export function patchOf(changes: Attributes, stampAttribute: string): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(changes)) {
    const [first = name, second] = name.split(".");
    if (second === undefined) body[name === "syncSource" ? stampAttribute : name] = value;
    else body[first] = { ...(body[first] as Record<string, unknown> | undefined), [second]: value };
  }
  return body;
}

function attributesOf(user: User, names: readonly string[], tenantId: string): Attributes {
  return Object.fromEntries(names.map((name) => [name, valueAt(user, name, tenantId)]));
}

/** Graph leaves out extension attributes without a value. Throws `ITEM_UNREADABLE` for a form that no attribute of ours has. */
function valueAt(user: User, name: string, tenantId: string): AttributeValue {
  const [first = "", second] = name.split(".");
  const outer = user[first] ?? null;
  const parsed = Value.safeParse(second === undefined || outer === null ? outer : partOf(outer, second));
  if (parsed.success) return parsed.data;
  throw new SyncError("ITEM_UNREADABLE", { tenantId, detail: `${name} of user ${user.id} has an unknown form` });
}
const Value = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]);
const partOf = (outer: unknown, name: string): unknown =>
  typeof outer === "object" && outer !== null ? (Reflect.get(outer, name) ?? null) : undefined;

function parse(body: unknown, tenantId: string): User {
  const parsed = User.safeParse(body);
  if (parsed.success) return parsed.data;
  throw strange(tenantId, `not a user: ${parsed.error.issues.map(({ path }) => path.join(".")).join(", ")}`);
}

const strange = (tenantId: string, detail: string): SyncError =>
  new SyncError("TENANT_UNAVAILABLE", { tenantId, detail });
