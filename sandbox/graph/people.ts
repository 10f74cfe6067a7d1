import type { ComputedPeople } from "./computed.ts";
import { isExtensionName, type Properties } from "./properties.ts";
import { addVersion, stateAt, stateNow, type UserRecord, type UserState } from "./records.ts";

/** Somebody as one replica sees them. */
export interface Person {
  readonly id: string;
  readonly state: UserState;
  /** Absent for computed people whom nobody has changed. */
  readonly record: UserRecord | undefined;
}

/** Where a listing is: computed people by index first, then the others in the order of their creation. */
export type Position = number;

/**
 * The users of one directory: those that are computed and the differences that are stored. Also finds people by name,
 * address and extension value: the index gives candidates, the state that is asked for decides.
 */
export class People {
  readonly computed: ComputedPeople;
  private readonly records = new Map<string, UserRecord>();
  private readonly created: UserRecord[] = [];
  private readonly index = new Map<string, string[]>();
  private readonly reportsOf = new Map<string, Set<string>>();
  private readonly bin = new Set<string>();
  private liveCount: number;

  constructor(computed: ComputedPeople) {
    this.computed = computed;
    this.liveCount = computed.count;
  }

  /** Users who are not deleted. */
  get live(): number {
    return this.liveCount;
  }

  /** Ids of the soft-deleted. */
  get deleted(): ReadonlySet<string> {
    return this.bin;
  }

  find(id: string, at: number): Person | undefined {
    const record = this.records.get(id);
    if (record) {
      const state = stateAt(record.versions, at);
      return state ? { id, state, record } : undefined;
    }
    const index = this.computed.indexOf(id);
    return index === undefined ? undefined : { id, state: this.computed.state(index), record: undefined };
  }

  /** A replica of that time knows something else about this person than the truth. */
  isStale(id: string, at: number): boolean {
    const record = this.records.get(id);
    return record !== undefined && stateAt(record.versions, at) !== stateNow(record.versions);
  }

  now(id: string): Person | undefined {
    return this.find(id, Number.POSITIVE_INFINITY);
  }

  /** The record, made for a computed person who is about to differ. */
  record(id: string): UserRecord | undefined {
    const known = this.records.get(id);
    if (known) return known;
    const index = this.computed.indexOf(id);
    if (index === undefined) return undefined;
    const record: UserRecord = {
      id,
      versions: [{ at: Number.NEGATIVE_INFINITY, state: this.computed.state(index) }],
      createdAt: Date.parse(this.computed.state(index).properties.createdDateTime as string),
      createdBy: "people",
      accountEnabledBy: "people",
      deletedBy: undefined,
      home: undefined,
      invitedAddress: undefined,
      administrator: false,
    };
    this.records.set(id, record);
    return record;
  }

  add(record: UserRecord): void {
    this.records.set(record.id, record);
    this.created.push(record);
    const state = stateNow(record.versions);
    if (!state) return;
    this.remember(record.id, undefined, state);
    this.liveCount++;
  }

  /** A new state; undefined: gone for good. */
  change(record: UserRecord, at: number, state: UserState | undefined): void {
    const before = stateNow(record.versions);
    addVersion(record.versions, at, state);
    this.liveCount += Number(alive(state)) - Number(alive(before));
    if (state && !alive(state)) this.bin.add(record.id);
    else this.bin.delete(record.id);
    if (state) this.remember(record.id, before, state);
  }

  /** Ids of people who may have this name, address or extension value (lower case), now or a moment ago. */
  candidates(key: string): string[] {
    const found = this.index.get(key) ?? [];
    const index = this.computed.indexOfName(key);
    if (index === undefined) return found;
    const id = this.computed.id(index);
    return found.includes(id) ? found : [...found, id];
  }

  /** Ids of people who may have this manager, now or a moment ago. */
  possibleReports(managerId: string): string[] {
    const ids = [...(this.reportsOf.get(managerId) ?? [])];
    const index = this.computed.indexOf(managerId);
    if (index !== undefined) {
      const { from, to } = this.computed.reports(index);
      for (let i = from; i < to; i++) ids.push(this.computed.id(i));
    }
    return [...new Set(ids)];
  }

  /** Ids of everybody who holds a directory role, deleted or not. */
  *administrators(): Iterable<string> {
    for (const { id, administrator } of this.records.values()) if (administrator) yield id;
  }

  /** Everybody that this replica knows, also the soft-deleted, from a position on. */
  *from(position: Position, at: number): Iterable<{ person: Person; next: Position }> {
    for (let index = position; index < this.computed.count; index++) {
      const person = this.find(this.computed.id(index), at);
      if (person) yield { person, next: index + 1 };
    }
    for (let i = Math.max(position - this.computed.count, 0); i < this.created.length; i++) {
      const record = this.created[i] as UserRecord;
      const state = stateAt(record.versions, at);
      if (state) yield { person: { id: record.id, state, record }, next: this.computed.count + i + 1 };
    }
  }

  private remember(id: string, before: UserState | undefined, state: UserState): void {
    for (const key of keysOf(state.properties, before?.properties)) {
      const ids = this.index.get(key);
      if (!ids) this.index.set(key, [id]);
      else if (!ids.includes(id)) ids.push(id);
    }
    if (state.managerId !== undefined && state.managerId !== before?.managerId) {
      const reports = this.reportsOf.get(state.managerId);
      if (reports) reports.add(id);
      else this.reportsOf.set(state.managerId, new Set([id]));
    }
  }
}

export const alive = (state: UserState | undefined): boolean => state !== undefined && state.deletedAt === undefined;

/** `smtp:a@b` and `SMTP:a@b` without their kind, lower case. */
export const bareAddress = (address: string): string => address.replace(/^smtp:/i, "").toLowerCase();

export const extensionKey = (name: string, value: string): string => `${name.toLowerCase()}=${value.toLowerCase()}`;

/** The part of an external user's name that tells whose it is, up to its mark; `undefined`: no such mark in it. */
export function externalNameKey(name: string): string | undefined {
  const mark = name.toLowerCase().indexOf(EXTERNAL_MARK);
  return mark < 0 ? undefined : name.slice(0, mark + EXTERNAL_MARK.length).toLowerCase();
}
const EXTERNAL_MARK = "#ext#";

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];

function* keysOf(properties: Properties, before: Properties | undefined): Iterable<string> {
  for (const name in properties) {
    const value = properties[name];
    if (before && before[name] === value) continue;
    if (name === "userPrincipalName" || name === "mail" || name === "employeeId") {
      if (typeof value === "string") yield value.toLowerCase();
      const external = name === "userPrincipalName" && typeof value === "string" ? externalNameKey(value) : undefined;
      if (external !== undefined) yield external;
    } else if (name === "otherMails") yield* strings(value).map((mail) => mail.toLowerCase());
    else if (name === "proxyAddresses") yield* strings(value).map(bareAddress);
    else if (isExtensionName(name) && typeof value === "string") yield extensionKey(name, value);
  }
}
