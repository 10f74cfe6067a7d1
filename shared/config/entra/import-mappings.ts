import { type AttributeMapping, FLOW_TYPES } from "../../domain/mapping/mapping.ts";
import { graphName, graphSource, graphTarget } from "../../domain/schema/directory.ts";
import { namesIn, withNames } from "../../domain/schema/mapping-source.ts";
import type { Definitions } from "./import-directories.ts";
import { type ReadSource, readSource } from "./import-source.ts";
import type { Entry, NotCarried, Reason } from "./reader.ts";
import type { SchemaRules } from "./rules.ts";

/** A mapping, where it stands in the schema, and the attributes that it names there. */
export interface Placed {
  mapping: AttributeMapping;
  path: string;
  target: string;
  sources: readonly string[];
}
type OwnRules = Pick<SchemaRules, "userType" | "changeUserType" | "manager">;

const rule = (why: string, remedy: string): Reason => ({ why, remedy, weight: "rule" });
const note = (why: string, remedy = "Nothing to do."): Reason => ({ why, remedy, weight: "note" });

/** Target attributes that flow here by rules of their own, or not at all. */
const NEVER_MAPPED: Readonly<Record<string, Reason>> = {
  alternativeSecurityIds: note(
    "Graph shows neither netId nor alternativeSecurityIds: people are matched by the link, the stamp and the invited address",
    "Nothing to do; `adopt` of the job says which guests are taken over.",
  ),
  userPrincipalName: note("The invitation makes the name of a guest"),
  originalUserPrincipalName: note("The invitation makes the name of a guest"),
  objectId: rule("The target gives every user an id of its own", "Remove the mapping."),
};

const SOFT_DELETED = note(
  "Removal follows from scope, deletion and sign-in of the person, not from a mapping",
  "Nothing to do; see `onOutOfScope` and `actions` of the job.",
);

interface Options {
  defaultValue: string | undefined;
  flowType: AttributeMapping["flowType"];
  flowBehavior: AttributeMapping["flowBehavior"];
  matchingPriority: number | undefined;
  /** The value of a setting that nobody documents. */
  odd: string | undefined;
}

/** Every mapping of the document, and what the job says in its own words. */
export function importMappings(
  mapping: Entry,
  definitions: Definitions,
  nulls: ReadonlySet<string>,
  list: NotCarried[],
): OwnRules & { mappings: readonly Placed[] } {
  const own: OwnRules = { changeUserType: false, manager: false };
  const mappings: Placed[] = [];
  const seen = new Set<string>();
  for (const entry of mapping.entries("attributeMappings")) {
    const target = entry.text("targetAttributeName") ?? "";
    if (target === "") {
      entry.tell(
        rule("It names no target attribute", "Write the mapping if it is needed."),
        "a mapping without target",
      );
      continue;
    }
    seen.add(target);
    const reason = Object.hasOwn(NEVER_MAPPED, target) ? NEVER_MAPPED[target] : undefined;
    if (reason) entry.tell(reason, `the mapping to ${target}`);
    else if (target === "IsSoftDeleted") tellSoftDeleted(entry);
    else if (!setsOwnRule(entry, target, definitions, own)) {
      const read = readMapping(entry, target, definitions, nulls);
      if (read) mappings.push(read);
    }
    entry.rest();
  }
  tellAbsent(mapping, seen, list);
  return { ...own, mappings };
}

function tellAbsent(mapping: Entry, seen: ReadonlySet<string>, list: NotCarried[]): void {
  const path = mapping.at("attributeMappings");
  if (!seen.has("userType")) {
    const missing = rule("A job has to say what people become", "Set `userType` of the job to guest or member.");
    list.push({ path, was: "no mapping to userType", ...missing });
  }
  if (!seen.has("accountEnabled")) {
    const missing = rule(
      "Sign-in always follows the source here",
      "Nothing to do, unless disabled people are to keep signing in: that cannot be had.",
    );
    list.push({ path, was: "no mapping to accountEnabled", ...missing });
  }
}

function tellSoftDeleted(entry: Entry): void {
  const plain = JSON.stringify(entry.value.source)?.includes('"[IsSoftDeleted]"') && !isFunction(entry);
  entry.tell(
    plain
      ? SOFT_DELETED
      : rule(SOFT_DELETED.why, "Say with `onOutOfScope` and `actions` of the job what is to happen instead."),
    "the mapping to IsSoftDeleted",
  );
}

function isFunction({ value: { source } }: Entry): boolean {
  return typeof source === "object" && source !== null && "type" in source && source.type === "Function";
}

/** Sign-in, type and manager are settings of the job. False: an ordinary mapping. */
function setsOwnRule(entry: Entry, target: string, definitions: Definitions, own: OwnRules): boolean {
  if (target !== "accountEnabled" && target !== "userType" && target !== "manager") return false;
  const options = readOptions(entry);
  const source = readSource(entry);
  const isPlain =
    options.odd === undefined &&
    options.defaultValue === undefined &&
    options.flowBehavior === undefined &&
    options.matchingPriority === undefined;
  const direct = source.kind === "attribute" && source.name === target && options.flowType === undefined && isPlain;
  const type = source.kind === "constant" ? USER_TYPES.find((one) => one === source.text.toLowerCase()) : undefined;
  const setsType = type !== undefined && isPlain && (options.flowType ?? "ObjectAddOnly") === "ObjectAddOnly";
  if (target === "userType" && setsType && !source.disagrees) {
    own.userType = type;
    own.changeUserType = options.flowType === undefined;
  } else if (target !== "userType" && direct && !source.disagrees) {
    if (target === "manager") own.manager = true;
  } else {
    if (target === "userType" && type !== undefined) own.userType = type;
    entry.tell(SPECIAL[target], `the mapping to ${target}`);
    return true;
  }
  definitions.use("target", target);
  if (source.kind === "attribute") definitions.use("source", target);
  return true;
}

const USER_TYPES = ["guest", "member"] as const;
const SPECIAL: Readonly<Record<"accountEnabled" | "userType" | "manager", Reason>> = {
  accountEnabled: rule(
    "Sign-in always follows the account of the source",
    "Leave people who are not to sign in out of the scope, by a filter.",
  ),
  userType: rule(
    "The type is the same for everybody in a job, set on creation or always",
    "Set `userType` and `changeUserType`; make two jobs with filters for two types.",
  ),
  manager: rule(
    "The manager is carried as it is, and removed when the source has none",
    "Set `manager` of the job, or leave it out.",
  ),
};

function readOptions(entry: Entry): Options {
  const flowType = entry.text("flowType") ?? "Always";
  const flowBehavior = entry.text("flowBehavior") ?? "FlowWhenChanged";
  const knownType = FLOW_TYPES.find((known) => known === flowType);
  const knownBehavior = flowBehavior === "FlowWhenChanged" || flowBehavior === "FlowAlways" ? flowBehavior : undefined;
  const priority = entry.integer("matchingPriority") ?? 0;
  entry.expect("exportMissingReferences", false, {
    why: "It is for Microsoft's own use; references that are missing are set when they arrive",
    remedy: "Nothing to do.",
    weight: "note",
  });
  return {
    // The portal writes an empty text where there is none.
    defaultValue: entry.text("defaultValue") || undefined,
    flowType: knownType === "Always" ? undefined : knownType,
    flowBehavior: knownBehavior === "FlowAlways" ? knownBehavior : undefined,
    matchingPriority: priority === 0 ? undefined : priority,
    odd: knownType === undefined ? flowType : knownBehavior === undefined ? flowBehavior : undefined,
  };
}

/** `undefined`: it is listed instead. */
function readMapping(
  entry: Entry,
  entraTarget: string,
  definitions: Definitions,
  nulls: ReadonlySet<string>,
): Placed | undefined {
  const { odd, ...options } = readOptions(entry);
  const source = readSource(entry);
  const target = graphTarget(entraTarget);
  const refused = whyNot(source, options.defaultValue, odd);
  if (refused) {
    entry.tell(refused, `the mapping to ${entraTarget}`);
    return undefined;
  }
  const settings = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const mapping: AttributeMapping = {
    target,
    ...carriedAs(source, target, () => definitions.isBoolean(entraTarget)),
    ...settings,
    ...(nulls.has(target) ? { flowNullValues: true } : {}),
    ...(definitions.caseExact(entraTarget) ? { caseExact: true } : {}),
  };
  return { mapping, path: entry.path, target: entraTarget, sources: sourceNames(source) };
}

function whyNot(source: ReadSource, defaultValue: string | undefined, odd: string | undefined): Reason | undefined {
  if (source.kind === "unknown") return rule(source.why, source.remedy);
  if (odd !== undefined)
    return rule(`${odd} is no documented setting`, "Find out what it does, and write the mapping.");
  if (source.kind === "none" && defaultValue === undefined) {
    return note("A mapping without source and default value writes nothing");
  }
  return undefined;
}

function sourceNames(source: ReadSource): readonly string[] {
  if (source.kind === "attribute") return [source.name];
  return source.kind === "expression" ? namesIn(source.text) : [];
}

function carriedAs(source: ReadSource, target: string, isBoolean: () => boolean): Partial<AttributeMapping> {
  switch (source.kind) {
    case "attribute":
      return { source: graphSource(source.name, target) };
    case "constant": {
      const truth = /^(true|false)$/i.test(source.text) && isBoolean();
      return { constant: truth ? source.text.toLowerCase() === "true" : source.text };
    }
    case "expression":
      return { expression: withNames(source.text, graphName) };
    default:
      return {};
  }
}
