/** A record of a CSV file, and the line (from 1) on which it begins. */
export interface CsvRecord {
  line: number;
  values: readonly string[];
}

const SEPARATORS = [",", ";", "\t"] as const;

/**
 * RFC 4180, and what spreadsheets make of it: quoted values with separators, doubled quotes and line breaks in them, CRLF,
 * LF or CR, semicolons or tabs (found from the first line; Excel's `sep=;` is obeyed), a byte order mark. Empty lines are
 * no records. Throws for a quote that is never closed, with the line on which it was opened.
 */
export function parseCsv(text: string): CsvRecord[] {
  let rest = text.startsWith("\ufeff") ? text.slice(1) : text;
  let firstLine = 1;
  const hint = /^"?sep=(.)"?(\r\n|\n|\r)/i.exec(rest);
  if (hint) {
    rest = rest.slice(hint[0].length);
    firstLine = 2;
  }
  return records(rest, hint?.[1] ?? separatorOf(rest), firstLine);
}

/** The separator that the first line has most of, outside quotes. */
function separatorOf(text: string): string {
  const header = /^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(text)?.[0].replace(/"(?:[^"]|"")*"/g, "") ?? "";
  const counts = SEPARATORS.map((separator) => header.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ",";
}

function records(text: string, separator: string, firstLine: number): CsvRecord[] {
  const found: CsvRecord[] = [];
  let values: string[] = [];
  let line = firstLine;
  let startedAt = line;
  let at = 0;

  const endRecord = () => {
    if (values.length > 1 || values[0] !== "") found.push({ line: startedAt, values });
    values = [];
  };
  while (at < text.length) {
    if (values.length === 0) startedAt = line;
    let value = "";
    if (text[at] === '"') {
      const openedAt = line;
      for (at++; ; at++) {
        if (at >= text.length) throw new Error(`line ${openedAt}: a quote is opened and never closed`);
        if (text[at] === '"' && text[at + 1] === '"') at++;
        else if (text[at] === '"') break;
        if (text[at] === "\n" || (text[at] === "\r" && text[at + 1] !== "\n")) line++;
        value += text[at];
      }
      at++;
    }
    // What follows a closing quote belongs to the value, as spreadsheets read it.
    const start = at;
    while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at++;
    values.push(value + text.slice(start, at));
    if (text[at] === separator) {
      at++;
      if (at < text.length) continue;
      values.push("");
    }
    endRecord();
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    at++;
    line++;
  }
  if (values.length > 0) endRecord();
  return found;
}
