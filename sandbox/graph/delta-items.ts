/** The items of delta pages. Source: Graph `delta-query-overview.md`, `delta-query-groups.md`. */
import { type Round, tracked } from "./delta.ts";
import { groupsAt } from "./groups.ts";
import { alive } from "./people.ts";
import { isExtensionName } from "./properties.ts";
import type { GroupRecord } from "./records.ts";
import { stateAt } from "./records.ts";
import { groupValue, userValue } from "./rendering.ts";
import type { Tenant } from "./runtime.ts";

export type Item = Record<string, unknown>;

/** One object's changes within a round. */
export interface ObjectChanges {
  properties: Set<string>;
  /** Created, deleted, restored or purged: shown whatever is selected. */
  whole: boolean;
  purged: boolean;
  /** Members who came or went. */
  members: Set<string>;
  formerManagers: Set<string>;
}

export interface Changes {
  objects: Map<string, ObjectChanges>;
}

export interface Page {
  items: Item[];
  next: { position: number; member: number } | undefined;
}

/** What changed between two commits that this round is to show. */
export function changesBetween(tenant: Tenant, round: Round): Changes {
  const object = round.kind === "users" ? "user" : "group";
  const names = new Set(tracked(round));
  const objects = new Map<string, ObjectChanges>();
  for (const entry of tenant.directory.log.between(round.from ?? 0, round.to)) {
    if (entry.object !== object || (round.ids && !round.ids.includes(entry.id))) continue;
    const whole = entry.kind !== "updated";
    if (!whole && !entry.properties.some((name) => names.has(name) || sameTypeSelected(tenant, name, names))) continue;
    const changes = objects.get(entry.id) ?? {
      properties: new Set(),
      whole: false,
      purged: false,
      members: new Set(),
      formerManagers: new Set(),
    };
    objects.set(entry.id, changes);
    changes.whole ||= whole;
    changes.purged = entry.kind === "purged";
    for (const name of entry.properties) changes.properties.add(name);
    if (entry.memberId !== undefined) changes.members.add(entry.memberId);
    if (entry.formerManagerId !== undefined) changes.formerManagers.add(entry.formerManagerId);
  }
  return { objects };
}

/** A changed directory extension shows with all extensions of its data type. */
function sameTypeSelected(tenant: Tenant, name: string, names: ReadonlySet<string>): boolean {
  if (!isExtensionName(name)) return false;
  const type = tenant.applications.extension(name)?.dataType;
  for (const other of names)
    if (isExtensionName(other) && tenant.applications.extension(other)?.dataType === type) return true;
  return false;
}

const removed = (id: string, reason: "changed" | "deleted"): Item => ({ id, "@removed": { reason } });

/** A user as an item; undefined when this replica does not know of any. */
export function userItem(
  tenant: Tenant,
  id: string,
  round: Round,
  at: number,
  changes: ObjectChanges | undefined,
): Item | undefined {
  const person = tenant.directory.people.find(id, at);
  if (!person) return changes?.purged ? removed(id, "deleted") : undefined;
  if (!alive(person.state)) return removed(id, "changed");
  const item: Item = {};
  const all = !round.minimal || !changes || changes.whole;
  for (const name of tracked(round)) {
    if (name === "id" || name === "manager") continue;
    if (!all && !changes?.properties.has(name)) continue;
    // What was never set is absent; what was cleared is null.
    if (person.state.properties[name] !== undefined || name === "onPremisesExtensionAttributes")
      item[name] = userValue(person, name);
  }
  item.id = id;
  if (tracked(round).includes("manager") && (all || changes?.properties.has("manager"))) {
    const managers = managerDelta(tenant, person.state.managerId, at, changes);
    if (managers) item["manager@delta"] = managers;
  }
  return item;
}

function managerDelta(
  tenant: Tenant,
  managerId: string | undefined,
  at: number,
  changes: ObjectChanges | undefined,
): Item[] | undefined {
  const type = "#microsoft.graph.user";
  const items: Item[] = [];
  if (managerId !== undefined && tenant.directory.userAt(managerId, at))
    items.push({ "@odata.type": type, id: managerId });
  for (const id of changes?.formerManagers ?? []) {
    if (id !== managerId) items.push({ "@odata.type": type, id, "@removed": { reason: "deleted" } });
  }
  return items.length > 0 ? items : undefined;
}

export function initialUserPage(tenant: Tenant, round: Round, at: number, size: number): Page {
  const items: Item[] = [];
  if (round.ids) {
    for (const id of round.ids) {
      const item = userItem(tenant, id, round, at, undefined);
      if (item) items.push(item);
    }
    return { items, next: undefined };
  }
  let position = round.position;
  for (const { person, next } of tenant.directory.people.from(round.position, at)) {
    if (items.length === size) return { items, next: { position, member: 0 } };
    position = next;
    const item = alive(person.state) ? userItem(tenant, person.id, round, at, undefined) : undefined;
    if (item) items.push(item);
  }
  return { items, next: undefined };
}

/** A page of groups: a group with many members fills pages of its own, slice by slice. */
export function initialGroupPage(tenant: Tenant, round: Round, at: number, size: number, slice: number): Page {
  const groups = groupsAt(tenant, at, false).filter(({ id }) => !round.ids || round.ids.includes(id));
  const withMembers = tracked(round).includes("members");
  return paged(round, groups.length, size, slice, (index, from, room) => {
    const group = groups[index];
    const record = group && tenant.directory.groups.get(group.id);
    if (!group || !record) return { item: undefined, members: 0, done: true };
    const members = withMembers ? presentMembers(tenant, record, at) : [];
    const part = members.slice(from, from + room);
    const item = groupProperties(group, round, undefined);
    if (part.length > 0) item["members@delta"] = part.map((id) => ({ "@odata.type": typeName(tenant, id, at), id }));
    return { item, members: part.length, done: from + room >= members.length };
  });
}

/** A page of changed groups. */
export function groupItems(
  tenant: Tenant,
  round: Round,
  changes: Changes,
  at: number,
  size: number,
  slice: number,
): Page {
  const ids = [...changes.objects.keys()];
  const withMembers = tracked(round).includes("members");
  return paged(round, ids.length, size, slice, (index, from, room) => {
    const id = ids[index] as string;
    const change = changes.objects.get(id);
    const record = tenant.directory.groups.get(id);
    const state = record && stateAt(record.versions, at);
    if (!record || !state) return { item: change?.purged ? removed(id, "deleted") : undefined, members: 0, done: true };
    if (state.deletedAt !== undefined) return { item: removed(id, "changed"), members: 0, done: true };
    const current = new Set(withMembers ? presentMembers(tenant, record, at) : []);
    const moved = !withMembers
      ? []
      : change?.whole
        ? [...new Set([...current, ...change.members])]
        : [...(change?.members ?? [])];
    const part = moved.slice(from, from + room);
    const item = groupProperties({ id, state }, round, change);
    if (part.length > 0) {
      item["members@delta"] = part.map((memberId) => {
        const member = { "@odata.type": typeName(tenant, memberId, at), id: memberId };
        return current.has(memberId) ? member : { ...member, "@removed": { reason: "deleted" } };
      });
    }
    return { item, members: part.length, done: from + room >= moved.length };
  });
}

type Make = (
  index: number,
  fromMember: number,
  room: number,
) => { item: Item | undefined; members: number; done: boolean };

/** Fills a page with up to `size` objects and `slice` members. */
function paged(round: Round, length: number, size: number, slice: number, make: Make): Page {
  const items: Item[] = [];
  let members = 0;
  let from = round.member;
  for (let index = round.position; index < length; index++) {
    if (items.length === size || members === slice) return { items, next: { position: index, member: from } };
    const made = make(index, from, slice - members);
    if (made.item) items.push(made.item);
    members += made.members;
    if (!made.done) return { items, next: { position: index, member: from + made.members } };
    from = 0;
  }
  return { items, next: undefined };
}

function groupProperties(
  group: { id: string; state: Parameters<typeof groupValue>[0]["state"] },
  round: Round,
  changes: ObjectChanges | undefined,
): Item {
  const item: Item = {};
  const all = !round.minimal || !changes || changes.whole;
  for (const name of tracked(round)) {
    if (name === "id" || name === "members" || name === "owners" || (!all && !changes?.properties.has(name))) continue;
    if (group.state.properties[name] !== undefined) item[name] = groupValue(group, name);
  }
  item.id = group.id;
  return item;
}

const presentMembers = (tenant: Tenant, record: GroupRecord, at: number): string[] =>
  tenant.directory.groups.membersAt(record, at).filter((id) => tenant.directory.typeAt(id, at) !== undefined);

function typeName(tenant: Tenant, id: string, at: number): string {
  const type =
    tenant.directory.typeAt(id, at) ??
    (tenant.directory.groups.get(id) ? "group" : tenant.directory.contacts.has(id) ? "orgContact" : "user");
  return `#microsoft.graph.${type}`;
}
