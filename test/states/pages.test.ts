import { afterAll, beforeAll, expect, test } from "vitest";
import type { PageMessage } from "../../shared/messages/hint.ts";
import { collectChanges } from "../../shared/pipeline/collect-changes.ts";
import { startSweeps } from "../../shared/pipeline/start-sweeps.ts";
import { type Checkpoint, pairKey, type World } from "../../shared/pipeline/world.ts";
import type { GroupChange, PageNext, SourceChanges } from "../../shared/ports/source-changes.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";
import { PAGE_EVENTS, PAGE_STATES, type PageEvent, type PageState, pageCell } from "./pages.ts";

/** Every phase of a checkpoint × everything that may happen to its stream, played on the tables of a simulated world. */

const STREAM = "groups-0";
const RUN = "run-1";
const SEQ = 5;
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

let c: TwoTenants;
beforeAll(() => {
  c = twoTenants({ seed: 5, timerMs: 0 });
});
afterAll(() => c.world.close());

/** What the tenant answers, and what happens meanwhile. */
interface Answers {
  groups: readonly string[];
  next: PageNext;
  reset: boolean;
  changed: readonly GroupChange[];
  during: () => Promise<void>;
}

interface Stage {
  world: World;
  sent: { queue: string; body: PageMessage }[];
}

function stage(answers: Answers): Stage {
  const [instance] = c.world.instances;
  if (!instance) throw new Error("nobody lives");
  const sent: Stage["sent"] = [];
  const changes: SourceChanges = {
    users: () => Promise.reject(new Error("no users are asked for")),
    async groups() {
      await answers.during();
      const page = { kind: "page", userIds: [], groups: answers.changed, unreadable: 0, next: answers.next } as const;
      return answers.reset ? { kind: "reset" } : page;
    },
    async closure() {
      await answers.during();
      return answers.groups;
    },
    async *transitiveUsers() {},
  };
  const bus: World["bus"] = {
    async send(queue, messages) {
      if (queue !== "pages") return answers.during();
      for (const { body } of messages) sent.push({ queue, body: body as PageMessage });
    },
  };
  return { world: { ...instance.world, changes: () => changes, bus }, sent };
}

const read = async (): Promise<Checkpoint | undefined> =>
  (await c.world.instances[0]?.world.tables.checkpoints.read(c.sourceId, STREAM))?.value;

async function put(checkpoint: Checkpoint | undefined): Promise<void> {
  const { checkpoints } = stage(QUIET).world.tables;
  await (checkpoint ? checkpoints.put(c.sourceId, STREAM, checkpoint) : checkpoints.remove(c.sourceId, STREAM));
}

const QUIET: Answers = {
  groups: ["g1", "g2"],
  next: { kind: "more", link: "next" },
  reset: false,
  changed: [],
  during: async () => {},
};
const LAST: PageNext = { kind: "done", link: "delta" };
const NESTED: GroupChange = { groupId: "g1", removed: false, addedGroupIds: ["g3"], removedGroupIds: [] };

const tellsSweep = (): PageMessage => ({
  version: 1,
  kind: "sweep",
  tenantId: c.sourceId,
  stream: STREAM,
  reason: "operator",
});
const tellsPage = (runId = RUN, seq = SEQ): PageMessage => ({
  version: 1,
  kind: "page",
  tenantId: c.sourceId,
  stream: STREAM,
  runId,
  seq,
});

/** What a stream of these groups tracks under the rules of now. */
async function tracksNow(): Promise<string> {
  await put(undefined);
  await collectChanges(stage(QUIET).world, tellsSweep() as PageMessage & { kind: "sweep" }, SILENT);
  return (await read())?.tracks ?? "";
}

async function checkpointIn(state: PageState): Promise<Checkpoint | undefined> {
  if (state === "absent") return undefined;
  const now = c.world.clock.now();
  const common = { runId: RUN, seq: SEQ, phase: state, link: "link", tracks: await tracksNow() };
  return { ...common, full: state === "links", startedAt: now, touchedAt: now };
}

interface Play {
  answers?: (state: PageState) => Partial<Answers>;
  before?: Partial<Checkpoint>;
  message?: (state: PageState) => PageMessage;
  /** Links that are gone through. */
  links?: number;
  fails?: boolean;
}

const change = (more: Partial<Checkpoint>) => async () => {
  const found = await read();
  if (found) await put({ ...found, ...more });
};
const started: Checkpoint = {
  runId: "run-2",
  seq: 0,
  phase: "reading",
  tracks: "theirs",
  full: false,
  startedAt: 0,
  touchedAt: 0,
};
const once = (act: () => Promise<void>) => {
  let done = false;
  return async () => {
    if (done) return;
    done = true;
    await act();
  };
};
const sweepOrPage = (state: PageState) => (state === "absent" || state === "idle" ? tellsSweep() : tellsPage());

const PLAYS: Readonly<Record<PageEvent, Play>> = {
  sweepAsked: { message: tellsSweep },
  sweepAskedUnderOtherRules: { message: tellsSweep, before: { tracks: "other rules" } },
  sweepAskedAndNoGroupIsLeft: { message: tellsSweep, answers: () => ({ groups: [] }) },
  page: { links: 1_001 },
  lastPage: { answers: () => ({ next: LAST }) },
  lastPageOfFullRound: { answers: () => ({ next: LAST }), before: { full: true } },
  lastPageAndAskedBefore: { answers: () => ({ next: LAST }), before: { again: true } },
  structureChanged: { answers: () => ({ next: LAST, changed: [NESTED] }) },
  tokenReset: { answers: () => ({ reset: true }) },
  tooEarly: { before: { linksAt: Number.MAX_SAFE_INTEGER } },
  pageBehind: { message: () => tellsPage(RUN, SEQ - 1) },
  pageOfAnotherRun: { message: () => tellsPage("run-0") },
  movedMeanwhile: {
    message: sweepOrPage,
    links: 1,
    answers: (state) => ({
      during: once(() => (state === "absent" || state === "idle" ? put(started) : change({ seq: SEQ + 1 })())),
    }),
  },
  askedMeanwhile: { message: sweepOrPage, links: 1, answers: () => ({ during: once(change({ again: true })) }) },
  readingFails: {
    message: sweepOrPage,
    links: 1,
    fails: true,
    answers: () => ({ during: () => Promise.reject(new Error("no answer")) }),
  },
  messageLost: {},
};

async function play(
  state: PageState,
  event: PageEvent,
): Promise<{ sent: Stage["sent"]; after: Checkpoint | undefined }> {
  const { answers, before, message = () => tellsPage(), links = 0, fails = false } = PLAYS[event];
  const checkpoint = await checkpointIn(state);
  const runs = state === "reading" || state === "links";
  await put(checkpoint && (runs || event === "sweepAskedUnderOtherRules") ? { ...checkpoint, ...before } : checkpoint);
  const { world, sent } = stage({ ...QUIET, ...answers?.(state) });
  const partition = pairKey(c.sourceId, c.targetId);
  const names = Array.from({ length: links }, () => c.world.random.uuid());
  for (const userId of names) await world.tables.links.put(partition, userId, { state: "none", userId });
  if (event === "messageLost") {
    if (checkpoint) await put({ ...checkpoint, touchedAt: -1_000_000 });
    await startSweeps(world, SILENT);
  } else {
    const told = message(state) as PageMessage & { kind: "page" | "sweep" };
    const collecting = collectChanges(world, told, SILENT);
    await (fails ? expect(collecting).rejects.toThrow("no answer") : collecting);
  }
  for (const userId of names) await world.tables.links.remove(partition, userId);
  return { sent: sent.filter(({ body }) => "stream" in body && body.stream === STREAM), after: await read() };
}

const cells = PAGE_EVENTS.flatMap((event) =>
  PAGE_STATES.flatMap((state) => {
    const cell = pageCell(state, event);
    return "never" in cell ? [] : [{ event, state, ...cell }];
  }),
);

test.each(cells)("a stream that is $state, $event: $next, sends $sends", async ({ event, state, ...cell }) => {
  const { sent, after } = await play(state, event);
  expect(after?.phase ?? "absent").toBe(cell.next);
  expect(sent.map(({ body }) => body.kind)).toEqual(cell.sends === "nothing" ? [] : [cell.sends]);
  expect({ full: after?.full === true, again: after?.again === true }).toEqual({
    full: cell.full === true,
    again: cell.again === true,
  });
  // A message that is sent names the page that the checkpoint points at.
  for (const { body } of sent)
    if (body.kind === "page") expect(body).toMatchObject({ runId: after?.runId, seq: after?.seq });
});
