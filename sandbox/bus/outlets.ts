import rhea, { type Connection, type Delivery, type Sender } from "rhea";
import { type Broker, BusError } from "./api.ts";
import { encodeMessage, tagOfToken, tokenOfTag } from "./codec.ts";

/** A client's receiver link: messages go out on it as far as its credit goes, and come back settled. */
export interface Outlet {
  readonly queue: string;
  readonly connection: Connection;
  /** The client has said how many it takes. */
  onFlow(): void;
  /** Sends what is there within the credit; whatever credit is left then is given up. */
  drain(): void;
  settle(outcome: "accepted" | "released" | "rejected" | "modified", delivery: Delivery): void;
  /** One message if there is one and the link takes one. */
  sendOne(): "sent" | "empty" | "full";
}

export interface Outlets {
  add(sender: Sender, queue: string): Outlet;
  remove(outlet: Outlet): void;
  removeConnection(connection: Connection): void;
}

/** What `rhea` keeps on a sending link and on a delivery but does not declare. */
interface Credit {
  credit: number;
  delivery_count: number;
}
interface Outcome {
  remote_state?: { undeliverable_here?: boolean; message_annotations?: Record<string, unknown>; error?: OutcomeError };
}
interface OutcomeError {
  condition?: string;
  info?: Record<string, unknown>;
}
interface Describable {
  described(): unknown;
}
const outcomes = rhea.message as typeof rhea.message & {
  accepted(): Describable;
  modified(fields: object): Describable;
  released(): Describable;
  rejected(fields: { error?: { condition: string; description: string } }): Describable;
};

const PRE_SETTLED = 1;

export function outlets(broker: Broker): Outlets {
  const byQueue = new Map<string, { waiting: Outlet[]; end: () => void; planned: boolean }>();

  /** Shares what is free among the links in turn: one message each until nothing is free or nobody takes more. */
  const pump = (queue: string) => {
    const group = byQueue.get(queue);
    if (!group) return;
    group.planned = false;
    let takers = [...group.waiting];
    while (takers.length > 0) {
      const next: Outlet[] = [];
      for (const outlet of takers) {
        const result = outlet.sendOne();
        if (result === "empty") return;
        if (result === "sent") {
          next.push(outlet);
          group.waiting.push(...group.waiting.splice(group.waiting.indexOf(outlet), 1));
        }
      }
      takers = next;
    }
  };
  /** Later in this turn: many messages sent at once are one round. */
  const plan = (queue: string) => {
    const group = byQueue.get(queue);
    if (!group || group.planned) return;
    group.planned = true;
    setImmediate(() => pump(queue));
  };

  const remove = (outlet: Outlet) => {
    const group = byQueue.get(outlet.queue);
    if (!group) return;
    group.waiting = group.waiting.filter((other) => other !== outlet);
    if (group.waiting.length > 0) return;
    group.end();
    byQueue.delete(outlet.queue);
  };

  return {
    add: (sender, address) => {
      const queue = address.toLowerCase();
      const outlet = makeOutlet(broker, sender, queue, () => plan(queue));
      const group = byQueue.get(queue);
      if (group) group.waiting.push(outlet);
      else {
        const end = broker.onAvailable(queue, () => plan(queue));
        byQueue.set(queue, { waiting: [outlet], end, planned: false });
      }
      return outlet;
    },
    remove,
    removeConnection: (connection) => {
      for (const group of [...byQueue.values()]) {
        for (const outlet of [...group.waiting]) if (outlet.connection === connection) remove(outlet);
      }
    },
  };
}

function makeOutlet(broker: Broker, sender: Sender, queue: string, plan: () => void): Outlet {
  const link = sender as Sender & Credit;
  const preSettled = sender.snd_settle_mode === PRE_SETTLED;
  /** Deliveries that the client's credit allows in all, and how many were handed to `rhea`, which sends them later. */
  let allowed = 0;
  let sent = 0;

  const sendOne = () => {
    if (sent >= allowed || !sender.sendable()) return "full";
    const message = broker.receive(queue);
    if (!message) return "empty";
    sent++;
    if (preSettled) broker.complete(queue, message.lockToken);
    // Format 0 with a tag of its own: the bytes are an encoded message already.
    sender.send(encodeMessage(message), tagOfToken(message.lockToken), 0);
    return "sent";
  };

  return {
    queue,
    connection: sender.connection,
    sendOne,
    onFlow: () => {
      allowed = link.credit + link.delivery_count;
      plan();
    },
    drain: () => {
      while (sendOne() === "sent");
      allowed = sent;
    },
    settle: (outcome, delivery) => {
      if (delivery.settled) return;
      delivery.update(true, settleOn(broker, queue, outcome, delivery));
      // The client never settles again; without this `rhea` keeps the delivery until its ring is full and the link stalls.
      Object.assign(delivery, { remote_settled: true });
    },
  };
}

/** Does what the client asked; the outcome to answer with. */
function settleOn(broker: Broker, queue: string, outcome: string, delivery: Delivery): unknown {
  const token = tokenOfTag(delivery.tag);
  const { remote_state: state = {} } = delivery as Delivery & Outcome;
  try {
    switch (outcome) {
      case "accepted":
        broker.complete(queue, token);
        return outcomes.accepted().described();
      case "released":
        broker.release(queue, token);
        return outcomes.released().described();
      case "modified": {
        if (state.undeliverable_here) broker.defer(queue, token, state.message_annotations);
        else broker.abandon(queue, token, state.message_annotations);
        return outcomes.modified({ undeliverable_here: state.undeliverable_here ?? false }).described();
      }
      default: {
        const { DeadLetterReason, DeadLetterErrorDescription, ...properties } = state.error?.info ?? {};
        broker.deadLetter(queue, token, text(DeadLetterReason), text(DeadLetterErrorDescription), properties);
        return outcomes.rejected({}).described();
      }
    }
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return outcomes.rejected({ error: { condition: error.condition, description: error.message } }).described();
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
