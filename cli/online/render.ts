const CELL_MAX = 60;

type Item = Readonly<Record<string, unknown>>;

/** Names of tenants by id. */
export type TenantNames = ReadonlyMap<string, string>;

/** Rows for people: tenants by name, and what a code means once for all rows that have it. */
export function told(items: readonly Item[], tenants: TenantNames): string {
  const named = (id: unknown) => tenants.get(String(id)) ?? id;
  const meanings = new Map<string, string>();
  const rows = items.map((item) => {
    const { sourceTenantId, targetTenantId, meaning, remedy, ...rest } = item;
    if (meaning !== undefined) meanings.set(String(item.code), [meaning, remedy].filter(Boolean).join(" "));
    return {
      ...(sourceTenantId !== undefined && { source: named(sourceTenantId) }),
      ...(targetTenantId !== undefined && { target: named(targetTenantId) }),
      ...rest,
    };
  });
  const below = [...meanings].map(([code, meaning]) => plain(`${code}: ${meaning}`));
  return [table(rows), ...below.map((line) => `${line}\n`)].join(below.length > 0 ? "\n" : "");
}

/** Rows under their names, as wide as what is in them; sentences are not cut, and do not make others as wide. */
export function table(items: readonly Item[]): string {
  if (items.length === 0) return "Nothing.\n";
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const cells = items.map((item) => names.map((name) => cell(item[name])));
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((row) => widthOf(row[column] ?? ""))));
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${[names, ...cells].map(line).join("\n")}\n`;
}

const widthOf = (text: string): number => (text.includes(" ") ? Math.min(CELL_MAX, text.length) : text.length);

function cell(value: unknown): string {
  return plain(value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
}

/** No control character reaches the terminal. */
export const plain = (text: string): string => text.replace(/\p{Cc}/gu, " ");
