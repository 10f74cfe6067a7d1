import type { Call, Evaluation, FunctionSpec } from "../call.ts";

/** Windows password complexity. Source: Microsoft Learn, 'Password must meet complexity requirements'. */
const DIGITS = "0123456789";
const SPECIAL = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/";
const CAPITAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const LENGTH_MAX = 256;
const BYTE_VALUES = 256;
const WORK_PER_CHARACTER = 200;
const WORK_PER_GUID = 3_000;

/** Numbers from the random source, fetched many at a time: each call of a cryptographic one has its price. */
class Chance {
  readonly #evaluation: Evaluation;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 0;

  constructor(evaluation: Evaluation) {
    this.#evaluation = evaluation;
  }

  /** A number below `limit`, each equally likely: bytes that would favour some are thrown away. */
  below(limit: number): number {
    const fair = BYTE_VALUES - (BYTE_VALUES % limit);
    for (;;) {
      const byte = this.#byte();
      if (byte < fair) return byte % limit;
    }
  }

  pick(pool: readonly string[]): string {
    return pool[this.below(pool.length)] ?? "";
  }

  #byte(): number {
    if (this.#next === this.#bytes.length) {
      this.#bytes = this.#evaluation.input.randomBytes(BYTE_VALUES);
      this.#next = 0;
    }
    return this.#bytes[this.#next++] ?? BYTE_VALUES;
  }
}

const randomString: FunctionSpec = {
  name: "RandomString",
  params: [
    "length",
    "minimumNumbers",
    "minimumSpecialCharacters",
    "minimumCapital",
    "minimumLowerCase",
    "charactersToAvoid?",
  ],
  compile: (call) => {
    const counts = [1, 2, 3, 4].map((index) => call.integer(index));
    const [length, avoid] = [call.integer(0), call.textOrEmpty(5)];
    return (evaluation) => {
      const avoided = new Set(avoid(evaluation));
      const pools = [DIGITS, SPECIAL, CAPITAL, LOWER].map((pool) => [...pool].filter((char) => !avoided.has(char)));
      const least = counts.map((count) => count(evaluation));
      const wanted = length(evaluation);
      check(call, wanted, least, pools);
      evaluation.spend(WORK_PER_CHARACTER * wanted, call.at + 1);
      const chance = new Chance(evaluation);
      const chars = pools.flatMap((pool, index) => Array.from({ length: least[index] ?? 0 }, () => chance.pick(pool)));
      // The rest comes from the kinds that were asked for, so that no special character appears unwanted.
      const asked = pools.filter((_, index) => (least[index] ?? 0) > 0).flat();
      const rest = asked.length > 0 ? asked : [pools[0], pools[2], pools[3]].flatMap((pool) => pool ?? []);
      if (chars.length < wanted && rest.length === 0)
        call.fail("InvalidArgument", "charactersToAvoid leaves no character.");
      while (chars.length < wanted) chars.push(chance.pick(rest));
      for (let index = chars.length - 1; index > 0; index--) {
        const other = chance.below(index + 1);
        [chars[index], chars[other]] = [chars[other] ?? "", chars[index] ?? ""];
      }
      return chars.join("");
    };
  },
};

function check(call: Call, length: number, least: readonly number[], pools: readonly (readonly string[])[]): void {
  if (length < 0 || length > LENGTH_MAX)
    call.fail("InvalidArgument", `RandomString makes 0 to ${LENGTH_MAX} characters, not ${length}.`);
  if (least.some((count) => count < 0))
    call.fail("InvalidArgument", "The least numbers of RandomString cannot be negative.");
  const sum = least.reduce((total, count) => total + count, 0);
  if (sum > length)
    call.fail("InvalidArgument", `RandomString: ${length} characters cannot hold the ${sum} that are asked for.`);
  if (least.some((count, index) => count > 0 && pools[index]?.length === 0)) {
    call.fail("InvalidArgument", "charactersToAvoid leaves none of the characters that RandomString is asked for.");
  }
}

const guid: FunctionSpec = {
  name: "Guid",
  params: [],
  compile: (call) => (evaluation) => {
    evaluation.spend(WORK_PER_GUID, call.at + 1);
    const bytes = Buffer.from(evaluation.input.randomBytes(16));
    // RFC 9562: version 4, variant 10.
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = bytes.toString("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  },
};

const defaultDomain: FunctionSpec = {
  name: "DefaultDomain",
  params: [],
  compile: (call) => (evaluation) =>
    evaluation.input.defaultDomain ??
    call.fail("NoDefaultDomain", "The default domain of the source tenant is not known here."),
};

export const GENERATED: readonly FunctionSpec[] = [randomString, guid, defaultDomain];
