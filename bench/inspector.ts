import { readFileSync } from "node:fs";

/** The debugger of another process on this machine, for what only it can tell. */
export interface Inspector {
  /** Bytes in use on its heap after a collection of garbage. */
  heapUsed(): Promise<number>;
  close(): void;
}

/** For `NODE_OPTIONS` of the process: its debugger listens on a free port and writes to the log where. */
export const INSPECTED = "--inspect=127.0.0.1:0";
const ANSWER_MS = 30_000;

/** Connects to the process that was last started with this log. */
export async function inspect(logFile: string): Promise<Inspector> {
  const address = [...readFileSync(logFile, "utf8").matchAll(/Debugger listening on (ws:\S+)/g)].at(-1)?.[1];
  if (address === undefined) throw new Error(`no debugger is named in ${logFile}`);
  const socket = new WebSocket(address);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    socket.addEventListener("error", () => reject(new Error(`${address} does not answer`)), { once: true });
  });
  let calls = 0;
  const call = (method: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const id = ++calls;
      const late = setTimeout(() => reject(new Error(`${method} was not answered`)), ANSWER_MS);
      const listener = ({ data }: MessageEvent) => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: Record<string, unknown> };
        if (answer.id !== id) return;
        clearTimeout(late);
        socket.removeEventListener("message", listener);
        resolve(answer.result ?? {});
      };
      socket.addEventListener("message", listener);
      socket.send(JSON.stringify({ id, method }));
    });
  return {
    async heapUsed() {
      await call("HeapProfiler.collectGarbage");
      return Number((await call("Runtime.getHeapUsage")).usedSize);
    },
    close: () => socket.close(),
  };
}
