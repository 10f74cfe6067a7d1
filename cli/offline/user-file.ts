import * as z from "zod";
import { ALIASES, sourceView } from "../../shared/domain/mapping/attributes.ts";
import { readJson } from "../files.ts";

const USER = z.record(z.string(), z.unknown());
const TEXT = z.string().nullish().catch(null);
const VALUE = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]);

/**
 * A user as Graph gives it: every attribute as it stands there, nested ones also by their path, and all of them by the
 * directory's older names, as in a job.
 */
export function readUser(file: string): Readonly<Record<string, unknown>> {
  const given = readJson(file, USER);
  const nested = Object.entries(given).flatMap(([outer, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([inner, one]) => [`${outer}.${inner}`, one] as const)
      : [],
  );
  const known = { ...Object.fromEntries(nested), ...given };
  return { ...olderNames(known), ...known };
}

function olderNames(known: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const plain = Object.entries(known).flatMap(([name, value]) => {
    const read = VALUE.safeParse(value);
    return read.success ? [[name, read.data] as const] : [];
  });
  const view = sourceView({
    id: TEXT.parse(known.id) ?? "",
    userPrincipalName: TEXT.parse(known.userPrincipalName) ?? "",
    mail: TEXT.parse(known.mail) ?? null,
    userType: TEXT.parse(known.userType) ?? "Member",
    creationType: TEXT.parse(known.creationType) ?? null,
    accountEnabled: known.accountEnabled !== false,
    managerId: undefined,
    attributes: Object.fromEntries(plain),
  });
  return Object.fromEntries(
    [...ALIASES].flatMap(([name, { reads }]) => (Object.hasOwn(known, reads) ? [[name, view[name]] as const] : [])),
  );
}
