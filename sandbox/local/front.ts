import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/**
 * One address in front of the instances of the app, over HTTP and HTTPS, as Azure's front end is: each request goes to the
 * next instance, and on to another when that one does not take the connection.
 */
export interface FrontOptions {
  /** Addresses of the instances that are up now, `http://127.0.0.1:PORT`; asked for every request. */
  instances: () => readonly string[];
  /** For the HTTPS address: certificate chain and key, PEM. */
  tls: { cert: string; key: string };
}

export interface Front {
  readonly url: string;
  readonly publicUrl: string;
  close(): Promise<void>;
}

/** Headers that belong to one connection and are not passed on. */
const OF_THE_CONNECTION = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
/** An instance that has just died is restarted within this; until then the request waits and tries again. */
const WAIT_MS_MAX = 3_000;
const WAIT_MS = 100;

export async function startFront({ instances, tls }: FrontOptions): Promise<Front> {
  const agent = new Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  let turn = 0;

  const forward = async (request: IncomingMessage, response: ServerResponse, proto: string) => {
    const giveUpAt = Date.now() + WAIT_MS_MAX;
    do {
      const all = instances();
      for (let tried = 0; tried < all.length; tried++) {
        const instance = all[turn++ % all.length] as string;
        if (await passOn(request, response, instance, proto, agent)) return;
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    } while (Date.now() < giveUpAt && !request.destroyed);
    refuse(response);
  };

  const listener = (proto: string) => (request: IncomingMessage, response: ServerResponse) => {
    forward(request, response, proto).catch(() => refuse(response));
  };
  const servers: Server[] = [createServer(listener("http")), createSecureServer(tls, listener("https"))];
  for (const server of servers) {
    server.keepAliveTimeout = 60_000;
    server.requestTimeout = 0;
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
  }
  const [port = 0, securePort = 0] = await Promise.all(servers.map(listening));
  return {
    url: `http://127.0.0.1:${port}`,
    publicUrl: `https://127.0.0.1:${securePort}`,
    close: async () => {
      agent.destroy();
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** False: the instance took no connection and nothing was sent, so another may be asked. Anything else is an answer. */
function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  instance: string,
  proto: string,
  agent: Agent,
): Promise<boolean> {
  return new Promise((resolve) => {
    const onward = httpRequest(`${instance}${request.url}`, {
      method: request.method,
      agent,
      headers: {
        ...passed(request.headers),
        "x-forwarded-host": request.headers.host,
        "x-forwarded-proto": proto,
        "x-forwarded-for": request.socket.remoteAddress,
      },
    });
    let connected = false;
    const start = () => {
      connected = true;
      request.pipe(onward);
    };
    onward.on("socket", (socket) => {
      if (socket.connecting) socket.once("connect", start);
      else start();
    });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, passed(answer.headers));
      answer.pipe(response);
      answer.on("error", () => response.destroy());
      response.on("close", () => onward.destroy());
      resolve(true);
    });
    onward.on("error", () => {
      request.unpipe(onward);
      // Once a connection stood the instance may have acted: asking another could act twice.
      if (connected && !response.headersSent) refuse(response);
      if (response.headersSent && !response.writableEnded) response.destroy();
      resolve(connected);
    });
  });
}

function passed(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !OF_THE_CONNECTION.includes(name),
  );
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}

function refuse(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(502, { "content-length": "0" }).end();
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
