import type { Commit, TenantTruth, TruthUser } from "./api.ts";
import { lower } from "./directory.ts";
import { homeOf, redeem } from "./invitations.ts";
import { alive, type Person } from "./people.ts";
import type { Properties } from "./properties.ts";
import { stateNow } from "./records.ts";
import type { Tenant } from "./runtime.ts";
import { withPrimary } from "./user-writes.ts";

const NOW = Number.POSITIVE_INFINITY;

function truthUser(person: Person): TruthUser {
  const { state, record } = person;
  const { properties } = state;
  const text = (name: string) => {
    const value = properties[name];
    return typeof value === "string" ? value : null;
  };
  return {
    id: person.id,
    userPrincipalName: text("userPrincipalName") ?? "",
    mail: text("mail"),
    userType: text("userType"),
    accountEnabled: properties.accountEnabled === true,
    creationType: text("creationType"),
    managerId: state.managerId,
    sponsorIds: record?.sponsorIds ?? [],
    deletedAt: state.deletedAt,
    createdAt: record?.createdAt ?? Date.parse(text("createdDateTime") ?? ""),
    createdBy: record?.createdBy ?? "people",
    accountEnabledBy: record?.accountEnabledBy ?? "people",
    deletedBy: record?.deletedBy,
    home: record?.home,
    invitedAddress: record?.invitedAddress,
    administrator: record?.administrator === true,
    properties,
  };
}

/** A tenant as whoever makes the world sees and changes it. */
export function truthOf(tenant: Tenant): TenantTruth {
  const { directory, spec } = tenant;
  const by = "people";

  const split = (given: Properties): { properties: Record<string, unknown>; manager: string | null | undefined } => {
    const { manager, id: _, ...properties } = given;
    return { properties, manager: manager === undefined ? undefined : typeof manager === "string" ? manager : null };
  };

  const createUser = (given: Properties): string => {
    const { properties, manager } = split(given);
    const name = properties.userPrincipalName;
    if (typeof name !== "string") throw new Error("a user needs a userPrincipalName");
    if (directory.userByName(name, NOW)) throw new Error(`${spec.name} has a user ${name} already`);
    const mail = properties.mail;
    const guest = properties.creationType === "Invitation";
    const free = typeof mail === "string" && directory.proxyHolder(mail) === undefined;
    return directory.createUser(
      {
        ...(typeof given.id === "string" ? { id: given.id.toLowerCase() } : {}),
        properties: {
          accountEnabled: true,
          displayName: name.slice(0, name.indexOf("@")),
          identities: [{ signInType: "userPrincipalName", issuer: spec.initialDomain, issuerAssignedId: name }],
          mailNickname: name.slice(0, name.lastIndexOf("@")),
          userType: "Member",
          ...(free ? { proxyAddresses: [`SMTP:${mail}`] } : {}),
          ...properties,
        },
        managerId: manager ?? undefined,
        ...(guest && typeof mail === "string" ? { home: homeOf(tenant, mail), invitedAddress: mail } : {}),
      },
      by,
    );
  };

  const updateUser = (id: string, given: Properties): void => {
    const { properties, manager } = split(given);
    const before = directory.people.now(id)?.state.properties;
    if (!before) throw new Error(`${spec.name} has no user ${id}`);
    const mail = properties.mail;
    if (typeof mail === "string" && lower(mail) !== lower(before.mail) && properties.proxyAddresses === undefined) {
      const proxies = Array.isArray(before.proxyAddresses) ? before.proxyAddresses.map(String) : [];
      properties.proxyAddresses = withPrimary(proxies, mail);
    }
    directory.updateUser(id, properties, by, manager);
  };

  return {
    *users() {
      for (const { person } of directory.people.from(0, NOW)) yield truthUser(person);
    },
    user(id) {
      const person = directory.people.now(id.toLowerCase());
      return person && truthUser(person);
    },
    userByName(userPrincipalName) {
      const person = directory.userByName(userPrincipalName, NOW);
      return person && truthUser(person);
    },
    *groups() {
      for (const group of directory.groups.all()) {
        const state = stateNow(group.versions);
        if (!state) continue;
        const memberIds = directory.groups
          .membersAt(group, NOW)
          .filter((id) => directory.typeAt(id, NOW) !== undefined);
        yield {
          id: group.id,
          displayName: String(state.properties.displayName),
          memberIds,
          deletedAt: state.deletedAt,
          roleAssignable: state.properties.isAssignableToRole === true,
        };
      }
    },
    *contacts() {
      for (const { id, mail } of directory.contacts.values()) yield { id, mail };
    },
    createUser,
    updateUser,
    deleteUser: (id) => directory.softDeleteUser(id, by),
    purgeUser: (id) => directory.purgeUser(id, by),
    restoreUser: (id) => directory.restoreUser(id, by),
    createGroup({ id, displayName, unified, roleAssignable, hidden, members }) {
      const nickname = displayName.replace(/[^A-Za-z0-9]/g, "").toLowerCase() || "group";
      const mail = `${nickname}@${spec.domain}`;
      const addressed = unified && !directory.proxyHolder(mail) ? { mail, proxyAddresses: [`SMTP:${mail}`] } : {};
      const groupId = directory.createGroup(
        {
          ...(id === undefined ? {} : { id: id.toLowerCase() }),
          properties: {
            displayName,
            groupTypes: unified ? ["Unified"] : [],
            mailEnabled: unified === true,
            mailNickname: nickname,
            securityEnabled: true,
            ...(roleAssignable ? { isAssignableToRole: true } : {}),
            ...(hidden ? { visibility: "HiddenMembership" } : {}),
            ...addressed,
          },
        },
        by,
      );
      for (const member of members ?? []) directory.addMember(groupId, member, by);
      return groupId;
    },
    deleteGroup: (id) => directory.deleteGroup(id, by),
    addMember: (groupId, memberId) => directory.addMember(groupId, memberId, by),
    removeMember: (groupId, memberId) => directory.removeMember(groupId, memberId, by),
    createContact: (contact) => directory.createContact(contact, by),
    redeem(userId, how = {}) {
      const record = directory.people.record(userId);
      if (record && "home" in how) record.home = how.home;
      redeem(tenant, userId, by, how.issuer);
    },
    signIn(userId, { homeTenantId, errorCode = 0 } = {}) {
      const home = directory.people.now(userId)?.record?.home;
      const homeSpec = home ? tenant.world.tenants.get(home.tenant)?.spec : spec;
      const from = homeTenantId ?? homeSpec?.id ?? spec.id;
      tenant.signIns.add({
        id: tenant.chance.ids.uuid(),
        userId,
        at: tenant.world.clock.now(),
        homeTenantId: from,
        errorCode,
      });
    },
    signIns: (userId) => tenant.signIns.since(0).filter((record) => record.userId === userId),
    makeAdministrator(userId) {
      const record = directory.people.record(userId);
      if (!record || !alive(stateNow(record.versions))) throw new Error(`${spec.name} has no user ${userId}`);
      record.administrator = true;
    },
    onCommit: (listener) =>
      directory.log.listen(({ seq: _, ...commit }) => {
        listener(commit satisfies Commit);
      }),
  };
}
