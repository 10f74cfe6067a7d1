import type { PageMessage } from "../messages/hint.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { isGroupStream, needsOf, sourcesOf, USERS } from "./streams.ts";
import type { World } from "./world.ts";

/** A run whose page message was lost is taken up again after this time. */
const STALE_MS = 120_000;

/** Sends one message for every stream that is due, and for every run that has come to a stop. */
export async function startSweeps(world: World, log: DecisionLog): Promise<void> {
  for (const tenantId of sourcesOf(world)) {
    const streams = await dueStreams(world, tenantId);
    if (streams.length === 0) continue;
    log.info("sweep due", { tenantId, streams });
    await sendSweeps(world, tenantId, streams, "operator", 0);
  }
}

/** At most one message a stream and moment, however many ask. */
export async function sendSweeps(
  world: World,
  tenantId: string,
  streams: readonly string[],
  reason: (PageMessage & { kind: "sweep" })["reason"],
  afterMs: number,
): Promise<void> {
  const now = world.clock.now();
  const moment = Math.floor((now + afterMs) / SAME_MOMENT_MS);
  const messages = streams.map((stream) => {
    const body: PageMessage = { version: 1, kind: "sweep", tenantId, stream, reason };
    return {
      id: `sweep:${tenantId}:${stream}:${moment}`,
      body,
      ...(afterMs > 0 ? { notBefore: (moment + 1) * SAME_MOMENT_MS } : {}),
    };
  });
  if (messages.length > 0) await world.bus.send("pages", messages);
}
const SAME_MOMENT_MS = 1_000;

async function dueStreams(world: World, tenantId: string): Promise<readonly string[]> {
  const needs = needsOf(world, tenantId);
  if (!needs) return [];
  const now = world.clock.now();
  const due: string[] = [];
  const known = new Set<string>();
  for await (const { row, value } of world.tables.checkpoints.list(tenantId)) {
    known.add(row);
    const { phase, touchedAt } = value;
    const age = now - touchedAt;
    if (phase === "idle" ? age >= world.settings.sweepMs || value.again : age >= STALE_MS) due.push(row);
  }
  if (!known.has(USERS)) due.push(USERS);
  if (needs.groupIds.length > 0 && ![...known].some(isGroupStream)) due.push("groups-0");
  return due.filter((stream) => needs.groupIds.length > 0 || !isGroupStream(stream));
}
