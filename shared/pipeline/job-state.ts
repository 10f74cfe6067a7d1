import type { ErrorCode } from "../domain/error.ts";
import type { Job, Pair } from "../domain/job.ts";
import { afterTime, type JobRow, pauseInherited, whyStopped } from "../domain/job-state.ts";
import type { World } from "./world.ts";

const PARTITION = "jobs";
/** Another instance, or a person, has stopped or started a job: known within this time. */
const BELIEVED_MS = 1_000;

/** Rows of all jobs that were ever seen, as they are at this moment. */
export async function readJobs(world: World): Promise<readonly JobRow[]> {
  const rows: JobRow[] = [];
  for await (const { value } of world.tables.jobs.list(PARTITION)) rows.push(afterTime(value, world.clock.now()));
  return rows;
}

/** Changes a job's row under its ETag; `undefined` where there is nothing to change. */
export async function changeJob(
  world: World,
  jobId: string,
  change: (row: JobRow | undefined) => JobRow | undefined,
): Promise<JobRow | undefined> {
  for (;;) {
    const stored = await world.tables.jobs.read(PARTITION, jobId);
    const next = change(stored && afterTime(stored.value, world.clock.now()));
    if (!next) return stored?.value;
    if ((await world.tables.jobs.write(PARTITION, jobId, next, stored?.etag)).kind === "written") return next;
  }
}

/** A job of the configuration by its id, with the pair that it is of. */
export function placeOf({ rules }: World, jobId: string): { pair: Pair; job: Job } | undefined {
  for (const pair of rules.pairs) {
    const job = pair.jobs.find(({ id }) => id === jobId);
    if (job) return { pair, job };
  }
  return undefined;
}

export const newRow = ({ id, sourceTenantId, targetTenantId }: Job, since: number): JobRow => ({
  jobId: id,
  sourceTenantId,
  targetTenantId,
  since,
  health: "healthy",
});

/** Rows of jobs of the configuration that have none yet: new, or new under this name. */
export function rowsOfNewJobs({ rules, clock }: World, rows: readonly JobRow[]): readonly JobRow[] {
  const seen = new Set(rows.map(({ jobId }) => jobId));
  const jobs = rules.pairs.flatMap((pair) => pair.jobs);
  const current = new Set(jobs.map(({ id }) => id));
  return jobs
    .filter(({ id }) => !seen.has(id))
    .map((job) => {
      const paused = pauseInherited(job, rows, current, clock.now());
      return { ...newRow(job, clock.now()), ...(paused ? { paused } : {}) };
    });
}

/** A target that refuses what takes no rights over anybody is asked again after this time. */
const TRY_AGAIN_MS = 30 * 60_000;

/** The target has refused the job's work as such: it stops until it is tried again, or a look at the target's policy says why. */
export async function stopRefused(world: World, job: Job, code: ErrorCode): Promise<void> {
  const at = world.clock.now();
  await changeJob(world, job.id, (row) =>
    row?.refused ? undefined : { ...(row ?? newRow(job, at)), refused: { code, at, until: at + TRY_AGAIN_MS } },
  );
}

interface Checked {
  at: number;
  stopped: Promise<ReadonlyMap<string, ErrorCode>>;
}

/** Knows which jobs write nothing now. One listing serves everybody within a second. */
export class JobDesk {
  private readonly world: World;
  private checked: Checked | undefined;

  constructor(world: World) {
    this.world = world;
  }

  async whyStopped(jobId: string): Promise<ErrorCode | undefined> {
    const now = this.world.clock.now();
    const known = this.checked && now - this.checked.at <= BELIEVED_MS ? this.checked : undefined;
    const stopped = (await this.codes(known ?? this.lookAnew())).get(jobId);
    if (!stopped || !known) return stopped;
    // A hint that is dropped for a stop does not come back: it has to be true at this moment.
    return (await this.codes(this.lookAnew())).get(jobId);
  }

  private lookAnew(): Checked {
    this.checked = { at: this.world.clock.now(), stopped: this.look() };
    return this.checked;
  }

  private codes(checked: Checked): Checked["stopped"] {
    return checked.stopped.catch((error: unknown) => {
      if (this.checked === checked) this.checked = undefined;
      throw error;
    });
  }

  private async look(): Promise<ReadonlyMap<string, ErrorCode>> {
    const rows = await readJobs(this.world);
    return new Map(
      [...rows, ...rowsOfNewJobs(this.world, rows)].flatMap((row) => {
        const code = whyStopped(row);
        return code ? [[row.jobId, code] as const] : [];
      }),
    );
  }
}
