import type { Pair } from "../domain/job.ts";
import { Hint, PageMessage } from "../messages/hint.ts";
import { problemsOf } from "../messages/problems.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { escrowPerson, retryAfterMs } from "./escrow.ts";
import { hintMessage } from "./hints.ts";
import { writeFailure } from "./provisioning-log.ts";
import { subjectOf } from "./receive.ts";
import { pairsOf, personOf } from "./reconcile-users.ts";
import type { World } from "./world.ts";

/**
 * A message that gave up becomes a failure that people can see. A hint's users go into escrow and are looked at again when
 * it is due. Pages need nothing more: the timer goes on from their checkpoint.
 */
export async function recordDeadLetter(
  world: World,
  queue: string,
  message: unknown,
  deadLetterReason: string,
  log: DecisionLog,
): Promise<void> {
  if (queue === "pages") {
    const page = PageMessage.safeParse(message);
    if (!page.success) {
      log.error("dead letter", { queue, deadLetterReason });
      return unreadable(world, queue, deadLetterReason, problemsOf(page.error));
    }
    const { kind, tenantId } = page.data;
    log.error("dead letter", { queue, deadLetterReason, kind, tenantId });
    return writeFailure(
      world,
      {},
      "PAGE_GAVE_UP",
      `${kind} of ${tenantId}, ${subjectOf(page.data)}: ${deadLetterReason}`,
    );
  }
  const parsed = Hint.safeParse(message);
  if (!parsed.success) {
    log.error("dead letter", { queue, deadLetterReason });
    return unreadable(world, queue, deadLetterReason, problemsOf(parsed.error));
  }
  const hint = parsed.data;
  log.error("dead letter", { queue, deadLetterReason, hintId: hint.id, users: hint.userIds.length });
  for (const pair of pairsOf(world, hint)) {
    for (const userId of hint.userIds) {
      await escrowPerson(world, personOf(hint, pair, userId), "KEEPS_FAILING", deadLetterReason, ({ nextAt }) =>
        hintAgain(world, hint, pair, userId, nextAt),
      );
    }
  }
}

const unreadable = (world: World, queue: string, reason: string, problems: readonly string[]): Promise<void> =>
  writeFailure(world, {}, "MESSAGE_UNREADABLE", `queue ${queue}, ${reason}: ${problems.join("; ")}`);

async function hintAgain(world: World, hint: Hint, pair: Pair, userId: string, nextAt: number): Promise<void> {
  const { lane, sourceTenantId, noticedAt } = hint;
  const targetTenantId = pair.target.id;
  const again = { lane, sourceTenantId, targetTenantId, userIds: [userId], reason: "retry", noticedAt } as const;
  const from = `escrow:${nextAt}:${userId}:${targetTenantId}:retry`;
  await world.bus.send(lane, [hintMessage(world, from, again, retryAfterMs(nextAt, world.clock.now()))]);
}
