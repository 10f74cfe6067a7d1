import { pairKey, type RemovalSet, type World } from "./world.ts";

const WINDOW_MS = 3_600_000;
/** Removals of an hour that are never stopped, whatever the share. */
export const REMOVALS_FREE = 20;
/** More than this share of a pair's people stops its removals. */
export const REMOVALS_SHARE = 0.05;
const ROW = "hour";

/**
 * Counts a removal before it is done. Adding somebody twice counts once, so neither a crash nor a repetition is counted.
 * `stopped`: more than 20 and more than 5 % of the pair within the hour; nothing was added.
 */
export async function countRemoval(
  world: World,
  sourceTenantId: string,
  targetTenantId: string,
  userId: string,
): Promise<"counted" | "stopped"> {
  const partition = pairKey(sourceTenantId, targetTenantId);
  for (;;) {
    const stored = await world.tables.removals.read(partition, ROW);
    const now = world.clock.now();
    const recent = Object.entries(stored?.value.removed ?? {}).filter(([, at]) => at > now - WINDOW_MS);
    if (recent.some(([id]) => id === userId)) return "counted";
    if (
      recent.length + 1 > REMOVALS_FREE &&
      recent.length + 1 > REMOVALS_SHARE * (await peopleOf(world, partition, recent.length))
    ) {
      return "stopped";
    }
    const next: RemovalSet = { removed: Object.fromEntries([...recent, [userId, now]]) };
    const written = await world.tables.removals.write(partition, ROW, next, stored?.etag);
    if (written.kind === "written") return "counted";
  }
}

/** People of the pair before the removals of this hour. */
async function peopleOf(world: World, partition: string, removed: number): Promise<number> {
  let people = removed;
  for await (const { value } of world.tables.links.list(partition)) {
    if (value.state === "linked" || value.state === "invited") people++;
  }
  return people;
}
