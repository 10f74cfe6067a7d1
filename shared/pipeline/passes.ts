import { SyncError } from "../domain/error.ts";
import type { PageMessage, PassName } from "../messages/hint.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import type { StoredRow } from "../ports/rows.ts";
import { census, drift } from "./drift-pass.ts";
import { full } from "./full-pass.ts";
import type { PassRow } from "./pass-rows.ts";
import { rebuild } from "./rebuild-links.ts";
import { sourcesOf, targetsOf } from "./streams.ts";
import type { World } from "./world.ts";

/**
 * Passes go through a tenant a page at a time, one step a message, as the streams do: read the step from its row, do it,
 * save the row under its ETag, send the next message. Doing a step twice does no harm, so whatever dies in between is
 * repeated; a step whose page did not come is thrown back, and nothing is concluded from what was listed until then.
 */

/** What a step leaves behind; `phase: "idle"` ends the run. `afterMs`: the next step waits so long. */
export interface PassStep {
  change: { [K in keyof PassRow]?: PassRow[K] | undefined };
  afterMs?: number;
  /** Another pass of the same tenant that is to follow. */
  starts?: PassName;
}

export interface Pass {
  phases: { first: string };
  everyMs(world: World): number;
  /** The first run comes only after one interval: whatever it would find is known when a deployment begins. */
  firstAfterInterval: boolean;
  /** False: only when it is asked for. */
  byItself: boolean;
  step(world: World, tenantId: string, row: PassRow, log: DecisionLog): Promise<PassStep>;
}

const PASSES: Readonly<Record<PassName, Pass>> = { full, drift, census, rebuild };
/** A run whose message was lost is taken up again after this time. */
const STALE_MS = 120_000;
const MINUTE_MS = 60_000;

type Stored = StoredRow<PassRow> | undefined;

/** Everybody in the sources, compared with the links, now and without pauses. */
export async function startFullPass(
  world: World,
  tenantIds: readonly string[] = sourcesOf(world),
  afterMs = 0,
): Promise<void> {
  for (const tenantId of tenantIds) await startPass(world, tenantId, "full", true, afterMs);
}

/** Everybody in the targets, compared with the links, now and without pauses; and what has changed there last. */
export async function startDriftPass(world: World, tenantIds: readonly string[] = targetsOf(world)): Promise<void> {
  for (const tenantId of tenantIds) {
    await startPass(world, tenantId, "drift", true);
    await startPass(world, tenantId, "census", true);
  }
}

/** Begins a run, or asks for another one after the one that goes on. */
export async function startPass(
  world: World,
  tenantId: string,
  name: PassName,
  hurried = false,
  afterMs = 0,
): Promise<void> {
  const stored = await world.tables.passes.read(tenantId, name);
  const now = world.clock.now();
  if (stored && stored.value.phase !== "idle") {
    const { notBefore: _, ...rest } = stored.value;
    const next = hurried ? { ...rest, hurried, again: true } : { ...stored.value, again: true };
    if (await save(world, tenantId, name, stored, next)) return sendNext(world, tenantId, name, next);
    return startPass(world, tenantId, name, hurried, afterMs); // moved: perhaps to its end
  }
  const next: PassRow = {
    runId: world.chance.uuid(),
    seq: 0,
    phase: PASSES[name].phases.first,
    ...(hurried ? { hurried } : {}),
    ...(stored?.value.link === undefined ? {} : { link: stored.value.link }),
    ...(stored?.value.pages === undefined ? {} : { pagesBefore: stored.value.pages }),
    ...(afterMs > 0 ? { notBefore: now + afterMs } : {}),
    startedAt: now,
    touchedAt: now,
  };
  if (await save(world, tenantId, name, stored, next)) await sendNext(world, tenantId, name, next);
}

/** One step. Throws `SyncError` and `StorageUnavailable`: the same message comes back later. */
export async function runPass(world: World, message: PageMessage & { kind: "pass" }, log: DecisionLog): Promise<void> {
  const { tenantId, pass: name } = message;
  const stored = await world.tables.passes.read(tenantId, name);
  if (!stored || stored.value.runId !== message.runId || stored.value.phase === "idle") return;
  const row = stored.value;
  const now = world.clock.now();
  if (message.seq !== row.seq || (row.notBefore ?? 0) > now) return sendNext(world, tenantId, name, row);
  const step = await PASSES[name].step(world, tenantId, row, log);
  const at = world.clock.now();
  const next: PassRow = withoutUndefined({
    ...row,
    ...step.change,
    seq: row.seq + 1,
    touchedAt: at,
    notBefore: step.afterMs ? at + step.afterMs : undefined,
  });
  const ended = next.phase === "idle";
  if (ended) next.endedAt = at;
  if (!(await save(world, tenantId, name, stored, next))) {
    // Who only asked for another run meanwhile has not moved this one: the step is done again, and the wish is kept.
    const found = await world.tables.passes.read(tenantId, name);
    if (found && found.value.seq === row.seq && found.value.runId === row.runId) throw moved(tenantId, name);
    return;
  }
  if (step.starts) await startPass(world, tenantId, step.starts);
  log.info("pass step", { tenantId, pass: name, phase: row.phase, seq: row.seq });
  if (!ended) return sendNext(world, tenantId, name, next);
  log.info("pass ended", { tenantId, pass: name, runId: row.runId, steps: next.seq, ms: at - row.startedAt });
  if (next.again) await startPass(world, tenantId, name, next.hurried);
}

const moved = (tenantId: string, pass: string) =>
  new SyncError("STORAGE_UNAVAILABLE", { detail: `${pass} of ${tenantId} was written meanwhile`, afterMs: 1_000 });

/** Once for a timer: starts the pass if it is due, takes its run up again if it has come to a stop. */
export async function startIfDue(world: World, tenantId: string, name: PassName, log: DecisionLog): Promise<void> {
  const pass = PASSES[name];
  const stored = await world.tables.passes.read(tenantId, name);
  const now = world.clock.now();
  if (!stored) {
    if (!pass.byItself) return;
    if (!pass.firstAfterInterval) return startPass(world, tenantId, name);
    const idle = { runId: world.chance.uuid(), seq: 0, phase: "idle", startedAt: now, touchedAt: now };
    await world.tables.passes.write(tenantId, name, idle, undefined);
    return;
  }
  const row = stored.value;
  if (row.phase !== "idle") {
    if (now - Math.max(row.touchedAt, row.notBefore ?? 0) >= STALE_MS) await sendNext(world, tenantId, name, row);
    return;
  }
  if (!row.again && (!pass.byItself || now - row.startedAt < pass.everyMs(world))) return;
  log.info("pass due", { tenantId, pass: name });
  await startPass(world, tenantId, name, row.again && row.hurried);
}

async function save(world: World, tenantId: string, name: PassName, stored: Stored, next: PassRow): Promise<boolean> {
  return (await world.tables.passes.write(tenantId, name, next, stored?.etag)).kind === "written";
}

async function sendNext(world: World, tenantId: string, pass: PassName, row: PassRow): Promise<void> {
  const { runId, seq, notBefore } = row;
  const body: PageMessage = { version: 1, kind: "pass", tenantId, pass, runId, seq };
  const now = world.clock.now();
  const early = notBefore !== undefined && notBefore > now;
  // A message that was lost can be sent again in the next minute.
  const id = `${pass}:${runId}:${seq}:${early ? notBefore : Math.floor(now / MINUTE_MS)}`;
  await world.bus.send("pages", [{ id, body, ...(early ? { notBefore } : {}) }]);
}

function withoutUndefined(row: { [K in keyof PassRow]: PassRow[K] | undefined }): PassRow {
  return JSON.parse(JSON.stringify(row)) as PassRow;
}
