import { createHash } from "node:crypto";
import * as z from "zod";
import type { AdminScope } from "../domain/admin.ts";
import { CLOUDS, type CloudPair, cloudPair } from "../domain/cloud.ts";
import type { Job, Pair, Tenant } from "../domain/job.ts";
import { NESTING_MAX, nestingOf } from "../domain/json.ts";
import type { Limits } from "../domain/limits.ts";
import { didYouMean } from "../domain/mapping/expression/near-miss.ts";
import type { Mapper } from "../domain/mapping/map.ts";
import { adminMistakes, adminScopesOf } from "./admin.ts";
import { extensionMistakes, extensionsOf, stampAttributeOf } from "./extensions.ts";
import { type Issue, keysAt, plainIssues, withoutIssues } from "./issues.ts";
import { matchingMistakes } from "./matching.ts";
import { listMistakes, policyMistakes } from "./policy.ts";
import { type Rules, rulesOf } from "./rules.ts";
import { type JobConfig, SyncConfig } from "./schema.ts";
import type { TenantConfig } from "./tenant-schema.ts";

/** One thing that is wrong with the configuration, for the person who wrote it. */
export interface Mistake {
  /** `jobs[2].target`. */
  path: string;
  problem: string;
  remedy: string;
}

export class ConfigInvalid extends Error {
  readonly mistakes: readonly Mistake[];
  constructor(what: string, mistakes: readonly Mistake[]) {
    const lines = mistakes.map(({ path, problem, remedy }) => `  ${path}: ${problem}. ${remedy}`);
    super(
      `CONFIG_INVALID: ${what} has ${mistakes.length} mistake${mistakes.length === 1 ? "" : "s"}. Nothing was started.\n${lines.join("\n")}`,
    );
    this.name = "ConfigInvalid";
    this.mistakes = mistakes;
  }
}

/** Everything resolved: pairs in order, without jobs that are off. */
export interface LoadedConfig {
  config: SyncConfig;
  deployment: string;
  tenants: readonly Tenant[];
  pairs: readonly Pair[];
  /** What is allowed and worth knowing. */
  warnings: readonly Mistake[];
  adminScopes: readonly AdminScope[];
  /** The parsed configuration as JSON, and SHA-256 over it. */
  text: string;
  hash: string;
}

/** Parses `sync.config.json`. Throws `ConfigInvalid` with every mistake, not only the first. */
export function loadConfig(text: string, file = "sync.config.json"): LoadedConfig {
  const config = parse(text, file);
  const canonical = JSON.stringify(config);
  const rules = rulesIn(config);
  const mistakes = mistakesIn(config, rules);
  if (mistakes.length > 0) throw new ConfigInvalid(file, mistakes);
  const tenants = config.tenants.map(tenantOf);
  return {
    config,
    deployment: config.deployment,
    tenants,
    pairs: pairsOf(config, tenants, rules),
    warnings: rules.flatMap(({ warnings }) => warnings),
    adminScopes: adminScopesOf(config),
    text: canonical,
    hash: hash(canonical),
  };
}

const rulesIn = (config: SyncConfig): readonly Rules[] =>
  config.jobs.map((job, index) => rulesOf(config, job, `jobs[${index}]`));

/** What a configuration of the right form is wrong in. */
const mistakesIn = (config: SyncConfig, rules: readonly Rules[]): readonly Mistake[] => [
  ...tenantMistakes(config),
  ...jobMistakes(config),
  ...adminMistakes(config),
  ...rules.flatMap((rule) => rule.mistakes),
  ...listMistakes(config),
  ...config.jobs.flatMap((job, index) => [...policyMistakes(config, job, `jobs[${index}]`, rules[index] as Rules)]),
];

function parse(text: string, file: string): SyncConfig {
  let json: unknown;
  if (nestingOf(text) > NESTING_MAX) {
    const problem = `lists and objects lie more than ${NESTING_MAX} deep`;
    throw new ConfigInvalid(file, [{ path: file, problem, remedy: "Look at docs/configuration.md for the form." }]);
  }
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const problem = `is not JSON (${error instanceof Error ? error.message : error})`;
    throw new ConfigInvalid(file, [
      { path: file, problem, remedy: "Mend the syntax; an editor with the published schema shows the place." },
    ]);
  }
  const parsed = SyncConfig.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(plainIssues);
  throw new ConfigInvalid(file, [...issues.flatMap(mistakesOfForm), ...otherMistakes(json, issues)]);
}

function mistakesOfForm(issue: Issue): readonly Mistake[] {
  const path = pathText(issue.path);
  if (issue.code !== "unrecognized_keys")
    return [{ path, problem: issue.message, remedy: "See docs/configuration.md for what this setting takes." }];
  const known = keysAt(z.toJSONSchema(SyncConfig, { io: "input" }), issue.path);
  return issue.keys.map((key) => ({
    path: pathText([...issue.path, key]),
    problem: "there is no such setting",
    remedy: didYouMean(key, known).trim() || "See docs/configuration.md for the settings.",
  }));
}

/** What is wrong with the rest, so that everything is told at once; nothing where the rest cannot be read either. */
function otherMistakes(json: unknown, issues: readonly Issue[]): readonly Mistake[] {
  const { rest, left } = withoutIssues(json, issues);
  const config = SyncConfig.safeParse(rest);
  if (!config.success) return [];
  const gone = left.map(pathText);
  // What was left out may be the cause of these.
  const follows = ({ path }: Mistake) => gone.some((place) => place.startsWith(path) || path.startsWith(place));
  return mistakesIn(config.data, rulesIn(config.data)).filter((mistake) => !follows(mistake));
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    "",
  ) || "(root)";

function* tenantMistakes({ tenants }: SyncConfig): Generator<Mistake> {
  for (const [index, tenant] of tenants.entries()) {
    const path = `tenants[${index}]`;
    if (tenants.findIndex(({ name }) => name === tenant.name) < index) {
      yield {
        path: `${path}.name`,
        problem: `the name ${tenant.name} is used twice`,
        remedy: "Give every tenant a name of its own.",
      };
    }
    if (tenants.findIndex(({ id }) => id === tenant.id) < index) {
      yield { path: `${path}.id`, problem: "this tenant is listed twice", remedy: "Keep one of the two entries." };
    }
    const { credential } = tenant;
    if (credential.kind === "certificate" && (credential.path === undefined) === (credential.keyVault === undefined)) {
      yield {
        path: `${path}.credential`,
        problem: "a certificate comes from a file or from Key Vault",
        remedy: "Set exactly one of `path` and `keyVault`.",
      };
    }
    if (credential.kind === "managedIdentity" && tenant.stampAttribute === undefined) {
      yield {
        path: `${path}.stampAttribute`,
        problem: "a managed identity has no app registration to make the name of the stamp from",
        remedy: "Name the directory extension: extension_{appId without hyphens}_syncSource.",
      };
    }
    yield* extensionMistakes(tenant, `${path}.extensions`);
  }
}

function* jobMistakes(config: SyncConfig): Generator<Mistake> {
  for (const [index, job] of config.jobs.entries()) {
    const path = `jobs[${index}]`;
    if (config.jobs.findIndex(({ id }) => id === job.id) < index) {
      yield {
        path: `${path}.id`,
        problem: `the id ${job.id} is used twice`,
        remedy: "Give every job an id of its own.",
      };
    }
    if (!job.scope.allUsers && job.scope.groups.length + job.scope.users.length === 0) {
      yield {
        path: `${path}.scope`,
        problem: "nobody is in scope",
        remedy: "Name `groups` or `users`, or set `allUsers` to true.",
      };
    }
    yield* pairMistakes(config, job, path);
    yield* matchingMistakes(config, job, path);
  }
}

function* pairMistakes({ tenants }: SyncConfig, job: JobConfig, path: string): Generator<Mistake> {
  const find = (name: string) => tenants.find((tenant) => tenant.name === name);
  const [source, target] = [find(job.source), find(job.target)];
  const names = tenants.map(({ name }) => name).join(", ");
  for (const [side, found] of [
    ["source", source],
    ["target", target],
  ] as const) {
    if (!found)
      yield { path: `${path}.${side}`, problem: `there is no tenant ${job[side]}`, remedy: `Use one of: ${names}.` };
  }
  if (!source || !target) return;
  if (source.id === target.id) {
    yield {
      path: `${path}.target`,
      problem: "source and target are the same tenant",
      remedy: "Name two different tenants.",
    };
    return;
  }
  const pair = cloudPair(source.cloud, target.cloud);
  if ("refused" in pair) {
    yield {
      path: `${path}.target`,
      problem: pair.refused,
      remedy: "Remove the job: there is no supported way between these clouds.",
    };
  } else if (pair.unlisted && !job.acceptUnlistedPair) {
    yield {
      path: `${path}.target`,
      problem: `Microsoft does not list synchronization from ${CLOUDS[source.cloud].title} to ${CLOUDS[target.cloud].title}`,
      remedy: "Set `acceptUnlistedPair` to true if you have tried it and want it all the same.",
    };
  }
}

function tenantOf(tenant: TenantConfig): Tenant {
  return {
    id: tenant.id,
    name: tenant.name,
    cloud: tenant.cloud,
    stampAttribute: stampAttributeOf(tenant),
    redirectUrl: tenant.redirectUrl ?? `${CLOUDS[tenant.cloud].myApps}/?tenantid=${tenant.id}`,
    extensions: extensionsOf(tenant),
    defaultDomain: tenant.defaultDomain,
    maxUsers: tenant.inbound?.maxUsers,
  };
}

function pairsOf(config: SyncConfig, tenants: readonly Tenant[], rules: readonly Rules[]): readonly Pair[] {
  const pairs = new Map<string, { source: Tenant; target: Tenant; clouds: CloudPair; jobs: Job[]; texts: unknown[] }>();
  for (const [index, job] of config.jobs.entries()) {
    if (job.state === "off") continue;
    const source = tenants.find(({ name }) => name === job.source) as Tenant;
    const target = tenants.find(({ name }) => name === job.target) as Tenant;
    const clouds = cloudPair(source.cloud, target.cloud) as CloudPair;
    const key = `${source.id}/${target.id}`;
    const pair = pairs.get(key) ?? { source, target, clouds, jobs: [], texts: [] };
    const resolved = jobOf(job, source, target, clouds, rules[index] as Rules);
    // Limits decide how many, never who: changing them changes nobody's inputs. A boundary only refuses.
    const { limits: _l, whileHeld: _w, firstCycle: _f, boundary: _b, ...whom } = job;
    const texts = [...pair.texts, whom, resolved.mapper.mappings];
    pairs.set(key, { ...pair, jobs: [...pair.jobs, resolved], texts });
  }
  return [...pairs.values()].map(({ texts, ...pair }) => ({
    ...pair,
    rulesHash: hash(JSON.stringify([decisive(pair.source), decisive(pair.target), texts])),
  }));
}

/** How many, never who: a change of it changes nobody's inputs. */
const decisive = ({ maxUsers: _maxUsers, ...tenant }: Tenant): unknown => tenant;

function jobOf(job: JobConfig, source: Tenant, target: Tenant, clouds: CloudPair, rules: Rules): Job {
  const government = target.cloud === "usGov" || target.cloud === "usGovDoD";
  return {
    id: job.id,
    sourceTenantId: source.id,
    targetTenantId: target.id,
    state: job.state,
    scope: {
      allUsers: job.scope.allUsers,
      groups: job.scope.groups,
      users: job.scope.users,
      filter: rules.filter,
    },
    userType: job.userType,
    changeUserType: job.changeUserType,
    mapper: rules.mapper as Mapper,
    manager: job.manager ?? clouds.manager,
    sponsors: job.sponsors,
    actions: job.actions,
    onOutOfScope: job.onOutOfScope,
    onDisabledThenUnassigned: job.onDisabledThenUnassigned,
    limits: limitsOf(job),
    adopt: job.adopt ?? (government ? "none" : "pending"),
    adoptBy: job.adoptBy,
  };
}

/** The configuration counts in minutes and hours, as people do. */
function limitsOf({ limits, whileHeld, firstCycle }: JobConfig): Limits {
  const { removals, creations, settlingMinutes, approvalHours } = limits;
  return {
    removals,
    creations,
    settlingMs: settlingMinutes * 60_000,
    approvalMs: approvalHours * 3_600_000,
    whileHeld,
    firstCycle: firstCycle?.expected,
  };
}

const hash = (text: string): string => createHash("sha256").update(text).digest("base64url");
