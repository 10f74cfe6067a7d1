import type { SandboxClock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { Commit, TenantSpec } from "./api.ts";
import { CommitLog, type LogEntry } from "./commit-log.ts";
import { computedPeople } from "./computed.ts";
import { Groupings } from "./groupings.ts";
import { alive, bareAddress, People, type Person } from "./people.ts";
import type { Properties } from "./properties.ts";
import {
  addVersion,
  type ContactRecord,
  type GroupRecord,
  type GroupState,
  stateNow,
  type UserState,
} from "./records.ts";

/** How long a soft-deleted object can be restored. */
export const RECYCLE_BIN_MS = 30 * 24 * 3600_000;
const DAY_MS = 24 * 3600_000;
/** When the computed people were created, before the world began. */
const COMPUTED_AGE_MS = 400 * DAY_MS;

export interface NewUser {
  id?: string;
  properties: Properties;
  managerId?: string | undefined;
  home?: { tenant: string; userId: string } | undefined;
  invitedAddress?: string | undefined;
  sponsorIds?: readonly string[];
}

export type ObjectType = "user" | "group" | "orgContact";

/** Who has an address. */
export interface Holder {
  type: ObjectType;
  id: string;
}

/**
 * One tenant's directory: the truth and its history. Knows no HTTP and checks no permission; refuses nothing but what
 * would make it inconsistent. Every change is one or more commits.
 */
export class Directory {
  readonly people: People;
  readonly groups = new Groupings();
  readonly log = new CommitLog();
  readonly contacts = new Map<string, ContactRecord>();
  private readonly addressesOfOthers = new Map<string, Holder>();
  private readonly spec: TenantSpec;
  private readonly clock: SandboxClock;
  private readonly ids: Random;
  private cancelPurge: (() => void) | undefined;

  constructor(spec: TenantSpec, clock: SandboxClock, seed: number, ids: Random) {
    this.spec = spec;
    this.clock = clock;
    this.ids = ids;
    this.people = new People(
      computedPeople(seed, spec.id, spec.domain, spec.computedUsers ?? 0, clock.now() - COMPUTED_AGE_MS),
    );
  }

  close(): void {
    this.cancelPurge?.();
  }

  newId(): string {
    return this.ids.uuid();
  }

  /** Live and restorable objects, without the computed people: a tenant of that size has a larger quota. */
  get objects(): number {
    const stored = this.people.live - (this.spec.computedUsers ?? 0) + this.people.deleted.size;
    return stored + this.groups.all().length + this.contacts.size;
  }

  // Users

  /** A live user with this object id or userPrincipalName. */
  userAt(idOrName: string, at: number): Person | undefined {
    const person = idOrName.includes("@")
      ? this.userByName(idOrName, at)
      : this.people.find(idOrName.toLowerCase(), at);
    return person && alive(person.state) ? person : undefined;
  }

  userByName(userPrincipalName: string, at: number): Person | undefined {
    const key = userPrincipalName.toLowerCase();
    return this.firstOf(this.people.candidates(key), at, (properties) => lower(properties.userPrincipalName) === key);
  }

  createUser(user: NewUser, by: string): string {
    const now = this.clock.now();
    const id = user.id ?? this.newId();
    const { createdDateTime, ...properties } = user.properties;
    const created =
      typeof createdDateTime === "string" ? createdDateTime : `${new Date(now).toISOString().slice(0, 19)}Z`;
    const state: UserState = {
      properties: { ...properties, createdDateTime: created },
      managerId: user.managerId,
      deletedAt: undefined,
    };
    this.people.add({
      id,
      versions: [{ at: now, state }],
      createdAt: Date.parse(created),
      createdBy: by,
      accountEnabledBy: by,
      deletedBy: undefined,
      home: user.home,
      invitedAddress: user.invitedAddress,
      administrator: false,
      sponsorIds: user.sponsorIds ?? [],
    });
    const names = Object.keys(state.properties);
    this.commit("user", id, "created", by, user.managerId === undefined ? names : [...names, "manager"]);
    return id;
  }

  /** Sets properties; only what differs becomes a commit. `managerId: null` removes the manager. */
  updateUser(id: string, changes: Properties, by: string, managerId?: string | null): void {
    const record = this.people.record(id);
    const state = record && stateNow(record.versions);
    if (!record || !state) throw new Error(`there is no user ${id}`);
    const changed = Object.keys(changes).filter((name) => !same(state.properties[name], changes[name]));
    const manager = managerId === undefined ? state.managerId : (managerId ?? undefined);
    const names = manager === state.managerId ? changed : [...changed, "manager"];
    if (names.length === 0) return;
    const properties: Record<string, unknown> = { ...state.properties };
    for (const name of changed) properties[name] = changes[name];
    if (changed.includes("accountEnabled")) record.accountEnabledBy = by;
    this.people.change(record, this.clock.now(), { ...state, properties, managerId: manager });
    const former = manager === state.managerId ? undefined : state.managerId;
    this.commit("user", id, "updated", by, names, former === undefined ? {} : { formerManagerId: former });
  }

  setSponsors(id: string, sponsorIds: readonly string[], by: string): void {
    const record = this.people.record(id);
    if (!record || !stateNow(record.versions)) throw new Error(`there is no user ${id}`);
    record.sponsorIds = sponsorIds;
    this.commit("user", id, "updated", by, ["sponsors"]);
  }

  softDeleteUser(id: string, by: string): void {
    const record = this.people.record(id);
    const state = record && stateNow(record.versions);
    if (!record || !state || state.deletedAt !== undefined) throw new Error(`there is no user ${id}`);
    const now = this.clock.now();
    const name = `${id.replaceAll("-", "")}${String(state.properties.userPrincipalName)}`;
    const properties = { ...state.properties, userPrincipalName: name };
    record.deletedBy = by;
    this.people.change(record, now, { ...state, properties, deletedAt: now });
    this.commit("user", id, "deleted", by, []);
    for (const group of this.groups.groupsOfAt(id, now)) this.commitMember(group.id, id, by, true);
    this.schedulePurge();
  }

  /** With the name it had, or another, and without the addresses that somebody else has taken. */
  restoreUser(id: string, by: string, changes: Properties = {}): void {
    const record = this.people.record(id);
    const state = record && stateNow(record.versions);
    if (!record || !state || state.deletedAt === undefined) throw new Error(`there is no deleted user ${id}`);
    const now = this.clock.now();
    const properties = { ...state.properties, userPrincipalName: nameBeforeDeletion(id, state), ...changes };
    record.deletedBy = undefined;
    this.people.change(record, now, { ...state, properties, deletedAt: undefined });
    this.commit("user", id, "restored", by, Object.keys(properties));
    for (const group of this.groups.groupsOfAt(id, now)) this.commitMember(group.id, id, by, false);
  }

  purgeUser(id: string, by: string): void {
    const record = this.people.record(id);
    const state = record && stateNow(record.versions);
    if (!record || !state) throw new Error(`there is no user ${id}`);
    if (state.deletedAt === undefined) this.softDeleteUser(id, by);
    const now = this.clock.now();
    this.people.change(record, now, undefined);
    for (const group of this.groups.groupsOfAt(id, now)) this.groups.leave(group, id, now);
    this.commit("user", id, "purged", by, []);
  }

  // Groups

  createGroup(group: { id?: string; properties: Properties }, by: string): string {
    const now = this.clock.now();
    const id = group.id ?? this.newId();
    const created = `${new Date(now).toISOString().slice(0, 19)}Z`;
    const properties: Properties = { ...group.properties, createdDateTime: created, renewedDateTime: created };
    this.groups.add({
      id,
      versions: [{ at: now, state: { properties, deletedAt: undefined } }],
      createdAt: now,
      members: new Map(),
      ended: [],
      owners: new Set(),
    });
    for (const address of strings(properties.proxyAddresses)) {
      this.addressesOfOthers.set(bareAddress(address), { type: "group", id });
    }
    this.commit("group", id, "created", by, Object.keys(properties));
    return id;
  }

  updateGroup(id: string, changes: Properties, by: string): void {
    const { record, state } = this.liveGroup(id);
    const names = Object.keys(changes).filter((name) => !same(state.properties[name], changes[name]));
    if (names.length === 0) return;
    addVersion(record.versions, this.clock.now(), { ...state, properties: { ...state.properties, ...changes } });
    this.commit("group", id, "updated", by, names);
  }

  /** Microsoft 365 groups go to the recycle bin, others are gone. */
  deleteGroup(id: string, by: string): void {
    const { record, state } = this.liveGroup(id);
    const now = this.clock.now();
    const unified = strings(state.properties.groupTypes).includes("Unified");
    for (const parent of this.groups.groupsOfAt(id, now)) this.removeMember(parent.id, id, by);
    if (unified) {
      addVersion(record.versions, now, { ...state, deletedAt: now });
      this.commit("group", id, "deleted", by, []);
      this.schedulePurge();
    } else this.purgeGroup(id, by);
  }

  restoreGroup(id: string, by: string): void {
    const record = this.groups.get(id);
    const state = record && stateNow(record.versions);
    if (!record || !state || state.deletedAt === undefined) throw new Error(`there is no deleted group ${id}`);
    addVersion(record.versions, this.clock.now(), { ...state, deletedAt: undefined });
    this.commit("group", id, "restored", by, Object.keys(state.properties));
  }

  purgeGroup(id: string, by: string): void {
    const record = this.groups.get(id);
    const state = record && stateNow(record.versions);
    if (!record || !state) throw new Error(`there is no group ${id}`);
    const now = this.clock.now();
    for (const memberId of [...record.members.keys()]) this.groups.leave(record, memberId, now);
    for (const address of strings(state.properties.proxyAddresses)) this.addressesOfOthers.delete(bareAddress(address));
    addVersion(record.versions, now, undefined);
    this.commit("group", id, "purged", by, []);
  }

  addMember(groupId: string, memberId: string, by: string): void {
    const { record } = this.liveGroup(groupId);
    if (record.members.has(memberId)) return;
    this.groups.join(record, memberId, this.clock.now());
    this.commitMember(groupId, memberId, by, false);
  }

  removeMember(groupId: string, memberId: string, by: string): void {
    const { record } = this.liveGroup(groupId);
    if (!record.members.has(memberId)) return;
    this.groups.leave(record, memberId, this.clock.now());
    this.commitMember(groupId, memberId, by, true);
  }

  // Contacts

  createContact(contact: { displayName: string; mail: string }, by: string): string {
    const id = this.newId();
    const proxyAddresses = [`SMTP:${contact.mail}`];
    this.contacts.set(id, { id, ...contact, proxyAddresses, createdAt: this.clock.now() });
    this.addressesOfOthers.set(contact.mail.toLowerCase(), { type: "orgContact", id });
    this.commit("contact", id, "created", by, ["displayName", "mail", "proxyAddresses"]);
    return id;
  }

  // Who is who

  /** What an id stands for, as this replica knows it. */
  typeAt(id: string, at: number): ObjectType | undefined {
    if (this.userAt(id, at)) return "user";
    const group = this.groups.stateAt(id, at);
    if (group && group.deletedAt === undefined) return "group";
    const contact = this.contacts.get(id);
    return contact && contact.createdAt <= at ? "orgContact" : undefined;
  }

  /** The live object whose proxy address this is; the truth. */
  proxyHolder(address: string): Holder | undefined {
    const key = bareAddress(address);
    const user = this.firstOf(this.people.candidates(key), Number.POSITIVE_INFINITY, (properties) =>
      strings(properties.proxyAddresses).some((proxy) => bareAddress(proxy) === key),
    );
    if (user) return { type: "user", id: user.id };
    const other = this.addressesOfOthers.get(key);
    if (other?.type !== "group") return other;
    const state = this.groups.stateNow(other.id);
    return state && state.deletedAt === undefined ? other : undefined;
  }

  private firstOf(ids: readonly string[], at: number, test: (properties: Properties) => boolean): Person | undefined {
    for (const id of ids) {
      const person = this.people.find(id, at);
      if (person && alive(person.state) && test(person.state.properties)) return person;
    }
    return undefined;
  }

  private liveGroup(id: string): { record: GroupRecord; state: GroupState } {
    const record = this.groups.get(id);
    const state = record && stateNow(record.versions);
    if (!record || !state || state.deletedAt !== undefined) throw new Error(`there is no group ${id}`);
    return { record, state };
  }

  private commit(
    object: Commit["object"],
    id: string,
    kind: Commit["kind"],
    by: string,
    properties: readonly string[],
    more: Pick<LogEntry, "memberId" | "removed" | "formerManagerId"> = {},
  ): void {
    this.log.append({ tenant: this.spec.name, at: this.clock.now(), object, id, kind, by, properties, ...more });
  }

  private commitMember(groupId: string, memberId: string, by: string, removed: boolean): void {
    this.commit("group", groupId, "updated", by, ["members"], { memberId, removed });
  }

  /** Looks once a day, while something lies in the bin, for what has lain there too long. */
  private schedulePurge(): void {
    this.cancelPurge ??= this.clock.after(DAY_MS, () => {
      this.cancelPurge = undefined;
      const limit = this.clock.now() - RECYCLE_BIN_MS;
      let left = false;
      for (const id of [...this.people.deleted]) {
        if ((this.people.now(id)?.state.deletedAt ?? limit) <= limit) this.purgeUser(id, "people");
        else left = true;
      }
      for (const group of this.groups.all()) {
        const deletedAt = stateNow(group.versions)?.deletedAt;
        if (deletedAt === undefined) continue;
        if (deletedAt <= limit) this.purgeGroup(group.id, "people");
        else left = true;
      }
      if (left) this.schedulePurge();
    });
  }
}

/** The userPrincipalName without the object id that deletion puts before it. */
export function nameBeforeDeletion(id: string, state: UserState): string {
  const name = String(state.properties.userPrincipalName);
  const prefix = id.replaceAll("-", "");
  return state.deletedAt !== undefined && name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

export const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];

export const lower = (value: unknown): string | undefined =>
  typeof value === "string" ? value.toLowerCase() : undefined;

export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return (a ?? null) === (b ?? null);
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
