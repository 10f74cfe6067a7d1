import type { SyncConfig } from "../shared/config/schema.ts";
import type { Commit, GraphTenants, TruthUser } from "./graph/api.ts";
import { adoptionOf, mayTakeOver } from "./oracle-adoption.ts";

type Tenants = Pick<GraphTenants, "tenants" | "truth">;

/** Names a person by tenant name and object id. */
export const personKey = (tenant: string, userId: string): string => `${tenant}/${userId}`;

/** What a state alone does not tell: collected from the commits, for the oracle. Ids as in `personKey`. */
export interface WriteWatch {
  /** Writes of ours to users that are neither ours nor adopted, and users of ours that we purged. */
  readonly foreignWrites: readonly { tenant: string; userId: string; what: string }[];
  /** Blocks of the target's administrators that we lifted. */
  readonly blocksLifted: readonly { tenant: string; userId: string }[];
  /** Guests that somebody else made and we took over, as a job may. */
  readonly adopted: ReadonlySet<string>;
  /** Source users that were deleted at some time, whatever they are now. */
  readonly deletedAtSource: ReadonlySet<string>;
  /** `{target}|{person}`: guests that somebody else removed for good. */
  readonly purgedThere: ReadonlySet<string>;
  stop(): void;
}

/** Which client is ours in a tenant. */
export function ownClients(config: SyncConfig): ReadonlyMap<string, string | undefined> {
  return new Map(config.tenants.map(({ id, credential }) => [id, credential.clientId]));
}

export const isInvited = (user: TruthUser): boolean =>
  user.creationType === "Invitation" || user.userPrincipalName.toUpperCase().includes("#EXT#");

/** Watches from now on. Start it when the population is complete and before the product does anything. */
export function watchWrites(tenants: Tenants, config: SyncConfig): WriteWatch {
  const foreignWrites: { tenant: string; userId: string; what: string }[] = [];
  const blocksLifted: { tenant: string; userId: string }[] = [];
  const adopted = new Set<string>();
  const deletedAtSource = new Set<string>();
  const purgedThere = new Set<string>();
  const blockedThere = new Set<string>();
  const homes = new Map<string, string>();
  const clients = ownClients(config);
  const ends = tenants.tenants.map((tenant) => {
    const truth = tenants.truth(tenant.name);
    const ours = clients.get(tenant.id);
    const targetName = config.tenants.find(({ id }) => id === tenant.id)?.name;
    const adopting = config.jobs.filter(
      (job) => job.target === targetName && job.state === "on" && adoptionOf(job, config) !== "none",
    );
    /** How guests that are not ours looked before the next write. */
    const before = new Map<string, TruthUser>();
    const remember = (user: TruthUser) => {
      if (user.home) homes.set(personKey(tenant.name, user.id), personKey(user.home.tenant, user.home.userId));
      if (adopting.length > 0 && isInvited(user) && user.createdBy !== ours) before.set(user.id, user);
    };
    for (const user of truth.users()) remember(user);

    const ownWrite = (commit: Commit, user: TruthUser | undefined) => {
      const key = personKey(tenant.name, commit.id);
      const foreign = () => foreignWrites.push({ tenant: tenant.name, userId: commit.id, what: commit.kind });
      if (commit.kind === "purged" || !user) return foreign();
      if (commit.kind === "created" || user.createdBy === ours || adopted.has(key)) {
        const lifts = commit.properties.includes("accountEnabled") && user.accountEnabled && blockedThere.has(key);
        return lifts ? blocksLifted.push({ tenant: tenant.name, userId: commit.id }) : undefined;
      }
      const was = before.get(commit.id);
      const rebound = commit.properties.includes("identities");
      const guest = was && { ...was, administrator: user.administrator === true };
      const may = guest && adopting.some((job) => mayTakeOver(tenants, config, job, guest, rebound));
      return commit.kind === "updated" && may ? adopted.add(key) : foreign();
    };
    const otherWrite = (commit: Commit, user: TruthUser | undefined) => {
      const key = personKey(tenant.name, commit.id);
      if (commit.kind === "deleted") deletedAtSource.add(key);
      if (commit.kind === "purged") purgedThere.add(`${tenant.name}|${homes.get(key)}`);
      if (!user || !commit.properties.includes("accountEnabled")) return;
      if (user.accountEnabled) blockedThere.delete(key);
      else blockedThere.add(key);
    };
    return truth.onCommit((commit) => {
      if (commit.object !== "user") return;
      const user = truth.user(commit.id);
      if (ours !== undefined && commit.by === ours) ownWrite(commit, user);
      else otherWrite(commit, user);
      if (user) remember(user);
    });
  });
  return {
    foreignWrites,
    blocksLifted,
    adopted,
    deletedAtSource,
    purgedThere,
    stop: () => {
      for (const end of ends) end();
    },
  };
}
