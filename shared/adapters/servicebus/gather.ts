/** A sender of one queue, in the two verbs that gathering needs. A batch refuses what no longer fits into it. */
export interface BatchSender<Message, Batch> {
  open(): Promise<OpenBatch<Message, Batch>>;
  send(batch: Batch): Promise<void>;
}

interface OpenBatch<Message, Batch> {
  batch: Batch;
  /** False: it does not fit any more. */
  add(message: Message): boolean;
}

interface Waiting<Message> {
  messages: readonly Message[];
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/**
 * Sends that wait at the same moment travel in one batch: many people are handled at once and each sends one or two
 * messages. A send resolves when all of its messages were accepted, and rejects when one of its batches failed or one of
 * its messages fits into no batch (`tooLarge` makes the error); the other sends go on. At most `flightsMax` rounds are
 * under way; what comes meanwhile waits for the next and travels in it.
 */
export function gather<Message, Batch>(
  sender: BatchSender<Message, Batch>,
  tooLarge: (message: Message) => Error,
  flightsMax: number,
): (messages: readonly Message[]) => Promise<void> {
  let waiting: Waiting<Message>[] = [];
  let flights = 0;
  let scheduled = false;

  const schedule = () => {
    if (scheduled || flights >= flightsMax || waiting.length === 0) return;
    scheduled = true;
    // After everything that is ready now has had its turn to send.
    setImmediate(() => {
      scheduled = false;
      const sends = waiting;
      waiting = [];
      flights++;
      void flight(sender, sends, tooLarge).finally(() => {
        flights--;
        schedule();
      });
    });
  };

  return (messages) =>
    new Promise((resolve, reject) => {
      if (messages.length === 0) return resolve();
      waiting.push({ messages, resolve, reject });
      schedule();
    });
}

/** One round: packs the messages of all sends into batches and sends them. Never rejects. */
async function flight<Message, Batch>(
  sender: BatchSender<Message, Batch>,
  sends: readonly Waiting<Message>[],
  tooLarge: (message: Message) => Error,
): Promise<void> {
  const failed = new Map<Waiting<Message>, unknown>();
  let batch: OpenBatch<Message, Batch> | undefined;
  let aboard = new Set<Waiting<Message>>();

  const dispatch = async () => {
    const [full, passengers] = [batch, aboard];
    batch = undefined;
    aboard = new Set();
    if (!full || passengers.size === 0) return;
    try {
      await sender.send(full.batch);
    } catch (error) {
      for (const send of passengers) failed.set(send, error);
    }
  };
  /** False: the message fits into no batch. */
  const board = async (send: Waiting<Message>, message: Message): Promise<boolean> => {
    batch ??= await sender.open();
    if (!batch.add(message)) {
      if (aboard.size === 0) return false;
      await dispatch();
      batch = await sender.open();
      if (!batch.add(message)) return false;
    }
    aboard.add(send);
    return true;
  };

  try {
    for (const send of sends) {
      for (const message of send.messages) {
        if (await board(send, message)) continue;
        failed.set(send, tooLarge(message));
        break;
      }
    }
    await dispatch();
  } catch (error) {
    // No batch could be opened: nobody who is not under way yet will do better in this round.
    for (const send of sends) if (!failed.has(send)) failed.set(send, error);
  }
  for (const send of sends) {
    if (failed.has(send)) send.reject(failed.get(send));
    else send.resolve();
  }
}
