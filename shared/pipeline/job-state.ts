import type { ErrorCode } from "../domain/error.ts";
import type { Job } from "../domain/job.ts";
import { afterTime, type JobRow, whyStopped } from "../domain/job-state.ts";
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

export const newRow = ({ id, sourceTenantId, targetTenantId }: Job): JobRow => ({
  jobId: id,
  sourceTenantId,
  targetTenantId,
  health: "healthy",
});

/** Knows which jobs write nothing now. One listing serves everybody within a second. */
export class JobDesk {
  private readonly world: World;
  private checked: { at: number; stopped: Promise<ReadonlyMap<string, ErrorCode>> } | undefined;

  constructor(world: World) {
    this.world = world;
  }

  async whyStopped(jobId: string): Promise<ErrorCode | undefined> {
    const now = this.world.clock.now();
    if (!this.checked || now - this.checked.at > BELIEVED_MS) this.checked = { at: now, stopped: this.look() };
    const { checked } = this;
    const stopped = await checked.stopped.catch((error: unknown) => {
      if (this.checked === checked) this.checked = undefined;
      throw error;
    });
    return stopped.get(jobId);
  }

  private async look(): Promise<ReadonlyMap<string, ErrorCode>> {
    const rows = await readJobs(this.world);
    return new Map(
      rows.flatMap((row) => {
        const code = whyStopped(row);
        return code ? [[row.jobId, code] as const] : [];
      }),
    );
  }
}
