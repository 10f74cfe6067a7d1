import { cloudPair } from "../domain/cloud.ts";
import { sourceAttribute, sourceProblem } from "../domain/mapping/attributes.ts";
import { didYouMean } from "../domain/mapping/expression/near-miss.ts";
import { compileMappings, defaultMappings, type Mapper, type MappingMistake } from "../domain/mapping/map.ts";
import { type CompiledScopingFilter, compileScopingFilter, type ScopingFilter } from "../domain/scoping-filter.ts";
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
    path: writtenAt(job, path, place),
    problem: message.replace(/\.$/, ""),
    remedy: "See docs/configuration.md for the operators.",
  });
  const mistakes = [...shapeMistakes(job, `${path}.filter`), ...attributeMistakes(job, path, wanted)];
  if (!filter.ok) return { filter: undefined, mistakes: [...mistakes, ...filter.errors.map(told)], warnings: [] };
  return { filter, mistakes, warnings: filter.warnings.map(told) };
}

/** Where the file has what the schema's form has at `place`: the readable form names no sets. */
function writtenAt({ scope }: JobConfig, path: string, place: string): string {
  const [, set = "", rest = ""] = /^(\w+)(.*)$/.exec(place) ?? [];
  if (set === "inputFilterGroups" && scope.inputFilter) return `${path}.inputFilter${rest}`;
  return Array.isArray(scope.filter) ? `${path}.filter${rest}` : `${path}.filter.${place}`;
}

function* attributeMistakes(job: JobConfig, path: string, wanted: ScopingFilter): Generator<Mistake> {
  for (const set of ["groups", "inputFilterGroups"] as const)
    for (const [index, { clauses }] of (wanted[set] ?? []).entries())
      for (const [number, { sourceOperandName: name }] of clauses.entries()) {
        const problem = sourceProblem(name) ?? unfit(name);
        if (problem) yield { path: writtenAt(job, path, `${set}[${index}].clauses[${number}]`), ...problem };
      }
}

const SETS = ["groups", "inputFilterGroups", "categoryFilterGroups"] as const;

/** A filter that says nothing lets everybody in: a mistyped name must not do so. */
function* shapeMistakes({ scope: { filter } }: JobConfig, path: string): Generator<Mistake> {
  if (filter === undefined || Array.isArray(filter)) return;
  // Annotations of OData, as Graph gives them, are no setting.
  const unknown = Object.keys(filter).filter((key) => !SETS.some((set) => set === key) && !key.startsWith("@"));
  for (const key of unknown)
    yield {
      path: `${path}.${key}`,
      problem: "a filter has no such key",
      remedy: didYouMean(key, SETS).trim() || `Use ${SETS.slice(0, 2).join(" and ")}.`,
    };
  for (const set of SETS)
    for (const [index, { clauses }] of (filter[set] ?? []).entries())
      if (clauses.length === 0)
        yield {
          path: `${path}.${set}[${index}]`,
          problem: "a group without clauses would let everybody in",
          remedy: "Give it a clause, or leave it out.",
        };
}

/** Source: Entra `define-conditional-rules-for-provisioning-user-accounts.md`. */
function unfit(name: string): { problem: string; remedy: string } | undefined {
  const kind = sourceAttribute(name)?.kind;
  if (kind !== "list" && kind !== "dateTime") return undefined;
  const what = kind === "list" ? "has several values" : "is a date";
  const remedy = "Filter by another attribute, or carry the value in a directory extension.";
  return { problem: `${name} ${what}, and filters do not support that`, remedy };
}
