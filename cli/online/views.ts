import * as z from "zod";
import { type Answer, known } from "./client.ts";
import { plain, type TenantNames, table, told } from "./render.ts";

/** What `status` and `job list` say to people; `--json` has everything. */

const Tenant = z.object({ id: z.string(), name: z.string() });
const Status = z.object({
  deployment: z.string(),
  configuration: z.object({
    state: z.string(),
    revision: z.string(),
    says: z.string().optional(),
    waiting: z.string().optional(),
    weakenings: z
      .array(z.object({ path: z.string(), what: z.string(), targetTenantId: z.string().optional() }))
      .default([]),
    requests: z.array(z.string()).default([]),
  }),
  killSwitch: z.object({
    on: z.boolean(),
    by: z.string().optional(),
    since: z.string().optional(),
    reason: z.string().optional(),
  }),
  pairs: z.array(
    z.object({
      source: Tenant,
      target: Tenant,
      jobs: z.array(z.object({ id: z.string(), state: z.string(), stopped: z.string().nullish() })),
    }),
  ),
  sources: z.array(
    z.object({
      tenantId: z.string(),
      streams: z.array(z.object({ stream: z.string(), phase: z.string(), touchedAt: z.string() })),
    }),
  ),
  tables: z.object({ says: z.string().optional(), since: z.string().optional() }),
  orphans: z.object({
    jobs: z.array(z.object({ job: z.string(), targetTenantId: z.string(), people: z.number() })),
    users: z.number(),
    more: z.boolean().optional(),
  }),
});

const Job = z.looseObject({
  stopped: z.string().nullable(),
  counts: z.object({ events: z.number(), failures: z.number(), at: z.string() }).optional(),
});

export function namesIn(status: Answer): TenantNames {
  const { pairs } = known(Status.pick({ pairs: true }), status);
  return new Map(pairs.flatMap(({ source, target }) => [source, target]).map(({ id, name }) => [id, name]));
}

export function statusText(answer: Answer): string {
  const { deployment, configuration, killSwitch, pairs, sources, tables, orphans } = known(Status, answer);
  const names = namesIn(answer);
  const jobs = pairs.flatMap(({ source, target, jobs }) =>
    jobs.map(({ id, state, stopped }) => ({
      source: source.name,
      target: target.name,
      job: id,
      state,
      stopped: stopped ?? "no",
    })),
  );
  const streams = sources.flatMap(({ tenantId, streams }) =>
    streams.map(({ stream, phase, touchedAt }) => ({ source: names.get(tenantId), stream, phase, touchedAt })),
  );
  const switched = killSwitch.on
    ? `ON since ${killSwitch.since} (${killSwitch.reason}; by ${killSwitch.by}): nothing is written to any target.`
    : "off.";
  return [
    plain(`Deployment ${deployment}, configuration ${configuration.revision}: ${configuration.state}.`),
    plain(`Kill switch: ${switched}`),
    ...(tables.says === undefined ? [] : [plain(tables.says)]),
    ...waitingLines(configuration, names),
    "",
    table(jobs),
    table(streams),
    `Users in the targets whom no link knows: ${orphans.users}${orphans.more ? " or more" : ""}.`,
    ...(orphans.jobs.length === 0 ? [""] : [`\nLeft behind by jobs that are gone:\n${told(orphans.jobs, names)}`]),
  ].join("\n");
}

function waitingLines(
  { waiting, says, weakenings, requests }: z.infer<typeof Status>["configuration"],
  names: TenantNames,
): readonly string[] {
  if (waiting === undefined) return [];
  const weaker = weakenings.map(({ path, what, targetTenantId }) => ({ targetTenantId, path, what }));
  const commands = requests.map((id) => plain(`  cross-cloud-sync approve ${id}`));
  return ["", plain(`Configuration ${waiting} waits. ${says ?? ""}`), told(weaker, names), ...commands];
}

const Jobs = z.object({ items: z.array(Job), orphans: z.array(Job) });

export function jobsText(answer: Answer, names: TenantNames): string {
  const { items, orphans } = known(Jobs, answer);
  const left = orphans.length === 0 ? "" : `\nNot in the configuration any more:\n${told(orphans.map(jobRow), names)}`;
  return `${told(items.map(jobRow), names)}${left}`;
}

const jobRow = ({ stopped, counts, ...rest }: z.infer<typeof Job>) => ({
  ...rest,
  stopped: stopped ?? "no",
  ...(counts ? { people: counts.events, failures: counts.failures, countedAt: counts.at } : {}),
});
