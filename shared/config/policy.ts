import * as z from "zod";
import { type Beyond, type Outflow, outflowOf, readsBeyond, writesBeyond } from "../domain/boundary.ts";
import { cloudPair } from "../domain/cloud.ts";
import { unreachable } from "../domain/error.ts";
import { sourceProblem } from "../domain/mapping/attributes.ts";
import type { Mistake } from "./load.ts";
import type { Rules } from "./rules.ts";
import { name, says } from "./says.ts";
import type { JobConfig, SyncConfig } from "./schema.ts";
import type { TenantConfig } from "./tenant-schema.ts";

/**
 * What the administrators of a tenant allow: of a target, what jobs do in it; of a source, what leaves it. A job that asks for
 * more is refused when the configuration is loaded.
 */

const attributes = () => z.array(z.string().min(1).max(200)).max(500);

export const Inbound = z.strictObject({
  userTypes: says(
    z
      .array(z.enum(["guest", "member"]))
      .min(1)
      .optional(),
    "What people who are synchronized into this tenant may become. Default: both.",
    ["guest"],
  ),
  sources: says(
    z
      .array(z.union([name(), z.guid()]))
      .min(1)
      .optional(),
    "The tenants that people may come from, by name or id. Default: every tenant of this file.",
    ["contoso-emea"],
  ),
  attributes: says(
    attributes().optional(),
    "Properties of its users that mappings may write, as Graph names them; `manager` for the manager. Default: all. Address, type, sign-in and stamp of the people whom a job creates are always written.",
    ["displayName", "department", "manager"],
  ),
  maxUsers: says(
    z.int().min(1).max(10_000_000).optional(),
    "The most users that this deployment may have in this tenant at a time, whatever jobs they come from. Default: no limit.",
    5_000,
  ),
  gates: says(
    z.array(name()).optional(),
    "Gates that every job into this tenant has to have, by name. No gate is known yet: a tenant that asks for one lets no job in.",
    [],
  ),
});

export const Outbound = z.strictObject({
  attributes: says(
    attributes(),
    "Attributes of its users that jobs may map or filter by; `manager` for the manager. Nothing else is read for a job. The address that people are invited by always leaves.",
    ["displayName", "givenName", "surname", "department"],
  ),
});

export const Boundary = z.strictObject({
  attributes: says(
    attributes(),
    "Attributes of source users that may be mapped or filtered by; `manager` for the manager. A second list beside the mappings, so that a mapping alone takes nothing more out of the tenant.",
    ["displayName", "department"],
  ),
});

/** Names that no source user has, where lists of them are. */
export function* listMistakes({ tenants, jobs }: SyncConfig): Generator<Mistake> {
  const lists = [
    ...tenants.map(({ outbound }, index) => [`tenants[${index}].outbound`, outbound?.attributes] as const),
    ...jobs.map(({ boundary }, index) => [`jobs[${index}].boundary`, boundary?.attributes] as const),
  ];
  for (const [path, list] of lists) {
    for (const [index, attribute] of (list ?? []).entries()) {
      const problem = attribute === "manager" ? undefined : sourceProblem(attribute);
      if (problem) yield { path: `${path}.attributes[${index}]`, ...problem };
    }
  }
  for (const [index, { inbound }] of tenants.entries()) {
    for (const [at, source] of (inbound?.sources ?? []).entries()) {
      if (tenants.some((tenant) => isNamed(tenant, source))) continue;
      const remedy = `Use one of: ${tenants.map((tenant) => tenant.name).join(", ")}; or the id of one.`;
      yield { path: `tenants[${index}].inbound.sources[${at}]`, problem: `there is no tenant ${source}`, remedy };
    }
  }
}

const isNamed = ({ name, id }: TenantConfig, source: string): boolean =>
  name === source || id.toLowerCase() === source.toLowerCase();

/** Everything in which a job asks for more than its two tenants allow, or than its own boundary. */
export function* policyMistakes(config: SyncConfig, job: JobConfig, path: string, rules: Rules): Generator<Mistake> {
  const [source, target] = [job.source, job.target].map((name) =>
    config.tenants.find((tenant) => tenant.name === name),
  );
  if (!source || !target) return;
  yield* inboundMistakes(job, source, target, path);
  const outflow = outflowOfJob(job, source, target, rules);
  const ask = (tenant: TenantConfig, key: string) => `ask the administrators of ${tenant.name} to add it to \`${key}\``;
  if (target.inbound?.attributes)
    yield* told(writesBeyond(outflow, target.inbound.attributes), job, path, {
      key: "target",
      problem: (attribute) => `the tenant ${target.name} does not let jobs write ${attribute}`,
      remedy: ask(target, "inbound.attributes"),
    });
  if (source.outbound)
    yield* told(readsBeyond(outflow, source.outbound.attributes), job, path, {
      problem: (attribute) => `the tenant ${source.name} does not let ${attribute} leave`,
      remedy: ask(source, "outbound.attributes"),
    });
  if (job.boundary)
    yield* told(readsBeyond(outflow, job.boundary.attributes), job, path, {
      problem: (attribute) => `${attribute} is outside the job's boundary`,
      remedy: "add it to `boundary.attributes` of the job",
    });
}

/** What a job takes out of its source. */
export function outflowOfJob(job: JobConfig, source: TenantConfig, target: TenantConfig, rules: Rules): Outflow {
  const pair = cloudPair(source.cloud, target.cloud);
  const manager = job.manager ?? (!("refused" in pair) && pair.manager);
  return outflowOf(rules.mapper?.flows ?? [], rules.filter?.attributes ?? [], manager);
}

function* inboundMistakes(
  job: JobConfig,
  source: TenantConfig,
  { name: tenant, inbound = {} }: TenantConfig,
  path: string,
): Generator<Mistake> {
  const { userTypes, sources, gates = [], maxUsers } = inbound;
  const widen = (key: string) => `ask the administrators of ${tenant} to widen \`inbound.${key}\``;
  if (userTypes && !userTypes.includes(job.userType))
    yield {
      path: `${path}.userType`,
      problem: `the tenant ${tenant} does not let people in as ${job.userType}`,
      remedy: `Use ${userTypes.join(" or ")}, or ${widen("userTypes")}.`,
    };
  if (sources && !sources.some((one) => isNamed(source, one)))
    yield {
      path: `${path}.source`,
      problem: `the tenant ${tenant} lets nobody in from ${source.name}`,
      remedy: `Take the job out, or ${widen("sources")}.`,
    };
  for (const gate of gates)
    yield {
      path: `${path}.target`,
      problem: `the tenant ${tenant} asks for the gate ${gate}, which this version does not have`,
      remedy: `Take the job out, or ask the administrators of ${tenant} about \`inbound.gates\`.`,
    };
  const expected = job.firstCycle?.expected ?? 0;
  if (maxUsers !== undefined && expected > maxUsers)
    yield {
      path: `${path}.firstCycle.expected`,
      problem: `${expected} people are expected, and the tenant ${tenant} takes ${maxUsers}`,
      remedy: `Narrow the scope, or ${widen("maxUsers")}.`,
    };
}

/** One mistake for everything that is beyond a list, at its place. */
function* told(
  beyond: readonly Beyond[],
  job: JobConfig,
  path: string,
  { key, problem, remedy }: { key?: string; problem: (name: string) => string; remedy: string },
): Generator<Mistake> {
  for (const one of beyond) {
    yield {
      path: `${path}.${placeOf(one, job, key)}`,
      problem: problem(one.name),
      remedy: `${one.where === "manager" ? "Set `manager` to false" : `Take it out of the ${one.where}`}, or ${remedy}.`,
    };
  }
}

function placeOf(beyond: Beyond, { mappings }: JobConfig, key: string | undefined): string {
  switch (beyond.where) {
    case "filter":
      return "scope.filter";
    case "manager":
      return "manager";
    case "mapping": {
      const mapping = mappings?.[beyond.index];
      if (!mapping) return "mappings"; // the default set
      return `mappings[${beyond.index}].${key ?? (mapping.source === undefined ? "expression" : "source")}`;
    }
    default:
      return unreachable(beyond);
  }
}
