import type { Checkpoint } from "../../shared/pipeline/world.ts";

/** What may happen to a stream of a source, and what follows for its checkpoint in each phase. */

export type PageState = "absent" | Checkpoint["phase"];
const STATES: Readonly<Record<PageState, true>> = { absent: true, idle: true, reading: true, links: true };
export const PAGE_STATES = Object.keys(STATES) as PageState[];

export const PAGE_EVENTS = [
  "sweepAsked",
  "sweepAskedUnderOtherRules",
  "sweepAskedAndNoGroupIsLeft",
  "page",
  "lastPage",
  "lastPageOfFullRound",
  "lastPageAndAskedBefore",
  "structureChanged",
  "tokenReset",
  "tooEarly",
  "pageBehind",
  "pageOfAnotherRun",
  "movedMeanwhile",
  "askedMeanwhile",
  "readingFails",
  "messageLost",
] as const;
export type PageEvent = (typeof PAGE_EVENTS)[number];

/** `sends`: the message that follows. `full`: everything is read; `again`: another run follows this one. */
export type PageCell =
  | { next: PageState; sends: "page" | "sweep" | "nothing"; full?: true; again?: true }
  | { never: string };

const to = (
  next: PageState,
  sends: "page" | "sweep" | "nothing",
  marks: { full?: true; again?: true } = {},
): PageCell => ({ next, sends, ...marks });
const never = (why: string): PageCell => ({ never: why });
const nothing = (state: PageState): PageCell => to(state, "nothing");

const NO_RUN = "no run goes on";
const LINKS_ONLY = "only links wait for replicas";
const NO_PAGES = "no page of Graph is read while links are gone through";
const again = { again: true } as const;
const full = { full: true } as const;

type Row = readonly [absent: PageCell, idle: PageCell, reading: PageCell, links: PageCell];
const dropped = [nothing("absent"), nothing("idle")] as const;
const noted: readonly [PageCell, PageCell] = [to("reading", "page", again), to("links", "page", { ...full, ...again })];

const ROWS: Readonly<Record<PageEvent, Row>> = {
  sweepAsked: [to("reading", "page", full), to("reading", "page"), ...noted],
  sweepAskedUnderOtherRules: [never("there are no rules before"), to("reading", "page", full), ...noted],
  sweepAskedAndNoGroupIsLeft: [nothing("absent"), nothing("absent"), ...noted],
  page: [...dropped, to("reading", "page"), to("links", "page", full)],
  lastPage: [...dropped, nothing("idle"), to("idle", "nothing", full)],
  lastPageOfFullRound: [...dropped, to("links", "page", full), never(NO_PAGES)],
  lastPageAndAskedBefore: [...dropped, to("idle", "sweep", again), to("idle", "sweep", { ...full, ...again })],
  structureChanged: [...dropped, to("idle", "sweep", again), never(NO_PAGES)],
  tokenReset: [...dropped, to("reading", "page", full), never(NO_PAGES)],
  tooEarly: [never(LINKS_ONLY), never(LINKS_ONLY), never(LINKS_ONLY), to("links", "page", full)],
  pageBehind: [...dropped, to("reading", "page"), to("links", "page", full)],
  pageOfAnotherRun: [...dropped, nothing("reading"), to("links", "nothing", full)],
  movedMeanwhile: [nothing("reading"), nothing("reading"), nothing("reading"), to("links", "nothing", full)],
  askedMeanwhile: [
    never(NO_RUN),
    to("reading", "page", again),
    to("reading", "page", again),
    to("idle", "sweep", { ...full, ...again }),
  ],
  readingFails: [nothing("absent"), nothing("idle"), nothing("reading"), to("links", "nothing", full)],
  messageLost: [to("absent", "sweep"), to("idle", "sweep"), to("reading", "sweep"), to("links", "sweep", full)],
};

export const pageCell = (state: PageState, event: PageEvent): PageCell =>
  ROWS[event][PAGE_STATES.indexOf(state)] as PageCell;
