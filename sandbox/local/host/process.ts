import { liveWithParent, reportFailure, reportReady } from "../child.ts";
import { type Host, startHost } from "./host.ts";
import type { LogLine } from "./invoke.ts";

/**
 * One instance of the function app as a process of its own; the environment holds its app settings. Argument 1, as JSON:
 * `{ folder, timers, serviceBus?, stateFolder? }`. It reports `{ url, functions }`. Log lines are JSON on standard output.
 *
 * As in the real worker, a rejection that nobody awaits ends the process, and so does a function that runs longer than
 * `functionTimeout`; whoever started it starts it again.
 */
interface ProcessArguments {
  folder: string;
  timers: boolean;
  serviceBus?: boolean;
  stateFolder?: string;
}

/** The real host gives more; here everything has to be gone within five seconds of Ctrl-C. */
const GRACE_MS = 3_000;

const write = (line: LogLine) =>
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);

let host: Host | undefined;
liveWithParent(async () => host?.stop(GRACE_MS));
try {
  const { folder, timers, serviceBus = true, stateFolder } = JSON.parse(process.argv[2] ?? "{}") as ProcessArguments;
  host = await startHost({
    folder,
    timers,
    serviceBus,
    ...(stateFolder !== undefined && { stateFolder }),
    settings: process.env,
    log: write,
    onTimeout: () => process.exit(1),
  });
  reportReady({ url: host.url, functions: host.functions });
} catch (error) {
  reportFailure(error);
}
