import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NEXT_HEALTH } from "../../shared/domain/job-state.ts";
import { NEXT_SET } from "../../shared/domain/limits.ts";
import { NEXT } from "../../shared/domain/link.ts";
import { CLAIM_EVENTS, CLAIM_STATES, type ClaimEvent, type ClaimState, claimCell } from "./claims.ts";
import { APP_EVENTS, type AppEvent, appCell, FINDINGS, type Finding, LINK_STATES, linkCell } from "./links.ts";
import { PAGE_EVENTS, PAGE_STATES, type PageEvent, type PageState, pageCell } from "./pages.ts";

/** `docs/states.md` has every cell, says what the code does, and names tests that are there. */
const page = readFileSync("docs/states.md", "utf8");

interface Expected {
  states: readonly string[];
  events: readonly string[];
  /** What a cell says, without its keys. */
  cell: (state: string, event: string) => string | { never: string };
}

function tableOf(next: Readonly<Record<string, Readonly<Record<string, string>>>>): Expected {
  const states = Object.keys(next);
  const told = (state: string, event: string) => {
    const after = next[state]?.[event];
    return after === state ? "stays" : `\`${after}\``;
  };
  return { states, events: Object.keys(next[states[0] ?? ""] ?? {}), cell: told };
}

function foundByLooks(state: string, event: string) {
  const cell = linkCell(state as (typeof LINK_STATES)[number], event as Finding);
  return "never" in cell ? cell : `${cell.plan} → \`${cell.next}\``;
}

function ofApp(state: string, event: string) {
  const next = appCell(state as (typeof LINK_STATES)[number], event as AppEvent);
  return next === state ? "stays" : `\`${next}\``;
}

function ofClaims(state: string, event: string) {
  const cell = claimCell(state as ClaimState, event as ClaimEvent);
  return "never" in cell ? cell : `${cell.told} → \`${cell.next}\``;
}

function ofPages(state: string, event: string) {
  const cell = pageCell(state as PageState, event as PageEvent);
  if ("never" in cell) return cell;
  const sends = cell.sends === "nothing" ? [] : [`sends ${cell.sends}`];
  return [`\`${cell.next}\``, ...sends, ...(cell.full ? ["full"] : []), ...(cell.again ? ["again"] : [])].join(", ");
}

const TABLES: Readonly<Record<string, Expected>> = {
  "### Steps of a link": tableOf(NEXT),
  "### What a look finds": { states: LINK_STATES, events: FINDINGS, cell: foundByLooks },
  "### What happens to the app": { states: LINK_STATES, events: APP_EVENTS, cell: ofApp },
  "## Claims": { states: CLAIM_STATES, events: CLAIM_EVENTS, cell: ofClaims },
  "## Limit sets": tableOf(NEXT_SET),
  "## Job health": tableOf(NEXT_HEALTH),
  "## Pages": { states: PAGE_STATES, events: PAGE_EVENTS, cell: ofPages },
};

const unquoted = (text: string) => text.replaceAll("`", "");
const columns = (line: string) =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/** The text from a heading to the next one. */
function sectionOf(heading: string): string {
  const [, after] = page.split(`\n${heading}\n`);
  if (after === undefined) throw new Error(`the page has no "${heading}"`);
  return after.split(/\n##+ /)[0] ?? "";
}

function read(heading: string) {
  const section = sectionOf(heading);
  const [head = [], , ...rows] = (/\n\| event \|[\s\S]*?(?=\n\n|$)/.exec(`\n${section}`)?.[0] ?? "")
    .trim()
    .split("\n")
    .map(columns);
  const reasons = new Map([...section.matchAll(/^- \((\w)\) (.*)$/gm)].map(([, key = "", why = ""]) => [key, why]));
  const tests = new Map(
    [...section.matchAll(/^- \[(\w+)\] `(test\/[\w/.-]+\.test\.ts)`: (.+)$/gm)].map(
      ([, key = "", file = "", title = ""]) => [key, { file, title }] as const,
    ),
  );
  const cells = rows.flatMap(([event = "", , ...told]) =>
    told.map((text, index) => {
      const [, what = "", keys = ""] = /^(.*?) ?((?:\[\w+\])*)$/.exec(text) ?? [];
      const never = /^cannot be \((\w)\)$/.exec(what);
      return {
        state: unquoted(head[index + 2] ?? ""),
        event: unquoted(event),
        says: never ? { never: reasons.get(never[1] ?? "") } : what,
        keys: [...keys.matchAll(/\[(\w+)\]/g)].map(([, key = ""]) => key),
      };
    }),
  );
  return {
    section,
    states: head.slice(2).map(unquoted),
    events: rows.map(([event = ""]) => unquoted(event)),
    cells,
    tests,
    reasons,
  };
}

describe.each(Object.entries(TABLES))("%s", (heading, { states, events, cell }) => {
  const told = read(heading);

  test("has the states and the events of the code, and a cell for each of them", () => {
    expect(told.states).toEqual(states);
    expect(told.events).toEqual(events);
    expect(told.cells).toHaveLength(states.length * events.length);
  });

  test("says what the code does", () => {
    const said = told.cells.map(({ state, event, says }) => ({ state, event, says }));
    expect(said).toEqual(told.cells.map(({ state, event }) => ({ state, event, says: cell(state, event) })));
  });

  test("names a test for every cell, or why there is none, and nothing else", () => {
    for (const { state, event, says, keys } of told.cells) {
      expect(keys.length > 0, `${state}, ${event}`).toBe(typeof says === "string");
      for (const key of keys) expect(told.tests.has(key), `[${key}] of ${state}, ${event}`).toBe(true);
    }
    const used = new Set(told.cells.flatMap(({ keys }) => keys));
    expect([...told.tests.keys()].filter((key) => !used.has(key))).toEqual([]);
    const reasons = new Set(told.cells.flatMap(({ says }) => (typeof says === "string" ? [] : [says.never])));
    expect(new Set(told.reasons.values())).toEqual(reasons);
  });

  test.each([...told.tests.values()])("$file: $title", ({ file, title }) => {
    expect(existsSync(file)).toBe(true);
    const text = readFileSync(file, "utf8").replace(/\\(["'`])/g, "$1");
    expect(text.includes(title), `${file} has no "${title}"`).toBe(true);
  });
});

test("every state is explained", () => {
  const explained = [...page.matchAll(/^\| `(\w+)` \| [^|]+ \|$/gm)].map(([, state = ""]) => state);
  const states = ["### What a look finds", "## Claims", "## Limit sets", "## Job health", "## Pages"];
  expect(explained).toEqual(states.flatMap((heading) => TABLES[heading]?.states ?? []));
});

test("models that the page names are there", () => {
  for (const [, file = ""] of page.matchAll(/`(test\/model\/[\w.]+)`/g)) expect(existsSync(file), file).toBe(true);
});
