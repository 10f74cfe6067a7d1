import * as z from "zod";
import { covers, type Principal } from "../domain/admin.ts";
import { orphanedJobs } from "../pipeline/keep-jobs.ts";
import { listOrphans } from "../pipeline/orphans.ts";
import { knownRecovery, rebuildLinks } from "../pipeline/recovery.ts";
import type { World } from "../pipeline/world.ts";
import { type Command, command } from "./command.ts";
import { PAGE_MAX, parsed } from "./input.ts";
import { time, visiblePairs } from "./views.ts";

/** Tables that were lost or restored, and what nobody owns: seen, and brought back. */

const SAYS = {
  on: "The tables are those that this deployment knows.",
  lost: "Tables are missing: nobody is created, changed or removed. Put a copy back, or run `links rebuild`.",
  restored: "A copy was put back: links of those who came after it are made from the stamps. It goes on by itself.",
  observing: "The links are rebuilt: a full pass shows what would be done (`log`), and then it is done.",
} as const;

/** Targets of which the principal may see everything: whose job an orphan was is not known. */
const targetsWhole = (world: World, principal: Principal): readonly string[] => [
  ...new Set(
    visiblePairs(world, principal)
      .map(({ target }) => target.id)
      .filter((targetTenantId) => covers(principal, { targetTenantId })),
  ),
];

/** Orphans that are counted; more are "many". */
const COUNTED_MAX = 1_000;

/** For `status`. */
export async function recoveryView(world: World, principal: Principal): Promise<object> {
  const targets = targetsWhole(world, principal);
  const state = await knownRecovery(world);
  const rebuilds = await Promise.all(targets.map((id) => rebuildView(world, id)));
  const jobs = (await orphanedJobs(world)).filter(({ job }) => covers(principal, job));
  const users = await listOrphans(world, COUNTED_MAX, targets);
  return {
    tables: {
      ...(state ? { state: state.kind, since: time(state.since), says: SAYS[state.kind] } : {}),
      rebuilds: rebuilds.flat(),
    },
    orphans: {
      jobs: jobs.map(({ job, people }) => ({ job: job.jobId, targetTenantId: job.targetTenantId, people })),
      users: users.length,
      ...(users.length >= COUNTED_MAX ? { more: true } : {}),
    },
  };
}

/** The last rebuild of a target, if there ever was one. */
async function rebuildView(world: World, targetTenantId: string): Promise<object[]> {
  const row = (await world.tables.passes.read(targetTenantId, "rebuild"))?.value;
  if (!row) return [];
  const { phase, startedAt, endedAt, found } = row;
  const ended = phase === "idle" && endedAt !== undefined ? { endedAt: time(endedAt) } : {};
  return [{ targetTenantId, phase, startedAt: time(startedAt), ...ended, ...(found ? { found } : {}) }];
}

/** Users of the targets with our stamp whom no link knows. */
export async function orphansView(world: World, principal: Principal, query: Record<string, string>): Promise<object> {
  const { limit } = parsed(
    z.strictObject({ limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_MAX) }),
    query,
  );
  const found = await listOrphans(world, limit, targetsWhole(world, principal));
  return { items: found.map(({ foundAt, ...rest }) => ({ ...rest, foundAt: time(foundAt) })) };
}

/** After it, what a loss of tables has stopped goes on: for whoever may approve. */
export const linksRebuild: Command = command(
  {
    name: "links-rebuild",
    role: "Sync.Approve",
    summary: "Makes links anew from the stamps in the targets; where nothing was lost it only adds what is missing.",
  },
  z.strictObject({}),
  async (world) => ({
    about: [],
    subjects: [],
    run: async () => ({
      targets: await rebuildLinks(world),
      next: "`status` shows how far it is and what was found.",
    }),
  }),
);
