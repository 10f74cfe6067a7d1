import { type EndedMembership, type GroupRecord, type GroupState, HISTORY_MS, stateAt, stateNow } from "./records.ts";

/** Groups and who is in them, now and as a replica that lags sees it. */
export class Groupings {
  private readonly records = new Map<string, GroupRecord>();
  private readonly parents = new Map<string, GroupRecord[]>();
  /** By member: memberships that ended within the history. */
  private readonly ended = new Map<string, EndedMembership[]>();
  private readonly order: GroupRecord[] = [];
  private readonly lists = new WeakMap<GroupRecord, string[]>();

  get(id: string): GroupRecord | undefined {
    return this.records.get(id);
  }

  stateAt(id: string, at: number): GroupState | undefined {
    const record = this.records.get(id);
    return record ? stateAt(record.versions, at) : undefined;
  }

  stateNow(id: string): GroupState | undefined {
    const record = this.records.get(id);
    return record ? stateNow(record.versions) : undefined;
  }

  add(record: GroupRecord): void {
    this.records.set(record.id, record);
    this.order.push(record);
  }

  all(): readonly GroupRecord[] {
    return this.order;
  }

  join(group: GroupRecord, memberId: string, at: number): void {
    group.members.set(memberId, at);
    this.lists.delete(group);
    const parents = this.parents.get(memberId);
    if (parents) parents.push(group);
    else this.parents.set(memberId, [group]);
  }

  leave(group: GroupRecord, memberId: string, at: number): void {
    const since = group.members.get(memberId);
    if (since === undefined) return;
    group.members.delete(memberId);
    this.lists.delete(group);
    const parents = this.parents.get(memberId) ?? [];
    const rest = parents.filter((parent) => parent !== group);
    if (rest.length > 0) this.parents.set(memberId, rest);
    else this.parents.delete(memberId);
    const membership = { groupId: group.id, memberId, since, until: at };
    const recent = (other: EndedMembership) => other.until > at - HISTORY_MS;
    group.ended = [...group.ended.filter(recent), membership];
    this.ended.set(memberId, [...(this.ended.get(memberId) ?? []).filter(recent), membership]);
  }

  /** Direct members as of a time, whether they still exist or not. */
  membersAt(group: GroupRecord, at: number): readonly string[] {
    const ended = group.ended.filter((membership) => membership.since <= at && at < membership.until);
    const all = this.memberList(group);
    const current = at === Number.POSITIVE_INFINITY ? all : all.filter((id) => (group.members.get(id) ?? 0) <= at);
    return ended.length === 0 ? current : [...current, ...ended.map((membership) => membership.memberId)];
  }

  /** Groups that this is a direct member of as of a time. */
  groupsOfAt(memberId: string, at: number): GroupRecord[] {
    const found = (this.parents.get(memberId) ?? []).filter((group) => (group.members.get(memberId) ?? 0) <= at);
    for (const membership of this.ended.get(memberId) ?? []) {
      const group = this.records.get(membership.groupId);
      if (group && membership.since <= at && at < membership.until && !found.includes(group)) found.push(group);
    }
    return found.filter((group) => {
      const state = stateAt(group.versions, at);
      return state !== undefined && state.deletedAt === undefined;
    });
  }

  private memberList(group: GroupRecord): readonly string[] {
    const known = this.lists.get(group);
    if (known) return known;
    const list = [...group.members.keys()];
    this.lists.set(group, list);
    return list;
  }
}
