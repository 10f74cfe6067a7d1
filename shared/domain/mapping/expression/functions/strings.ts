import type { Call, Evaluator, FunctionSpec } from "../call.ts";
import { boolean } from "../value.ts";
import { normalizeDiacritics } from "./diacritics.ts";
import { isCulture, titleCase, toLower, toUpper } from "./letter-case.ts";

/** Of functions that look at one character after the other. */
const WORK_PER_CHARACTER = 4;

/** One text in, one text out; null stays null. */
function mapped(call: Call, change: (text: string) => string): Evaluator {
  const source = call.text(0);
  return (evaluation) => {
    const text = source(evaluation);
    return text === null ? null : call.bounded(evaluation, change(text));
  };
}

const unary = (name: string, change: (text: string) => string): FunctionSpec => ({
  name,
  params: ["source"],
  compile: (call) => mapped(call, change),
});

function cased(name: string, change: (text: string, culture: string | undefined) => string): FunctionSpec {
  const wrong = (culture: string) => `'${culture}' is no culture. Write it as in en-US.`;
  return {
    name,
    params: ["source", "culture?"],
    compile: (call) => {
      const constant = call.constant(1);
      if (constant !== undefined && !isCulture(constant)) {
        call.diagnostics.error("InvalidArgument", wrong(constant), call.atOf(1));
        return () => null;
      }
      if (!call.has(1) || constant !== undefined) return mapped(call, (text) => change(text, constant || undefined));
      const [source, culture] = [call.text(0), call.text(1)];
      return (evaluation) => {
        const [text, wanted] = [source(evaluation), culture(evaluation) ?? ""];
        if (!isCulture(wanted)) return call.fail("InvalidArgument", wrong(wanted));
        return text === null ? null : call.bounded(evaluation, change(text, wanted || undefined));
      };
    },
  };
}

const append = (name: string, params: readonly string[]): FunctionSpec => ({
  name,
  params,
  compile: (call) => {
    const [first, second] = [call.textOrEmpty(0), call.textOrEmpty(1)];
    return (evaluation) => call.bounded(evaluation, first(evaluation) + second(evaluation));
  },
});

const left: FunctionSpec = {
  name: "Left",
  params: ["string", "numChars"],
  compile: (call) => {
    const [source, count] = [call.textOrEmpty(0), call.integer(1)];
    return (evaluation) => {
      const [text, wanted] = [source(evaluation), count(evaluation)];
      return wanted < 0 ? text : text.slice(0, wanted);
    };
  },
};

const mid: FunctionSpec = {
  name: "Mid",
  params: ["source", "start", "length"],
  compile: (call) => {
    const [source, start, length] = [call.textOrEmpty(0), call.integer(1), call.integer(2)];
    return (evaluation) => {
      const [text, from, count] = [source(evaluation), start(evaluation), length(evaluation)];
      if (from < 1) call.fail("InvalidArgument", `Mid counts from 1; start is ${from}.`);
      if (count < 0) call.fail("InvalidArgument", `Mid cannot take ${count} characters.`);
      return text.slice(from - 1, from - 1 + count);
    };
  },
};

const inStr: FunctionSpec = {
  name: "InStr",
  // As in the expression for a group's organizational unit: `how-to-attribute-mapping-entra-to-active-directory.md`.
  alsoSpelled: ["Instr"],
  params: ["value1", "value2", "start?", "compareType?"],
  identifiers: { 3: ["vbTextCompare", "vbBinaryCompare"] },
  compile: (call) => {
    const [where, what, start] = [call.textOrEmpty(0), call.textOrEmpty(1), call.integer(2, 1)];
    const folded = call.args[3]?.identifier === "vbTextCompare";
    return (evaluation) => {
      const from = start(evaluation);
      if (from < 1) call.fail("InvalidArgument", `InStr counts from 1; start is ${from}.`);
      const [text, wanted] = [where(evaluation), what(evaluation)];
      evaluation.spend(text.length, call.at + 1);
      // Beyond the end nothing is found, not even the empty text.
      if (from > text.length) return "0";
      return String((folded ? toUpper(text).indexOf(toUpper(wanted), from - 1) : text.indexOf(wanted, from - 1)) + 1);
    };
  },
};

const word: FunctionSpec = {
  name: "Word",
  params: ["string", "wordNumber", "delimiters"],
  compile: (call) => {
    const [source, number, delimiters] = [call.textOrEmpty(0), call.integer(1), call.textOrEmpty(2)];
    return (evaluation) => {
      const [text, wanted, separators] = [source(evaluation), number(evaluation), delimiters(evaluation)];
      const separates = new Set(separators);
      evaluation.spend(WORK_PER_CHARACTER * text.length, call.at + 1);
      let found = 0;
      let begin = -1;
      for (let at = 0; at <= text.length && wanted > 0; at++) {
        const char = text[at];
        if (char !== undefined && !separates.has(char)) {
          if (begin < 0) begin = at;
          continue;
        }
        if (begin >= 0 && ++found === wanted) return text.slice(begin, at);
        begin = -1;
      }
      return "";
    };
  },
};

const pCase: FunctionSpec = {
  name: "PCase",
  params: ["source", "wordSeparators?"],
  compile: (call) => {
    const [source, separators] = [call.text(0), call.text(1)];
    return (evaluation) => {
      const text = source(evaluation);
      if (text === null) return null;
      evaluation.spend(WORK_PER_CHARACTER * text.length, call.at + 1);
      return call.bounded(evaluation, titleCase(text, separators(evaluation) ?? undefined));
    };
  },
};

const trim: FunctionSpec = {
  name: "Trim",
  params: ["value"],
  compile: (call) => {
    const source = call.value(0);
    return (evaluation) => {
      const value = source(evaluation);
      if (Array.isArray(value)) return value.map((element: string) => element.trim());
      return call.one(value)?.trim() ?? null;
    };
  },
};

const len: FunctionSpec = {
  name: "Len",
  params: ["string"],
  compile: (call) => {
    const source = call.textOrEmpty(0);
    return (evaluation) => String(source(evaluation).length);
  },
};

const isString: FunctionSpec = {
  name: "IsString",
  params: ["expression"],
  compile: (call) => {
    const source = call.value(0);
    return (evaluation) => {
      const value = source(evaluation);
      return boolean(value !== null && !Array.isArray(value));
    };
  },
};

export const STRINGS: readonly FunctionSpec[] = [
  append("Append", ["source", "suffix"]),
  append("Prepend", ["prefix", "source"]),
  left,
  mid,
  len,
  inStr,
  word,
  pCase,
  trim,
  isString,
  unary("StripSpaces", (text) => text.replaceAll(" ", "")),
  unary("NormalizeDiacritics", normalizeDiacritics),
  cased("ToLower", toLower),
  cased("ToUpper", toUpper),
];
