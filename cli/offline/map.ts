import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import * as z from "zod";
import { rulesOf } from "../../shared/config/rules.ts";
import type { JobConfig, SyncConfig } from "../../shared/config/schema.ts";
import { type CloudPair, cloudPair } from "../../shared/domain/cloud.ts";
import { sourceView } from "../../shared/domain/mapping/attributes.ts";
import { didYouMean } from "../../shared/domain/mapping/expression/near-miss.ts";
import { createValues, type MappingMoment, updatesOf, type Wish } from "../../shared/domain/mapping/map.ts";
import { type AttributeMapping, type FlowType, isNone } from "../../shared/domain/mapping/mapping.ts";
import { invitationAddress } from "../../shared/domain/matching.ts";
import type { FilterVerdict } from "../../shared/domain/scoping-filter.ts";
import { type Attributes, type AttributeValue, isInternalMember, type SourceUser } from "../../shared/domain/user.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { readJson } from "../files.ts";
import { type ConfigRefusal, configOption, readConfig, refusalOf } from "./config-file.ts";
import { momentOf } from "./moment.ts";

const USER = z.looseObject({
  id: z.string().optional(),
  userPrincipalName: z.string(),
  mail: z.string().nullish(),
  userType: z.string().nullish(),
  creationType: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
});
const RECORD = z.record(z.string(), z.unknown());
const TAKEN = z.record(z.string(), z.array(z.string()));
const VALUE = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]);

/** What becomes of one target attribute, and which mapping says so. */
interface MappedAttribute {
  target: string;
  /** What the target user has afterwards. */
  value: AttributeValue;
  /** `default`: the source is empty. `kept`: the target has it, and nothing is written. `left`: nothing is there, nothing is written. */
  outcome: "written" | "default" | "cleared" | "kept" | "left" | "ignored";
  type: "direct" | "constant" | "expression" | "none";
  flowType: FlowType;
  mapping: AttributeMapping;
}

interface MapAnswer {
  job: string;
  occasion: "create" | "update";
  /** Of the invitation; null: the user has no address that Entra accepts. */
  address: string | null;
  userType: "guest" | "member";
  /** What the job says about the user itself; the mappings are shown either way. */
  notes: readonly string[];
  scope?: Pick<FilterVerdict, "inScope" | "clauses">;
  attributes: readonly MappedAttribute[];
  /** With a target: what would be written. */
  changes?: Attributes;
}

/** An expression that fails for this user. */
interface MapFailure {
  error: { code: string; message: string; target: string; reason: string };
}

interface MapQuestion {
  config: SyncConfig;
  job: JobConfig;
  user: Readonly<Record<string, unknown>>;
  target: Readonly<Record<string, unknown>> | undefined;
  now: number;
  /** Values that somebody else in the target has, by attribute, for SelectUniqueValue. */
  taken: Readonly<Record<string, readonly string[]>>;
}

/** The engine of production, on one user. */
function mapUser({ config, job, user, target, now, taken }: MapQuestion): MapAnswer | MapFailure {
  const { mapper, filter } = rulesOf(config, job, "job");
  const clouds = cloudsOf(config, job);
  if (!mapper || !clouds) throw new Error("a configuration that was loaded does not compile");
  const attributes = [...mapper.sources, ...(filter?.attributes ?? [])];
  const source = sourceUser(user, attributes);
  const occasion = target === undefined ? "create" : "update";
  const domain = config.tenants.find(({ name }) => name === job.source)?.defaultDomain;
  const moment: MappingMoment = {
    now,
    randomBytes,
    ...(domain === undefined ? {} : { defaultDomain: domain }),
    taken: (name, value) => taken[name]?.some((one) => one.toLowerCase() === value.toLowerCase()) ?? false,
  };
  const wished = mapper.wishes(source, moment, occasion);
  if (wished.kind === "failed") {
    const { error, target: attribute, code, message } = wished;
    return { error: { code: error, target: attribute, reason: code, message } };
  }
  const verdict = filter?.test(sourceView(source));
  const ignored =
    wished.kind === "ignored" ? [`${wished.target}: IgnoreObjectFlow, the person is not provisioned`] : [];
  const wishes = wished.kind === "wished" ? wished.wishes : [];
  const current = target === undefined ? undefined : attributesOf(target, mapper.targets);
  const changes = current ? updatesOf(wishes, current) : createValues(wishes);
  return {
    job: job.id,
    occasion,
    address: invitationAddress(source, clouds) ?? null,
    userType: job.userType,
    notes: [...ignored, ...notesOn(source, job, occasion)],
    ...(verdict ? { scope: { inScope: verdict.inScope, clauses: verdict.clauses } } : {}),
    attributes: mapper.mappings.map((mapping) => attributeOf(mapping, wishes, changes, current)),
    ...(current ? { changes } : {}),
  };
}

function attributeOf(
  mapping: AttributeMapping,
  wishes: readonly Wish[],
  changes: Attributes,
  current: Attributes | undefined,
): MappedAttribute {
  const wish = wishes.find((one) => one.mapping === mapping);
  const { target } = mapping;
  const there = current?.[target] ?? null;
  const written = changes[target];
  const type = isNone(mapping)
    ? "none"
    : mapping.expression !== undefined
      ? "expression"
      : mapping.source !== undefined
        ? "direct"
        : "constant";
  const outcome = outcomeOf(mapping, wish, written, there, Object.hasOwn(changes, target));
  return {
    target,
    value: written === undefined ? there : written,
    outcome,
    type,
    flowType: mapping.flowType ?? "Always",
    mapping,
  };
}

function outcomeOf(
  mapping: AttributeMapping,
  wish: Wish | undefined,
  written: AttributeValue | undefined,
  there: AttributeValue,
  isWritten: boolean,
): MappedAttribute["outcome"] {
  if (isWritten) return written === null ? "cleared" : wish?.value === null ? "default" : "written";
  if (!wish && mapping.flowType !== "ObjectAddOnly") return "ignored";
  return there === null ? "left" : "kept";
}

function notesOn(source: SourceUser, job: JobConfig, occasion: "create" | "update"): readonly string[] {
  const notes: string[] = [];
  if (!isInternalMember(source))
    notes.push("not an internal member of the source tenant: left out whatever the job says");
  if (!source.accountEnabled)
    notes.push(
      occasion === "create" ? "disabled: not made in the target" : "disabled: sign-in is blocked in the target",
    );
  if (job.state !== "on") notes.push(`the job's state is ${job.state}: nothing is written`);
  return notes;
}

function cloudsOf({ tenants }: SyncConfig, job: JobConfig): CloudPair | undefined {
  const [from, to] = [job.source, job.target].map((name) => tenants.find((tenant) => tenant.name === name)?.cloud);
  const clouds = from && to ? cloudPair(from, to) : { refused: "" };
  return "refused" in clouds ? undefined : clouds;
}

/** A user as `GET /users/{id}` gives it; nested attributes also by their path. */
function sourceUser(raw: Readonly<Record<string, unknown>>, names: readonly string[]): SourceUser {
  const { id, userPrincipalName, mail, userType, creationType, accountEnabled } = USER.parse(raw);
  return {
    id: id ?? "00000000-0000-0000-0000-000000000000",
    userPrincipalName,
    mail: mail ?? null,
    userType: userType ?? "Member",
    creationType: creationType ?? null,
    accountEnabled: accountEnabled ?? true,
    managerId: undefined,
    attributes: attributesOf(raw, names),
  };
}

function attributesOf(raw: Readonly<Record<string, unknown>>, names: readonly string[]): Attributes {
  return Object.fromEntries(
    names.map((name) => {
      const [first = name, second] = name.split(".");
      const outer = raw[first];
      const inner = second && typeof outer === "object" && outer !== null ? Reflect.get(outer, second) : undefined;
      const value = VALUE.safeParse(raw[name] ?? inner);
      return [name, value.success ? value.data : null];
    }),
  );
}

interface Options {
  job: string;
  user: string;
  config: string;
  target?: string;
  taken?: string;
  now?: string;
  table?: boolean;
}

function run(options: Options): void {
  const answer = answerTo(options);
  if ("error" in answer) process.exitCode = EXIT.refused;
  const text = options.table ? tableOf(answer) : JSON.stringify(answer);
  process.stdout.write(`${text}\n`);
}

function answerTo(options: Options): MapAnswer | MapFailure | ConfigRefusal {
  const now = momentOf(options.now);
  let config: SyncConfig;
  try {
    const loaded = readConfig(options.config);
    config = loaded.config;
    for (const { path, problem, remedy } of loaded.warnings)
      process.stderr.write(`warning: ${path}: ${problem}. ${remedy}\n`);
  } catch (error) {
    return refusalOf(error);
  }
  const job = config.jobs.find(({ id }) => id === options.job);
  if (!job) {
    const names = config.jobs.map(({ id }) => id);
    const meant = didYouMean(options.job, names) || ` There are: ${names.join(", ") || "none"}.`;
    throw new UsageError(`${options.config} has no job ${options.job}.${meant}`);
  }
  return mapUser({
    config,
    job,
    now,
    user: readJson(options.user, USER),
    target: options.target === undefined ? undefined : readJson(options.target, RECORD),
    taken: options.taken === undefined ? {} : readJson(options.taken, TAKEN),
  });
}

const CELL_MAX = 60;

/** For people. */
function tableOf(answer: MapAnswer | MapFailure | ConfigRefusal): string {
  if ("mistakes" in answer) return answer.error.message;
  if ("error" in answer) {
    const { code, message, target } = answer.error;
    return `${code}: ${target}: ${message}`;
  }
  const rows = answer.attributes.map(({ target, value, outcome, mapping, flowType }) => [
    target,
    value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value),
    outcome,
    origin(mapping),
    flowType,
  ]);
  const table = [["attribute", "value", "outcome", "from", "flowType"], ...rows].map((row) => row.map(cut));
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const scope = answer.scope ? [`filter      ${answer.scope.inScope ? "holds" : "does not hold"}`] : [];
  return [
    `job         ${answer.job} (${answer.occasion})`,
    `invitation  ${answer.address ?? "no address that Entra accepts"}, as ${answer.userType}`,
    ...scope,
    ...answer.notes.map((note) => `note        ${note}`),
    "",
    ...table.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
  ].join("\n");
}

function origin({ source, constant, expression, defaultValue }: AttributeMapping): string {
  if (source !== undefined) return `[${source}]`;
  if (constant !== undefined) return JSON.stringify(constant);
  return expression ?? `default ${JSON.stringify(defaultValue)}`;
}

const cut = (text: string): string => (text.length > CELL_MAX ? `${text.slice(0, CELL_MAX - 1)}…` : text);

export function addMap(program: Command): void {
  program
    .command("map")
    .description(
      "shows the target user that a job would make of a source user, without a tenant; ends with 1 on an error",
    )
    .requiredOption("--job <name>", "id of the job; it may be off")
    .requiredOption("--user <file>", "JSON object: the source user, as Graph gives it")
    .addOption(configOption())
    .option("--target <file>", "JSON object: the target user that is there already; shows what would change")
    .option("--taken <file>", 'JSON: {"mailNickname": ["kim"]}, values that others have, for SelectUniqueValue')
    .option("--now <moment>", "what Now() says, such as 2026-01-31T12:00:00Z")
    .option("--table", "for people instead of JSON")
    .action(run);
}
