import type { Broker, ReceivedMessage } from "./bus/api.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Life } from "./life.ts";
import type { Random } from "./random.ts";

const LOCK_RENEWAL_MS = 20_000;

export interface Surroundings {
  clock: SimulatedClock;
  queues: Broker;
  chance: Random;
  /** All that live. */
  instances: readonly unknown[];
}

/** Messages of one queue, so many at once; renewed while they are worked on, completed or abandoned afterwards. */
export function receive(
  { clock, queues, chance, instances }: Surroundings,
  queue: string,
  concurrency: number,
  life: Life,
  handle: (message: ReceivedMessage) => Promise<void>,
): () => void {
  let busy = 0;
  const work = async (message: ReceivedMessage) => {
    const stopRenewing = renew(clock, queues, queue, message.lockToken, life);
    const outcome = await handle(message).then(
      () => "complete" as const,
      () => "abandon" as const,
    );
    stopRenewing();
    await life.gate();
    try {
      queues[outcome](queue, message.lockToken);
    } catch {
      // The lock was lost: the message comes again, which is what the host does about it too.
    }
  };
  const pump = () => {
    if (life.frozen) return void life.gate().then(pump);
    while (life.alive && busy < concurrency) {
      const message = queues.receive(queue);
      if (!message) return;
      busy++;
      void work(message).finally(() => {
        busy--;
        pump();
      });
    }
  };
  // With others beside it an instance is not always the first to ask.
  const stop = queues.onAvailable(queue, () => {
    if (instances.length > 1) clock.after(chance.between(0, 2), pump);
    else pump();
  });
  pump();
  return stop;
}

function renew(clock: SimulatedClock, queues: Broker, queue: string, lockToken: string, life: Life): () => void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.after(LOCK_RENEWAL_MS, () => {
      if (!life.alive) return;
      try {
        if (!life.frozen) queues.renew(queue, lockToken);
        again();
      } catch {
        // Lost: settling will say so.
      }
    });
  };
  again();
  return () => cancel();
}
