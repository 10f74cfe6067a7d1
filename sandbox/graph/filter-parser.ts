import { ODataError } from "./odata.ts";

export type Literal = string | number | boolean | null;
export type Comparison = "eq" | "ne" | "ge" | "le" | "gt" | "lt";
export type TextTest = "startsWith" | "endsWith" | "contains";

/** A parsed `$filter`. `path` is the property, its parts separated (`employeeOrgData/division`). */
export type Filter =
  | { kind: "and" | "or"; left: Filter; right: Filter }
  | { kind: "not"; of: Filter }
  | { kind: "compare"; op: Comparison; path: readonly string[]; value: Literal }
  | { kind: "in"; path: readonly string[]; values: readonly Literal[] }
  | { kind: "text"; op: TextTest; path: readonly string[]; value: string }
  /** The paths inside begin with the variable. */
  | { kind: "any"; path: readonly string[]; variable: string; of: Filter | undefined }
  | { kind: "count"; op: Comparison; path: readonly string[]; value: number };

const TOKEN =
  /\s*(?:('(?:[^']|'')*')|(\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)|([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(-?\d+(?:\.\d+)?)|([A-Za-z_$][\w.$]*)|([(),/:]))/iy;
const COMPARISONS = ["eq", "ne", "ge", "le", "gt", "lt"];
const TEXT_TESTS: Readonly<Record<string, TextTest>> = {
  startswith: "startsWith",
  endswith: "endsWith",
  contains: "contains",
};
const DEPTH_MAX = 50;

interface Token {
  kind: "text" | "literal" | "word" | "sign";
  text: string;
  value?: Literal;
}

/** Throws an ODataError (400) that says where. */
export function parseFilter(text: string): Filter {
  const tokens = tokenize(text);
  let at = 0;
  let depth = 0;

  const wrong = (): never => {
    throw new ODataError(400, "BadRequest", `Invalid filter clause: Syntax error at position ${at} in '${text}'.`);
  };
  const peek = () => tokens[at];
  const isSign = (sign: string) => peek()?.kind === "sign" && peek()?.text === sign;
  const isWord = (word: string) => peek()?.kind === "word" && peek()?.text.toLowerCase() === word;
  const take = (sign: string) => (isSign(sign) ? tokens[at++] : wrong());

  const path = (): string[] => {
    const first = tokens[at++];
    if (first?.kind !== "word") return wrong();
    const parts = [first.text];
    while (isSign("/")) {
      at++;
      const next = tokens[at++];
      if (next?.kind !== "word") return wrong();
      parts.push(next.text);
      if (next.text === "any" || next.text === "all") break;
    }
    return parts;
  };
  const literal = (): Literal => {
    const token = tokens[at++];
    if (token?.kind === "literal") return token.value ?? null;
    if (token?.kind === "word") {
      const word = token.text.toLowerCase();
      if (word === "true" || word === "false") return word === "true";
      if (word === "null") return null;
    }
    return wrong();
  };
  const list = (): Literal[] => {
    take("(");
    const values = [literal()];
    while (isSign(",")) {
      at++;
      values.push(literal());
    }
    take(")");
    return values;
  };
  const textTest = (op: TextTest): Filter => {
    at++;
    take("(");
    const property = path();
    take(",");
    const value = literal();
    take(")");
    if (typeof value !== "string") return wrong();
    return { kind: "text", op, path: property, value };
  };
  const lambda = (property: string[]): Filter => {
    take("(");
    if (isSign(")")) {
      at++;
      return { kind: "any", path: property, variable: "", of: undefined };
    }
    const variable = tokens[at++];
    if (variable?.kind !== "word") return wrong();
    take(":");
    const of = either();
    take(")");
    return { kind: "any", path: property, variable: variable.text, of };
  };
  const comparison = (): Filter => {
    const property = path();
    const last = property[property.length - 1];
    if (last === "any") return lambda(property.slice(0, -1));
    if (last === "all") return wrong();
    const operator = tokens[at++];
    const op = operator?.kind === "word" ? operator.text.toLowerCase() : "";
    if (op === "in") return { kind: "in", path: property, values: list() };
    if (!COMPARISONS.includes(op)) return wrong();
    const value = literal();
    if (last === "$count") {
      if (typeof value !== "number") return wrong();
      return { kind: "count", op: op as Comparison, path: property.slice(0, -1), value };
    }
    return { kind: "compare", op: op as Comparison, path: property, value };
  };
  const single = (): Filter => {
    if (++depth > DEPTH_MAX) wrong();
    try {
      if (isWord("not")) {
        at++;
        return { kind: "not", of: single() };
      }
      if (isSign("(")) {
        at++;
        const inner = either();
        take(")");
        return inner;
      }
      const test = peek()?.kind === "word" ? TEXT_TESTS[peek()?.text.toLowerCase() ?? ""] : undefined;
      if (!test) return comparison();
      const found = textTest(test);
      // `startsWith(displayName,'A') eq true` is the long form.
      if (!isWord("eq") && !isWord("ne")) return found;
      const negated = isWord("ne");
      at++;
      const value = literal();
      return (value === true) === negated ? { kind: "not", of: found } : found;
    } finally {
      depth--;
    }
  };
  const both = (): Filter => {
    let left = single();
    while (isWord("and")) {
      at++;
      left = { kind: "and", left, right: single() };
    }
    return left;
  };
  const either = (): Filter => {
    let left = both();
    while (isWord("or")) {
      at++;
      left = { kind: "or", left, right: both() };
    }
    return left;
  };

  const filter = either();
  return at === tokens.length ? filter : wrong();
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  const end = text.trimEnd().length;
  while (at < end) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) {
      throw new ODataError(400, "BadRequest", `Invalid filter clause: Syntax error at position ${at} in '${text}'.`);
    }
    at = TOKEN.lastIndex;
    const [, quoted, date, guid, number, word, sign] = match;
    if (quoted !== undefined) {
      const value = quoted.slice(1, -1).replaceAll("''", "'");
      tokens.push({ kind: "literal", text: quoted, value });
    } else if (date !== undefined) tokens.push({ kind: "literal", text: date, value: date });
    else if (guid !== undefined) tokens.push({ kind: "literal", text: guid, value: guid });
    else if (number !== undefined) tokens.push({ kind: "literal", text: number, value: Number(number) });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else tokens.push({ kind: "sign", text: sign ?? "" });
  }
  return tokens;
}
