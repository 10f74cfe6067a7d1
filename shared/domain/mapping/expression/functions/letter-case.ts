/** Letters that JavaScript maps and .NET's invariant culture leaves: those of Turkish. */
const ONLY_TURKISH = /[ıİ]/;
/** Sigma has a form of its own at the end of words in JavaScript; .NET maps letters one by one. */
const SIGMA = /Σ/;

/** .NET maps one character to one, so that ß stays ß in capitals. */
function oneToOne(text: string, change: (char: string) => string, keepsTurkish: boolean): string {
  let out = "";
  for (const char of text) {
    const changed = keepsTurkish && ONLY_TURKISH.test(char) ? char : change(char);
    out += changed.length === char.length ? changed : char;
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

/**
 * With separators the first character of every word is a capital. Without, as .NET's ToTitleCase: blanks, punctuation and
 * signs separate, and the first letter of a word is a capital even after digits.
 */
export function titleCase(text: string, separators?: string): string {
  const chars = separators === undefined ? undefined : new Set(separators);
  let begins = true;
  let out = "";
  for (const char of toLower(text)) {
    out += begins ? toUpper(char) : char;
    if (chars ? chars.has(char) : SEPARATOR.test(char)) begins = true;
    else if (chars || LETTER.test(char)) begins = false;
  }
  return out;
}
