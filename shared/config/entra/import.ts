import { graphName, SOURCE_DIRECTORY, TARGET_DIRECTORY, USER } from "../../domain/schema/directory.ts";
import { ConfigInvalid, loadConfig, type Mistake } from "../load.ts";
import type { JobConfig } from "../schema.ts";
import { FLOW_NAMES, MAPPING_NAME, NO_ID, NULLS_KEY, RULE_NAME } from "./export.ts";
import { Definitions } from "./import-directories.ts";
import { importMappings, type Placed } from "./import-mappings.ts";
import { Entry, type NotCarried, type Reason, wrong } from "./reader.ts";
import type { SchemaRules } from "./rules.ts";

export { type NotCarried, SchemaInvalid } from "./reader.ts";

export interface ImportedSchema {
  rules: SchemaRules;
  /** Everything of the schema that `rules` does not say, in order of the document. */
  notCarried: readonly NotCarried[];
}

const IDENTITY: Reason = {
  why: "It names the job, rule or mapping in Entra and decides nothing",
  remedy: "Nothing to do: jobs here have ids of their own.",
  weight: "note",
};
const METADATA: Reason = {
  why: "Metadata belongs to Microsoft's engine",
  remedy: "Nothing to do.",
  weight: "note",
};
const GET = "Get it with GET /servicePrincipals/{id}/synchronization/jobs/{jobId}/schema.";

/**
 * Reads Graph's synchronizationSchema, of v1.0 or beta. Throws `SchemaInvalid` for a file that is none, with place and remedy.
 * Source: Graph `synchronization-synchronizationschema.md` and the pages of its parts.
 */
export function importSchema(json: unknown): ImportedSchema {
  const list: NotCarried[] = [];
  const root = new Entry(json, "", list);
  if (!("synchronizationRules" in root.value)) {
    const otherCase = Object.keys(root.value).find((key) => key.toLowerCase() === "synchronizationrules");
    const problem =
      otherCase === undefined
        ? "is missing: this is no synchronization schema"
        : `is missing; there is ${otherCase}, as PowerShell writes objects, and not what Graph answers`;
    throw wrong("synchronizationRules", problem, GET);
  }
  root.tellOf("id", IDENTITY);
  root.tellOf("version", IDENTITY);
  const rules = root.entries("synchronizationRules");
  const rule = rules.find((one) => userMapping(one) !== undefined);
  if (!rule) {
    throw wrong("synchronizationRules", "no rule maps users to users", `Export the schema of a job that does. ${GET}`);
  }
  for (const other of rules) if (other !== rule) other.tell(isOff(other) ? OFF : OTHER_RULE, other.called("rule"));
  const names = ruleHead(rule);
  const definitions = new Definitions(root.entries("directories"), names);
  const { nulls, mapping } = ruleBody(rule, list);
  const { mappings, ...own } = importMappings(mapping, definitions, new Set(nulls ?? []), list);
  const actions = readActions(mapping);
  const scope = readScope(mapping);
  mapping.rest();
  rule.rest();
  root.rest();
  const imported: SchemaRules = {
    ...own,
    flowNullValues: nulls !== undefined,
    actions,
    scope,
    mappings: mappings.map(({ mapping: one }) => one),
  };
  const refused = refusedByLoader(imported, mappings, mapping.path, list);
  const kept = mappings.filter((one) => !refused.has(one));
  for (const one of kept) definitions.useMapping(one);
  definitions.finish(scope);
  const checked = { ...imported, mappings: kept.map((one) => one.mapping) };
  return { rules: checked, notCarried: list.toSorted((a, b) => a.path.localeCompare(b.path, "en", { numeric: true })) };
}

const OTHER_RULE: Reason = {
  why: "A job takes one rule from users to users",
  remedy: "Make a job of its own for it if it is needed.",
  weight: "rule",
};

const OFF: Reason = { why: "In Entra it is switched off", remedy: "Nothing to do.", weight: "note" };

/** None of its mappings is on. */
const isOff = ({ value: { objectMappings } }: Entry): boolean =>
  Array.isArray(objectMappings) &&
  objectMappings.every(
    (one: unknown) => typeof one === "object" && one !== null && "enabled" in one && one.enabled === false,
  );

const isUser = (name: unknown): boolean => typeof name === "string" && name.toLowerCase() === USER.toLowerCase();

/** The place of the first mapping from users to users. */
function userMapping({ value }: Entry): number | undefined {
  const { objectMappings } = value;
  if (!Array.isArray(objectMappings)) return undefined;
  const index = objectMappings.findIndex(
    (one: unknown) =>
      typeof one === "object" &&
      one !== null &&
      "sourceObjectName" in one &&
      "targetObjectName" in one &&
      isUser(one.sourceObjectName) &&
      isUser(one.targetObjectName),
  );
  return index < 0 ? undefined : index;
}

const ENTRA = /^(Azure Active Directory|Microsoft Entra ID)/i;

function ruleHead(rule: Entry): { source: string | undefined; target: string | undefined } {
  rule.expect("id", NO_ID, IDENTITY);
  rule.expect("name", RULE_NAME, IDENTITY);
  rule.expect("priority", 1, { ...IDENTITY, why: "There is one rule in a job: its priority decides nothing" });
  rule.expect("editable", true, { ...IDENTITY, why: "Everything can be edited here" });
  for (const [key, name] of [
    ["sourceDirectoryName", SOURCE_DIRECTORY],
    ["targetDirectoryName", TARGET_DIRECTORY],
  ] as const) {
    const tenant = ENTRA.test(rule.text(key) ?? name);
    rule.expect(key, name, tenant ? IDENTITY : OTHER_DIRECTORY);
  }
  for (const key of ["containerFilter", "groupFilter"]) {
    rule.tellOf(key, {
      why: "Filters by container or group are not evaluated here",
      remedy: "Name the groups in `scope.groups` of the job.",
      weight: "rule",
    });
  }
  return { source: rule.text("sourceDirectoryName"), target: rule.text("targetDirectoryName") };
}

const OTHER_DIRECTORY: Reason = {
  why: "It is no Entra tenant: jobs run from tenant to tenant",
  remedy: "Look at every mapping: target attributes of other applications do not exist in a tenant.",
  weight: "rule",
};

function ruleBody(rule: Entry, list: NotCarried[]): { nulls: readonly string[] | undefined; mapping: Entry } {
  let nulls: readonly string[] | undefined;
  for (const entry of rule.entries("metadata")) {
    if (entry.text("key") === NULLS_KEY) nulls = nullTargets(entry);
    else entry.tell(METADATA);
    entry.rest();
  }
  const chosen = userMapping(rule);
  const all = rule.entries("objectMappings");
  const mapping = all[chosen ?? 0] ?? new Entry(undefined, rule.at("objectMappings[0]"), list);
  for (const other of all) if (other !== mapping) other.tell(otherMapping(other), other.called("mapping"));
  mapping.text("sourceObjectName");
  mapping.text("targetObjectName");
  mapping.expect("name", MAPPING_NAME, IDENTITY);
  mapping.expect("enabled", true, {
    why: "In Entra this mapping is switched off",
    remedy: "Leave the job's `state` at `off`, or try it with `observe`.",
    weight: "rule",
  });
  for (const entry of mapping.entries("metadata")) entry.tell(METADATA);
  return { nulls, mapping };
}

function nullTargets(entry: Entry): readonly string[] {
  const text = entry.requiredText("value");
  try {
    const targets: unknown = JSON.parse(text);
    if (Array.isArray(targets) && targets.every((target) => typeof target === "string")) return targets;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw wrong(entry.at("value"), "is not a list of attributes", "Export the job again.");
}

/** Groups are off in Entra unless somebody switched them on. */
function otherMapping({ value }: Entry): Reason {
  const on = value.enabled !== false;
  const group = typeof value.sourceObjectName === "string" && /^group$/i.test(value.sourceObjectName);
  return group
    ? {
        why: "Groups are not synchronized, only the people in them",
        remedy: on ? "Manage the groups of the target there, or leave them to Entra." : "Nothing to do: it is off.",
        weight: on ? "rule" : "note",
      }
    : {
        why: "A job maps users to users, once",
        remedy: "Make a job of its own for it if it is needed.",
        weight: "rule",
      };
}

function readActions(mapping: Entry): JobConfig["actions"] {
  const text = mapping.text("flowTypes") ?? "Add, Update, Delete";
  const names = text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  const known = [...Object.values(FLOW_NAMES), "None"].map((name) => name.toLowerCase());
  const odd = names.find((name) => !known.includes(name.toLowerCase()));
  if (odd !== undefined) throw wrong(mapping.at("flowTypes"), `names ${odd}`, "Use Add, Update and Delete.");
  const has = (action: keyof typeof FLOW_NAMES) =>
    names.some((name) => name.toLowerCase() === FLOW_NAMES[action].toLowerCase());
  return { create: has("create"), update: has("update"), delete: has("delete") };
}

function readScope(mapping: Entry): SchemaRules["scope"] {
  const scope = mapping.entry("scope");
  if (!scope) return {};
  const groups = scope.entries("groups").map(readGroup);
  const inputFilterGroups = scope.entries("inputFilterGroups").map(readGroup);
  scope.tellOf("categoryFilterGroups", {
    why: "Category filters choose between several mappings of one object type",
    remedy: "Give each category a job of its own, with its filter.",
    weight: "rule",
  });
  scope.rest();
  const [filter, inputFilter] = [groups, inputFilterGroups].map(readable);
  // What the readable form cannot say stays in Entra's own.
  if (!filter || !inputFilter) return { filter: { groups, inputFilterGroups } };
  return { ...(filter.length > 0 ? { filter } : {}), ...(inputFilter.length > 0 ? { inputFilter } : {}) };
}

type EntraGroup = {
  name?: string;
  clauses: { sourceOperandName: string; operatorName: string; targetOperand: { values: string[] } }[];
};

function readGroup(group: Entry): EntraGroup {
  const name = group.text("name");
  const clauses = group.entries("clauses").map(readClause);
  group.rest();
  return { ...(name === undefined ? {} : { name }), clauses };
}

function readClause(clause: Entry): EntraGroup["clauses"][number] {
  const sourceOperandName = graphName(clause.requiredText("sourceOperandName"));
  const operatorName = clause.requiredText("operatorName");
  const operand = clause.entry("targetOperand");
  const values = [...(operand?.texts("values") ?? [])];
  operand?.rest();
  clause.rest();
  return { sourceOperandName, operatorName, targetOperand: { values } };
}

/** `undefined`: a group without clauses, or a clause with several values. */
function readable(groups: readonly EntraGroup[]): JobConfig["scope"]["inputFilter"] {
  const plain = groups.every(
    ({ clauses }) => clauses.length > 0 && clauses.every(({ targetOperand }) => targetOperand.values.length < 2),
  );
  if (!plain) return undefined;
  return groups.map(({ clauses, ...named }) => ({
    ...named,
    clauses: clauses.map(({ sourceOperandName, operatorName, targetOperand: { values } }) => ({
      attribute: sourceOperandName,
      operator: operatorName,
      ...(values[0] === undefined ? {} : { value: values[0] }),
    })),
  }));
}

/** The readable form of a filter names no sets. */
const inSchema = (place: string, scope: string): string =>
  place
    .replace(/^jobs\[0\]\.scope\.filter\[/, `${scope}.groups[`)
    .replace(/^jobs\[0\]\.scope\.inputFilter\[/, `${scope}.inputFilterGroups[`)
    .replace(/^jobs\[0\]\.scope(\.filter)?/, scope);

/** Any two tenants: only the rules are looked at. */
function sampleConfig(rules: SchemaRules): string {
  const tenant = (name: string, digit: number) => ({
    name,
    id: `${String(digit).repeat(8)}-1111-4111-8111-111111111111`,
    cloud: "global",
    credential: { kind: "certificate", clientId: "99999999-1111-4111-8111-111111111111", path: "app.pem" },
  });
  const { userType = "guest", scope, mappings, ...rest } = rules;
  const job = {
    id: "imported",
    source: "source",
    target: "target",
    ...rest,
    userType,
    scope: { allUsers: true, ...scope },
    ...(mappings.length > 0 ? { mappings } : {}),
  };
  const tenants = [tenant("source", 1), tenant("target", 2)];
  return JSON.stringify({ version: 1, deployment: "imported", tenants, jobs: [job] });
}

function mistakesOf(rules: SchemaRules): readonly Mistake[] {
  try {
    loadConfig(sampleConfig(rules));
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.mistakes;
    throw error;
  }
}

/**
 * What the loader refuses is listed. A mapping is left out then; a clause of a filter stays, because without it other people
 * would be in scope: the job cannot be loaded until somebody has mended it.
 */
function refusedByLoader(
  rules: SchemaRules,
  placed: readonly Placed[],
  path: string,
  list: NotCarried[],
): ReadonlySet<Placed> {
  const refused = new Set<Placed>();
  for (const { path: place, problem, remedy } of mistakesOf(rules)) {
    const [, key, number] = /^jobs\[0\]\.(mappings|scope)(?:\[(\d+)\])?/.exec(place) ?? [];
    const mapping = key === "mappings" ? placed[Number(number)] : undefined;
    if (mapping) refused.add(mapping);
    const at = mapping?.path ?? inSchema(place, `${path}.scope`);
    const was = mapping ? `the mapping to ${mapping.target}` : "a scoping filter";
    list.push({ path: at, was, why: problem, remedy, weight: "rule" });
  }
  if (refused.size === placed.length) {
    list.push({
      path: `${path}.attributeMappings`,
      was: "no mapping that can be carried",
      why: "A job without mappings has the default set",
      remedy: "Write at least one mapping.",
      weight: "rule",
    });
  }
  return refused;
}
