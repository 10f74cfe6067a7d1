import { createServer, type Server, type Socket } from "node:net";
import rhea, { type AmqpError, type Connection, type EventContext, type Receiver, type Sender } from "rhea";
import { type Broker, BusError } from "./api.ts";
import { MESSAGE_BYTES_MAX } from "./broker.ts";
import { decodeTransfer } from "./codec.ts";
import { answerManagement } from "./management.ts";
import { type Outlet, outlets } from "./outlets.ts";

/**
 * Service Bus on the wire, as far as queues without sessions go: AMQP 1.0 for the real `@azure/service-bus` client with a
 * connection string that says `UseDevelopmentEmulator=true`. Source: Service Bus "AMQP 1.0 protocol guide" and
 * "request-response operations". Sessions are refused: this product's queues have none.
 */
export interface AmqpServerOptions {
  broker: Broker;
  uuid: () => string;
  maxMessageBytes?: number;
}

export interface AmqpServer {
  readonly port: number;
  readonly connectionString: string;
  /** Cuts every connection. */
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const IDLE_TIME_OUT_MS = 60_000;
/** A delivery that is held long keeps later ones in rhea's ring: room for many, so that a link never stalls behind it. */
const SESSION_BUFFER = { incoming: 16_384, outgoing: 262_144 };
const SENDER_CREDIT = 5_000;
const MANAGEMENT = "/$management";

export async function amqpServer(options: AmqpServerOptions): Promise<AmqpServer> {
  const { broker, uuid } = options;
  const maxMessageBytes = options.maxMessageBytes ?? MESSAGE_BYTES_MAX;
  const sockets = new Set<Socket>();
  const queueOutlets = outlets(broker);
  const container = rhea.create_container({
    id: "service-bus-sandbox",
    sender_options: { autosettle: false, treat_modified_as_released: false },
    receiver_options: { autoaccept: false, credit_window: SENDER_CREDIT },
  });
  container.sasl_server_mechanisms.enable_anonymous();

  const server = createServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    const connection = container.create_connection({
      host: HOST,
      port: 0,
      idle_time_out: IDLE_TIME_OUT_MS,
      session_buffer_size: SESSION_BUFFER,
    });
    serve(connection);
    connection.accept(socket);
    // A socket that only closes raises no `disconnected`: what waits for messages on it would go on taking them.
    socket.on("close", () => {
      sockets.delete(socket);
      queueOutlets.removeConnection(connection);
    });
  });

  const serve = (connection: Connection) => {
    /** Where answers go: by the address, or the link name, that a request names as `reply_to`. */
    const replies = new Map<string, Sender>();
    const bySender = new Map<Sender, Outlet>();

    connection.on("sender_open", ({ sender }: EventContext) => {
      if (!sender) return;
      const address = sender.source?.address ?? "";
      // An answer without a source says that the link is refused; the detach with the reason follows.
      const refusal = refuseReceiver(sender, address, broker);
      if (refusal) return sender.close(refusal);
      sender.set_source({ ...sender.source, address });
      if (sender.target) sender.set_target(sender.target);
      if (address === "$cbs" || address.endsWith(MANAGEMENT)) {
        replies.set(sender.name, sender);
        if (sender.target?.address) replies.set(sender.target.address, sender);
        return;
      }
      const attach = localAttach(sender);
      attach.snd_settle_mode = sender.snd_settle_mode;
      attach.rcv_settle_mode = sender.rcv_settle_mode;
      bySender.set(sender, queueOutlets.add(sender, address));
    });
    connection.on("sender_close", ({ sender }: EventContext) => {
      if (!sender) return;
      replies.delete(sender.name);
      const outlet = bySender.get(sender);
      if (outlet) queueOutlets.remove(outlet);
      bySender.delete(sender);
    });
    for (const event of ["sender_flow", "sendable"]) {
      connection.on(event, ({ sender }: EventContext) => {
        const outlet = sender && bySender.get(sender);
        if (!outlet) return;
        outlet.onFlow();
        // A flow needs no answer, and the client leaves Nagle's algorithm on: without one its next frame would wait 40 ms
        // for a delayed acknowledgement. An empty frame carries it at once.
        connection._write_frame();
      });
    }
    connection.on("sender_draining", ({ sender }: EventContext) => {
      if (!sender) return;
      bySender.get(sender)?.drain();
      sender.set_drained(true);
    });
    for (const outcome of ["accepted", "released", "rejected", "modified"] as const) {
      connection.on(outcome, ({ sender, delivery }: EventContext) => {
        if (sender && delivery) bySender.get(sender)?.settle(outcome, delivery);
      });
    }

    connection.on("receiver_open", ({ receiver }: EventContext) => {
      if (!receiver) return;
      const address = receiver.target?.address ?? "";
      receiver.set_target({ ...receiver.target, address });
      if (receiver.source) receiver.set_source(receiver.source);
      localAttach(receiver).max_message_size = maxMessageBytes;
      if (address === "$cbs") return;
      const refusal = refuseUnknown(queueOf(address), broker);
      if (refusal) receiver.close(refusal);
    });
    connection.on("message", (context: EventContext & { format?: number }) => {
      const address = context.receiver?.target?.address ?? "";
      if (address === "$cbs" || address.endsWith(MANAGEMENT)) answerRequest(context, address, replies);
      else accept(context, address);
    });
    // What a client does wrong, or a connection that breaks, ends that connection alone; the client is told or knows.
    const ended = () => queueOutlets.removeConnection(connection);
    for (const event of ["disconnected", "connection_close", "connection_error", "protocol_error", "error"]) {
      connection.on(event, ended);
    }
    for (const event of ["sender_error", "receiver_error", "session_error"]) connection.on(event, () => {});
    connection.on("session_close", ({ session }: EventContext) => {
      for (const [sender, outlet] of bySender) if (sender.session === session) queueOutlets.remove(outlet);
    });
  };

  /** Messages for a queue: all of a transfer, or none. */
  const accept = ({ message, delivery, format }: EventContext & { format?: number }, queue: string) => {
    if (!delivery || message === undefined) return;
    try {
      if (Buffer.isBuffer(message) && message.length > maxMessageBytes) {
        throw new BusError(
          "amqp:link:message-size-exceeded",
          `The received message (size: ${message.length} bytes) exceeds the limit (${maxMessageBytes} bytes) currently allowed on the link.`,
        );
      }
      broker.send(queue, decodeTransfer(message, format ?? 0, uuid));
      delivery.accept();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      delivery.reject({ condition: error.condition, description: error.message });
    }
  };

  const answerRequest = ({ message, delivery }: EventContext, address: string, replies: Map<string, Sender>) => {
    delivery?.accept();
    const reply = replies.get(String(message?.reply_to));
    if (!message || !reply) return;
    const answer =
      address === "$cbs"
        ? // Any key is good: what is checked here is the product, not who may use the machine's own sandbox.
          { application_properties: { "status-code": 202, "status-description": "Accepted" }, body: undefined }
        : answerManagement(broker, uuid, queueOf(address), message);
    if (message.message_id !== undefined) reply.send({ ...answer, correlation_id: message.message_id });
  };

  const port = await listening(server);
  return {
    port,
    connectionString: `Endpoint=sb://${HOST}:${port};SharedAccessKeyName=sandbox;SharedAccessKey=sandbox;UseDevelopmentEmulator=true;`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function refuseReceiver(sender: Sender, address: string, broker: Broker): AmqpError | undefined {
  if (sender.source?.filter && "com.microsoft:session-filter" in sender.source.filter) {
    return {
      condition: "amqp:not-allowed",
      description: `It is not possible for an entity that doesn't require sessions to create a sessionful message receiver ('${address}').`,
    };
  }
  return address === "$cbs" ? undefined : refuseUnknown(queueOf(address), broker);
}

const queueOf = (address: string): string =>
  address.endsWith(MANAGEMENT) ? address.slice(0, -MANAGEMENT.length) : address;

function refuseUnknown(queue: string, broker: Broker): AmqpError | undefined {
  try {
    broker.peek(queue, 0);
    return undefined;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return { condition: error.condition, description: error.message };
  }
}

/** The attach frame that will be sent: `rhea` copies neither settle modes nor sizes from the request. */
function localAttach(link: Sender | Receiver): Record<string, unknown> {
  return (link as (Sender | Receiver) & { local: { attach: Record<string, unknown> } }).local.attach;
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      if (address && typeof address === "object") resolve(address.port);
    });
  });
}
