/** The tenants on real wires: for each tenant one HTTPS address of its Graph and one of its login. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { ConnectionLost, type GraphRequest, type GraphResponse, type GraphTenants, type TenantSpec } from "./api.ts";
import type { Recorder } from "./recorder.ts";

export interface GraphAddresses {
  /** For `GraphOptions.roots`. */
  roots(tenant: Pick<TenantSpec, "name">): { graph: string; login: string };
  /** From now on these tenants answer; before, everything is 503. */
  serve(tenants: GraphTenants, recorder?: Recorder): void;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Longer than clients keep an idle connection: a server that closes first makes the next request fail. */
const KEEP_ALIVE_MS = 120_000;

type Part = "graph" | "login";

/** Opens the addresses on free ports of 127.0.0.1: they are known before there are tenants. */
export async function openAddresses(
  specs: readonly Pick<TenantSpec, "name">[],
  tls: { key: string; cert: string },
): Promise<GraphAddresses> {
  let serving: { tenants: GraphTenants; recorder: Recorder | undefined } | undefined;
  const servers: Server[] = [];
  const roots = new Map<string, { graph: string; login: string }>();

  const open = async (name: string, part: Part): Promise<string> => {
    let root = "";
    const server = createServer({ ...tls, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      if (!serving) {
        response.writeHead(503).end();
        return;
      }
      const { tenants, recorder } = serving;
      answer(request, response, { root, recorder, call: (call) => tenants[part](name, call) }).catch(
        (error: unknown) => {
          // A defect of the sandbox: seen by the client as a server error and by the developer in the log.
          console.error(error);
          response.destroy();
        },
      );
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    root = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return root;
  };
  for (const { name } of specs) roots.set(name, { graph: await open(name, "graph"), login: await open(name, "login") });

  return {
    roots({ name }) {
      const found = roots.get(name);
      if (!found) throw new Error(`there is no address for tenant ${name}`);
      return found;
    },
    serve(tenants, recorder) {
      serving = { tenants, recorder };
    },
    async close() {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
}

interface Way {
  root: string;
  recorder: Recorder | undefined;
  call(request: GraphRequest): Promise<GraphResponse>;
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, way: Way): Promise<void> {
  const startedAt = Date.now();
  const body = await bodyOf(incoming);
  if (body === undefined) {
    outgoing.writeHead(413, { connection: "close" }).end();
    return;
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const request: GraphRequest = {
    method: incoming.method ?? "GET",
    url: incoming.url ?? "/",
    headers,
    ...(body === "" ? {} : { body }),
  };
  let response: GraphResponse | undefined;
  try {
    response = await way.call(request);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
  }
  way.recorder?.record({ root: way.root, request, response, startedAt, endedAt: Date.now() });
  if (!response) {
    outgoing.destroy();
    return;
  }
  const bytes = Buffer.from(response.body);
  // 204 has neither a body nor a length.
  const length = response.status === 204 ? {} : { "content-length": String(bytes.length) };
  outgoing.writeHead(response.status, { ...response.headers, ...length }).end(bytes);
}

/** Undefined: too large. */
async function bodyOf(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_BYTES_MAX) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
