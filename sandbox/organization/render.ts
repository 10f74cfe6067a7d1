import { stripVTControlCharacters } from "node:util";

/** Where lines go: a terminal, or a file that gets no control characters. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /^[\p{M}\p{Cf}\p{Cc}]+$/u;
const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns that a text takes in a terminal: two for East Asian characters and emoji, none for marks and controls. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of characters.segment(stripVTControlCharacters(text))) {
    width += NO_WIDTH.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
  }
  return width;
}

/** Text from a tenant made harmless for a terminal: no controls, no line breaks, nothing that turns the line around. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ");
}

/** Exactly `width` columns: cut with an ellipsis, or filled with blanks. */
export function fitted(text: string, width: number, align: "left" | "right" = "left"): string {
  let cut = plain(text);
  if (widthOf(cut) > width) {
    let kept = "";
    for (const { segment } of characters.segment(cut)) {
      if (widthOf(kept) + widthOf(segment) > width - 1) break;
      kept += segment;
    }
    cut = `${kept}…`;
  }
  const blanks = " ".repeat(Math.max(0, width - widthOf(cut)));
  return align === "left" ? cut + blanks : blanks + cut;
}

/** `0.4 s`, `12.3 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export interface Column {
  title: string;
  align?: "left" | "right";
  /** Columns of the terminal; the widest cell unless said. */
  max?: number;
}

/** A table without borders; each line is as wide as it has to be and no wider than the limits. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title, max }, index) => {
    const widest = Math.max(widthOf(title), ...rows.map((row) => widthOf(plain(row[index] ?? ""))));
    return Math.min(widest, max ?? widest);
  });
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => fitted(cells[index] ?? "", widths[index] ?? 0, align))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join("\n");
}

const BAR_COLUMNS = 30;
const PLAIN_STEP = 0.1;

/** A bar that moves in a terminal, and a line for every tenth elsewhere. */
export function progressBar(
  output: Output,
  title: string,
): { update(done: number, total: number): void; end(text?: string): void } {
  let told = -1;
  let shown = "";
  const sentence = (done: number, total: number) => `${title}: ${done} of ${total}`;
  return {
    update(done, total) {
      const share = total > 0 ? Math.min(1, done / total) : 0;
      if (output.isTTY) {
        const full = Math.round(share * BAR_COLUMNS);
        const bar = `${"█".repeat(full)}${"░".repeat(BAR_COLUMNS - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
        const text = fitted(`${bar}  ${sentence(done, total)}`, Math.max(20, (output.columns ?? 80) - 1)).trimEnd();
        if (text !== shown) output.write(`\r\u001b[2K${text}`);
        shown = text;
      } else if (Math.floor(share / PLAIN_STEP) > told) {
        told = Math.floor(share / PLAIN_STEP);
        output.write(`${sentence(done, total)}\n`);
      }
    },
    end(text) {
      if (output.isTTY && shown !== "") output.write("\r\u001b[2K");
      if (text !== undefined) output.write(`${text}\n`);
    },
  };
}
