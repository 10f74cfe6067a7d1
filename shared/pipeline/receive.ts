import { SyncError } from "../domain/error.ts";
import { Hint, PageMessage } from "../messages/hint.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { StorageUnavailable } from "../ports/rows.ts";
import { collectChanges } from "./collect-changes.ts";
import { hintMessage } from "./hints.ts";
import { keepTenantSubscriptions } from "./keep-subscriptions.ts";
import type { Reconciler } from "./reconcile-users.ts";
import type { World } from "./world.ts";

/** Messages as they arrive. One that cannot be read is thrown back until the service dead-letters it; there it becomes visible. */

export async function receiveHint(
  world: World,
  reconciler: Reconciler,
  message: unknown,
  delivery: number,
  log: DecisionLog,
): Promise<void> {
  const hint = readable(Hint.safeParse(message), "hint", log);
  try {
    await world.ready();
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    return later(world, hint);
  }
  await reconciler.reconcile(hint, delivery, log);
}

/** Storage is away: thrown back, the hint would be a dead letter within seconds. */
async function later(world: World, hint: Hint): Promise<void> {
  const { id, version: _, ...content } = hint;
  await world.bus.send(hint.lane, [
    hintMessage(
      world,
      `${id}:later`,
      content as Parameters<typeof hintMessage>[2],
      world.chance.between(5_000, 25_000),
    ),
  ]);
}

export async function receivePageMessage(world: World, message: unknown, log: DecisionLog): Promise<void> {
  const page = readable(PageMessage.safeParse(message), "page message", log);
  try {
    await world.ready();
    if (page.kind === "subscriptions") await keepTenantSubscriptions(world, page.tenantId, log, true);
    else await collectChanges(world, page, log);
  } catch (error) {
    if (!(error instanceof SyncError) && !(error instanceof StorageUnavailable)) throw error;
    // Not an attempt: the same message comes back when there is reason to hope. The timer would take the run up too.
    const afterMs = (error instanceof SyncError ? error.afterMs : undefined) ?? world.chance.between(5_000, 20_000);
    log.warn("page put off", {
      tenantId: page.tenantId,
      because: error instanceof SyncError ? error.code : "STORAGE_UNAVAILABLE",
      afterMs,
    });
    await world.bus.send("pages", [{ id: world.chance.uuid(), body: page, notBefore: world.clock.now() + afterMs }]);
  }
}

function readable<T>(
  parsed:
    | { success: true; data: T }
    | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } },
  what: string,
  log: DecisionLog,
): T {
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join(".") || "(root)"}: ${message}`,
  );
  log.error("message unreadable", { what, problems });
  throw new Error(`MESSAGE_UNREADABLE: not a ${what} of this version: ${problems.join("; ")}`);
}
