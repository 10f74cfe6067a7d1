import { sendSweeps } from "./start-sweeps.ts";
import { USERS } from "./streams.ts";
import type { World } from "./world.ts";

/** Forgets the watermarks of a source: everybody is looked at again. Links and what is remembered of people stay. */
export async function restartStreams(world: World, sourceTenantId: string): Promise<void> {
  const streams: string[] = [];
  for await (const { row } of world.tables.checkpoints.list(sourceTenantId)) streams.push(row);
  for (const stream of streams) await world.tables.checkpoints.remove(sourceTenantId, stream);
  await sendSweeps(world, sourceTenantId, [...new Set([USERS, "groups-0", ...streams])], "operator", 0);
}
