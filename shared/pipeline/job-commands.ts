import type { Pair } from "../domain/job.ts";
import { restarted } from "../domain/job-state.ts";
import type { Link } from "../domain/link.ts";
import { decideHeld, listHeld } from "./held.ts";
import { hintInBulk } from "./hints.ts";
import { changeJob, newRow, placeOf } from "./job-state.ts";
import { restartStreams } from "./restart-streams.ts";
import { pairKey, type World } from "./world.ts";

/** What people do with a job. Each may be done again; `undefined`: there is no such job in the configuration. */

export interface JobAct {
  jobId: string;
  /** `{tenant}/{object id}`. */
  by: string;
}

/** Nothing is written for the job until it is started. What is being written at this moment is finished. */
export async function pauseJob(world: World, { jobId, by, why }: JobAct & { why: string }) {
  const place = placeOf(world, jobId);
  if (!place) return undefined;
  return changeJob(world, jobId, (row) => {
    if (row?.paused) return undefined;
    return { ...(row ?? newRow(place.job, world.clock.now())), paused: { by, at: world.clock.now(), why } };
  });
}

/** Goes on where the job stopped, and lifts a quarantine. Everybody is looked at, for nobody was while it stood still. */
export async function startJob(world: World, { jobId }: JobAct) {
  const place = placeOf(world, jobId);
  if (!place) return undefined;
  const row = await changeJob(world, jobId, (row) => {
    const { paused: _, ...rest } = row ?? newRow(place.job, world.clock.now());
    return restarted(rest);
  });
  await restartStreams(world, place.pair.source.id);
  return row;
}

/** As in Graph's `synchronizationJobRestartCriteria`. */
export const RESET_SCOPES = [
  "Watermark",
  "Escrows",
  "QuarantineState",
  "ConnectorDataStore",
  "ForceDeletes",
  "Full",
] as const;
export type ResetScope = (typeof RESET_SCOPES)[number];
/** What an empty scope stands for. */
const RESET_DEFAULT: readonly ResetScope[] = ["QuarantineState", "Watermark", "Escrows"];

export interface Reset {
  scope: ResetScope;
  done: string;
}

/**
 * Restarts a job. `ForceDeletes` approves the removals that are held, and is for whoever may approve. Links are kept, also by
 * `Full`: the stamps in the target would only make the same ones again.
 */
export async function restartJob(
  world: World,
  { jobId, by, scopes }: JobAct & { scopes: readonly ResetScope[] },
): Promise<readonly Reset[] | undefined> {
  const place = placeOf(world, jobId);
  if (!place) return undefined;
  const wanted = new Set(scopes.length === 0 ? RESET_DEFAULT : scopes);
  const full = wanted.has("Full");
  const done: Reset[] = [];
  if (full || wanted.has("QuarantineState")) {
    await changeJob(world, jobId, (row) => row && restarted(row));
    done.push({ scope: "QuarantineState", done: "the job is out of quarantine; a pause stays" });
  }
  if (full || wanted.has("Escrows")) {
    const people = await lookAgain(world, place.pair, jobId, ({ escrow }) => escrow !== undefined);
    done.push({ scope: "Escrows", done: `${people} people in escrow are tried now` });
  }
  if (full || wanted.has("ConnectorDataStore")) {
    const people = await lookAgain(world, place.pair, jobId, () => true);
    done.push({ scope: "ConnectorDataStore", done: `${people} links are compared with the target; they stay` });
  }
  if (wanted.has("ForceDeletes")) {
    const sets = (await listHeld(world)).filter(
      (set) => set.jobId === jobId && set.kind === "removals" && (set.state === "held" || set.state === "staged"),
    );
    let approved = 0;
    for (const { setId, count } of sets) {
      const answer = await decideHeld(world, { jobId, setId, verdict: "approve", by, count });
      if (answer.kind === "decided") approved++; // one that has grown since is for another look
    }
    done.push({ scope: "ForceDeletes", done: `${approved} of ${sets.length} sets of removals are approved` });
  }
  if (full || wanted.has("Watermark")) {
    await restartStreams(world, place.pair.source.id);
    done.push({ scope: "Watermark", done: "everybody in the source is looked at again" });
  }
  return done;
}

/** Dead letters have become failures of their people: whoever failed without an answer of Graph's is tried again. */
export async function redriveDeadLetters(world: World, jobId?: string): Promise<number> {
  let people = 0;
  for (const pair of world.rules.pairs) {
    if (jobId !== undefined && !pair.jobs.some(({ id }) => id === jobId)) continue;
    people += await lookAgain(world, pair, jobId, ({ escrow }) => escrow?.code === "KEEPS_FAILING");
  }
  return people;
}

async function lookAgain(
  world: World,
  pair: Pair,
  jobId: string | undefined,
  wanted: (link: Link) => boolean,
): Promise<number> {
  const userIds: string[] = [];
  for await (const { row, value } of world.tables.links.list(pairKey(pair.source.id, pair.target.id))) {
    const of = jobId === undefined || value.jobId === undefined || value.jobId === jobId;
    if (of && wanted(value)) userIds.push(row);
  }
  await hintInBulk(world, `restart:${world.chance.uuid()}`, pair.source.id, userIds, "operator");
  return userIds.length;
}
