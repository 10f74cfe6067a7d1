import { ERRORS, type ErrorCode, SyncError } from "../domain/error.ts";
import type { Job, Pair } from "../domain/job.ts";
import { afterCount, afterTime, type JobCounts, type JobRow, TRYING_MS, whyStopped } from "../domain/job-state.ts";
import { LIMIT_KINDS } from "../domain/limits.ts";
import type { Link } from "../domain/link.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { StorageUnavailable } from "../ports/rows.ts";
import { changeJob, newRow, readJobs, rowsOfNewJobs } from "./job-state.ts";
import { cleanParts } from "./ledger.ts";
import { restartStreams } from "./restart-streams.ts";
import { pairKey, type World } from "./world.ts";

/** How often a job's people and failures are counted. */
const COUNT_MS = TRYING_MS;
/** Of a pair without anybody, which costs nothing: its first people are not unheard of for an hour. */
const COUNT_EMPTY_MS = 60_000;

/**
 * Keeps the rows of the jobs: that there is one for every job, what the target's policy says, and how the job fares. Derived from
 * the links and from what Graph says, so that nothing is lost with a process. Called by the timer of the sweeps.
 */
export async function keepJobs(world: World, log: DecisionLog): Promise<void> {
  const stored = await readJobs(world);
  const rows = new Map([...stored, ...rowsOfNewJobs(world, stored)].map((row) => [row.jobId, row]));
  for (const pair of world.rules.pairs) {
    try {
      await keepPair(world, pair, rows, log);
    } catch (error) {
      if (!(error instanceof SyncError || error instanceof StorageUnavailable)) throw error;
      log.warn("job state not refreshed", { targetTenantId: pair.target.id, because: error.message });
    }
  }
}

async function keepPair(world: World, pair: Pair, rows: ReadonlyMap<string, JobRow>, log: DecisionLog): Promise<void> {
  const now = world.clock.now();
  const rowOf = (job: Job) => rows.get(job.id) ?? newRow(job, now);
  const known = pair.jobs.map(rowOf);
  const lookDue = known.some(({ lookedAt }) => now - (lookedAt ?? 0) >= world.settings.sweepMs);
  const every = known.every(({ counts }) => counts?.events === 0) ? COUNT_EMPTY_MS : COUNT_MS;
  const countDue = known.some(({ counts }) => now - (counts?.at ?? 0) >= every);
  const wakes = known.some((row) => row.health === "trying" && row.awake !== row.quarantine?.nextAttempt);
  if (!lookDue && !countDue && !wakes) return;
  const refusal = lookDue ? await refusalOf(world, pair) : undefined;
  const counts = countDue ? await countJobs(world, pair) : undefined;
  if (countDue) for (const job of pair.jobs) await cleanLedgers(world, pair, job.id);
  let wanted = false;
  for (const job of pair.jobs) {
    await changeJob(world, job.id, (stored) => {
      const before = stored ?? rowOf(job);
      let row: JobRow = { ...before, sourceTenantId: job.sourceTenantId, targetTenantId: job.targetTenantId };
      if (lookDue) row = afterLook(row, refusal, now);
      const counted = counts?.get(job.id);
      // An evaluation has to have had its time before it is judged.
      const tooSoon = row.health === "trying" && now - (row.quarantine?.nextAttempt ?? 0) < TRYING_MS;
      if (counted && !tooSoon) row = afterCount(row, counted, now);
      if (row.health === "trying" && row.quarantine) row = { ...row, awake: row.quarantine.nextAttempt };
      const [was, is] = [whyStopped(before), whyStopped(row)];
      const woken = row.health === "trying" && before.awake !== row.awake;
      wanted = wanted || (was !== undefined && is === undefined) || woken;
      if (is !== was && is) log.warn("job stopped", { jobId: job.id, code: is });
      return row;
    });
  }
  if (wanted) await restartStreams(world, pair.source.id);
}

/** What the target says about this source; an answer of the tenant's that it does not want us is one too. */
async function refusalOf(world: World, pair: Pair): Promise<ErrorCode | undefined> {
  const answer = await world.inbound(pair.target.id).from(pair.source.id);
  if (answer === "refused") return "INBOUND_SYNC_NOT_ALLOWED";
  if (answer === "blocked") return "INBOUND_INVITATIONS_BLOCKED";
  if (answer === "disabled") return "TENANT_APP_DISABLED";
  return answer === "consentMissing" ? "TENANT_CONSENT_MISSING" : undefined;
}

function afterLook({ refused, ...row }: JobRow, code: ErrorCode | undefined, now: number): JobRow {
  const looked = { ...row, lookedAt: now };
  // What the policy does not say, or may not be read for, only another attempt can tell.
  if (code === undefined) return refused?.until !== undefined && now < refused.until ? { ...looked, refused } : looked;
  return { ...looked, refused: refused?.code === code ? refused : { code, at: now } };
}

async function cleanLedgers(world: World, pair: Pair, jobId: string): Promise<void> {
  for (const kind of LIMIT_KINDS) await cleanParts(world, { pair, jobId, kind });
}

/** Goes through the links of the pair once for all of its jobs. */
async function countJobs(world: World, { source, target, jobs }: Pair): Promise<ReadonlyMap<string, JobCounts>> {
  const counts = new Map(jobs.map(({ id }) => [id, { events: 0, failures: 0, referenceFailures: 0 }]));
  for await (const { value } of world.tables.links.list(pairKey(source.id, target.id))) {
    const of = counts.get(value.jobId ?? jobs[0]?.id ?? "");
    if (!of) continue;
    of.events++;
    if (!hasFailed(value)) continue;
    if (value.escrow?.reference) of.referenceFailures++;
    else of.failures++;
  }
  return counts;
}

/** Who is held by a rule is no failure. */
const hasFailed = ({ escrow }: Link): boolean => escrow !== undefined && !("held" in ERRORS[escrow.code]);

/** Jobs that are not in the configuration any more, with the people they left in the targets. */
export async function orphanedJobs(world: World): Promise<readonly { job: JobRow; people: number }[]> {
  const current = new Set(world.rules.pairs.flatMap(({ jobs }) => jobs.map(({ id }) => id)));
  const orphans = (await readJobs(world)).filter(({ jobId }) => !current.has(jobId));
  return Promise.all(
    orphans.map(async (job) => {
      let people = 0;
      for await (const { value } of world.tables.links.list(pairKey(job.sourceTenantId, job.targetTenantId))) {
        if (value.jobId === job.jobId && (value.state === "linked" || value.state === "invited")) people++;
      }
      return { job: afterTime(job, world.clock.now()), people };
    }),
  );
}
