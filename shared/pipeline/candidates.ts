import type { ErrorCode } from "../domain/error.ts";
import type { Job } from "../domain/job.ts";
import { linkName } from "../domain/link.ts";
import type { MappingMoment } from "../domain/mapping/map.ts";
import { type Candidate, invitationAddress, matchingMappings, matchNewcomer } from "../domain/matching.ts";
import type { TargetView } from "../domain/plan.ts";
import { isExternal, type SourceUser, type TargetUser } from "../domain/user.ts";
import { readEvidence } from "./evidence.ts";
import type { Person } from "./look.ts";
import { ownerOf } from "./ownership.ts";
import { pairKey, type World } from "./world.ts";

export interface Search {
  /** What the person is, or is being, invited by. */
  address: string | undefined;
  stamp: string;
  /** Properties of target users that are read. */
  attributes: readonly string[];
  /** Who is looked for; absent where only an interrupted invitation is. */
  newcomer?: { user: SourceUser; job: Job; moment: MappingMoment };
}

type Found = Pick<Candidate, "user" | "foundBy">;

/**
 * Who may be the target user of somebody without a link: by the stamp and the address, and if that finds nobody, by the
 * attributes that match, one after the other. What proves the home of a redeemed guest is read where only that decides.
 */
export async function readCandidates(world: World, person: Person, search: Search): Promise<TargetView> {
  const { pair, lane } = person;
  const { address, stamp, newcomer } = search;
  const users = await world.target(pair.target.id).find(address, stamp, search.attributes, lane);
  let candidates = await withTies(world, person, users, address);
  if (!newcomer || !address) return { kind: "candidates", candidates };
  if (!candidates.some(decides)) {
    const matched = await matchedBy(world, person, search.attributes, newcomer);
    candidates = [...candidates, ...(await withTies(world, person, matched, address))];
  }
  const self = { link: linkName(pair.source.id, person.userId), stamp, address };
  const match = matchNewcomer(candidates, self, newcomer.job);
  if (match.kind !== "wantsEvidence") return { kind: "candidates", candidates };
  const evidence = await readEvidence(world, person, match.suspect, newcomer.job);
  return { kind: "candidates", candidates, evidence };
}

/** Somebody in the recycle bin whom nothing ties to anybody does not end the search. */
const decides = ({ user, owner, tie }: Candidate): boolean =>
  !user.softDeleted || (tie !== "released" && (owner !== undefined || user.stamp !== null));

/** External users with the mapped value of the first matching attribute that finds somebody. */
async function matchedBy(
  world: World,
  { pair, lane }: Person,
  attributes: readonly string[],
  { user, job, moment }: NonNullable<Search["newcomer"]>,
): Promise<readonly Found[]> {
  const matching = matchingMappings(job.mapper.mappings);
  if (matching.length === 0) return [];
  const wished = job.mapper.wishes(user, moment, "create");
  if (wished.kind !== "wished") return []; // the decision says so
  for (const { target: attribute } of matching) {
    const value = wished.wishes.find(({ mapping }) => mapping.target === attribute)?.value;
    if (typeof value !== "string" || value === "") continue;
    const found = await world.target(pair.target.id).findBy(attribute, value, attributes, lane);
    const external = found.filter(isExternal);
    if (external.length > 0) return external.map((one) => ({ user: one, foundBy: attribute }));
  }
  return [];
}

async function withTies(
  world: World,
  person: Person,
  users: readonly (TargetUser | Found)[],
  address: string | undefined,
): Promise<readonly Candidate[]> {
  const found = users.map((user): Found => ("user" in user ? user : { user }));
  return Promise.all(
    found.map(async (one): Promise<Candidate> => {
      const owner = await ownerOf(world, person.pair.target.id, one.user.id);
      const tie = await tieOf(world, person, owner ?? linkOfStamp(one.user.stamp), address);
      return { ...one, owner, ...(tie ? { tie } : {}) };
    }),
  );
}

/** Of `{deployment}/{source tenant}/{user}`. */
const linkOfStamp = (stamp: string | null): string | undefined => stamp?.split("/").slice(-2).join("/");

/** What is known of another person of the same source to whom a target user, or an address, belongs. */
async function tieOf(
  world: World,
  { pair, userId, lane }: Person,
  owner: string | undefined,
  address: string | undefined,
): Promise<Candidate["tie"]> {
  const [tenantId, ownerId] = owner?.split("/") ?? [];
  if (tenantId !== pair.source.id || !ownerId || ownerId === userId) return undefined;
  const link = (await world.tables.links.read(pairKey(pair.source.id, pair.target.id), ownerId))?.value;
  if (link?.releasedTo !== undefined) return "released";
  if (link?.state === "removed" || link?.state === "none") return undefined;
  const rival = await world.source(pair.source.id).user(ownerId, [], lane);
  const claims = rival && invitationAddress(rival, pair.clouds)?.toLowerCase() === address?.toLowerCase();
  return claims ? "claimsAddress" : undefined;
}

/** Somebody else owns what this person needs: two people of one source with one address are told apart from the rest. */
export async function collisionCode(world: World, person: Person, owner: string, address: string): Promise<ErrorCode> {
  return (await tieOf(world, person, owner, address)) === "claimsAddress" ? "DUPLICATE_SOURCE" : "TARGET_TAKEN";
}
