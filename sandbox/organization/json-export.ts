import type { Row } from "./exports.ts";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The users of `GET /users`: one answer, a bare array, an array of answers, or answers one after the other. */
export function jsonUsers(text: string): { rows: Row[]; notes: string[] } {
  const rows: Row[] = [];
  let complete = true;
  const take = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) take(item);
    } else if (isRecord(value) && Array.isArray(value.value)) {
      complete = !("@odata.nextLink" in value);
      for (const item of value.value) takeUser(item);
    } else if (isRecord(value) && isRecord(value.error)) {
      throw new Error(`the file holds an error of Graph instead of users: ${String(value.error.code)}`);
    } else takeUser(value);
  };
  const takeUser = (item: unknown) => {
    const where = `user ${rows.length + 1}`;
    if (!isRecord(item)) return rows.push({ where, properties: {}, unusable: "is no object" });
    const type = item["@odata.type"];
    const other = typeof type === "string" && type !== "#microsoft.graph.user" ? type : undefined;
    return rows.push({ where, properties: item, ...(other ? { unusable: `is a ${other}, not a user` } : {}) });
  };
  for (const document of documents(text)) take(document);
  return { rows, notes: complete ? [] : ["the last page has an @odata.nextLink: the export is not complete"] };
}

/** JSON texts one after the other, as `cat page1.json page2.json` makes them. */
function* documents(text: string): Iterable<unknown> {
  let start = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      depth--;
      if (depth > 0) continue;
      yield parse(text, start, at + 1);
      start = at + 1;
    }
  }
  if (text.slice(start).trim() !== "") yield parse(text, start, text.length);
}

function parse(text: string, start: number, end: number): unknown {
  try {
    return JSON.parse(text.slice(start, end));
  } catch (error) {
    const line = text.slice(0, start).split("\n").length;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the JSON that begins on line ${line} cannot be read: ${reason}`, { cause: error });
  }
}
