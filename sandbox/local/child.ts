/**
 * What every process of the local cloud does: it tells its parent when it is ready, lives through the signals of a
 * terminal (the parent decides when to stop) and ends when the parent is gone, however that ended.
 */
export function liveWithParent(close: () => Promise<void> | void): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  process.on("disconnect", () => {
    Promise.resolve(close()).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

/** The first message to the parent: addresses and the like. */
export function reportReady(report: object): void {
  if (!process.send) throw new Error("This file is a child process of the local cloud: start it with fork().");
  process.send(report);
}

/** Bad news before the child was ready; the parent shows it and the child ends. */
export function reportFailure(error: unknown): never {
  console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
