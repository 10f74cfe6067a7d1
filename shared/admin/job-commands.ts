import * as z from "zod";
import { covers, type Principal, principalName } from "../domain/admin.ts";
import type { JobRow } from "../domain/job-state.ts";
import { whyStopped } from "../domain/job-state.ts";
import { pauseJob, RESET_SCOPES, redriveDeadLetters, restartJob, startJob } from "../pipeline/job-commands.ts";
import { readJobs } from "../pipeline/job-state.ts";
import { orphanedJobs } from "../pipeline/keep-jobs.ts";
import type { World } from "../pipeline/world.ts";
import { type Command, command } from "./command.ts";
import { parsed } from "./input.ts";
import { AdminError } from "./problem.ts";
import { time } from "./views.ts";

/** What people see of jobs, and do with them. */

const jobId = z.string().min(1).max(64);
const reason = z.string().min(1).max(500);
const Scopes = z
  .string()
  .max(200)
  .transform((text) => text.split(",").map((one) => one.trim()))
  .pipe(z.array(z.enum(RESET_SCOPES)));

const shown = (row: JobRow) => ({
  job: row.jobId,
  targetTenantId: row.targetTenantId,
  sourceTenantId: row.sourceTenantId,
  stopped: whyStopped(row) ?? null,
  health: row.health,
  ...(row.paused ? { paused: { ...row.paused, at: time(row.paused.at) } } : {}),
  ...(row.refused ? { refused: { ...row.refused, at: time(row.refused.at) } } : {}),
  ...(row.quarantine
    ? {
        quarantine: {
          reason: row.quarantine.reason,
          since: time(row.quarantine.seriesBegan),
          attempts: row.quarantine.seriesCount,
          nextAttempt: time(row.quarantine.nextAttempt),
        },
      }
    : {}),
  ...(row.counts ? { counts: { ...row.counts, at: time(row.counts.at) } } : {}),
});

const mine = (principal: Principal, { targetTenantId, jobId }: JobRow): boolean =>
  covers(principal, { targetTenantId, jobId });

/** Jobs of the configuration, and those that are not in it any more with the people whom they left behind. */
export async function jobsView(world: World, principal: Principal, query: Record<string, string>): Promise<object> {
  parsed(z.strictObject({}), query);
  const orphans = (await orphanedJobs(world)).filter(({ job }) => mine(principal, job));
  const gone = new Set(orphans.map(({ job }) => job.jobId));
  const items = (await readJobs(world)).filter((row) => mine(principal, row) && !gone.has(row.jobId)).map(shown);
  return { items, orphans: orphans.map(({ job, people }) => ({ ...shown(job), people })) };
}

/** A job beyond the principal's scope is as one that does not exist. */
function place(world: World, principal: Principal, job: string) {
  const pair = world.rules.pairs.find(({ jobs }) => jobs.some(({ id }) => id === job));
  const about = { targetTenantId: pair?.target.id, jobId: job };
  if (!pair || !covers(principal, about)) throw new AdminError("NOT_FOUND", { detail: "There is no such job." });
  return about;
}

function act<T extends { job: string }>(
  about: Pick<Command, "name" | "summary" | "role">,
  body: z.ZodType<T>,
  subjects: (input: T) => readonly string[],
  run: (world: World, by: string, input: T) => Promise<object>,
): Command {
  return command(about, body, async (world, principal, input) => ({
    about: [place(world, principal, input.job)],
    subjects: [input.job, ...subjects(input)],
    run: () => run(world, principalName(principal), input),
  }));
}

const rowOr404 = (row: JobRow | undefined): object => {
  if (!row) throw new AdminError("NOT_FOUND", { detail: "There is no such job." });
  return shown(row);
};

const pause = act(
  { name: "job-pause", role: "Sync.Operate", summary: "Nothing is written for the job until it is started." },
  z.strictObject({ job: jobId, reason }),
  () => [],
  async (world, by, { job, reason }) => rowOr404(await pauseJob(world, { jobId: job, by, why: reason })),
);

const start = act(
  { name: "job-start", role: "Sync.Operate", summary: "Goes on with a paused job, and lifts a quarantine." },
  z.strictObject({ job: jobId }),
  () => [],
  async (world, by, { job }) => rowOr404(await startJob(world, { jobId: job, by })),
);

/** Approving what is held is for whoever may approve. */
const NotForced = Scopes.refine(
  (scopes) => !scopes.includes("ForceDeletes"),
  "use `job-force-deletes` for ForceDeletes",
);

const restart = act(
  { name: "job-restart", role: "Sync.Operate", summary: "Restarts a job; `reset` as Graph's resetScope." },
  z.strictObject({ job: jobId, reset: NotForced.optional() }),
  ({ reset }) => reset ?? [],
  async (world, by, { job, reset }) => ({ done: await restartJob(world, { jobId: job, by, scopes: reset ?? [] }) }),
);

const force = act(
  { name: "job-force-deletes", role: "Sync.Approve", summary: "Approves every removal of the job that waits." },
  z.strictObject({ job: jobId }),
  () => ["ForceDeletes"],
  async (world, by, { job }) => ({ done: await restartJob(world, { jobId: job, by, scopes: ["ForceDeletes"] }) }),
);

const redrive = act(
  { name: "redrive", role: "Sync.Operate", summary: "Tries everybody of a job now whose messages had given up." },
  z.strictObject({ job: jobId }),
  () => [],
  async (world, _by, { job }) => {
    const people = await redriveDeadLetters(world, job);
    const next =
      "Nobody's messages had given up. Other people in escrow: `retry` one, or `job restart` for all of the job.";
    return { people, ...(people === 0 && { next }) };
  },
);

export const JOB_COMMANDS: readonly Command[] = [pause, start, restart, force, redrive];
