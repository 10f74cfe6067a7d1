import { SyncError } from "../domain/error.ts";
import { Hint, PageMessage } from "../messages/hint.ts";
import { problemsOf } from "../messages/problems.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { StorageUnavailable } from "../ports/rows.ts";
import { collectChanges } from "./collect-changes.ts";
import { type Deployment, inForce, type PreviousConfiguration } from "./deployment.ts";
import { CLOCKS_DIFFER_MS, hintMessage } from "./hints.ts";
import { keepTenantSubscriptions } from "./keep-subscriptions.ts";
import { runPass } from "./passes.ts";
import type { Reconciler } from "./reconcile-users.ts";
import { isOurs, securityEvent } from "./security-event.ts";
import { sendPatiently } from "./send-patiently.ts";
import type { World } from "./world.ts";

/** Messages as they arrive. One that cannot be read is thrown back until the service dead-letters it; there it becomes visible. */

const PUT_OFF_SLOT_MS = 5_000;

/** What a message is received with. */
export interface Receiver {
  world: World;
  reconciler: Reconciler;
  deployment: Deployment;
  /** What runs the previous configuration while this one's waits for somebody to agree. */
  inPlace(previous: PreviousConfiguration): Receiver;
}

export async function receiveHint(
  receiver: Receiver,
  message: unknown,
  delivery: number,
  log: DecisionLog,
): Promise<void> {
  const hint = readable(Hint.safeParse(message), "hint", log);
  const named = [hint.sourceTenantId, hint.targetTenantId ?? hint.sourceTenantId];
  if (!named.every((id) => isOurs(receiver.world, id)))
    return securityEvent(log, "foreignTenant", { hintId: hint.id, tenantIds: named });
  let running: Receiver;
  try {
    await receiver.world.ready();
    running = await inForce(receiver);
    await running.deployment.mayWrite();
  } catch (error) {
    if (!isPassing(error)) throw error;
    return later(receiver.world, hint, log, error);
  }
  await running.reconciler.reconcile(hint, delivery, log);
}

/** Storage is away, a newer configuration has come, or nothing may be written: thrown back, the hint would be a dead letter within seconds. */
async function later(world: World, hint: Hint, log: DecisionLog, error: Error): Promise<void> {
  const { id, version: _, traceparent, ...content } = hint;
  log.warn("hint put off", { hintId: id, because: becauseOf(error) });
  const switchedOff = error instanceof SyncError && error.code === "KILL_SWITCH_ON";
  const wait = (switchedOff && error.afterMs) || 3_000;
  const message = hintMessage(
    world,
    `${id}:later`,
    { ...content, traceparent },
    world.chance.between(wait, wait + 12_000),
  );
  await sendPatiently(world, hint.lane, [message]);
}

const isPassing = (error: unknown): error is SyncError | StorageUnavailable =>
  error instanceof SyncError || error instanceof StorageUnavailable;
const becauseOf = (error: Error): string => (error instanceof SyncError ? error.code : error.name);

export async function receivePageMessage(receiver: Receiver, message: unknown, log: DecisionLog): Promise<void> {
  const page = readable(PageMessage.safeParse(message), "page message", log);
  if (!isOurs(receiver.world, page.tenantId))
    return securityEvent(log, "foreignTenant", { kind: page.kind, tenantIds: [page.tenantId] });
  let { world } = receiver;
  try {
    await world.ready();
    const running = await inForce(receiver);
    world = running.world;
    await running.deployment.mayWrite(); // streams follow the rules: an older configuration would start them anew
    if (page.kind === "subscriptions") await keepTenantSubscriptions(world, page.tenantId, log, true);
    else if (page.kind === "pass") await runPass(world, page, log);
    else await collectChanges(world, page, log);
  } catch (error) {
    if (!isPassing(error)) throw error;
    // Not an attempt: the same message comes back when there is reason to hope. The timer would take the run up too.
    const { tenantId } = page;
    if (error instanceof SyncError && error.code === "FOREIGN_LINK") securityEvent(log, "foreignLink", { tenantId });
    const superseded = error instanceof SyncError && error.code === "CONFIG_SUPERSEDED";
    const named = error instanceof SyncError && !superseded ? error.afterMs : undefined;
    const afterMs = Math.max(named ?? world.chance.between(3_000, 15_000), CLOCKS_DIFFER_MS);
    log.warn("page put off", { tenantId: page.tenantId, because: becauseOf(error), afterMs });
    // One message a subject and slot, however many were put off: the timer adds its own while the tenant is away.
    const dueAt = Math.ceil((world.clock.now() + afterMs) / PUT_OFF_SLOT_MS) * PUT_OFF_SLOT_MS;
    const subject = subjectOf(page);
    await sendPatiently(world, "pages", [
      { id: `later:${page.tenantId}:${page.kind}:${subject}:${dueAt}`.slice(-128), body: page, notBefore: dueAt },
    ]);
  }
}

/** What a message of `pages` is about, beside its tenant. */
export function subjectOf(page: PageMessage): string {
  if (page.kind === "page") return `${page.stream}:${page.runId}:${page.seq}`;
  if (page.kind === "pass") return `${page.pass}:${page.runId}:${page.seq}`;
  return page.kind === "sweep" ? page.stream : "-";
}

function readable<T>(
  parsed: { success: true; data: T } | { success: false; error: Parameters<typeof problemsOf>[0] },
  what: string,
  log: DecisionLog,
): T {
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  log.error("message unreadable", { what, problems });
  throw new Error(`MESSAGE_UNREADABLE: not a ${what} of this version: ${problems.join("; ")}`);
}
