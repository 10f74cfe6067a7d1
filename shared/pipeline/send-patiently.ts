import type { QueueName } from "../messages/queues.ts";
import { BusUnavailable, type OutgoingMessage } from "../ports/bus.ts";
import type { World } from "./world.ts";

/** The host renews a message's lock and lets a function run for five minutes: within that a bus may come back. */
const PATIENCE_MS = 150_000;
const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 15_000;

/**
 * Sends what follows from a message while that message is held: thrown back at once, it would be delivered again at once,
 * and a bus that is away for minutes would use up its deliveries. The same ids make a send that had arrived count once.
 */
export async function sendPatiently(
  world: World,
  queue: QueueName,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  const giveUpAt = world.clock.now() + PATIENCE_MS;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LAST_WAIT_MS)) {
    try {
      return await world.bus.send(queue, messages);
    } catch (error) {
      if (!(error instanceof BusUnavailable) || world.clock.now() + wait > giveUpAt) throw error;
      await world.clock.sleep(wait + world.chance.between(0, wait));
    }
  }
}
