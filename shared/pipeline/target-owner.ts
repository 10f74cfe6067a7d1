import type { Pair } from "../domain/job.ts";
import type { World } from "./world.ts";

/** The source user whom a stamp or the name of a link names. */
export interface Origin {
  pair: Pair;
  userId: string;
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `foreign`: no stamp of this deployment. `unknown`: of ours, but its source has no job to this target any more. */
export function originOf(world: World, targetTenantId: string, stamp: string | null): Origin | "foreign" | "unknown" {
  const beginning = `${world.rules.deployment}/`;
  if (!stamp?.startsWith(beginning)) return "foreign";
  return originOfLink(world, targetTenantId, stamp.slice(beginning.length)) ?? "unknown";
}

/** By the name of a link, `{source tenant}/{user}`. */
export function originOfLink(world: World, targetTenantId: string, name: string): Origin | undefined {
  const [sourceTenantId = "", userId = "", ...more] = name.split("/");
  if (more.length > 0 || !GUID.test(userId)) return undefined;
  const pair = world.rules.pairs.find(
    ({ source, target }) => source.id === sourceTenantId.toLowerCase() && target.id === targetTenantId,
  );
  return pair && { pair, userId: userId.toLowerCase() };
}
