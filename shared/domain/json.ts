/** Deeper than anything that people write, and far from where recursion ends. */
export const NESTING_MAX = 64;

/** How deep lists and objects of a JSON text lie within each other; text that is no JSON is counted as if it were. */
export function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // the end of the string is the next quotation mark that no backslash precedes
        for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
        break;
      case 0x5b:
      case 0x7b:
        deepest = Math.max(deepest, ++depth);
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
    }
  }
  return deepest;
}
