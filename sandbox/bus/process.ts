import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { QUEUES } from "../../shared/messages/queues.ts";
import { realClock } from "../clock.ts";
import { liveWithParent, reportReady } from "../local/child.ts";
import { amqpServer } from "./amqp-server.ts";
import { type Broker, BusError, type QueueRules } from "./api.ts";
import { broker as makeBroker } from "./broker.ts";

/**
 * The bus as a process of its own. Argument 1: rules of queues as JSON; absent: the product's. It reports
 * `{ connectionString, control }`; `control` is an HTTP address: `GET /statistics`, `GET /peek?queue=&limit=&from=`
 * (bodies as text), `POST /purge?queue=`.
 */
const queues: Readonly<Record<string, QueueRules>> = process.argv[2] ? JSON.parse(process.argv[2]) : QUEUES;
const broker = makeBroker({ clock: realClock(), queues, uuid: randomUUID });
const server = await amqpServer({ broker, uuid: randomUUID });
const control = createServer((request, response) => {
  const { status, body } = answer(broker, request);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));

liveWithParent(async () => {
  broker.close();
  control.closeAllConnections();
  control.close();
  await server.close();
});
reportReady({
  connectionString: server.connectionString,
  control: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
});

function answer(bus: Broker, request: IncomingMessage): { status: number; body: unknown } {
  const url = new URL(request.url ?? "/", "http://control");
  const queue = url.searchParams.get("queue") ?? "";
  try {
    switch (`${request.method} ${url.pathname}`) {
      case "GET /statistics":
        return { status: 200, body: bus.statistics() };
      case "GET /peek": {
        const limit = Number(url.searchParams.get("limit") ?? 100);
        const messages = bus.peek(queue, limit, Number(url.searchParams.get("from") ?? 0));
        return {
          status: 200,
          body: messages.map((message) => ({ ...message, body: Buffer.from(message.body).toString() })),
        };
      }
      case "POST /purge":
        bus.purge(queue);
        return { status: 200, body: {} };
      default:
        return { status: 404, body: { error: "Use GET /statistics, GET /peek?queue=&limit=, POST /purge?queue=" } };
    }
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return { status: 404, body: { error: error.message } };
  }
}
