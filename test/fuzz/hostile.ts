import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as z from "zod";

/** Hostile inputs, and the count of those that were tried, by kind. Small recorded ones lie in `test/fixtures/fuzz`. */

const RECORDED = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync(new URL("../fixtures/fuzz/texts.json", import.meta.url), "utf8")));

/** Too large for a file, made here. */
const MADE: Readonly<Record<string, string>> = {
  deepArrays: "[".repeat(50_000) + "]".repeat(50_000),
  deepObjects: `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
  deepInside: `{"version":1,"value":[${"[".repeat(10_000)}${"]".repeat(10_000)}]}`,
  longString: JSON.stringify({ value: "x".repeat(500_000), version: 1 }),
  longName: `{"${"x".repeat(200_000)}":1}`,
  manyNames: JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n]))),
  longNumber: `{"version":${"9".repeat(100_000)}}`,
  openStrings: '"'.repeat(10_001),
};

export const TEXTS: Readonly<Record<string, string>> = { ...RECORDED, ...MADE };

/** People's names as they are, and as they should not be. */
export const NAMES = [
  "王小明",
  "Ольга Смирнова",
  "محمد عبد الله",
  "דָּוִד",
  "ゆうこ 👩‍💻",
  "Zoë O'Neil-Müller",
  "Nguyễn Thị Minh Khai",
  "аdmin", // the first letter is Cyrillic
  "\u202eadA\u202c", // right-to-left override
  "a/b#c?d\\e",
  "Ada #EXT# Lovelace",
  "=HYPERLINK(1)",
  "<script>alert(1)</script>",
  "'; DROP TABLE users; --",
  "e\u0301".repeat(128), // decomposed, 256 characters
  "𝕬".repeat(128), // 256 UTF-16 units
] as const;

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(...NAMES, "__proto__", "constructor", "\ud800", "", " ", "\u0000", null, true, -0, 1e308),
  fc.uuid(),
);
const KEYS = [
  ..."version tenants jobs value id kind lane userIds sourceTenantId targetTenantId tenantId stream reason attempt noticedAt".split(
    " ",
  ),
  ..."clientState subscriptionId resourceData mappings scope filter groups clauses error @odata.nextLink responses".split(
    " ",
  ),
  ..."synchronizationRules objectMappings attributeMappings source expression user attributes __proto__ constructor prototype".split(
    " ",
  ),
];
const object = fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), value, { maxKeys: 8 });
const nested = fc.oneof(
  object,
  fc.array(object, { maxLength: 4 }),
  fc.dictionary(fc.constantFrom(...KEYS), fc.array(object, { maxLength: 3 })),
);

/** JSON of the words that the product knows, JSON of anything, and text that is nearly JSON. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: nested.map((one) => JSON.stringify(one)) },
  { weight: 2, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  { weight: 1, arbitrary: nested.map((one) => JSON.stringify(one).slice(0, -3)) },
);

const tried: Record<string, number> = {};
/** How many hostile inputs were tried in this process, by kind. */
export const hostileTried = (): Readonly<Record<string, number>> => ({ ...tried });

let slowest = 0;
/** Of the processor, for one input. The benchmark holds it against the second that is promised. */
export const slowestMs = (): number => slowest;

/** Of the processor, so that a busy machine fails no test; who waits for ever meets the time-out of the test. */
const LIMIT_MS = 5_000;

/** Gives one input to what has to bear it. Throws when it takes too long or leaves something in every object. */
export async function bears(kind: string, input: string, take: (text: string) => unknown): Promise<void> {
  tried[kind] = (tried[kind] ?? 0) + 1;
  const before = process.cpuUsage();
  await take(input);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1_000;
  slowest = Math.max(slowest, ms);
  if (ms > LIMIT_MS) throw new Error(`${kind} took ${Math.round(ms)} ms for ${input.slice(0, 200)}`);
  if (Reflect.get({}, "polluted") !== undefined || Reflect.get([], "polluted") !== undefined)
    throw new Error(`${kind} wrote into every object for ${input.slice(0, 200)}`);
}
