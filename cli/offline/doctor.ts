import type { Command } from "commander";
import type { LoadedConfig } from "../../shared/config/load.ts";
import { outflowOfJob } from "../../shared/config/policy.ts";
import { rulesOf } from "../../shared/config/rules.ts";
import type { JobConfig } from "../../shared/config/schema.ts";
import type { TenantConfig } from "../../shared/config/tenant-schema.ts";
import { CLOUDS, cloudPair } from "../../shared/domain/cloud.ts";
import { leastPermissions } from "../../shared/domain/permissions.ts";
import { LOG_HOLDINGS, QUEUE_HOLDINGS, TABLE_HOLDINGS, TABLE_OF } from "../../shared/pipeline/holdings.ts";
import { EXIT } from "../exit-code.ts";
import { configOption, readConfig, refusalOf } from "./config-file.ts";

interface Side {
  tenant: string;
  id: string;
  cloud: string;
}

/** What one job takes out of a tenant, and where to. */
interface JobBoundary {
  job: string;
  state: string;
  from: Side;
  to: Side;
  crossCloud: boolean;
  /** Each with the properties of the source user that it is made of; without any it says the same for everybody. */
  attributes: readonly { writes: string; reads: readonly string[] }[];
  /** Read to decide who is in scope; compared, and written nowhere. */
  filteredBy: readonly string[];
  /** What goes beside the mappings. */
  always: readonly string[];
  manager: boolean;
  /** The lists that bound it; null: what the mappings name. */
  boundary: readonly string[] | null;
  outbound: readonly string[] | null;
  inbound: readonly string[] | null;
}

interface Boundary {
  jobs: readonly JobBoundary[];
  tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  queues: Readonly<Record<string, Readonly<Record<string, string>>>>;
  logs: string;
}

/** Offline: everything follows from the configuration and from how the product is made. */
function boundaryOf({ config }: LoadedConfig): Boundary {
  const jobs = config.jobs.flatMap((job, index) => {
    const find = (name: string) => config.tenants.find((tenant) => tenant.name === name);
    const [source, target] = [find(job.source), find(job.target)];
    return source && target && job.state !== "off" ? [ofJob(config, job, index, source, target)] : [];
  });
  return { jobs, tables: tables(), queues: QUEUE_HOLDINGS, logs: LOG_HOLDINGS };
}

function ofJob(
  config: LoadedConfig["config"],
  job: JobConfig,
  index: number,
  source: TenantConfig,
  target: TenantConfig,
): JobBoundary {
  const { flows, filtered, manager } = outflowOfJob(job, source, target, rulesOf(config, job, `jobs[${index}]`));
  const pair = cloudPair(source.cloud, target.cloud);
  const crossCloud = !("refused" in pair) && pair.crossCloud;
  return {
    job: job.id,
    state: job.state,
    from: sideOf(source),
    to: sideOf(target),
    crossCloud,
    attributes: flows.map(({ target: writes, reads }) => ({ writes, reads })),
    filteredBy: filtered,
    always: [
      `the address of the invitation: ${crossCloud ? "userPrincipalName" : "mail, without one userPrincipalName"}`,
      `that the person is a ${job.userType}, and whether the account is enabled`,
      "the stamp: deployment, source tenant id, object id of the source user",
    ],
    manager,
    boundary: job.boundary?.attributes ?? null,
    outbound: source.outbound?.attributes ?? null,
    inbound: target.inbound?.attributes ?? null,
  };
}

const sideOf = ({ name, id, cloud }: TenantConfig): Side => ({ tenant: name, id, cloud: CLOUDS[cloud].title });

/** Views of one table come together. */
function tables(): Boundary["tables"] {
  const all: Record<string, Record<string, string>> = {};
  for (const [name, columns] of Object.entries(TABLE_HOLDINGS)) {
    const table = Object.entries(TABLE_OF).find(([view]) => view === name)?.[1] ?? name;
    all[table] = { ...all[table], ...columns };
  }
  return all;
}

function* linesOf({ jobs, tables, queues, logs }: Boundary): Generator<string> {
  for (const one of jobs) {
    const where = one.crossCloud ? " (another cloud)" : "";
    yield `${one.job} (${one.state}): ${one.from.tenant}, ${one.from.cloud} -> ${one.to.tenant}, ${one.to.cloud}${where}`;
    for (const { writes, reads } of one.attributes)
      yield `  ${writes} <- ${reads.length > 0 ? reads.join(", ") : "the same for everybody"}`;
    for (const line of one.always) yield `  ${line}`;
    if (one.manager) yield "  the manager: the target user who stands for that person";
    if (one.filteredBy.length > 0) yield `  compared by filters, written nowhere: ${one.filteredBy.join(", ")}`;
    yield `  bounded by: ${boundsOf(one)}`;
    yield "";
  }
  if (jobs.length === 0) yield "No job is on: nothing leaves any tenant.\n";
  yield "Kept by this app, in its own storage and queues:";
  for (const [name, columns] of Object.entries(tables)) yield `  table ${name}: ${kindsOf(columns)}`;
  for (const [name, fields] of Object.entries(queues)) yield `  queue ${name}: ${kindsOf(fields)}`;
  yield `  logs: ${logs}`;
}

function boundsOf({ boundary, outbound, inbound }: JobBoundary): string {
  const lists = [
    boundary && `boundary of the job (${boundary.length})`,
    outbound && `outbound of the source (${outbound.length})`,
    inbound && `inbound of the target (${inbound.length})`,
  ].filter((list) => list !== null);
  return lists.length > 0 ? lists.join(", ") : "nothing but its mappings";
}

function kindsOf(columns: Readonly<Record<string, string>>): string {
  const kinds = Map.groupBy(Object.entries(columns), ([, kind]) => kind);
  return [...kinds].map(([kind, of]) => `${kind}: ${of.map(([name]) => name).join(" ")}`).join("; ");
}

function boundary(options: { config: string; json?: boolean }): void {
  answer(options, boundaryOf, linesOf);
}

function answer<T>(
  { config, json }: { config: string; json?: boolean },
  find: (loaded: LoadedConfig) => T,
  lines: (found: T) => Iterable<string>,
): void {
  try {
    const found = find(readConfig(config));
    process.stdout.write(`${json ? JSON.stringify(found) : [...lines(found)].join("\n")}\n`);
  } catch (error) {
    const refusal = refusalOf(error);
    if (json) process.stdout.write(`${JSON.stringify(refusal)}\n`);
    else process.stderr.write(`${refusal.error.message}\n`);
    process.exitCode = EXIT.refused;
  }
}

/** By tenant; what is optional stands apart. */
function permissionsFor({ config, pairs }: LoadedConfig) {
  const least = leastPermissions(pairs);
  return config.tenants.flatMap(({ id, name, cloud }) => {
    const permissions = least.get(id.toLowerCase());
    return permissions ? [{ tenant: name, id, cloud: CLOUDS[cloud].title, permissions }] : [];
  });
}

function permissions(options: { config: string; json?: boolean }): void {
  answer(options, permissionsFor, (tenants) =>
    tenants.map(({ tenant, cloud, permissions: names }) => `${tenant}, ${cloud}: ${names.join(" ")}`),
  );
}

export function addDoctor(program: Command): void {
  const doctor = program.command("doctor").description("looks at a configuration, without a tenant");
  doctor
    .command("boundary")
    .description("prints what leaves which tenant for where, and what this app keeps itself")
    .addOption(configOption())
    .option("--json", "as JSON")
    .action((_options, command: Command) => boundary(command.optsWithGlobals()));
  doctor
    .command("permissions")
    .description("lists the Graph permissions that every tenant has to grant, and no others")
    .addOption(configOption())
    .option("--json", "as JSON")
    .action((_options, command: Command) => permissions(command.optsWithGlobals()));
}
