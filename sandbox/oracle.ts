/**
 * What must be true of every target, decided from the tenants themselves and the configuration alone. It shares no code
 * with the product: whose account a guest is, it takes from the directory, never from a link or a stamp of the app.
 */
import type { SyncConfig } from "../shared/config/schema.ts";
import type { GraphTenants, TruthUser } from "./graph/api.ts";
import { mayTakeOver } from "./oracle-adoption.ts";
import {
  addressOf,
  isInternalMember,
  jobOf,
  type SourceIndex,
  sourceIndex,
  type TargetIndex,
  targetIndex,
} from "./oracle-index.ts";
import {
  expectationsOf,
  type Formulas,
  isRead,
  type JobConfig,
  passesFilter,
  propertyOf,
  text,
} from "./oracle-rules.ts";
import { ownClients, personKey, type WriteWatch } from "./write-watch.ts";

type Tenants = Pick<GraphTenants, "tenants" | "truth">;

/** One thing that is not as the jobs say. */
export interface Difference {
  /** Names of tenants; `source` is absent where nobody's source is known. */
  source?: string;
  target: string;
  /** Object ids of the source and the target user, as far as there are any, and a name to find them by. */
  sourceId?: string;
  targetId?: string;
  userPrincipalName: string;
  what:
    | "missing"
    | "second"
    | "inherited"
    | "notBlocked"
    | "blocked"
    | "attribute"
    | "userType"
    | "manager"
    | "notRemoved"
    | "removed"
    | "nobodys"
    | "foreignWrite"
    | "blockLifted";
  expected: string;
  found: string;
}

export interface Verdict {
  /** People whose every target is as the jobs say. */
  right: number;
  /** Internal members of the sources, and everybody who has left a guest behind. A difference that is about nobody counts as one more. */
  people: number;
  targets: number;
  differences: readonly Difference[];
}

/**
 * Empty: every target equals what the jobs say. With a watch also what was done on the way is judged, with formulas also
 * what expressions give.
 */
export function differences(
  tenants: Tenants,
  config: SyncConfig,
  watch?: WriteWatch,
  formulas?: Formulas,
): readonly Difference[] {
  return peopleRight(tenants, config, watch, formulas).differences;
}

/** For people to read. */
export function describeDifference(difference: Difference): string {
  const { source, target, userPrincipalName, sourceId, targetId, what, expected, found } = difference;
  const ids = [sourceId, targetId && `-> ${targetId}`].filter(Boolean).join(" ");
  return `${source ?? "?"} -> ${target}: ${userPrincipalName} (${ids}): ${what}: expected ${expected}, found ${found}`;
}

export function peopleRight(
  tenants: Tenants,
  config: SyncConfig,
  watch?: WriteWatch,
  formulas: Formulas = {},
): Verdict {
  const pairs = pairsOf(tenants, config, watch, formulas);
  const people = new Set<string>();
  const found: Difference[] = [];
  for (const pair of pairs) {
    for (const userId of everybodyOf(pair)) {
      people.add(personKey(pair.source.name, userId));
      found.push(...judge(pair, userId));
    }
  }
  for (const target of new Set(pairs.map((pair) => pair.target))) found.push(...nobodys(target, tenants, config));
  found.push(...misdeeds(tenants, watch));
  const wrong = new Set<string>();
  let aboutNobody = 0;
  for (const { source, sourceId } of found) {
    const key = source !== undefined && sourceId !== undefined ? personKey(source, sourceId) : undefined;
    if (key !== undefined && people.has(key)) wrong.add(key);
    else aboutNobody++;
  }
  return {
    right: people.size - wrong.size,
    people: people.size + aboutNobody,
    targets: new Set(pairs.map(({ target }) => target.name)).size,
    differences: found,
  };
}

interface Pair {
  source: SourceIndex;
  target: TargetIndex;
  /** Jobs that are on or observe, in order. */
  jobs: readonly JobConfig[];
  crossCloud: boolean;
  /** Both in the Commercial cloud. */
  commercial: boolean;
  /** The app's registration in the target. */
  client: string | undefined;
  config: SyncConfig;
  tenants: Tenants;
  watch: WriteWatch | undefined;
  formulas: Formulas;
  /** People in scope of any job into this target by their address. */
  claimants: ReadonlyMap<string, ReadonlySet<string>>;
}

const family = (cloud: SyncConfig["tenants"][number]["cloud"] | undefined) => (cloud === "usGovDoD" ? "usGov" : cloud);

function pairsOf(tenants: Tenants, config: SyncConfig, watch: WriteWatch | undefined, formulas: Formulas): Pair[] {
  const specName = (name: string) => {
    const id = config.tenants.find((tenant) => tenant.name === name)?.id;
    const spec = tenants.tenants.find((tenant) => tenant.id === id);
    if (!spec) throw new Error(`the tenant ${name} of the configuration is not in this world`);
    return spec.name;
  };
  const remembered = <T>(make: (name: string) => T) => {
    const made = new Map<string, T>();
    return (name: string): T => {
      const known = made.get(name) ?? make(specName(name));
      made.set(name, known);
      return known;
    };
  };
  const source = remembered((name) => sourceIndex(tenants, name));
  const target = remembered((name) => targetIndex(tenants, name));
  const claimants = remembered(() => new Map<string, Set<string>>());
  const clients = ownClients(config);
  const jobs = config.jobs.filter(({ state }) => state !== "off");
  const names = new Set(jobs.filter(({ state }) => state === "on").map((job) => `${job.source} ${job.target}`));
  return [...names].map((pairName) => {
    const [from = "", to = ""] = pairName.split(" ");
    const [here, there] = [from, to].map((name) => config.tenants.find((tenant) => tenant.name === name));
    const pair: Pair = {
      source: source(from),
      target: target(to),
      jobs: jobs.filter((job) => job.source === from && job.target === to),
      crossCloud: family(here?.cloud) !== family(there?.cloud),
      commercial: here?.cloud === "global" && there?.cloud === "global",
      client: clients.get(there?.id ?? ""),
      config,
      tenants,
      watch,
      formulas,
      claimants: claimants(to),
    };
    for (const user of pair.source.users.values()) {
      if (user.deletedAt !== undefined || !isInternalMember(user) || !jobOf(user, pair.jobs, pair.source)) continue;
      const address = addressOf(user, pair.crossCloud);
      const key = personKey(pair.source.name, user.id);
      // Whoever is disabled and was never here claims nothing.
      if (address === undefined || !(user.accountEnabled || pair.target.byHome.has(key))) continue;
      const sharers = claimants(to).get(address) ?? new Set();
      claimants(to).set(address, sharers.add(key));
    }
    return pair;
  });
}

/** Internal members, and whoever has a guest in the target. */
function everybodyOf({ source, target }: Pair): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const user of source.users.values())
    if (user.deletedAt === undefined && isInternalMember(user)) ids.add(user.id);
  for (const [, guests] of target.byHome) {
    for (const { home } of guests) if (home?.tenant === source.name) ids.add(home.userId);
  }
  return ids;
}

/** One person in one target. */
function judge(pair: Pair, userId: string): Difference[] {
  const user = pair.source.users.get(userId);
  const key = personKey(pair.source.name, userId);
  const guests = pair.target.byHome.get(key) ?? [];
  const ours = guests.filter((guest) => isOurs(pair, guest));
  const live = ours.filter(({ deletedAt }) => deletedAt === undefined);
  const report = reporter(pair, userId, user, guests[0]);
  if (live.length > 1) return [report("second", "one guest", `${live.length} guests`, live[1])];
  if (!user || user.deletedAt !== undefined || !isInternalMember(user)) return afterDeletion(pair, live, report);
  const job = jobOf(user, pair.jobs, pair.source);
  if (!job) return outOfScope(pair, user, ours, live, report);
  if (job.state === "observe") return [];
  if (!user.accountEnabled) {
    return live
      .filter((guest) => guest.accountEnabled)
      .map((guest) => report("notBlocked", "sign-in blocked", "allowed", guest));
  }
  const [guest] = live.length > 0 ? live : adoptable(pair, job, guests);
  if (guest) return ofGuest(pair, user, job, guest, report);
  return mayBeMissing(pair, user, job, guests) ? [] : [report("missing", "a guest", "none")];
}

type Report = (what: Difference["what"], expected: string, found: string, guest?: TruthUser) => Difference;

function reporter(pair: Pair, sourceId: string, user: TruthUser | undefined, any: TruthUser | undefined): Report {
  return (what, expected, found, guest) => ({
    source: pair.source.name,
    target: pair.target.name,
    sourceId,
    ...(guest ? { targetId: guest.id } : {}),
    userPrincipalName: user?.userPrincipalName ?? any?.userPrincipalName ?? sourceId,
    what,
    expected,
    found,
  });
}

const isOurs = ({ client, target, watch }: Pair, guest: TruthUser): boolean =>
  guest.createdBy === client || watch?.adopted.has(personKey(target.name, guest.id)) === true;

function afterDeletion(pair: Pair, live: readonly TruthUser[], report: Report): Difference[] {
  if (pair.jobs.some(({ actions }) => !actions.delete)) return [];
  const mayBeBlocked = pair.jobs.some(({ onOutOfScope }) => onOutOfScope !== "softDelete");
  return live
    .filter((guest) => !mayBeBlocked || guest.accountEnabled)
    .map((guest) => report("notRemoved", "no guest: the source user is gone", "a live guest", guest));
}

function outOfScope(
  pair: Pair,
  user: TruthUser,
  ours: readonly TruthUser[],
  live: readonly TruthUser[],
  report: Report,
): Difference[] {
  const awake = live.filter((guest) => guest.accountEnabled);
  // Whoever stays, for whatever reason, cannot sign in while the account at home is disabled.
  if (!user.accountEnabled && awake.length > 0 && pair.jobs.every(({ state }) => state === "on"))
    return awake.map((guest) => report("notBlocked", "sign-in blocked", "allowed", guest));
  const wishes = new Set(pair.jobs.map(({ actions, onOutOfScope }) => (actions.delete ? onOutOfScope : "keep")));
  const everDeleted = pair.watch?.deletedAtSource.has(personKey(pair.source.name, user.id)) === true;
  if (!wishes.has("softDelete") && live.length === 0 && !everDeleted) {
    const removed = ours.find(({ deletedBy }) => deletedBy === pair.client);
    if (removed) return [report("removed", "the guest stays", "removed", removed)];
  }
  // A job that reads past somebody removes them neither; whose they are, a state does not tell.
  if (pair.jobs.some((job) => !isRead(user, job))) return [];
  const unproved = pair.jobs.some(
    (job) => passesFilter(user, job) && job.scope.groups.some(({ id }) => !pair.source.groupIsSound(id)),
  );
  if (wishes.has("keep") || unproved) return [];
  const mayStayBlocked = wishes.has("disable") || !user.accountEnabled;
  return live
    .filter((guest) => guest.accountEnabled || !mayStayBlocked)
    .map((guest) =>
      report("notRemoved", mayStayBlocked ? "blocked or removed" : "no guest: out of scope", "a live guest", guest),
    );
}

/** A guest that somebody else made and that the job takes over. */
function adoptable(pair: Pair, job: JobConfig, guests: readonly TruthUser[]): readonly TruthUser[] {
  const live = guests.filter(({ deletedAt }) => deletedAt === undefined);
  const [only] = live;
  return only && live.length === 1 && mayTakeOver(pair.tenants, pair.config, job, only) ? [only] : [];
}

/** Nothing stands in the target for somebody who should be there, and that is right: held, or failed visibly. */
function mayBeMissing(pair: Pair, user: TruthUser, job: JobConfig, guests: readonly TruthUser[]): boolean {
  const key = personKey(pair.source.name, user.id);
  const removedThere = guests.some(
    (guest) => isOurs(pair, guest) && guest.deletedAt !== undefined && guest.deletedBy !== pair.client,
  );
  if (removedThere || pair.watch?.purgedThere.has(`${pair.target.name}|${key}`) || !job.actions.create) return true;
  if (guests.some(({ deletedAt }) => deletedAt === undefined)) return true; // somebody else's guest of this person
  const address = addressOf(user, pair.crossCloud);
  if (address === undefined || (pair.claimants.get(address)?.size ?? 0) > 1) return true;
  return (pair.target.byAddress.get(address) ?? []).some((other) => !guests.includes(other));
}

function ofGuest(pair: Pair, user: TruthUser, job: JobConfig, guest: TruthUser, report: Report): Difference[] {
  const found: Difference[] = [];
  if (!guest.accountEnabled && guest.accountEnabledBy === pair.client) {
    found.push(report("blocked", "sign-in allowed", "blocked by the app", guest));
  }
  const heir = inherited(pair, guest);
  if (heir) found.push(report("inherited", `nothing: the address was ${heir.userPrincipalName}'s`, "a guest", guest));
  const types = new Set(pair.jobs.map(({ userType }) => userType));
  const type = guest.userType === "Member" ? "member" : "guest";
  const mustFollow = job.changeUserType && job.actions.update && type !== job.userType;
  const strange = guest.createdBy === pair.client && !types.has(type);
  if (mustFollow || strange) found.push(report("userType", job.userType, String(guest.userType), guest));
  const address = addressOf(user, pair.crossCloud);
  const shared = address !== undefined && (pair.claimants.get(address)?.size ?? 0) > 1;
  if (!job.actions.update || shared) return found;
  for (const { name, expected, isMet } of expectationsOf(user, job, pair.crossCloud, pair.formulas)) {
    const value = propertyOf(guest, name);
    if (!isMet(value)) found.push(report("attribute", `${name} ${expected}`, text(value), guest));
  }
  return [...found, ...ofManager(pair, user, job, guest, report)];
}

/** An older guest of ours for the same address that is another person's. */
function inherited({ target, client }: Pair, guest: TruthUser): TruthUser | undefined {
  const address = guest.invitedAddress?.toLowerCase();
  if (address === undefined) return undefined;
  return (target.byAddress.get(address) ?? []).find(
    (other) =>
      other.createdBy === client &&
      other.invitedAddress?.toLowerCase() === address &&
      other.createdAt < guest.createdAt &&
      other.home !== undefined &&
      other.home.userId !== guest.home?.userId,
  );
}

/** The manager's guest, where there is one; nobody where the source has nobody, unless the target chose somebody of its own. */
function ofManager(pair: Pair, user: TruthUser, job: JobConfig, guest: TruthUser, report: Report): Difference[] {
  if (!(job.manager ?? pair.commercial)) return [];
  const { byHome } = pair.target;
  if (user.managerId === undefined) {
    const ours = [...byHome.values()].flat().find(({ id }) => id === guest.managerId);
    const stale = ours && ours.deletedAt === undefined && ours.home?.tenant === pair.source.name && isOurs(pair, ours);
    return stale ? [report("manager", "none", ours.userPrincipalName, guest)] : [];
  }
  const managers = byHome.get(personKey(pair.source.name, user.managerId)) ?? [];
  const manager = managers.find((other) => other.deletedAt === undefined && isOurs(pair, other));
  if (!manager || guest.managerId === manager.id) return [];
  return [report("manager", manager.userPrincipalName, guest.managerId ?? "none", guest)];
}

/** Guests that the app made for nobody that a job could name. */
function nobodys(target: TargetIndex, tenants: Tenants, config: SyncConfig): Difference[] {
  const spec = tenants.tenants.find(({ name }) => name === target.name);
  const configured = config.tenants.find(({ id }) => id === spec?.id);
  const client = configured?.credential.clientId;
  const sources = new Set(
    config.jobs
      .filter((job) => job.target === configured?.name)
      .map((job) => config.tenants.find(({ name }) => name === job.source)?.id),
  );
  const isKnown = (tenant: string) => sources.has(tenants.tenants.find(({ name }) => name === tenant)?.id);
  return target.invited
    .filter(
      ({ createdBy, deletedAt, home }) =>
        createdBy === client && deletedAt === undefined && !(home && isKnown(home.tenant)),
    )
    .map(({ id, userPrincipalName, home }) => ({
      target: target.name,
      targetId: id,
      userPrincipalName,
      what: "nobodys",
      expected: "no guest",
      found: home ? `a guest for somebody of ${home.tenant}, from where no job comes` : "a guest for nobody",
    }));
}

function misdeeds(tenants: Tenants, watch: WriteWatch | undefined): Difference[] {
  const named = (tenant: string, userId: string) => ({
    target: tenant,
    targetId: userId,
    userPrincipalName: tenants.truth(tenant).user(userId)?.userPrincipalName ?? userId,
  });
  return [
    ...(watch?.foreignWrites ?? []).map(({ tenant, userId, what }): Difference => {
      return { ...named(tenant, userId), what: "foreignWrite", expected: "no write of the app", found: what };
    }),
    ...(watch?.blocksLifted ?? []).map(({ tenant, userId }): Difference => {
      return {
        ...named(tenant, userId),
        what: "blockLifted",
        expected: "the block of the target stays",
        found: "sign-in allowed",
      };
    }),
  ];
}
