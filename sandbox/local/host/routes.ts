/**
 * Route templates as ASP.NET Core reads them, as far as HTTP triggers use them: `users/{id:guid}`, `{page?}`, `{n=1}`,
 * `{*rest}`, `files/{name}.{ext}`. Source: "Routing in ASP.NET Core", route constraints.
 */
export interface Route {
  /** The values of the parameters when the path matches; names as in the template. */
  match(path: string): Record<string, string> | undefined;
  /** Compares specificity: the more specific route comes first. */
  readonly precedence: string;
}

const GUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

const CONSTRAINTS: Readonly<Record<string, (value: string, argument: string) => boolean>> = {
  int: (value) => /^-?\d{1,10}$/.test(value) && Math.abs(Number(value)) <= 2_147_483_648,
  long: (value) => /^-?\d{1,19}$/.test(value),
  bool: (value) => /^(true|false)$/i.test(value),
  guid: (value) => GUID.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  decimal: (value) => /^-?\d+(\.\d+)?$/.test(value),
  double: (value) => /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value),
  float: (value) => /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value),
  datetime: (value) => !Number.isNaN(Date.parse(value)),
  required: (value) => value !== "",
  length: (value, argument) => {
    const [least = 0, most = least] = argument.split(",").map(Number);
    return value.length >= least && value.length <= most;
  },
  minlength: (value, argument) => value.length >= Number(argument),
  maxlength: (value, argument) => value.length <= Number(argument),
  min: (value, argument) => /^-?\d+$/.test(value) && Number(value) >= Number(argument),
  max: (value, argument) => /^-?\d+$/.test(value) && Number(value) <= Number(argument),
  range: (value, argument) => {
    const [least = 0, most = 0] = argument.split(",").map(Number);
    return /^-?\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
  },
  regex: (value, argument) => new RegExp(argument, "i").test(value),
};

/** Stand-ins for doubled braces: characters that no template has. */
const OPEN = "\u0001";
const CLOSE = "\u0002";

interface Parameter {
  name: string;
  optional: boolean;
  otherwise: string | undefined;
  catchAll: boolean;
  checks: readonly ((value: string) => boolean)[];
}

/** Throws when the template uses something that does not exist. */
export function parseRoute(template: string): Route {
  const parameters: Parameter[] = [];
  // Braces of a regular expression are written twice.
  const single = template.replaceAll("{{", OPEN).replaceAll("}}", CLOSE);
  const segments = split(single.replace(/^\/|\/$/g, ""));
  let pattern = "";
  const precedence: string[] = [];
  for (const segment of segments) {
    const parts = segment.split(/(\{[^}]+\})/).filter((part) => part !== "");
    const found = parts.filter((part) => part.startsWith("{")).map(parseParameter);
    parameters.push(...found);
    const [only] = found;
    const whole = parts.length === 1 && only !== undefined;
    const text = parts
      .map((part) => (part.startsWith("{") ? (only?.catchAll ? "(.*)" : "([^/]+?)") : literal(part)))
      .join("");
    const mayLack = whole && (only.optional || only.otherwise !== undefined || only.catchAll);
    pattern += mayLack ? `(?:/${text})?` : `/${text}`;
    precedence.push(rank(found, parts.length));
  }
  const matcher = new RegExp(`^${pattern}/?$`, "i");
  return {
    precedence: precedence.join(""),
    match: (path) => {
      const values = matcher.exec(path);
      if (!values) return undefined;
      const params: Record<string, string> = {};
      for (const [index, parameter] of parameters.entries()) {
        const raw = values[index + 1];
        const value = raw === undefined || raw === "" ? parameter.otherwise : decoded(raw);
        if (value === undefined) continue;
        if (!parameter.checks.every((check) => check(value))) return undefined;
        params[parameter.name] = value;
      }
      return params;
    },
  };
}

/** Slashes inside braces (of a regular expression) do not separate segments. */
function split(template: string): string[] {
  if (template === "") return [];
  return template.match(/(?:\{[^}]*\}|[^/{])+/g) ?? [];
}

function parseParameter(part: string): Parameter {
  const inner = part.slice(1, -1);
  const [head = "", ...constraints] = inner.split(/:(?![^(]*\))/);
  const last = constraints.pop() ?? head;
  const optional = last.endsWith("?");
  const [bare = "", otherwise] = last.replace(/\?$/, "").split(/=(?![^(]*\))/);
  const name = last === head ? bare : head;
  const texts = last === head ? [] : [...constraints, bare];
  return {
    name: name.replace(/^\*{1,2}/, "").replace(/[?=].*$/, ""),
    optional,
    otherwise,
    catchAll: name.startsWith("*"),
    checks: texts.map((text) => checkOf(text, part)),
  };
}

function checkOf(text: string, part: string): (value: string) => boolean {
  const [, name = "", argument = ""] = /^(\w+)(?:\((.*)\))?$/s.exec(text) ?? [];
  const given = argument.replaceAll(OPEN, "{").replaceAll(CLOSE, "}");
  const check = CONSTRAINTS[name.toLowerCase()];
  if (!check) throw new Error(`The constraint '${text}' of the route parameter ${part} is not known.`);
  return (value) => check(value, given);
}

/** Literal before constrained before plain parameter before catch-all. */
function rank(parameters: readonly Parameter[], parts: number): string {
  const [first] = parameters;
  if (!first) return "1";
  if (parts > 1) return "2";
  if (first.catchAll) return first.checks.length > 0 ? "5" : "6";
  return first.checks.length > 0 ? "3" : "4";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is a character like any other, as in the real host
  }
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
