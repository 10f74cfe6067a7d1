import type { CloudPair } from "../cloud.ts";
import { sourceAttribute, sourceProblem } from "./attributes.ts";
import type { Expression } from "./expression/index.ts";
import { type AttributeMapping, isNone } from "./mapping.ts";
import { type DirectoryExtension, type TargetAttribute, targetProblem, typed } from "./targets.ts";

export interface MappingMistake {
  /** Of the mapping in its list. */
  index: number;
  /** The setting: `target`, `expression`, …; `undefined`: the mapping as a whole. */
  key: keyof AttributeMapping | undefined;
  problem: string;
  remedy: string;
}
export type Told = Omit<MappingMistake, "index">;

/** What mappings are checked against, beside each other. */
export interface MappingSurroundings {
  /** Directory extensions that the configuration declares for the target tenant. */
  extensions?: readonly DirectoryExtension[];
  /** The target's directory extension for the stamp: never a target. */
  stampAttribute?: string;
  clouds?: CloudPair;
  /** The job's switch. Absent: not asked for. */
  flowNullValues?: boolean;
  /** Of the source tenant; null: the configuration does not say. */
  defaultDomain?: string | null;
}

/** Everything that is wrong with one mapping, its expression aside. */
export function* mistakesOf(
  mapping: AttributeMapping,
  attribute: TargetAttribute | undefined,
  all: readonly AttributeMapping[],
  surroundings: MappingSurroundings,
): Generator<Told> {
  const { target } = mapping;
  const named = targetProblem(target);
  if (named) yield { key: "target", ...named };
  if (target === surroundings.stampAttribute)
    yield { key: "target", problem: `${target} cannot be mapped`, remedy: "It holds the stamp of this deployment." };
  if (all.find((other) => other.target === target) !== mapping)
    yield { key: "target", problem: `${target} is mapped twice`, remedy: "Keep one of the two mappings." };
  yield* kindMistakes(mapping);
  if (!attribute) return;
  yield* sourceMistakes(mapping, attribute);
  for (const key of ["constant", "defaultValue"] as const) {
    const value = mapping[key];
    const fits = value === undefined ? undefined : typed(attribute, value);
    if (fits && "wrong" in fits) yield { key, problem: `does not fit ${target} (${fits.wrong})`, remedy: fits.message };
  }
  yield* nullMistakes(mapping, attribute, surroundings);
}

function* kindMistakes(mapping: AttributeMapping): Generator<Told> {
  const kinds = [mapping.source, mapping.constant, mapping.expression].filter((kind) => kind !== undefined).length;
  if (kinds === 1 || (kinds === 0 && mapping.defaultValue !== undefined)) return;
  const problem =
    kinds > 1 ? "more than one of `source`, `constant` and `expression` is set" : "nothing says what is to be written";
  const remedy = "Set exactly one of `source`, `constant` and `expression`, or only `defaultValue`.";
  yield { key: undefined, problem, remedy };
}

function* sourceMistakes({ source, target }: AttributeMapping, attribute: TargetAttribute): Generator<Told> {
  if (source === undefined) return;
  const problem = sourceProblem(source);
  if (problem) yield { key: "source", ...problem };
  if (sourceAttribute(source)?.kind === "list" && attribute.type !== "list")
    yield {
      key: "source",
      problem: `${source} has several values, and ${target} takes one`,
      remedy: `Choose with an expression: Item([${source}], 1) or Join(",", [${source}]).`,
    };
}

function* nullMistakes(
  { target, flowNullValues, flowType }: AttributeMapping,
  attribute: TargetAttribute,
  surroundings: MappingSurroundings,
): Generator<Told> {
  if (!flowNullValues) return;
  const told = (problem: string, remedy: string): Told => ({ key: "flowNullValues", problem, remedy });
  if (surroundings.flowNullValues === false) {
    const problem = "emptying attributes of the target takes two switches, and the job's is off";
    yield told(problem, "Set `flowNullValues` of the job to true as well.");
  }
  if (attribute.type === "list") yield told(`${target} is a list, and only single values can be emptied`, "Remove it.");
  else if (!attribute.clearable) yield told(`Graph does not let ${target} be emptied`, "Remove `flowNullValues`.");
  if ((flowType ?? "Always") !== "Always")
    yield told(`a mapping with the flowType ${flowType} takes nothing away`, "Use the flowType Always.");
}

/** What is wrong with the attributes and the place of an expression that compiled. */
export function* expressionMistakes(
  { target }: AttributeMapping,
  attribute: TargetAttribute | undefined,
  expression: Expression,
  { defaultDomain }: MappingSurroundings,
): Generator<Told> {
  if (defaultDomain === null && expression.functions.has("DefaultDomain"))
    yield {
      key: "expression",
      problem: "the default domain of the source tenant is not known",
      remedy: "Set `defaultDomain` of the source tenant.",
    };
  for (const name of expression.attributes) {
    const problem = sourceProblem(name);
    if (problem) yield { key: "expression", ...problem };
  }
  if (expression.functions.has("SelectUniqueValue") && attribute && !attribute.filterable)
    yield {
      key: "expression",
      problem: `SelectUniqueValue cannot ask who has a value, because Graph cannot find users by ${target}`,
      remedy: "Use another attribute, or make the value from something that is unique at the source.",
    };
}

/** What is allowed and worth knowing. */
export function* warningsOf(
  mapping: AttributeMapping,
  attribute: TargetAttribute,
  expression: Expression | undefined,
  { clouds }: MappingSurroundings,
): Generator<Told> {
  const { target, source, flowType } = mapping;
  if (attribute.warning) yield { key: "target", problem: `${target}: ${attribute.warning}`, remedy: "Be sure of it." };
  if (attribute.type === "any")
    yield {
      key: "target",
      problem: `the type of ${target} is not known`,
      remedy: "Declare it under `extensions` of the target tenant, so that values get its type.",
    };
  if (target === "mail" && clouds?.crossCloud && source !== "userPrincipalName" && !isNone(mapping))
    yield {
      key: "target",
      problem: "across clouds people are invited by their userPrincipalName, and mail will differ from it",
      remedy: "Sign-in takes its hint from mail: map it from userPrincipalName unless you have tried it.",
    };
  if (flowType === "MultiValueAddOnly" && attribute.type !== "list" && attribute.type !== "any")
    yield {
      key: "flowType",
      problem: `${target} has one value: MultiValueAddOnly fills it where it is empty and never changes it`,
      remedy: "Say AttributeAddOnly if that is meant.",
    };
  const random = ["Guid", "RandomString"].find((name) => expression?.functions.has(name));
  if (random && ["Always", "ValueAddOnly"].includes(flowType ?? "Always"))
    yield {
      key: "expression",
      problem: `${random} gives a new value each time that a person is looked at, and each one is written`,
      remedy: "Use the flowType ObjectAddOnly or AttributeAddOnly.",
    };
}
