/**
 * Azurite's table server in a process of its own, for `azurite-process.ts`. Argument: the folder that holds the rows;
 * none: in memory. It listens on a free port of 127.0.0.1, tells its parent, and ends when the parent lets go of it.
 */
import type { Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

interface TableServer {
  httpServer: HttpServer;
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}

const require = createRequire(import.meta.url);
const { default: Server } = require("azurite/dist/src/table/TableServer.js") as {
  default: new (configuration: object) => TableServer;
};
const { default: Configuration } = require("azurite/dist/src/table/TableConfiguration.js") as {
  default: new (...settings: readonly unknown[]) => object;
};

/** Longer than any client keeps an idle connection: a server that closes first makes the next request fail. */
const KEEP_ALIVE_SECONDS = 120;

const folder = process.argv[2];
const server = new Server(
  new Configuration(
    "127.0.0.1",
    0,
    KEEP_ALIVE_SECONDS,
    folder === undefined ? "" : join(folder, "tables.json"),
    false, // debug log
    false, // access log
    undefined,
    undefined,
    false, // loose
    true, // no check of the API version
    "",
    "",
    "",
    undefined,
    false,
    folder === undefined, // in memory
  ),
);

// It writes to disk every five seconds and when it closes: only the parent may end it, so that acknowledged rows stay.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.on("disconnect", async () => {
  await server.close();
  process.exit(0);
});

// It turns every chunk of a body into text on its own, which breaks characters that lie across two chunks: Table Storage
// keeps them whole. Transactions it reads properly, as bytes.
server.httpServer.prependListener("request", (request) => {
  if (!request.url?.includes("$batch")) request.setEncoding("utf8");
});

await server.start();
process.send?.(server.getHttpServerAddress());
