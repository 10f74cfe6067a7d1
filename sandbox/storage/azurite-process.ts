import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The account and key that every Azurite has; not a secret. Source: Azurite's README. */
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export interface Azurite {
  /** For `@azure/data-tables` with `allowInsecureConnection`. */
  connectionString: string;
  /** `http://127.0.0.1:PORT`. */
  url: string;
  process: ChildProcess;
  /** Writes everything to disk and ends it. */
  stop(): Promise<void>;
}

/** The connection string of an Azurite whose tables answer at `url`: its own, or a proxy in front of it. */
export function azuriteConnectionString(url: string): string {
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};TableEndpoint=${url}/${ACCOUNT};`;
}

/**
 * Starts the table server of Azurite as a child on a free port. With a folder (which must exist) rows outlive the
 * process; without one they are in memory. A parent that is killed leaves no server behind and loses no row.
 */
export async function startAzurite(options: { folder?: string } = {}): Promise<Azurite> {
  const child = fork(
    fileURLToPath(new URL("azurite-server.ts", import.meta.url)),
    options.folder === undefined ? [] : [options.folder],
    { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] },
  );
  let complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-4_000);
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`Azurite ended with ${code} before it listened: ${complaints}`);
  });
  const [url] = (await Promise.race([once(child, "message"), ended])) as [string];
  return {
    connectionString: azuriteConnectionString(url),
    url,
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      if (child.connected) child.disconnect();
      await exit;
    },
  };
}
