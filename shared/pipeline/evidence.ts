import { addressOf, type Evidence, type Suspect } from "../domain/adoption.ts";
import type { Job } from "../domain/job.ts";
import type { Person } from "./look.ts";
import type { World } from "./world.ts";

/** Reads what proves whose guest a redeemed one is. Only for guests about whom nothing else decides: a handful of reads for one person. */
export async function readEvidence(
  world: World,
  { pair, userId, lane }: Person,
  suspect: Suspect,
  job: Pick<Job, "adoptBy">,
): Promise<Evidence> {
  const [source, target] = [world.source(pair.source.id), world.target(pair.target.id)];
  const { id } = suspect.user;
  // First, because it is the scarcest: whoever has to come again has read nothing else.
  const signIns = job.adoptBy === "signIn" ? await target.signInsOf(id, lane) : undefined;
  const [verifiedDomains, holders, person, privilege] = await Promise.all([
    source.verifiedDomains(lane),
    source.usersWithAddress(addressOf(suspect), lane),
    source.user(userId, ["createdDateTime"], lane),
    target.privilegeOf(id, lane),
  ]);
  const createdAt = Date.parse(String(person?.attributes.createdDateTime ?? ""));
  return {
    verifiedDomains,
    addressIsShared: holders.some((holder) => holder !== userId),
    sourceCreatedAt: Number.isFinite(createdAt) ? createdAt : undefined,
    privilege,
    signIns,
  };
}
