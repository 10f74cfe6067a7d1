import * as z from "zod";
import type { TenantTruth } from "./api.ts";

const properties = z.record(z.string(), z.unknown());
/** An object id or a userPrincipalName. */
const user = z.string().min(1);

/** `POST /population`. Done in the order of these keys; nothing is undone when a later part is wrong. */
export const Population = z.strictObject({
  tenant: z.string(),
  create: z
    .strictObject({
      /** Graph's property names; `manager` by id or userPrincipalName. */
      users: z.array(properties).default([]),
      groups: z
        .array(
          z.strictObject({
            id: z.guid().optional(),
            displayName: z.string().min(1),
            unified: z.boolean().optional(),
            roleAssignable: z.boolean().optional(),
            members: z.array(user).default([]),
          }),
        )
        .default([]),
      contacts: z.array(z.strictObject({ displayName: z.string().min(1), mail: z.email() })).default([]),
    })
    .prefault({}),
  update: z.array(z.strictObject({ user, changes: properties })).default([]),
  members: z
    .strictObject({
      add: z.array(z.strictObject({ group: z.guid(), member: user })).default([]),
      remove: z.array(z.strictObject({ group: z.guid(), member: user })).default([]),
    })
    .prefault({}),
  /** Guests who accept, with an account of Entra ID unless an issuer is said: `mail`, `MicrosoftAccount`, … */
  redeem: z.array(z.union([user, z.strictObject({ user, issuer: z.string().min(1) })])).default([]),
  /** Users who sign in, from their home unless another tenant is said. */
  signIns: z.array(z.strictObject({ user, homeTenantId: z.guid().optional() })).default([]),
  /** Users who get a directory role. */
  administrators: z.array(user).default([]),
  /** Users go to the recycle bin. */
  delete: z.strictObject({ users: z.array(user).default([]), groups: z.array(z.guid()).default([]) }).prefault({}),
  /** By id. */
  restore: z.strictObject({ users: z.array(z.guid()).default([]) }).prefault({}),
  purge: z.strictObject({ users: z.array(user).default([]) }).prefault({}),
});
export type Population = z.infer<typeof Population>;

/** Ids of what was made, in the order of the input. */
export interface PopulationAnswer {
  created: { users: string[]; groups: string[]; contacts: string[] };
}

export function applyPopulation(truth: TenantTruth, population: Population): PopulationAnswer {
  const idOf = (idOrName: string): string => {
    if (!idOrName.includes("@")) return idOrName.toLowerCase();
    const found = truth.userByName(idOrName);
    if (!found) throw new Error(`There is no user ${idOrName} in ${population.tenant}.`);
    return found.id;
  };
  const resolved = (given: Readonly<Record<string, unknown>>) => {
    const { manager } = given;
    return typeof manager === "string" ? { ...given, manager: idOf(manager) } : given;
  };
  const { create, update, members, redeem, signIns, administrators, restore, purge } = population;
  const created: PopulationAnswer["created"] = { users: [], groups: [], contacts: [] };
  for (const given of create.users) created.users.push(truth.createUser(resolved(given)));
  for (const { id, displayName, unified, roleAssignable, members: ids } of create.groups) {
    const group = {
      displayName,
      members: ids.map(idOf),
      ...(id === undefined ? {} : { id }),
      ...(unified === undefined ? {} : { unified }),
      ...(roleAssignable === undefined ? {} : { roleAssignable }),
    };
    created.groups.push(truth.createGroup(group));
  }
  for (const contact of create.contacts) created.contacts.push(truth.createContact(contact));
  for (const { user: who, changes } of update) truth.updateUser(idOf(who), resolved(changes));
  for (const { group, member } of members.add) truth.addMember(group.toLowerCase(), idOf(member));
  for (const { group, member } of members.remove) truth.removeMember(group.toLowerCase(), idOf(member));
  for (const who of redeem) {
    if (typeof who === "string") truth.redeem(idOf(who));
    else truth.redeem(idOf(who.user), { issuer: who.issuer });
  }
  for (const { user: who, homeTenantId } of signIns)
    truth.signIn(idOf(who), homeTenantId === undefined ? {} : { homeTenantId });
  for (const who of administrators) truth.makeAdministrator(idOf(who));
  for (const who of population.delete.users) truth.deleteUser(idOf(who));
  for (const group of population.delete.groups) truth.deleteGroup(group.toLowerCase());
  for (const id of restore.users) truth.restoreUser(id.toLowerCase());
  for (const who of purge.users) truth.purgeUser(idOf(who));
  return { created };
}
