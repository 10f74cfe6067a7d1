/** Letters that JavaScript maps and .NET's invariant culture leaves: those of Turkish. */
const ONLY_TURKISH = /[ıİ]/;
/** Sigma has a form of its own at the end of words in JavaScript; .NET maps letters one by one. */
const SIGMA = /Σ/;

/** .NET maps one character to one, so that ß stays ß in capitals. */
function oneToOne(text: string, change: (char: string) => string, keepsTurkish: boolean): string {
  // A culture is asked once for each character that occurs.
  const known = new Map<string, string>();
  let out = "";
  for (const char of text) {
    let changed = known.get(char);
    if (changed === undefined) {
      const other = keepsTurkish && ONLY_TURKISH.test(char) ? char : change(char);
      changed = other.length === char.length ? other : char;
      known.set(char, changed);
    }
    out += changed;
  }
  return out;
}

/** `culture`: `undefined` is the invariant one. */
export function toUpper(text: string, culture?: string): string {
  if (culture !== undefined) return oneToOne(text, (char) => char.toLocaleUpperCase(culture), false);
  const upper = text.toUpperCase();
  if (upper.length === text.length && !ONLY_TURKISH.test(text)) return upper;
  return oneToOne(text, (char) => char.toUpperCase(), true);
}

export function toLower(text: string, culture?: string): string {
  if (culture !== undefined) return oneToOne(text, (char) => char.toLocaleLowerCase(culture), false);
  const lower = text.toLowerCase();
  if (lower.length === text.length && !ONLY_TURKISH.test(text) && !SIGMA.test(text)) return lower;
  return oneToOne(text, (char) => char.toLowerCase(), true);
}

/** Empty: the invariant culture. */
export function isCulture(text: string): boolean {
  if (text === "") return true;
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const SEPARATOR = /[\s\p{Z}\p{Cc}\p{Cf}\p{P}\p{S}]/u;
const LETTER = /\p{L}/u;
type Kind = "separator" | "letter" | "other";
const kindOf = (char: string): Kind => (SEPARATOR.test(char) ? "separator" : LETTER.test(char) ? "letter" : "other");

/**
 * With separators the first character of every word is a capital. Without, as .NET's ToTitleCase: blanks, punctuation and
 * signs separate, and the first letter of a word is a capital even after digits.
 */
export function titleCase(text: string, separators?: string): string {
  const chars = separators === undefined ? undefined : new Set(separators);
  const kinds = new Map<string, Kind>();
  const capitals = new Map<string, string>();
  const capital = (char: string): string => {
    const known = capitals.get(char) ?? toUpper(char);
    capitals.set(char, known);
    return known;
  };
  let begins = true;
  let out = "";
  for (const char of toLower(text)) {
    out += begins ? capital(char) : char;
    if (chars) begins = chars.has(char);
    else {
      const kind = kinds.get(char) ?? kindOf(char);
      kinds.set(char, kind);
      if (kind !== "other") begins = kind === "separator";
    }
  }
  return out;
}
