import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sourceView } from "../shared/domain/mapping/attributes.ts";
import { compileMappings, DEFAULT_ATTRIBUTES, defaultMappings, type Mapper } from "../shared/domain/mapping/map.ts";
import { compileScopingFilter } from "../shared/domain/scoping-filter.ts";
import type { SourceUser } from "../shared/domain/user.ts";
import { type Bench, type Measurement, percentile } from "./bench.ts";
import { HOSTILE } from "./hostile/texts.ts";

const USERS = 200;
const WARM_UP_MS = 300;
const MEASURED_MS = 1_000;
const USERS_PER_SECOND = 50_000;
const USERS_WITH_DATES_PER_SECOND = 10_000;
const SCOPES_PER_SECOND = 500_000;
const CLAUSES = 20;
const HOSTILE_MS = 50;
const TRIES = 4;
const COLD = fileURLToPath(new URL("./hostile/cold.ts", import.meta.url));
/** The second half of a run against its first: what grows with the number of evaluations shows here. */
const GROWTH_MAX = 1.5;

/** Their values are a name, a blank and a number: every clause below holds, so that none is left out. */
const UNTOUCHED = ["city", "state", "postalCode", "streetAddress", "officeLocation"];

/** Ten nested ones, of the kinds that administrators write. */
const STRINGS = [
  'ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.com"))',
  "Append(Mid([givenName], 1, 3), Mid([surname], 1, 5))",
  'Switch(ToLower([department]), "Other", "sales", "S", "engineering", "E", "", "none")',
  'IIF([country]="NO", Join(" ", [surname], [givenName]), Join(" ", [givenName], [surname]))',
  'Coalesce([mailNickname], Left([givenName], 8), "n/a")',
  'PCase(Join(" ", [givenName], [surname]))',
  'Replace(ToLower([mail]), "@contoso.com", , , "", , )',
  'IgnoreFlowIfNullOrEmpty(Trim(Word([displayName], 2, " ")))',
  'Join(", ", "", ToUpper([surname]), Trim([givenName]), [city])',
  'IIF(InStr([mail], "@contoso.com") > 0, Append("c-", ToLower([employeeId])), "external")',
];
const DATES_AND_PATTERNS = [
  'FormatDateTime([employeeHireDate], , "yyyy-MM-ddTHH:mm:ssZ", "dd.MM.yyyy")',
  'FormatDateTime([employeeHireDate], , "yyyy-MM-ddTHH:mm:ssZ", "yyyyMMddHHmmss")',
  'Replace([mobilePhone], , "[()\\\\s-]+", , "", , )',
  'Replace([mobilePhone], , "^\\\\+(?<country>\\\\d+) (?<number>.*)$", , "$' + '{number}", , )',
];

const EXPRESSION_TARGETS = Array.from(
  { length: STRINGS.length + DATES_AND_PATTERNS.length },
  (_, index) => `onPremisesExtensionAttributes.extensionAttribute${index + 1}`,
);

/** As jobs have it: the default set, and these expressions. */
function mapperOf(expressions: readonly string[]): Mapper {
  const compiled = compileMappings([
    ...defaultMappings({ crossCloud: false, manager: true, unlisted: false }),
    ...expressions.map((expression, index) => ({ target: EXPRESSION_TARGETS[index] ?? "", expression })),
  ]);
  if (!compiled.ok) throw new Error(compiled.mistakes.map(({ problem }) => problem).join(" "));
  return compiled.mapper;
}

const MOMENT = { now: 0, randomBytes: (count: number) => new Uint8Array(count) };

const people = (): SourceUser[] =>
  Array.from({ length: USERS }, (_, index) => ({
    id: `${index}`,
    userPrincipalName: `John.Smith${index}@contoso.com`,
    mail: `John.Smith${index}@contoso.com`,
    userType: "Member",
    creationType: null,
    accountEnabled: true,
    managerId: undefined,
    attributes: {
      ...Object.fromEntries(DEFAULT_ATTRIBUTES.map((name) => [name, `${name} ${index}`])),
      employeeId: `${index}`,
      businessPhones: ["+1 (555) 123-4567"],
      givenName: index % 3 === 0 ? "Zoë" : "John",
      surname: `Smith${index}`,
      displayName: `John Smith${index}`,
      department: index % 2 === 0 ? "Sales" : "Engineering",
      country: index % 4 === 0 ? "NO" : "US",
      mobilePhone: "+1 (555) 123-4567",
      employeeHireDate: "2026-01-05T08:30:00Z",
    },
  }));

/** How many a second, and how much slower the second half was than the first. */
function rate(work: (index: number) => void): { perSecond: number; growth: number } {
  const during = (ms: number): number => {
    const since = performance.now();
    let done = 0;
    while (performance.now() - since < ms) {
      for (let index = 0; index < USERS; index++) work(index);
      done += USERS;
    }
    return (done * 1000) / (performance.now() - since);
  };
  during(WARM_UP_MS);
  const [first, second] = [during(MEASURED_MS / 2), during(MEASURED_MS / 2)];
  return { perSecond: (first + second) / 2, growth: first / second };
}

const measured = (work: string, unit: string, least: number, run: (index: number) => void): Measurement => ({
  bench: "expressions",
  work,
  unit,
  figures: rate(run),
  bounds: { perSecond: { least }, growth: { most: GROWTH_MAX } },
});

async function run(): Promise<readonly Measurement[]> {
  const users = people();
  const views = users.map(sourceView);
  const mapping = (expressions: readonly string[]) => {
    const mapper = mapperOf(expressions);
    for (const user of users) {
      const wished = mapper.wishes(user, MOMENT, "update");
      if (wished.kind === "failed") throw new Error(`${wished.target}: ${wished.message}`);
    }
    return (index: number) => {
      const user = users[index];
      if (user) mapper.wishes(user, MOMENT, "update");
    };
  };
  const scope = compileScopingFilter({
    groups: [
      {
        name: "all hold",
        clauses: Array.from({ length: CLAUSES }, (_, index) => ({
          sourceOperandName: UNTOUCHED[index % UNTOUCHED.length] ?? "",
          operatorName: ["NOT EQUALS", "IS NOT NULL", "Includes", "!&"][index % 4] ?? "",
          targetOperand: { values: index % 4 === 1 ? [] : [index % 4 === 2 ? " " : "nowhere"] },
        })),
      },
    ],
  });
  if (!scope.ok) throw new Error(scope.errors.map(({ message }) => message).join(" "));
  if (!views.every((view) => scope.inScope(view))) throw new Error("not every clause is looked at");
  return [
    measured("default mappings and ten nested string expressions", "users/s", USERS_PER_SECOND, mapping(STRINGS)),
    measured(
      "the same with two FormatDateTime and two pattern Replace",
      "users/s",
      USERS_WITH_DATES_PER_SECOND,
      mapping([...STRINGS, ...DATES_AND_PATTERNS]),
    ),
    measured(`a scope of ${CLAUSES} clauses`, "evaluations/s", SCOPES_PER_SECOND, (index) => {
      scope.inScope(views[index] ?? {});
    }),
    await hostile(),
  ];
}

/** Every hostile text in a process of its own, so that nothing is warm; the best of some tries, because others work here too. */
async function hostile(): Promise<Measurement> {
  const times = [];
  for (const name of Object.keys(HOSTILE)) {
    let least = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && least > HOSTILE_MS; tries++) {
      const { stdout } = await promisify(execFile)(process.execPath, [COLD, name]);
      least = Math.min(least, Number(stdout));
    }
    times.push(least);
  }
  return {
    bench: "expressions",
    work: `the slowest of ${times.length} hostile texts of 10,000 characters, the first time in a process`,
    unit: "ms",
    figures: { slowest: Math.max(...times), p50: percentile(times, 0.5) },
    bounds: { slowest: { most: HOSTILE_MS } },
  };
}

/** The expression language and scoping filters, on one core. */
export const expressions: Bench = { name: "expressions", run };
