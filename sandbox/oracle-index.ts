import type { GraphTenants, TruthUser } from "./graph/api.ts";
import { isRead, type JobConfig, passesFilter } from "./oracle-rules.ts";
import { isInvited, personKey } from "./write-watch.ts";

type Tenants = Pick<GraphTenants, "tenants" | "truth">;

/** A source as the oracle asks it. */
export interface SourceIndex {
  name: string;
  users: ReadonlyMap<string, TruthUser>;
  /** Users within a group: direct members, or those of groups within too. Empty for a group that is not there. */
  members(groupId: string, transitive: boolean): ReadonlySet<string>;
  /** False for a group that is missing, deleted or empty: nobody may be removed for not being in it. */
  groupIsSound(groupId: string): boolean;
}

/** A target as the oracle asks it: live and soft-deleted users. */
export interface TargetIndex {
  name: string;
  /** Guests by whose account they are. */
  byHome: ReadonlyMap<string, readonly TruthUser[]>;
  /** Lower-case addresses: of guests the invited one and mail, of live internal users all that they have. */
  byAddress: ReadonlyMap<string, readonly TruthUser[]>;
  invited: readonly TruthUser[];
}

/** The rooms of Graph where a text or a list of texts lies. */
const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");

export function sourceIndex(tenants: Tenants, name: string): SourceIndex {
  const truth = tenants.truth(name);
  const users = new Map([...truth.users()].map((user) => [user.id, user]));
  const groups = new Map(
    [...truth.groups()].filter(({ deletedAt }) => deletedAt === undefined).map((group) => [group.id, group.memberIds]),
  );
  const known = new Map<string, ReadonlySet<string>>();
  const collect = (groupId: string, transitive: boolean) => {
    const found = new Set<string>();
    const visited = new Set<string>();
    const walk = (id: string) => {
      if (visited.has(id)) return; // groups may contain each other
      visited.add(id);
      for (const member of groups.get(id) ?? []) {
        if (groups.has(member)) {
          if (transitive) walk(member);
        } else found.add(member);
      }
    };
    walk(groupId);
    return found;
  };
  return {
    name,
    users,
    members(groupId, transitive) {
      const key = `${groupId} ${transitive}`;
      const members = known.get(key) ?? collect(groupId, transitive);
      known.set(key, members);
      return members;
    },
    groupIsSound: (groupId) => (groups.get(groupId)?.length ?? 0) > 0,
  };
}

export function targetIndex(tenants: Tenants, name: string): TargetIndex {
  const byHome = new Map<string, TruthUser[]>();
  const byAddress = new Map<string, TruthUser[]>();
  const invited: TruthUser[] = [];
  const add = (index: Map<string, TruthUser[]>, key: string, user: TruthUser) => {
    const list = index.get(key);
    if (list) list.push(user);
    else index.set(key, [user]);
  };
  for (const user of tenants.truth(name).users()) {
    const external = isInvited(user);
    if (external) invited.push(user);
    if (external && user.home) add(byHome, personKey(user.home.tenant, user.home.userId), user);
    if (!external && user.deletedAt !== undefined) continue;
    const addresses = external
      ? [user.invitedAddress, user.mail]
      : [
          user.userPrincipalName,
          user.mail,
          ...texts(user.properties.otherMails),
          ...texts(user.properties.proxyAddresses).map((proxy) => proxy.replace(/^smtp:/i, "")),
        ];
    const distinct = new Set(addresses.flatMap(texts).map((address) => address.toLowerCase()));
    for (const address of distinct) add(byAddress, address, user);
  }
  return { name, byHome, byAddress, invited };
}

/** Of `~ ! # $ % ^ & * ( ) + = [ ] { } \ / | ; : " < > ? ,` none, nor the apostrophe that some print for the quotation mark. Source: Graph `invitation-post.md`. */
const NOT_INVITABLE = /[~!#$%^&*()+=[\]{}\\/|;:"'<>?,\s]/;

function invitable(address: string): boolean {
  const at = address.indexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  const ends = [local, domain].some((part) => part === "" || ".-".includes(part.charAt(0)) || /[.-]$/.test(part));
  return at > 0 && !domain.includes("@") && domain.includes(".") && !ends && !NOT_INVITABLE.test(address);
}

/** The address that somebody is invited by, lower case: across clouds only the userPrincipalName signs in. */
export function addressOf(user: TruthUser, crossCloud: boolean): string | undefined {
  const candidates = crossCloud ? [user.userPrincipalName] : [user.mail, user.userPrincipalName];
  return candidates.find((address) => typeof address === "string" && invitable(address))?.toLowerCase();
}

export const isInternalMember = (user: TruthUser): boolean =>
  user.userType === "Member" && user.creationType === null && !isInvited(user);

/** The first job whose scope holds: assigned, and not filtered out. */
export function jobOf(user: TruthUser, jobs: readonly JobConfig[], source: SourceIndex): JobConfig | undefined {
  return jobs.find((job) => isAssigned(user, job, source) && isRead(user, job) && passesFilter(user, job));
}

const isAssigned = (user: TruthUser, { scope }: JobConfig, source: SourceIndex): boolean =>
  scope.allUsers ||
  scope.users.includes(user.id) ||
  scope.groups.some(({ id, transitive }) => source.members(id, transitive).has(user.id));
