const CELL_MAX = 60;

/** Rows under their names, as wide as what is in them; sentences come last and are not cut. */
export function table(items: readonly Readonly<Record<string, unknown>>[]): string {
  if (items.length === 0) return "Nothing.\n";
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const cells = items.map((item) => names.map((name) => cell(item[name])));
  const widths = names.map((name, column) =>
    Math.min(CELL_MAX, Math.max(name.length, ...cells.map((row) => (row[column] ?? "").length))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${[names, ...cells].map(line).join("\n")}\n`;
}

function cell(value: unknown): string {
  return plain(value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
}

/** No control character reaches the terminal. */
export const plain = (text: string): string => text.replace(/\p{Cc}/gu, " ");
