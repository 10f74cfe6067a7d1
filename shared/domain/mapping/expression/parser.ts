import type { Diagnostics } from "./diagnostics.ts";
import { DEPTH_MAX } from "./limits.ts";
import { COMPARISONS, type Comparison, type Node } from "./tree.ts";

const BLANK = /[ \t\r\n\u00a0]/;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[+-]?\d+(?:\.\d+)?(?![\w.])/y;
const HEXADECIMAL = /&[Hh]([0-9A-Fa-f]+)(?!\w)/y;

/** Of other languages, and of word processors. */
const OTHER_QUOTES = "'‘’“”„«»`";

/** Unwinds to the argument in which the text stopped making sense; the next argument is read again. */
class SyntaxStop {}

/**
 * Text to tree. Every mistake goes into `diagnostics`; after one, reading goes on with the next argument, so that all
 * of them are found at once. `undefined`: there is nothing to compile.
 */
export function parse(text: string, diagnostics: Diagnostics): Node | undefined {
  return new Parser(text, diagnostics).whole();
}

class Parser {
  #offset = 0;
  #depth = 0;
  readonly #text: string;
  readonly #diagnostics: Diagnostics;

  constructor(text: string, diagnostics: Diagnostics) {
    this.#text = text;
    this.#diagnostics = diagnostics;
  }

  whole(): Node | undefined {
    const start = this.#blanks();
    if (start === this.#text.length) {
      this.#diagnostics.error("SyntaxError", "The expression is empty. Write a call, such as ToLower([mail]).", 0);
      return undefined;
    }
    try {
      const node = this.#value();
      if (this.#blanks() < this.#text.length) {
        this.#stop(`Nothing may follow the expression, but ${this.#here()} does. Remove it.`);
      }
      return node;
    } catch (stop) {
      if (stop instanceof SyntaxStop) return undefined;
      throw stop;
    }
  }

  /** comparison := concatenation [ operator concatenation ] */
  #value(): Node {
    const left = this.#concatenation();
    const at = this.#blanks();
    const operator = this.#operator();
    if (operator === undefined) return left;
    const right = this.#concatenation();
    const next = this.#blanks();
    if (this.#operator() !== undefined) {
      this.#offset = next;
      this.#stop("A comparison has two sides. For AND and OR, put one IIF into another.");
    }
    return { type: "comparison", operator, left, right, at };
  }

  #operator(): Comparison | undefined {
    for (const length of [2, 1]) {
      const text = this.#text.slice(this.#offset, this.#offset + length);
      const operator = COMPARISONS.find((known) => known === text);
      if (operator !== undefined) {
        this.#offset += length;
        return operator;
      }
    }
    return undefined;
  }

  #concatenation(): Node {
    const first = this.#operand();
    if (this.#text[this.#blanks()] !== "&") return first;
    const parts = [first];
    while (this.#text[this.#blanks()] === "&") {
      this.#offset++;
      parts.push(this.#operand());
    }
    return { type: "concatenation", parts, at: first.at };
  }

  #operand(): Node {
    const at = this.#blanks();
    const char = this.#text[at];
    if (char === '"') return { type: "text", value: this.#string(), at };
    if (char === "[") return this.#attribute();
    if (char !== undefined && OTHER_QUOTES.includes(char))
      this.#stop('Strings are written in double quotation marks: "text".');
    const hexadecimal = this.#match(HEXADECIMAL);
    if (hexadecimal) return { type: "number", value: BigInt(`0x${hexadecimal[1]}`).toString(), at };
    const number = this.#match(NUMBER);
    if (number) return { type: "number", value: number[0], at };
    const name = this.#match(NAME)?.[0];
    if (name !== undefined) {
      return this.#text[this.#blanks()] === "(" ? this.#call(name, at) : { type: "identifier", name, at };
    }
    return this.#stop(
      at === this.#text.length
        ? "The expression ends where a value is expected. Complete it."
        : `A value is expected, not ${this.#here()}. Values are [attribute], "text", numbers and calls.`,
    );
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#text);
    if (match) this.#offset += match[0].length;
    return match;
  }

  /** `\\` and `\"` are escapes; a backslash before anything else stays, as patterns are documented in both forms. */
  #string(): string {
    const start = this.#offset;
    let value = "";
    let from = start + 1;
    for (let at = from; at < this.#text.length; at++) {
      const char = this.#text[at];
      if (char === '"') {
        this.#offset = at + 1;
        return value + this.#text.slice(from, at);
      }
      const next = this.#text[at + 1];
      if (char === "\\" && (next === "\\" || next === '"')) {
        value += this.#text.slice(from, at) + next;
        from = at + 2;
        at++;
      }
    }
    return this.#stop(
      'This string is not closed. End it with ", and write \\" for a quotation mark within it.',
      start,
      true,
    );
  }

  #attribute(): Node {
    const at = this.#offset;
    const end = this.#text.indexOf("]", at);
    if (end < 0) this.#stop("This attribute is not closed. End it with ].", at, true);
    const name = this.#text.slice(at + 1, end);
    this.#offset = end + 1;
    if (name.trim() === "") this.#diagnostics.error("SyntaxError", "Name the attribute between [ and ].", at);
    return { type: "attribute", name, at };
  }

  #call(name: string, at: number): Node {
    if (++this.#depth > DEPTH_MAX) {
      this.#diagnostics.error("ExpressionTooDeep", `Calls may be nested ${DEPTH_MAX} deep. Use fewer levels.`, at);
      this.#offset = this.#text.length;
      throw new SyntaxStop();
    }
    const open = this.#offset++;
    const args: (Node | undefined)[] = [];
    for (;;) {
      args.push(this.#argument());
      const char = this.#text[this.#blanks()];
      if (char === undefined) {
        // Told once: the calls around it are open for the same reason.
        if (!this.#diagnostics.errors.some(({ code }) => code === "SyntaxError" || code === "ExpressionTooDeep")) {
          this.#diagnostics.error("SyntaxError", `The arguments of ${name} are not closed. End them with ).`, open);
        }
        this.#depth--;
        return { type: "call", name, args, closed: false, at };
      }
      this.#offset++;
      if (char === ")") break;
    }
    this.#depth--;
    return { type: "call", name, args: args.length === 1 && args[0] === undefined ? [] : args, closed: true, at };
  }

  /** Leaves the offset before `,` or `)` or at the end. */
  #argument(): Node | undefined {
    const at = this.#blanks();
    const char = this.#text[at];
    if (char === "," || char === ")") return undefined;
    const depth = this.#depth;
    try {
      const node = this.#value();
      const next = this.#text[this.#blanks()];
      if (next !== undefined && next !== "," && next !== ")") {
        this.#stop(`A comma or ) is expected before ${this.#here()}.`);
      }
      return node;
    } catch (stop) {
      if (!(stop instanceof SyntaxStop)) throw stop;
      this.#depth = depth;
      this.#skipArgument();
      return { type: "broken", at };
    }
  }

  #skipArgument(): void {
    let open = 0;
    for (; this.#offset < this.#text.length; this.#offset++) {
      const char = this.#text[this.#offset];
      if (char === "(") open++;
      else if (char === ")" && open-- === 0) return;
      else if (char === "," && open === 0) return;
      else if (char === '"' || char === "[") {
        const end = this.#text.indexOf(char === '"' ? '"' : "]", this.#offset + 1);
        if (end < 0) this.#offset = this.#text.length;
        else this.#offset = end;
      }
    }
  }

  #here(): string {
    return `'${[...this.#text.slice(this.#offset, this.#offset + 12)].slice(0, 8).join("")}'`;
  }

  #blanks(): number {
    while (BLANK.test(this.#text[this.#offset] ?? "")) this.#offset++;
    return this.#offset;
  }

  #stop(message: string, at: number = this.#offset, toTheEnd = false): never {
    this.#diagnostics.error("SyntaxError", message, at);
    if (toTheEnd || this.#diagnostics.full) this.#offset = this.#text.length;
    throw new SyntaxStop();
  }
}
