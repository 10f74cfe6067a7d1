/**
 * Values as columns of a Table Storage entity. Top-level strings, booleans and numbers are columns of their own (numbers
 * as Double, so that times in ms fit); everything else is JSON text in a column `nameJson`, continued in `nameJson_1`,
 * `nameJson_2`… because one string property holds at most 32 Ki characters. Source: Table service data model.
 */
export type Column = string | boolean | { type: "Double"; value: number };

const CHARACTERS_PER_COLUMN_MAX = 30_000;
/** Names that mean something else in an entity; their values go as JSON, under another name. */
const RESERVED = /^(partitionkey|rowkey|timestamp|etag)$/i;
const JSON_NAME = /^(.+)Json(?:_(\d+))?$/;
const PROPERTY_NAME = /^[A-Za-z_]\w{0,199}$/;

/** Throws a TypeError for a value that is no plain object of JSON values or has a name that no column can have. */
export function toColumns(value: unknown): Record<string, Column> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("a row must be an object");
  }
  const columns: Record<string, Column> = {};
  for (const [name, content] of Object.entries(value)) {
    if (content === undefined) continue;
    if (!PROPERTY_NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} cannot be the name of a column`);
    const plain = RESERVED.test(name) || JSON_NAME.test(name) ? undefined : plainColumn(content);
    if (plain !== undefined) columns[name] = plain;
    else Object.assign(columns, jsonColumns(name, content));
  }
  return columns;
}

function plainColumn(content: unknown): Column | undefined {
  if (typeof content === "boolean") return content;
  if (typeof content === "number" && Number.isFinite(content)) return { type: "Double", value: content };
  const fits = typeof content === "string" && content.length <= CHARACTERS_PER_COLUMN_MAX && content.isWellFormed();
  return fits ? content : undefined;
}

function jsonColumns(name: string, content: unknown): Record<string, string> {
  if (typeof content === "number") throw new TypeError(`column ${name}: ${content} is no JSON value`);
  const text: string | undefined = JSON.stringify(content);
  if (text === undefined) throw new TypeError(`column ${name}: a ${typeof content} is no JSON value`);
  const columns: Record<string, string> = {};
  let part = 0;
  for (let start = 0; start < text.length; part++) {
    let end = Math.min(start + CHARACTERS_PER_COLUMN_MAX, text.length);
    // A character of two units stays whole: half of one does not survive UTF-8.
    if (end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1))) end--;
    columns[part === 0 ? `${name}Json` : `${name}Json_${part}`] = text.slice(start, end);
    start = end;
  }
  return columns;
}

/** The value of an entity. Throws when JSON columns are missing or broken: a half-read row is worse than none. */
export function fromColumns(entity: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const parts = new Map<string, string[]>();
  for (const [column, content] of Object.entries(entity)) {
    if (RESERVED.test(column) || column.startsWith("odata.")) continue;
    const json = JSON_NAME.exec(column);
    if (!json) {
      value[column] = content;
      continue;
    }
    const name = json[1] as string;
    const texts = parts.get(name) ?? [];
    texts[Number(json[2] ?? 0)] = String(content);
    parts.set(name, texts);
  }
  for (const [name, texts] of parts) {
    if (Object.keys(texts).length !== texts.length) throw new Error(`column ${name}Json: a part of it is missing`);
    value[name] = parsed(name, texts.join(""));
  }
  return value;
}

/** The parser's own message would quote the row. */
function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`column ${name}Json: it is not JSON`);
  }
}
