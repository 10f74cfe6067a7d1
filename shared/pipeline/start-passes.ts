import type { DecisionLog } from "../ports/decision-log.ts";
import { startIfDue } from "./passes.ts";
import { endObservation, endRebuild, recoveryState } from "./recovery.ts";
import { sourcesOf, targetsOf } from "./streams.ts";
import type { World } from "./world.ts";

/** Starts every pass that is due, takes up every run that has come to a stop, and moves a recovery on. */
export async function startPasses(world: World, log: DecisionLog): Promise<void> {
  for (const tenantId of sourcesOf(world)) await startIfDue(world, tenantId, "full", log);
  for (const tenantId of targetsOf(world)) {
    for (const name of ["drift", "census", "rebuild"] as const) await startIfDue(world, tenantId, name, log);
  }
  const { kind, since } = await recoveryState(world);
  if (kind === "lost") log.error("TABLES_LOST", { since });
  if (kind === "restored") log.warn("tables were restored: links are made from stamps", { since });
  if (kind === "lost" || kind === "restored") await endRebuild(world, log);
  if (kind === "observing") await endObservation(world, log);
}
