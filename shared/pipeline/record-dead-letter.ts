import { Hint } from "../messages/hint.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { escrowPerson } from "./escrow.ts";
import { hintMessage } from "./hints.ts";
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
  const parsed = Hint.safeParse(message);
  if (!parsed.success) {
    log.error("dead letter", { queue, deadLetterReason, problem: parsed.error.issues[0]?.message ?? "unreadable" });
    return;
  }
  const hint = parsed.data;
  log.error("dead letter", { queue, deadLetterReason, hintId: hint.id, users: hint.userIds.length });
  for (const pair of pairsOf(world, hint)) {
    for (const userId of hint.userIds) {
      const escrow = await escrowPerson(world, personOf(hint, pair, userId), "KEEPS_FAILING", deadLetterReason);
      const { lane, sourceTenantId, noticedAt } = hint;
      const again = {
        lane,
        sourceTenantId,
        targetTenantId: pair.target.id,
        userIds: [userId],
        reason: "retry",
        noticedAt,
      } as const;
      const message = hintMessage(
        world,
        `${hint.id}:${userId}:${pair.target.id}:dead`,
        again,
        escrow.nextAt - world.clock.now(),
      );
      await world.bus.send(lane, [message]);
    }
  }
}
