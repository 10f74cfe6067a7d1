import { Hint, type Reason } from "../messages/hint.ts";
import type { OutgoingMessage } from "../ports/bus.ts";
import type { Lane } from "../ports/source-tenant.ts";
import type { Person } from "./look.ts";
import type { World } from "./world.ts";

/** People in one hint of the bulk lane. */
const BUNDLE = 20;

export interface HintContent {
  lane: Lane;
  sourceTenantId: string;
  userIds: readonly string[];
  targetTenantId?: string | undefined;
  reason: Reason;
  noticedAt: number;
  attempt?: number | undefined;
  paidWrites?: number | undefined;
  traceparent?: string | undefined;
}

/**
 * A hint as a message. `from` names what it follows from: the same cause gives the same id, so that a cause that is
 * worked on twice is queued once.
 */
export function hintMessage(world: World, from: string, content: HintContent, afterMs = 0): OutgoingMessage {
  const id = world.hash(from).slice(0, 32);
  const { traceparent, attempt, ...rest } = content;
  const body = Hint.parse({ version: 1, id, attempt: attempt ?? 0, ...rest, ...(traceparent ? { traceparent } : {}) });
  return { id, body, ...(afterMs > 0 ? { notBefore: world.clock.now() + afterMs } : {}) };
}

/** Hints in the bulk lane for all of these users, in bundles. */
export async function hintInBulk(
  world: World,
  from: string,
  sourceTenantId: string,
  userIds: readonly string[],
  reason: Reason,
  afterMs = 0,
  targetTenantId?: string,
): Promise<void> {
  const unique = [...new Set(userIds)];
  const messages: OutgoingMessage[] = [];
  for (let start = 0; start < unique.length; start += BUNDLE) {
    const content = {
      lane: "sweep",
      sourceTenantId,
      userIds: unique.slice(start, start + BUNDLE),
      reason,
      noticedAt: world.clock.now(),
      ...(targetTenantId === undefined ? {} : { targetTenantId }),
    } as const;
    messages.push(hintMessage(world, `${from}:${start}`, content, afterMs));
  }
  if (messages.length > 0) await world.bus.send("sweep", messages);
}

/** The same in the lane of people who wait, one hint each. */
export async function hintSingly(
  world: World,
  from: string,
  sourceTenantId: string,
  userIds: readonly string[],
  reason: Reason,
): Promise<void> {
  const noticedAt = world.clock.now();
  const messages = [...new Set(userIds)].map((userId) =>
    hintMessage(world, `${from}:${userId}`, { lane: "changes", sourceTenantId, userIds: [userId], reason, noticedAt }),
  );
  if (messages.length > 0) await world.bus.send("changes", messages);
}

/**
 * Clocks of instances differ by less. What is put off is due at a time of the bus: without this allowance an instance
 * that is behind would name a slot that is over, whose message has come already, and the new one would be dropped for its name.
 */
export const CLOCKS_DIFFER_MS = 2_000;

/** Verifications of one person that fall due in the same slot are one. */
const VERIFY_SLOT_MS = 10_000;

/**
 * A write of ours may not stand, or may have happened without our knowing: the target is read again, whatever the hashes
 * say.
 */
export async function hintVerify(world: World, person: Person, afterMs: number): Promise<void> {
  const slot = Math.ceil((world.clock.now() + Math.max(afterMs, CLOCKS_DIFFER_MS)) / VERIFY_SLOT_MS);
  const from = `verify:${person.pair.source.id}:${person.userId}:${person.pair.target.id}:${slot}`;
  const wait = slot * VERIFY_SLOT_MS - world.clock.now();
  await world.bus.send("changes", [hintMessage(world, from, contentFor(world, person, person.userId, "verify"), wait)]);
}

/** Somebody waits for a look at this person in this pair. */
export async function hintOperator(
  world: World,
  who: Pick<Person, "pair" | "userId">,
  from = `operator:${world.chance.uuid()}`,
  afterMs = 0,
): Promise<void> {
  const content = contentFor(world, { ...who, lane: "changes" }, who.userId, "operator");
  await world.bus.send("changes", [hintMessage(world, from, content, afterMs)]);
}

/** People whose manager this is can get their manager now. Sent before the link is recorded, so that a crash repeats it. */
export async function hintReports(world: World, person: Person): Promise<void> {
  const reports = await world.source(person.pair.source.id).reportsOf(person.userId);
  const messages = reports.map((userId) =>
    hintMessage(
      world,
      `manager:${person.userId}:${userId}:${world.chance.uuid()}`,
      contentFor(world, person, userId, "manager"),
    ),
  );
  if (messages.length > 0) await world.bus.send(person.lane, messages);
}

const contentFor = (
  world: World,
  person: Pick<Person, "pair" | "lane">,
  userId: string,
  reason: Reason,
): HintContent => ({
  lane: reason === "verify" ? "changes" : person.lane,
  sourceTenantId: person.pair.source.id,
  targetTenantId: person.pair.target.id,
  userIds: [userId],
  reason,
  noticedAt: world.clock.now(),
});
