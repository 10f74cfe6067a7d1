import { cloudPair } from "../domain/cloud.ts";
import { sourceAttribute, sourceProblem } from "../domain/mapping/attributes.ts";
import { compileMappings, defaultMappings, type Mapper, type MappingMistake } from "../domain/mapping/map.ts";
import { type CompiledScopingFilter, compileScopingFilter } from "../domain/scoping-filter.ts";
import { extensionsOf, stampAttributeOf } from "./extensions.ts";
import { filterOf } from "./filter.ts";
import type { Mistake } from "./load.ts";
import type { JobConfig, SyncConfig } from "./schema.ts";

/** The compiled rules of a job, or all that is wrong with them. */
export interface Rules {
  mapper: Mapper | undefined;
  filter: CompiledScopingFilter | undefined;
  mistakes: readonly Mistake[];
  warnings: readonly Mistake[];
}

/** Compiles mappings and filter of one job, `path` being its place in the configuration. */
export function rulesOf(config: SyncConfig, job: JobConfig, path: string): Rules {
  const mapped = mappingsOf(config, job);
  const filtered = filterRulesOf(job, `${path}.scope`);
  const told = ({ index, key, problem, remedy }: MappingMistake): Mistake => ({
    path: `${path}.mappings[${index}]${key === undefined ? "" : `.${key}`}`,
    problem,
    remedy,
  });
  return {
    mapper: mapped.ok ? mapped.mapper : undefined,
    filter: filtered.filter,
    mistakes: [...(mapped.ok ? [] : mapped.mistakes.map(told)), ...filtered.mistakes],
    warnings: [
      ...(mapped.ok ? mapped.warnings.map(told) : []),
      ...filtered.warnings,
      ...userTypeWarnings(config, job, path),
    ],
  };
}

function mappingsOf({ tenants }: SyncConfig, job: JobConfig) {
  const [source, target] = [job.source, job.target].map((name) => tenants.find((tenant) => tenant.name === name));
  const clouds = cloudPair(source?.cloud ?? "global", target?.cloud ?? "global");
  const supported = "refused" in clouds ? undefined : clouds;
  return compileMappings(job.mappings ?? (supported ? defaultMappings(supported) : []), {
    flowNullValues: job.flowNullValues,
    defaultDomain: source?.defaultDomain ?? null,
    ...(supported ? { clouds: supported } : {}),
    ...(target ? { extensions: extensionsOf(target), stampAttribute: stampAttributeOf(target) } : {}),
  });
}

/** Source: Microsoft Teams and Entra `multi-tenant-organization-known-issues.md`, `cross-tenant-synchronization-overview.md`. */
function* userTypeWarnings({ tenants }: SyncConfig, job: JobConfig, path: string): Generator<Mistake> {
  const cloudOf = (name: string) => tenants.find((tenant) => tenant.name === name)?.cloud;
  const [from, to] = [cloudOf(job.source), cloudOf(job.target)];
  const clouds = from && to && cloudPair(from, to);
  if (job.userType !== "member" || !clouds || "refused" in clouds || !clouds.crossCloud) return;
  yield {
    path: `${path}.userType`,
    problem:
      "people from another cloud become members: Teams across clouds works for guests only, and a multitenant organization, which members are meant for, does not exist across clouds",
    remedy: "Set `userType` to `guest` unless something else in the target asks for members.",
  };
}

function filterRulesOf(job: JobConfig, path: string): Pick<Rules, "filter" | "mistakes" | "warnings"> {
  const wanted = filterOf(job.scope);
  if (!wanted) return { filter: undefined, mistakes: [], warnings: [] };
  const filter = compileScopingFilter(wanted);
  const told = ({ path: place, message }: { path: string; message: string }): Mistake => ({
    path: `${path}.filter.${place}`,
    problem: message,
    remedy: "See docs/configuration.md for the operators.",
  });
  if (!filter.ok) return { filter: undefined, mistakes: filter.errors.map(told), warnings: [] };
  const mistakes = filter.attributes.flatMap((name): Mistake[] => {
    const problem = sourceProblem(name) ?? unfit(name);
    return problem ? [{ path: `${path}.filter`, ...problem }] : [];
  });
  return { filter, mistakes, warnings: filter.warnings.map(told) };
}

/** Source: Entra `define-conditional-rules-for-provisioning-user-accounts.md`. */
function unfit(name: string): { problem: string; remedy: string } | undefined {
  const kind = sourceAttribute(name)?.kind;
  if (kind !== "list" && kind !== "dateTime") return undefined;
  const what = kind === "list" ? "has several values" : "is a date";
  const remedy = "Filter by another attribute, or carry the value in a directory extension.";
  return { problem: `${name} ${what}, and filters do not support that`, remedy };
}
