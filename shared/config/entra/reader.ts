import { clauseValue } from "../../domain/scoping-filter.ts";
import type { Mistake } from "../load.ts";

/** Something of a synchronization schema that the rules of a job do not say. */
export interface NotCarried {
  /** Where it stands, as in `synchronizationRules[0].objectMappings[1]`; everything below it is meant. */
  path: string;
  was: string;
  why: string;
  remedy: string;
  /** `rule`: people may be treated otherwise than in Entra. `note`: it decides nothing. */
  weight: "rule" | "note";
}
export type Reason = Pick<NotCarried, "why" | "remedy" | "weight">;

/** A file that is no synchronization schema, or a broken one. */
export class SchemaInvalid extends Error {
  readonly mistake: Mistake;
  constructor(mistake: Mistake) {
    super(`SCHEMA_INVALID: ${mistake.path}: ${mistake.problem}. ${mistake.remedy}`);
    this.name = "SchemaInvalid";
    this.mistake = mistake;
  }
}

const NOT_KNOWN: Reason = {
  why: "It is not part of the documented schema",
  remedy: "Find out what it does in Entra, and write a rule for it if it matters.",
  weight: "rule",
};
const ANNOTATION: Reason = { why: "It is an annotation of the protocol", remedy: "Nothing to do.", weight: "note" };
const SHAPE_REMEDY = "Use the file as Graph or the schema editor of the Entra admin center gave it.";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Null, empty text and empty lists say nothing. */
const saysSomething = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);

const TOLD_MAX = 120;
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > TOLD_MAX ? `${text.slice(0, TOLD_MAX)}…` : text;
}

/**
 * One JSON object of the schema. Whatever is asked for by name counts as carried; `rest` lists what nobody asked for, so
 * that nothing is dropped silently.
 */
export class Entry {
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly #list: NotCarried[];
  readonly #asked = new Set<string>();

  constructor(value: unknown, path: string, list: NotCarried[]) {
    if (!isObject(value)) throw wrong(path || "(root)", `is ${shown(value)}, not an object`);
    this.value = value;
    this.path = path;
    this.#list = list;
  }

  at(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  #ask(key: string): unknown {
    this.#asked.add(key);
    return this.value[key] ?? undefined;
  }

  text(key: string): string | undefined {
    const value = this.#ask(key);
    if (value === undefined || typeof value === "string") return value;
    throw wrong(this.at(key), `is ${shown(value)}, not text`);
  }

  /** The object as a person would name it. */
  called(kind: string): string {
    const name = this.text("name");
    return name ? `the ${kind} ${name}` : `a nameless ${kind}`;
  }

  requiredText(key: string): string {
    const value = this.text(key);
    if (value === undefined || value === "") throw wrong(this.at(key), "is missing");
    return value;
  }

  flag(key: string): boolean | undefined {
    const value = this.#ask(key);
    if (value === undefined || typeof value === "boolean") return value;
    throw wrong(this.at(key), `is ${shown(value)}, not true or false`);
  }

  integer(key: string): number | undefined {
    const value = this.#ask(key);
    if (value === undefined || (typeof value === "number" && Number.isInteger(value))) return value;
    throw wrong(this.at(key), `is ${shown(value)}, not a whole number`);
  }

  entry(key: string): Entry | undefined {
    const value = this.#ask(key);
    return value === undefined ? undefined : new Entry(value, this.at(key), this.#list);
  }

  entries(key: string): readonly Entry[] {
    return this.#items(key).map((item, index) => new Entry(item, `${this.at(key)}[${index}]`, this.#list));
  }

  /** Of a filter. */
  texts(key: string): readonly string[] {
    return this.#items(key).map((item, index) => {
      if (typeof item === "string" || typeof item === "number" || typeof item === "boolean") return clauseValue(item);
      throw wrong(`${this.at(key)}[${index}]`, `is ${shown(item)}, not text`);
    });
  }

  #items(key: string): readonly unknown[] {
    const value = this.#ask(key);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    throw wrong(this.at(key), `is ${shown(value)}, not a list`);
  }

  /** Lists this object as a whole. */
  tell(reason: Reason, was: string = shown(this.value)): void {
    this.#list.push({ path: this.path, was, ...reason });
    for (const key of Object.keys(this.value)) this.#asked.add(key);
  }

  /** Lists one key, if it says something. */
  tellOf(key: string, reason: Reason): void {
    this.#asked.add(key);
    if (saysSomething(this.value[key])) this.#list.push({ path: this.at(key), was: shown(this.value[key]), ...reason });
  }

  /** Lists a key unless it has the value that every exported schema has. */
  expect(key: string, standard: unknown, reason: Reason): void {
    this.#asked.add(key);
    if (JSON.stringify(this.value[key]) !== JSON.stringify(standard)) this.tellOf(key, reason);
  }

  /** To be called when everything known has been asked for. */
  rest(): void {
    for (const key of Object.keys(this.value)) {
      if (!this.#asked.has(key)) this.tellOf(key, key.includes("@odata.") ? ANNOTATION : NOT_KNOWN);
    }
  }
}

export function wrong(path: string, problem: string, remedy = SHAPE_REMEDY): SchemaInvalid {
  return new SchemaInvalid({ path, problem, remedy });
}
