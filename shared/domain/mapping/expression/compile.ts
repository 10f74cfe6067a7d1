import { type Argument, Call, type Evaluator, type FunctionSpec } from "./call.ts";
import { compileComparison } from "./comparison.ts";
import { type Diagnostics, IgnoredFlow } from "./diagnostics.ts";
import { FLOW_IDENTIFIERS, FUNCTIONS, SELECT_UNIQUE_VALUE, UNSUPPORTED } from "./functions/index.ts";
import { didYouMean } from "./near-miss.ts";
import type { Node } from "./tree.ts";

/** Names of a schema: too many, or too regular, to be listed all. */
export interface KnownNames extends Iterable<string> {
  has(name: string): boolean;
}

export interface Compiled {
  /** One, except for SelectUniqueValue: its rules in order. */
  candidates: readonly Evaluator[];
  unique: boolean;
  /** Names of the functions that are called. */
  functions: ReadonlySet<string>;
  /** Attributes that are read, in order of their first appearance. */
  attributes: readonly string[];
}

const FUNCTION_NAMES = [...FUNCTIONS.keys(), ...UNSUPPORTED.keys(), SELECT_UNIQUE_VALUE];
const nothing: Evaluator = () => null;
const HINTS_MAX = 10;

/** Tree to closures. Everything wrong with the tree goes into `diagnostics`; the closures are then not to be used. */
export function compileTree(root: Node, diagnostics: Diagnostics, known: KnownNames | undefined): Compiled {
  const compiler = new Compiler(diagnostics, known);
  const unique = root.type === "call" && root.name === SELECT_UNIQUE_VALUE;
  const candidates = unique ? compiler.rules(root) : [compiler.argument(root, "value").run];
  return {
    candidates,
    unique,
    functions: compiler.functions,
    attributes: [...compiler.attributes],
  };
}

/** Where a value stands: only a condition may be a comparison. */
type Place = "condition" | "value";

class Compiler {
  readonly functions = new Set<string>();
  readonly attributes = new Set<string>();
  readonly #diagnostics: Diagnostics;
  readonly #known: KnownNames | undefined;
  readonly #patterns = { instructions: 0 };

  constructor(diagnostics: Diagnostics, known: KnownNames | undefined) {
    this.#diagnostics = diagnostics;
    this.#known = known;
  }

  rules(root: Extract<Node, { type: "call" }>): Evaluator[] {
    this.functions.add(SELECT_UNIQUE_VALUE);
    const given = root.args.flatMap((arg) => (arg ? [arg] : []));
    if (given.length < 2) {
      this.#diagnostics.error("WrongNumberOfArguments", "SelectUniqueValue needs two rules at least.", root.at);
    }
    return given.map((node) => this.argument(node, "value").run);
  }

  /** `identifiers`: the bare words that fit here, besides those for the flow. */
  argument(node: Node, place: Place, identifiers: readonly string[] = []): Argument {
    const plain = { constant: undefined, identifier: undefined, calls: undefined, at: node.at };
    switch (node.type) {
      case "text":
      case "number": {
        const { value } = node;
        if (identifiers.length > 0) this.#unknownIdentifier(value, node.at, identifiers);
        return { ...plain, run: () => value, constant: value };
      }
      case "attribute":
        return { ...plain, run: this.#attribute(node.name, node.at) };
      case "identifier":
        return { ...plain, run: this.#identifier(node.name, node.at, identifiers), identifier: node.name };
      case "comparison":
        return { ...plain, run: this.#comparison(node, place) };
      case "concatenation":
        return { ...plain, run: this.#concatenation(node.parts, node.at) };
      case "call":
        return { ...plain, run: this.#call(node), calls: node.name };
      case "broken":
        return { ...plain, run: nothing };
    }
  }

  #attribute(name: string, at: number): Evaluator {
    this.attributes.add(name);
    if (this.#known && !this.#known.has(name) && !this.#diagnostics.full) {
      this.#diagnostics.error(
        "UnknownAttribute",
        `There is no attribute ${name}.${this.#meant(name, this.#known)}`,
        at,
      );
    }
    return (evaluation) => evaluation.attribute(name);
  }

  #identifier(name: string, at: number, identifiers: readonly string[]): Evaluator {
    if (identifiers.includes(name)) return () => name;
    if (identifiers.length > 0 || !FLOW_IDENTIFIERS.some((known) => known === name)) {
      this.#unknownIdentifier(name, at, identifiers);
      return nothing;
    }
    const ignored = new IgnoredFlow(name === "IgnoreObjectFlow" ? "object" : "attribute");
    return () => {
      throw ignored;
    };
  }

  /** For the first few mistakes: looking for what was meant takes its time. */
  #meant(name: string, known: Iterable<string>): string {
    return this.#diagnostics.errors.length < HINTS_MAX ? didYouMean(name, known) : "";
  }

  #unknownIdentifier(name: string, at: number, identifiers: readonly string[]): void {
    if (this.#diagnostics.full) return;
    const here = identifiers.length > 0 ? identifiers : FLOW_IDENTIFIERS;
    const meant = here.includes(name) ? "" : this.#meant(name, here);
    const remedy =
      identifiers.length > 0
        ? ` Use ${identifiers.join(" or ")}, without quotation marks.`
        : FUNCTION_NAMES.includes(name)
          ? ` Functions are called with brackets: ${name}(...).`
          : ` Write attributes as [${name}] and strings as "${name}".`;
    this.#diagnostics.error("UnknownIdentifier", `'${name.slice(0, 60)}' is not known here.${meant}${remedy}`, at);
  }

  #comparison(node: Extract<Node, { type: "comparison" }>, place: Place): Evaluator {
    if (place !== "condition") {
      const message = "A comparison may only be the condition of IIF or the argument of CBool.";
      this.#diagnostics.error("MisplacedComparison", message, node.at);
    }
    return compileComparison(
      node.operator,
      this.argument(node.left, "value"),
      this.argument(node.right, "value"),
      node.at,
    );
  }

  #concatenation(parts: readonly Node[], at: number): Evaluator {
    const args = parts.map((part) => this.argument(part, "value"));
    const call = this.#callOf("&", at, args);
    const texts = args.map((_, index) => call.textOrEmpty(index));
    return (evaluation) => {
      let joined = "";
      for (const text of texts) {
        joined += text(evaluation);
        call.fits(joined.length);
      }
      return call.bounded(evaluation, joined);
    };
  }

  #call(node: Extract<Node, { type: "call" }>): Evaluator {
    const spec = FUNCTIONS.get(node.name);
    if (!spec) {
      for (const arg of node.args) if (arg) this.argument(arg, "condition");
      this.#refuse(node);
      return nothing;
    }
    this.functions.add(spec.name);
    const nodes = arranged(spec, node.args);
    const args = nodes.map(
      (arg, index) =>
        arg && this.argument(arg, index === spec.condition ? "condition" : "value", spec.identifiers?.[index]),
    );
    // How many arguments were meant is not known; what is wrong with them has been told.
    if (!node.closed || nodes.some((arg) => arg?.type === "broken")) return nothing;
    const before = this.#diagnostics.errors.length;
    this.#checkCount(spec, node, nodes);
    if (this.#diagnostics.errors.length > before) return nothing;
    return spec.compile(this.#callOf(node.name, node.at, args));
  }

  #callOf(name: string, at: number, args: readonly (Argument | undefined)[]): Call {
    return new Call({ name, at, args, diagnostics: this.#diagnostics, patterns: this.#patterns });
  }

  #refuse({ name, at }: { name: string; at: number }): void {
    if (this.#diagnostics.full) return;
    const unsupported = UNSUPPORTED.get(name);
    if (unsupported !== undefined) {
      this.#diagnostics.error("UnsupportedFunction", `${name} is not supported here. ${unsupported}`, at);
    } else if (name === SELECT_UNIQUE_VALUE) {
      const message = "SelectUniqueValue may only be the outermost call. Put the other functions into its rules.";
      this.#diagnostics.error("MisplacedFunction", message, at);
    } else {
      const hint = this.#meant(name, FUNCTION_NAMES) || " See the list of functions in the documentation.";
      this.#diagnostics.error("UnknownFunction", `There is no function ${name.slice(0, 60)}.${hint}`, at);
    }
  }

  #checkCount(spec: FunctionSpec, node: { name: string; at: number }, args: readonly (Node | undefined)[]): void {
    const { params, positions, least: repeats } = spec;
    const wrong = (message: string) => this.#diagnostics.error("WrongNumberOfArguments", message, node.at);
    const form = `${spec.name}(${params.map((name) => (name.endsWith("?") ? `{${name.slice(0, -1)}}` : name)).join(", ")})`;
    if (positions !== undefined && args.length !== positions) {
      wrong(`${spec.name} has ${positions} positions, not ${args.length}; leave unused ones empty: ${form}.`);
      return;
    }
    if (repeats === undefined && args.length > params.length) {
      wrong(`${spec.name} takes at most ${params.length} arguments, not ${args.length}: ${form}.`);
      return;
    }
    const fixed = repeats === undefined ? params : params.slice(0, -1);
    for (const [index, param] of fixed.entries()) {
      if (args[index] !== undefined || param.endsWith("?")) continue;
      this.#diagnostics.error("MissingArgument", `${spec.name} needs ${param}: ${form}.`, node.at);
    }
    const repeated = args.length - fixed.length;
    if (repeats !== undefined && repeated < repeats)
      wrong(`${spec.name} takes at least ${fixed.length + repeats} arguments: ${form}.`);
  }
}

/** Empty arguments at the end count for nothing, except where keys and values come in pairs or positions are fixed. */
function arranged(spec: FunctionSpec, args: readonly (Node | undefined)[]): readonly (Node | undefined)[] {
  const nodes = [...args];
  if (spec.name === "Switch" || spec.positions !== undefined) return nodes;
  const count = spec.least === undefined ? spec.params.length : 0;
  while (nodes.length > count && nodes.at(-1) === undefined) nodes.pop();
  // The older form has no dateTimeStyles: FormatDateTime(source, inputFormat, outputFormat).
  if (spec.name === "FormatDateTime" && nodes.length === 3) nodes.splice(1, 0, undefined);
  return nodes;
}
