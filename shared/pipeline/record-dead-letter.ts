import { Hint, PageMessage } from "../messages/hint.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { escrowPerson, retryAfterMs } from "./escrow.ts";
import { hintMessage } from "./hints.ts";
import { writeFailure } from "./provisioning-log.ts";
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
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join(".") || "(root)"}: ${message}`,
    );
    log.error("dead letter", { queue, deadLetterReason, problems });
    if (!PageMessage.safeParse(message).success)
      await writeFailure(
        world,
        {},
        "MESSAGE_UNREADABLE",
        `queue ${queue}, ${deadLetterReason}: ${problems.join("; ")}`,
      );
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
        `escrow:${escrow.nextAt}:${userId}:${pair.target.id}:retry`,
        again,
        retryAfterMs(escrow.nextAt, world.clock.now()),
      );
      await world.bus.send(lane, [message]);
    }
  }
}
