import { type ChildProcess, fork } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Starts the processes of the local cloud, restarts those that may die, and ends all of them. */
export interface ProcessSpec {
  /** `app-1`; also the name of its log file. */
  name: string;
  /** A file that reports to its parent when it is ready and ends when its parent is gone (see `child.ts`). */
  file: string;
  args?: readonly string[];
  /** Added to the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /** Started again when it ends: the function app, which may die at any time. Others keep what they acknowledged. */
  restart?: boolean;
}

export interface Supervised<Report> {
  readonly name: string;
  readonly pid: number;
  /** What it reported when it was last ready. */
  readonly report: Report;
  /** Whether it runs and has reported; false between death and restart. */
  readonly ready: boolean;
  /** How often it was started again. */
  readonly restarts: number;
}

export interface Supervisor {
  /** Resolves when the process has reported; rejects with the end of its log when it ends before. */
  start<Report>(spec: ProcessSpec): Promise<Supervised<Report>>;
  /** Those that run. `killable`: it may be killed and comes back; the others stand for services that lose nothing. */
  processes(): readonly { name: string; pid: number; killable: boolean }[];
  /** Called when a process has other addresses or another pid than before. Returns the function that ends it. */
  onChange(listener: () => void): () => void;
  /** Called with a sentence when a process that is not started again has ended by itself. Returns the function that ends it. */
  onLost(listener: (what: string) => void): () => void;
  /** Ends everything, apps first so that they can still settle; nothing is left after five seconds. */
  stop(): Promise<void>;
}

const RESTART_MS = 200;
const RESTART_MS_MAX = 5_000;
const READY_MS_MAX = 60_000;
/** Of the five seconds: what apps have to let work end, and what the rest has to write. */
const APP_STOP_MS = 3_800;
const REST_STOP_MS = 1_000;
const LOG_TAIL = 2_000;

interface Entry {
  spec: ProcessSpec;
  child: ChildProcess;
  report: unknown;
  ready: boolean;
  restarts: number;
  /** Starts in a row that failed. */
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

const gone = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

export function supervisor(options: { logFolder: string }): Supervisor {
  mkdirSync(options.logFolder, { recursive: true });
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  const losses = new Set<(what: string) => void>();
  let stopping = false;
  const logFile = (name: string) => join(options.logFolder, `${name}.log`);
  const changed = () => {
    for (const listener of listeners) listener();
  };

  const spawn = (spec: ProcessSpec): ChildProcess => {
    const log = openSync(logFile(spec.name), "a");
    try {
      return fork(spec.file, [...(spec.args ?? [])], {
        env: { ...process.env, ...spec.env },
        execArgv: [],
        stdio: ["ignore", log, log, "ipc"],
      });
    } finally {
      closeSync(log);
    }
  };

  const failed = (spec: ProcessSpec, what: string) =>
    new Error(`${spec.name} ${what}.\n${readFileSync(logFile(spec.name), "utf8").slice(-LOG_TAIL)}`);

  /** Waits for the report; afterwards watches over the process. */
  const watch = (entry: Entry) =>
    new Promise<void>((resolve, reject) => {
      const { spec, child } = entry;
      const late = setTimeout(() => {
        reject(failed(spec, `was not ready after ${READY_MS_MAX / 1000} s`));
        child.kill("SIGKILL");
      }, READY_MS_MAX);
      child.once("message", (report) => {
        clearTimeout(late);
        Object.assign(entry, { report, ready: true, failures: 0 });
        resolve();
        changed();
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        clearTimeout(late);
        const wasReady = entry.ready;
        if (wasReady) entry.failures = 0;
        entry.ready = false;
        const how = signal ?? `exit code ${code}`;
        reject(failed(spec, `ended (${how}) before it was ready`));
        if (stopping || !entries.has(spec.name)) return;
        if (!spec.restart) {
          if (wasReady)
            for (const lost of losses) lost(`${spec.name} has ended (${how}); its log is ${logFile(spec.name)}`);
          return;
        }
        const wait = Math.min(RESTART_MS * 2 ** entry.failures++, RESTART_MS_MAX);
        entry.timer = setTimeout(() => startAgain(entry), wait);
      });
    });

  const startAgain = (entry: Entry) => {
    entry.child = spawn(entry.spec);
    entry.restarts++;
    changed();
    // What fails here shows in the log, and the exit plans the next attempt.
    watch(entry).catch(() => {});
  };

  const end = async (entry: Entry, withinMs: number): Promise<void> => {
    clearTimeout(entry.timer);
    const { child } = entry;
    if (gone(child)) return;
    const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGCONT"); // it may have been frozen
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill("SIGKILL"), withinMs);
    await exit;
    clearTimeout(late);
  };

  return {
    start: async <Report>(spec: ProcessSpec): Promise<Supervised<Report>> => {
      if (stopping) throw new Error(`${spec.name} cannot start: everything is being stopped.`);
      if (entries.has(spec.name)) throw new Error(`There is a process named ${spec.name} already.`);
      const entry: Entry = {
        spec,
        child: spawn(spec),
        report: undefined,
        ready: false,
        restarts: 0,
        failures: 0,
        timer: undefined,
      };
      entries.set(spec.name, entry);
      try {
        await watch(entry);
      } catch (error) {
        entries.delete(spec.name);
        await end(entry, 0);
        throw error;
      }
      return {
        name: spec.name,
        get pid() {
          // Never a number that a signal would take for many processes.
          if (entry.child.pid === undefined) throw new Error(`${spec.name} has not started.`);
          return entry.child.pid;
        },
        get report() {
          return entry.report as Report;
        },
        get ready() {
          return entry.ready;
        },
        get restarts() {
          return entry.restarts;
        },
      };
    },
    processes: () =>
      [...entries.values()].flatMap(({ spec, child }) =>
        child.pid === undefined || gone(child)
          ? []
          : [{ name: spec.name, pid: child.pid, killable: spec.restart === true }],
      ),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onLost: (listener) => {
      losses.add(listener);
      return () => losses.delete(listener);
    },
    stop: async () => {
      stopping = true;
      const all = [...entries.values()];
      await Promise.all(all.filter(({ spec }) => spec.restart).map((entry) => end(entry, APP_STOP_MS)));
      await Promise.all(all.filter(({ spec }) => !spec.restart).map((entry) => end(entry, REST_STOP_MS)));
      entries.clear();
    },
  };
}
