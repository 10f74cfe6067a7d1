import { FLOW_IDENTIFIERS } from "../../domain/mapping/expression/functions/index.ts";
import {
  canonical,
  knowsKey,
  type MappingSource,
  quoted,
  SOURCE_TYPES,
  type SourceType,
  sourceOf,
  textOf,
} from "../../domain/schema/mapping-source.ts";
import { type Entry, type Reason, wrong } from "./reader.ts";

/** Where a mapping takes its value from. */
export type ReadSource = (
  | { kind: "none" }
  | { kind: "attribute"; name: string }
  | { kind: "constant"; text: string }
  | { kind: "expression"; text: string }
  | { kind: "unknown"; why: string; remedy: string }
) & {
  /** The text and the tree beside it mean different things. */
  disagrees: boolean;
};

const DISAGREES: Reason = {
  why: "The text and its parsed form are not the same; the text is what was carried",
  remedy: "Compare the two, and correct the rule if the parsed form was meant.",
  weight: "rule",
};
const KEY: Reason = {
  why: "No page documents this name of a parameter; it was taken by its place",
  remedy: "Compare the expression with the one in Entra.",
  weight: "note",
};
const DEPTH_MAX = 100;
const TOLD_MAX = 80;

/** The source of a mapping, from its text, or from its tree where there is no text. */
export function readSource(mapping: Entry): ReadSource {
  const entry = mapping.entry("source");
  if (!entry || Object.keys(entry.value).length === 0) return { kind: "none", disagrees: false };
  const type = entry.text("type");
  if (type !== undefined && !isType(type)) return { kind: "unknown", disagrees: false, ...unknownType(type) };
  const [name, expression] = [entry.text("name"), entry.text("expression") || undefined];
  if (name === undefined && expression === undefined) {
    if (type === undefined) return { kind: "none", disagrees: false };
    throw wrong(entry.path, "has neither name nor expression");
  }
  const whole = readTree(entry, 0);
  // A function without parameters beside a text: only the text was kept.
  const textOnly = expression !== undefined && whole?.type === "Function" && whole.parameters.length === 0;
  const tree = textOnly && sourceOf(expression)?.name === whole.name ? undefined : whole;
  if (type === "Constant" && name !== undefined && !FLOW_IDENTIFIERS.some((known) => known === name)) {
    const disagrees = expression !== undefined && expression !== name && expression !== quoted(name);
    if (disagrees) entry.tellOf("expression", DISAGREES);
    return { kind: "constant", text: name, disagrees };
  }
  const read = expression === undefined ? undefined : sourceOf(expression);
  if (expression !== undefined && !read) return { kind: "unknown", disagrees: false, ...notReadable(expression) };
  const disagrees = read !== undefined && tree !== undefined && canonical(textOf(read)) !== canonical(textOf(tree));
  if (disagrees) entry.tell(DISAGREES, `${expression} beside ${textOf(tree)}`);
  const source = read ?? tree;
  return source ? { ...meant(source, read ? expression : undefined), disagrees } : { kind: "none", disagrees };
}

function meant(source: MappingSource, text = textOf(source)) {
  const { type, name } = source;
  if (type === "Attribute") return { kind: "attribute", name } as const;
  if (type === "Constant" && textOf(source) !== name) return { kind: "constant", text: name } as const;
  return { kind: "expression", text } as const;
}

function notReadable(expression: string): { why: string; remedy: string } {
  const text = expression.length > TOLD_MAX ? `${expression.slice(0, TOLD_MAX)}…` : expression;
  return { why: `The expression ${text} cannot be read`, remedy: "Correct it, and write the mapping." };
}

const isType = (type: string): type is SourceType => SOURCE_TYPES.some((known) => known === type);

function unknownType(type: string): { why: string; remedy: string } {
  return {
    why: `A source of type ${type} runs outside of the mapping, as a workflow does`,
    remedy: "Write the value as an expression, or carry it in an attribute of the source user.",
  };
}

/** `undefined`: only the text is given. */
function readTree(entry: Entry, depth: number): MappingSource | undefined {
  if (depth > DEPTH_MAX) throw wrong(entry.path, `is nested more than ${DEPTH_MAX} deep`);
  const type = entry.text("type") ?? "Attribute";
  if (!isType(type)) throw wrong(entry.at("type"), `is ${type}`, `Use ${SOURCE_TYPES.join(", ")}.`);
  const name = entry.text("name");
  const parameters = entry.entries("parameters").map((parameter) => {
    const key = parameter.requiredText("key");
    const value = parameter.entry("value");
    if (!value) throw wrong(parameter.at("value"), "is missing");
    const read = readTree(value, depth + 1);
    if (!read) throw wrong(value.at("name"), "is missing");
    if (name !== undefined && !knowsKey(name, key)) parameter.tellOf("key", KEY);
    const text = value.text("expression");
    if (text && canonical(text) !== canonical(textOf(read))) {
      value.tellOf("expression", DISAGREES);
    }
    parameter.rest();
    return { key, value: read };
  });
  const expression = entry.text("expression") ?? "";
  entry.rest();
  if (name === undefined) return undefined;
  return { expression, name, type, parameters };
}
