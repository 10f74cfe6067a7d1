import type { Pair } from "../domain/job.ts";
import type { Link } from "../domain/link.ts";
import type { TargetUser } from "../domain/user.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { takeUser } from "./ownership.ts";
import type { PassRow, RebuildFound } from "./pass-rows.ts";
import type { Pass, PassStep } from "./passes.ts";
import { type Origin, originOf } from "./target-owner.ts";
import { pairKey, type World } from "./world.ts";

/**
 * Makes links and owners' rows anew from the stamps in a target: everybody who lives there, then the recycle bin, so that
 * somebody made again after a removal keeps the living user. Rows that name a target user stay as they are; doing it again
 * changes nothing. No link made here says that we blocked or removed anybody: who did is not known any more.
 */
export const rebuild: Pass = {
  phases: { first: "live" },
  everyMs: () => Number.POSITIVE_INFINITY,
  firstAfterInterval: true,
  byItself: false,
  async step(world, tenantId, row, log) {
    const listing = world.targetListing(tenantId);
    const page = row.phase === "live" ? await listing.users(row.link, []) : await listing.deletedUsers(row.link, []);
    if (page.kind === "expired") return { change: { link: undefined } };
    if (page.unreadable > 0) log.warn("items unreadable", { tenantId, pass: "rebuild", items: page.unreadable });
    const found = { ...(row.found ?? NOTHING) };
    for (const user of page.items) {
      const origin = originOf(world, tenantId, user.stamp);
      if (origin !== "foreign") found[origin === "unknown" ? "noJob" : await relink(world, origin, user, log)]++;
    }
    log.info("links made from stamps", { tenantId, phase: row.phase, ...found });
    return afterPage(row, page.next, found);
  },
};

const NOTHING: RebuildFound = { made: 0, known: 0, contradicted: 0, noJob: 0 };

function afterPage(row: PassRow, next: string | undefined, found: RebuildFound): PassStep {
  if (next !== undefined) return { change: { link: next, found } };
  if (row.phase === "live") return { change: { phase: "bin", link: undefined, found } };
  return { change: { phase: "idle", link: undefined, hurried: undefined, found } };
}

/** The owner's row first: nobody else can take the target user while the link is written. */
async function relink(
  world: World,
  { pair, userId }: Origin,
  user: TargetUser,
  log: DecisionLog,
): Promise<keyof RebuildFound> {
  const partition = pairKey(pair.source.id, pair.target.id);
  const stored = await world.tables.links.read(partition, userId);
  const known = stored?.value.targetId;
  if (known !== undefined && known !== user.id) return "contradicted";
  const owned = { sourceTenantId: pair.source.id, targetTenantId: pair.target.id, userId };
  if ((await takeUser(world, owned, user.id)).kind === "owned") {
    log.warn("a stamp names somebody who does not own the user", { targetTenantId: pair.target.id, targetId: user.id });
    return "contradicted";
  }
  await world.tables.orphans.remove(pair.target.id, user.id);
  if (known !== undefined) return "known";
  if (stored?.value.claim) return "contradicted";
  const jobId = jobOf(pair);
  const link: Link = { state: "linked", userId, targetId: user.id, ...(jobId === undefined ? {} : { jobId }) };
  const written = await world.tables.links.write(partition, userId, link, stored?.etag);
  return written.kind === "written" ? "made" : "contradicted";
}

/**
 * Which job owned somebody is not in the stamp. Whoever is in a scope is told it by the first look; whoever is in none is
 * treated as all jobs of the pair agree to treat them, and stays where they do not agree.
 */
function jobOf({ jobs }: Pair): string | undefined {
  const ways = new Set(jobs.map(({ onOutOfScope, actions }) => `${onOutOfScope}:${actions.delete}`));
  return ways.size === 1 ? jobs[0]?.id : undefined;
}
