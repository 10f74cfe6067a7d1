import { ownerOf } from "./ownership.ts";
import type { Orphan } from "./pass-rows.ts";
import { targetsOf } from "./streams.ts";
import { pairKey, type World } from "./world.ts";

/** A target user with our stamp whom no link knows: a lost table has left it, or somebody else has written the stamp. */
export interface OrphanUser {
  targetTenantId: string;
  targetId: string;
  /** As the stamp has them; somebody may have written anything there. */
  sourceTenantId: string;
  userId: string;
  foundAt: number;
}

/** Who has a link meanwhile is no orphan any more, and forgotten as one. By target; the answer stops at `most`. */
export async function listOrphans(
  world: World,
  most: number,
  targets: readonly string[] = targetsOf(world),
): Promise<readonly OrphanUser[]> {
  const found: OrphanUser[] = [];
  for (const targetTenantId of targets) {
    for await (const { row: targetId, value } of world.tables.orphans.list(targetTenantId)) {
      if (found.length >= most) return found;
      if (await isOwned(world, targetTenantId, targetId)) await world.tables.orphans.remove(targetTenantId, targetId);
      else found.push(userOf(targetTenantId, targetId, value));
    }
  }
  return found;
}

/** The owner's row alone is no link: it is written first. */
async function isOwned(world: World, targetTenantId: string, targetId: string): Promise<boolean> {
  const [sourceTenantId, userId] = (await ownerOf(world, targetTenantId, targetId))?.split("/") ?? [];
  if (!sourceTenantId || !userId) return false;
  const link = await world.tables.links.read(pairKey(sourceTenantId, targetTenantId), userId);
  return link?.value.targetId === targetId;
}

function userOf(targetTenantId: string, targetId: string, { stamp, foundAt }: Orphan): OrphanUser {
  const [, sourceTenantId = "", userId = ""] = stamp.split("/");
  return { targetTenantId, targetId, sourceTenantId, userId, foundAt };
}
