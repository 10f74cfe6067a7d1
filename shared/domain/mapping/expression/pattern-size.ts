/** Before a pattern is compiled, which is what takes the time: about how many instructions it will have. */
export interface PatternSize {
  instructions: number;
  /** A bracket that closes nothing, or one that is never closed. */
  unbalanced: boolean;
}

interface Level {
  total: number;
  /** Of the last element, which a quantifier repeats. */
  last: number;
}

const REPEAT = /\{(\d{1,4})(?:(,)(\d{0,4}))?\}/y;
const CLASS = /\[\^?\]?(?:\\.|[^\]\\])*\]/sy;
const ESCAPE = /\\(?:[pPx]\{[^}]*\}|.)/sy;
const GROUP = /\((?:\?[a-z-]*[:)])?/y;

/** `pattern`: in the engine's dialect. */
export function sizeOf(pattern: string): PatternSize {
  const open: Level[] = [];
  let level: Level = { total: 1, last: 0 };
  const add = (size: number) => {
    level.total += size;
    level.last = size;
  };
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at] ?? "";
    const taken = (piece: RegExp) => {
      piece.lastIndex = at;
      const match = piece.exec(pattern);
      at += match?.[0].length ?? 1;
      return match;
    };
    if (char === "(") {
      const options = taken(GROUP)?.[0].endsWith(")");
      if (options) continue;
      open.push(level);
      level = { total: 2, last: 0 };
    } else if (char === ")") {
      const outer = open.pop();
      if (!outer) return { instructions: level.total, unbalanced: true };
      const { total } = level;
      level = outer;
      add(total);
      at++;
    } else if (char === "{") {
      const repeat = taken(REPEAT);
      if (repeat) repeated(level, repeat);
      else add(1);
    } else if (char === "*" || char === "+" || char === "?") {
      level.total++;
      level.last++;
      at++;
    } else {
      if (char === "[") taken(CLASS);
      else if (char === "\\") taken(ESCAPE);
      else at++;
      add(1);
    }
  }
  return { instructions: level.total, unbalanced: open.length > 0 };
}

/** {n}, {n,} and {n,m}: the element is written out that many times. */
function repeated(level: Level, [, least = "0", open, most = ""]: RegExpExecArray): void {
  const times = Math.max(Number(least) + (open && most === "" ? 1 : 0), Number(most), 1);
  const size = level.last * times + (open ? times : 0);
  level.total += size - level.last;
  level.last = size;
}
