import { type FunctionSpec, told } from "../call.ts";

const INTEGER = /^[+-]?\d{1,40}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const ENCODINGS = { Unicode: "utf16le", UTF8: "utf8", ASCII: "latin1" } as const;
type Encoding = keyof typeof ENCODINGS;
const isEncoding = (name: string | undefined): name is Encoding => name !== undefined && name in ENCODINGS;

const bitAnd: FunctionSpec = {
  name: "BitAnd",
  params: ["value1", "value2"],
  compile: (call) => {
    const sides = [call.text(0), call.text(1)] as const;
    return (evaluation) => {
      const [a, b] = sides.map((side) => {
        const text = side(evaluation);
        if (text === null || !INTEGER.test(text))
          return call.fail("InvalidNumber", `BitAnd needs whole numbers, not ${told(text)}.`);
        return BigInt(text.replace("+", ""));
      });
      return ((a ?? 0n) & (b ?? 0n)).toString();
    };
  },
};

const convertFromBase64: FunctionSpec = {
  name: "ConvertFromBase64",
  params: ["source", "encoding?"],
  identifiers: { 1: Object.keys(ENCODINGS) },
  compile: (call) => {
    const named = call.args[1]?.identifier;
    const encoding = ENCODINGS[isEncoding(named) ? named : "Unicode"];
    const source = call.text(0);
    return (evaluation) => {
      const text = source(evaluation);
      if (text === null) return null;
      if (!BASE64.test(text)) return call.fail("InvalidBase64", `${told(text)} is not Base64.`);
      const decoded = Buffer.from(text, "base64").toString(encoding);
      // As .NET reads bytes that are not ASCII.
      return call.bounded(evaluation, encoding === "latin1" ? decoded.replace(/[\x80-\xff]/g, "?") : decoded);
    };
  },
};

const stringFromSid: FunctionSpec = {
  name: "StringFromSid",
  params: ["objectSid"],
  compile: (call) => {
    const source = call.text(0);
    return (evaluation) => {
      const text = source(evaluation);
      if (text === null) return null;
      const bytes = BASE64.test(text) ? Buffer.from(text, "base64") : Buffer.alloc(0);
      // Revision, number of sub-authorities, authority of six bytes, then four bytes each.
      if (bytes.length < 8 || bytes.length !== 8 + 4 * (bytes[1] ?? 0)) {
        return call.fail("InvalidBase64", `${told(text)} is no security identifier in Base64.`);
      }
      const parts = Array.from({ length: bytes[1] ?? 0 }, (_, index) => bytes.readUInt32LE(8 + 4 * index));
      return ["S", bytes[0], bytes.readUIntBE(2, 6), ...parts].join("-");
    };
  },
};

const dnComponent: FunctionSpec = {
  name: "DNComponent",
  params: ["dn", "componentNumber"],
  compile: (call) => {
    const [dn, number] = [call.text(0), call.integer(1)];
    return (evaluation) => {
      const [text, wanted] = [dn(evaluation), number(evaluation)];
      if (text === null) return null;
      evaluation.spend(text.length, call.at + 1);
      const component = text.match(/(?:\\.|[^,\\])+/g)?.[wanted - 1];
      if (component === undefined) return call.fail("IndexOutOfRange", `${told(text)} has no component ${wanted}.`);
      return component
        .slice(component.indexOf("=") + 1)
        .trim()
        .replace(/\\(.)/g, "$1");
    };
  },
};

export const CONVERSION: readonly FunctionSpec[] = [
  bitAnd,
  convertFromBase64,
  stringFromSid,
  dnComponent,
  {
    name: "CStr",
    params: ["value"],
    compile: (call) => call.text(0),
  },
  {
    // Part of an example of DNComponent: text as a reference. References are text here already.
    name: "CRef",
    params: ["value"],
    compile: (call) => call.text(0),
  },
  {
    name: "ConvertToBase64",
    params: ["source"],
    compile: (call) => {
      const source = call.text(0);
      return (evaluation) => {
        const text = source(evaluation);
        return text === null ? null : call.bounded(evaluation, Buffer.from(text, "utf16le").toString("base64"));
      };
    },
  },
  {
    name: "ConvertToUTF8Hex",
    params: ["source"],
    compile: (call) => {
      const source = call.text(0);
      return (evaluation) => {
        const text = source(evaluation);
        return text === null ? null : call.bounded(evaluation, Buffer.from(text, "utf8").toString("hex").toUpperCase());
      };
    },
  },
];
