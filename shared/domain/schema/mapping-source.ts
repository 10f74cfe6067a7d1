import { Diagnostics } from "../mapping/expression/diagnostics.ts";
import { FUNCTIONS } from "../mapping/expression/functions/index.ts";
import { DIAGNOSTICS_MAX, EXPRESSION_CHARACTERS_MAX } from "../mapping/expression/limits.ts";
import { parse } from "../mapping/expression/parser.ts";
import { COMPARISONS, type Node } from "../mapping/expression/tree.ts";

/**
 * An expression as a synchronization schema holds it: its text and, beside it, the tree of its parts.
 * Source: Graph `synchronization-attributemappingsource.md`, `synchronization-synchronizationschema-parseexpression.md`.
 */
export interface MappingSource {
  expression: string;
  name: string;
  type: SourceType;
  parameters: readonly MappingParameter[];
}
export interface MappingParameter {
  key: string;
  value: MappingSource;
}
export const SOURCE_TYPES = ["Attribute", "Constant", "Function"] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

/** Names of parameters where Graph's differ from those of the functions' own pages. */
const GRAPH_KEYS: Readonly<Record<string, { fixed: readonly string[]; repeated?: readonly string[] }>> = {
  Replace: {
    fixed: [
      "source",
      "Find",
      "RegularExpression",
      "RegularExpressionGroupName",
      "Replacement",
      "ReplacementPropertyName",
      "Template",
    ],
  },
  Switch: { fixed: ["source", "defaultValue"], repeated: ["key", "value"] },
  SelectUniqueValue: { fixed: [], repeated: ["uniqueValueRule"] },
  SingleAppRoleAssignment: { fixed: ["source"] },
  // As Entra `how-to-transformation.md` (cloud sync) prints it.
  Trim: { fixed: ["source"] },
};

interface Keys {
  fixed: readonly string[];
  repeated: readonly string[];
}

/** A comparison has no documented form in the tree: it is written as a function of two sides. */
const isComparison = (name: string): boolean => COMPARISONS.some((known) => known === name);

function keysOf(name: string): Keys | undefined {
  if (isComparison(name)) return { fixed: ["left", "right"], repeated: [] };
  const graph = Object.hasOwn(GRAPH_KEYS, name) ? GRAPH_KEYS[name] : undefined;
  if (graph) return { repeated: [], ...graph };
  const spec = FUNCTIONS.get(name);
  if (!spec) return undefined;
  const plain = spec.params.map((param) => param.replace(/[?.]+$/, ""));
  if (spec.least === undefined) return { fixed: plain, repeated: [] };
  return { fixed: plain.slice(0, -1), repeated: plain.slice(-1) };
}

/** Which of its parameters a key of a function means; `undefined`: Graph documents no such key. */
export function knowsKey(name: string, key: string): boolean {
  const keys = keysOf(name);
  return keys !== undefined && (keys.fixed.includes(key) || keys.repeated.includes(key));
}

export const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
const leaf = (type: SourceType, name: string, expression: string): MappingSource => ({
  expression,
  name,
  type,
  parameters: [],
});
export const attributeSource = (name: string): MappingSource => leaf("Attribute", name, `[${name}]`);
export const constantSource = (text: string): MappingSource => leaf("Constant", text, quoted(text));

const BARE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The tree of an expression's text; `undefined`: the text cannot be read. */
export function sourceOf(text: string): MappingSource | undefined {
  const root = parsed(text);
  const tree = root && treeOf(root);
  // The text of the whole stays as it was written.
  return tree?.type === "Function" && root?.type === "call" ? { ...tree, expression: text } : tree;
}

function parsed(text: string): Node | undefined {
  if (text.length > EXPRESSION_CHARACTERS_MAX) return undefined;
  const diagnostics = new Diagnostics(DIAGNOSTICS_MAX);
  const root = parse(text, diagnostics);
  return diagnostics.errors.length === 0 ? root : undefined;
}

function treeOf(node: Node): MappingSource {
  switch (node.type) {
    case "attribute":
      return attributeSource(node.name);
    case "text":
    case "number":
      return constantSource(node.value);
    case "identifier":
      return leaf("Constant", node.name, node.name);
    case "comparison":
      return functionSource(node.operator, [node.left, node.right].map(treeOf));
    case "concatenation":
      // Entra's app provisioning has no `&`; Append of two does the same.
      return node.parts.map(treeOf).reduce((left, right) => functionSource("Append", [left, right]));
    case "call":
      return functionSource(
        node.name,
        node.args.map((arg) => arg && treeOf(arg)),
      );
    case "broken":
      return constantSource("");
  }
}

/** Arguments that are not given are left out of the tree. */
function functionSource(name: string, args: readonly (MappingSource | undefined)[]): MappingSource {
  const keys = keysOf(name) ?? { fixed: [], repeated: ["source"] };
  // The form of three arguments has no dateTimeStyles; Graph lists it so.
  const given = name === "FormatDateTime" && args.length === 3 ? [args[0], undefined, ...args.slice(1)] : args;
  const { fixed, repeated } = keys;
  const keyAt = (index: number) => fixed[index] ?? repeated[(index - fixed.length) % repeated.length] ?? "source";
  const parameters = given.flatMap((value, index) => (value ? [{ key: keyAt(index), value }] : []));
  return { expression: callText(name, parameters), name, type: "Function", parameters };
}

/** The text of a tree. Its own `expression` texts count for nothing, except that they tell a bare word from a string. */
export function textOf(source: MappingSource): string {
  const { type, name, parameters, expression } = source;
  if (type === "Attribute") return `[${name}]`;
  if (type === "Constant") return expression === name && BARE.test(name) ? name : quoted(name);
  return callText(
    name,
    parameters.map(({ key, value }) => ({ key, value: { ...value, expression: textOf(value) } })),
  );
}

/** Every value at the place that its key names; places that have none stay empty. */
function callText(name: string, parameters: readonly MappingParameter[]): string {
  const texts = parameters.map(({ value }) => value.expression);
  if (isComparison(name) && texts.length === 2) return `${texts[0]} ${name} ${texts[1]}`;
  const { fixed, repeated } = keysOf(name) ?? { fixed: [], repeated: [] };
  const places: string[] = [];
  let next = 0;
  for (const [index, { key }] of parameters.entries()) {
    const at = fixed.indexOf(key, next);
    const place = at >= 0 ? at : repeated.includes(key) ? repeatedPlace(fixed, repeated, key, next) : next;
    while (places.length < place) places.push("");
    places[place] = texts[index] ?? "";
    next = place + 1;
  }
  const positions = FUNCTIONS.get(name)?.positions ?? 0;
  while (places.length < positions) places.push("");
  return `${name}(${places.join(", ")})`;
}

/** The next place of a parameter that repeats. */
function repeatedPlace(fixed: readonly string[], repeated: readonly string[], key: string, next: number): number {
  let place = Math.max(next, fixed.length);
  while (repeated[(place - fixed.length) % repeated.length] !== key) place++;
  return place;
}

/** The same expression, whatever its blanks and whether its numbers have quotation marks. `undefined`: not readable. */
export function canonical(text: string): string | undefined {
  const root = parsed(text);
  return root && textOf(treeOf(root));
}

/** The text with its attributes under other names; everything else stays as it was written. */
export function withNames(text: string, rename: (name: string) => string): string {
  const root = parsed(text);
  if (!root) return text;
  const found = attributesOf(root).toSorted((a, b) => b.at - a.at);
  return found.reduce(
    (changed, { name, at }) => `${changed.slice(0, at)}[${rename(name)}]${changed.slice(at + name.length + 2)}`,
    text,
  );
}

function attributesOf(node: Node): readonly Extract<Node, { type: "attribute" }>[] {
  switch (node.type) {
    case "attribute":
      return [node];
    case "call":
      return node.args.flatMap((arg) => (arg ? attributesOf(arg) : []));
    case "comparison":
      return [node.left, node.right].flatMap(attributesOf);
    case "concatenation":
      return node.parts.flatMap(attributesOf);
    default:
      return [];
  }
}

/** Names of the attributes that an expression reads. */
export function namesIn(text: string): readonly string[] {
  const root = parsed(text);
  return root ? [...new Set(attributesOf(root).map(({ name }) => name))] : [];
}
