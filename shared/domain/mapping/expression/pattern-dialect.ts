import { didYouMean } from "./near-miss.ts";

/** Group numbers as .NET gives them: unnamed groups from left to right, then the named ones. */
export interface Groups {
  names: readonly string[];
  /** The engine's index of a group given by name or by .NET's number. */
  indexOf(name: string): number | undefined;
}

type Translation =
  | {
      pattern: string;
      groups: Groups;
      classWeight: number;
      /** The pattern says itself where the value begins or ends. */
      anchored: boolean;
    }
  | { refused: string };

const WORD = "\\p{L}\\p{Mn}\\p{Nd}\\p{Pc}";
const BLANK =
  "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
const NOT_BLANK =
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" +
  "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}";

/** Every other category, to stand beside others within brackets. */
const NOT_WORD = "\\p{Mc}\\p{Me}\\p{Nl}\\p{No}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}\\p{S}\\p{Z}\\p{C}";

/** Unicode's blocks that names are written in; .NET knows them by these names, the engine by none. */
const BLOCKS: ReadonlyMap<string, readonly [from: string, to: string]> = new Map([
  ["IsBasicLatin", ["0", "7f"]],
  ["IsLatin-1Supplement", ["80", "ff"]],
  ["IsLatinExtended-A", ["100", "17f"]],
  ["IsLatinExtended-B", ["180", "24f"]],
  ["IsCombiningDiacriticalMarks", ["300", "36f"]],
  ["IsGreek", ["370", "3ff"]],
  ["IsGreekandCoptic", ["370", "3ff"]],
  ["IsCyrillic", ["400", "4ff"]],
  ["IsArmenian", ["530", "58f"]],
  ["IsHebrew", ["590", "5ff"]],
  ["IsArabic", ["600", "6ff"]],
  ["IsDevanagari", ["900", "97f"]],
  ["IsThai", ["e00", "e7f"]],
  ["IsGeorgian", ["10a0", "10ff"]],
  ["IsLatinExtendedAdditional", ["1e00", "1eff"]],
  ["IsHiragana", ["3040", "309f"]],
  ["IsKatakana", ["30a0", "30ff"]],
  ["IsCJKUnifiedIdeographs", ["4e00", "9fff"]],
  ["IsHangulSyllables", ["ac00", "d7af"]],
]);

/** .NET's classes are those of Unicode, the engine's are those of ASCII. Within brackets, and outside of them. */
const CLASSES: Readonly<Record<string, { inside: string; outside: string }>> = {
  d: { inside: "\\p{Nd}", outside: "\\p{Nd}" },
  D: { inside: "\\P{Nd}", outside: "\\P{Nd}" },
  w: { inside: WORD, outside: `[${WORD}]` },
  W: { inside: NOT_WORD, outside: `[^${WORD}]` },
  s: { inside: BLANK, outside: `[${BLANK}]` },
  S: { inside: NOT_BLANK, outside: `[${NOT_BLANK}]` },
};

const DO_WITHOUT = "capture the part that is to stay in a named group and write it back by its name";

const GROUP_KINDS: readonly { opens: RegExp; refused: string }[] = [
  { opens: /^\(\?<?[=!]/, refused: `Look-around, (?= (?! (?<= (?<!, is not supported: ${DO_WITHOUT}.` },
  { opens: /^\(\?>/, refused: "Atomic groups, (?>, are not supported; use (?: instead." },
  { opens: /^\(\?\(/, refused: "Conditions, (?(, are not supported; use two patterns." },
  { opens: /^\(\?[<'][^>']*-/, refused: "Balancing groups, (?<a-b>, are not supported." },
];

/** From .NET's dialect to the engine's; what the engine cannot do is refused in words. */
export function translate(source: string): Translation {
  const translator = new Translator(source);
  const refused = translator.run();
  if (refused !== undefined) return { refused };
  const classWeight = translator.classWeight * (translator.ignoresCase ? IGNORED_CASE_FACTOR : 1);
  return { pattern: translator.out, groups: translator.groups(), classWeight, anchored: translator.anchored };
}

/** How long the tables of a class are, roughly; those that are not named here count 1. */
const CLASS_WEIGHT: Readonly<Record<string, number>> = { w: 4, W: 4, p: 4, P: 4, S: 4, s: 2 };
/** Of `\W` within brackets, in addition: it is made of many. */
const NOT_WORD_WEIGHT = 12;
/** A range whose ends are escapes or lie beyond ASCII may be of any length. */
const WIDE_RANGE_WEIGHT = 10;
/** Without letter case every character of a class is looked up in another table. */
const IGNORED_CASE_FACTOR = 2;

const WIDE_END = /[^ -[\]-~]/;
const OPEN_GROUP = /(?:^|[^\\])(?:\\\\)*\($/;

class Translator {
  out = "";
  classWeight = 0;
  /** Somewhere in the pattern. */
  ignoresCase = false;
  anchored = false;
  /** In the order of the opening brackets; `undefined`: unnamed. */
  readonly #order: (string | undefined)[] = [];
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** A sentence: why the pattern is refused. */
  run(): string | undefined {
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at];
      // Behind a group whose name or comment was taken away the engine would read the start of another kind of group.
      if (char === "?" && OPEN_GROUP.test(this.out)) return "A quantifier, ?, follows nothing. Write what it repeats.";
      const refused =
        char === "\\"
          ? this.#escape(false)
          : char === "["
            ? this.#brackets()
            : char === "("
              ? this.#group()
              : undefined;
      if (refused !== undefined) return refused;
      if (char !== "\\" && char !== "[" && char !== "(") {
        if (char === "^" || char === "$") this.anchored = true;
        this.out += char;
        this.#at++;
      }
    }
    const double = this.#order.find((name, index) => name !== undefined && this.#order.indexOf(name) !== index);
    return double === undefined ? undefined : `Two groups are named ${double}. Give each a name of its own.`;
  }

  groups(): Groups {
    const unnamed = this.#order.flatMap((name, index) => (name === undefined ? [index + 1] : []));
    const named = this.#order.flatMap((name, index) => (name === undefined ? [] : [index + 1]));
    const byNumber = [...unnamed, ...named];
    const byName = new Map(
      this.#order.flatMap((name, index) => (name === undefined ? [] : [[name, index + 1] as const])),
    );
    return {
      names: [...byName.keys()],
      indexOf: (name) => byName.get(name) ?? (/^\d+$/.test(name) ? byNumber[Number(name) - 1] : undefined),
    };
  }

  #group(): string | undefined {
    const rest = this.#source.slice(this.#at);
    if (!rest.startsWith("(?")) {
      this.#order.push(undefined);
      return this.#copy("(", "(");
    }
    const kind = GROUP_KINDS.find(({ opens }) => opens.test(rest));
    if (kind) return kind.refused;
    const comment = /^\(\?#[^)]*\)/.exec(rest)?.[0];
    if (comment !== undefined) return this.#copy(comment, "");
    const named = /^\(\?(?:P?<(\w+)>|'(\w+)')/.exec(rest);
    if (named) {
      const name = named[1] ?? named[2] ?? "";
      this.#order.push(name);
      // The engine knows the groups by number; its own rules for names are narrower than .NET's.
      return this.#copy(named[0], "(");
    }
    const options = /^\(\?([imsnx]*)(?:-([imsnx]*))?([:)])/.exec(rest);
    if (!options) return `The group '${rest.slice(0, 6)}' cannot be read.`;
    if (/[nx]/.test(`${options[1]}${options[2] ?? ""}`))
      return "The options n and x are not supported; leave them out.";
    if (options[1]?.includes("i")) this.ignoresCase = true;
    return this.#copy(options[0], options[0]);
  }

  #brackets(): string | undefined {
    this.classWeight++;
    this.#copy("[", "[");
    if (this.#source[this.#at] === "^") this.#copy("^", "^");
    // A bracket right at the beginning is meant as itself.
    if (this.#source[this.#at] === "]") this.#copy("]", "\\]");
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at] ?? "";
      if (char === "]") return this.#copy("]", "]");
      if (char === "\\") {
        const refused = this.#escape(true);
        if (refused !== undefined) return refused;
      } else if (char === "-" && this.#source[this.#at + 1] === "[") {
        return "One class minus another, [a-[b]], is not supported; write the remaining characters.";
      } else if (char === "-" && WIDE_END.test(this.#source.slice(this.#at + 1, this.#at + 2))) {
        this.classWeight += WIDE_RANGE_WEIGHT;
        this.#copy(char, char);
      } else this.#copy(char, char === "[" ? "\\[" : char);
    }
    return "A [ in the pattern is not closed. End it with ], or write \\[ for the character.";
  }

  #escape(inside: boolean): string | undefined {
    const char = this.#source[this.#at + 1];
    if (char === undefined) return "The pattern ends with a backslash.";
    const rest = this.#source.slice(this.#at);
    if (!inside && /^\\(?:[1-9]|k[<'{])/.test(rest))
      return `Back-references, \\1 and \\k<name>, are not supported: ${DO_WITHOUT}.`;
    if (CLASSES[char] || char === "p" || char === "P") this.classWeight += CLASS_WEIGHT[char] ?? 1;
    const known = CLASSES[char];
    if (inside && char === "W") this.classWeight += NOT_WORD_WEIGHT;
    if (known) return this.#copy(rest.slice(0, 2), inside ? known.inside : known.outside);
    const block = /^\\([pP])\{(Is[\w-]+)\}/.exec(rest);
    if (block) return this.#block(block[0], block[1] === "P", block[2] ?? "", inside);
    const unicode = /^\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))/.exec(rest);
    if (unicode) return this.#copy(unicode[0], `\\x{${unicode[1] ?? unicode[2]}}`);
    if (!inside && /[AzZ]/.test(char)) this.anchored = true;
    if (char === "e") return this.#copy("\\e", "\\x{1b}");
    if (char === "Z") return this.#copy("\\Z", "\\z");
    if (char === "G") return "\\G is not supported.";
    if (inside && char === "b") return this.#copy("\\b", "\\x{8}");
    const code = char.charCodeAt(0);
    // A backslash before a sign or before a character beyond ASCII means the character.
    return this.#copy(rest.slice(0, 2), code > 0x7f || char === " " ? char : rest.slice(0, 2));
  }

  #block(taken: string, without: boolean, name: string, inside: boolean): string | undefined {
    const [from, to] = BLOCKS.get(name) ?? [];
    if (from === undefined || to === undefined) {
      return `The block ${name} is not known here.${didYouMean(name, BLOCKS.keys())} Write its characters, as in [\\u0400-\\u04FF].`;
    }
    if (inside && without) return `\\P{${name}} within [ ] is not supported; write its characters.`;
    const range = `\\x{${from}}-\\x{${to}}`;
    return this.#copy(taken, inside ? range : `[${without ? "^" : ""}${range}]`);
  }

  /** Takes what stands here and writes what means the same. */
  #copy(taken: string, written: string): undefined {
    this.#at += taken.length;
    this.out += written;
    return undefined;
  }
}
