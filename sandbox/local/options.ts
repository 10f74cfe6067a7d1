import { existsSync } from "node:fs";
import { parseArgs } from "node:util";

/** What `npm start -- …` was asked for. */
export interface StartOptions {
  /** Play the day and exit. */
  once: boolean;
  /** Start and stay up, play nothing. */
  idle: boolean;
  realistic: boolean;
  people: number;
  seed: number;
  speed: number;
  instances: number;
  usersFile?: string;
  recordFile?: string;
}

export const USAGE = `Usage: npm start -- [options]
  --once            play the day, compare, and exit: 0 only if everybody is right
  --idle            start and stay up, play nothing
  --people N        people in the organization (300)
  --seed N          the same seed gives the same organization and the same day (1)
  --speed N         scales the tenants' quotas, latencies and lags (1)
  --instances N     instances of the app behind one address (1)
  --realistic       delays and lags as documented, not shortened for a demonstration
  --users FILE      fill a source tenant from a real export: JSON of GET /users, or the portal's CSV
  --record FILE     all traffic with the tenants as HAR 1.2, without tokens and secrets
  --help
The environment variable SANDBOX_FOLDER puts certificates, tables, logs and endpoints.json elsewhere than .sandbox.`;

/** Something on the command line is wrong; the message says what. */
export class UsageError extends Error {}

/** `"help"`: only the usage was asked for. Throws `UsageError`. */
export function readOptions(args: readonly string[]): StartOptions | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const { once = false, idle = false, realistic = false, users, record } = values;
  if (once && idle) throw new UsageError("--once plays the day and --idle plays nothing: choose one.");
  if (users !== undefined && !existsSync(users)) throw new UsageError(`--users: there is no file ${users}.`);
  return {
    once,
    idle,
    realistic,
    people: whole("people", values.people ?? "300", 10, 1_000_000),
    seed: whole("seed", values.seed ?? "1", 0, 2 ** 32 - 1),
    speed: within("speed", values.speed ?? "1", 0.1, 1_000),
    instances: whole("instances", values.instances ?? "1", 1, 16),
    ...(users !== undefined && { usersFile: users }),
    ...(record !== undefined && { recordFile: record }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: "boolean" },
        idle: { type: "boolean" },
        realistic: { type: "boolean" },
        help: { type: "boolean", short: "h" },
        people: { type: "string" },
        seed: { type: "string" },
        speed: { type: "string" },
        instances: { type: "string" },
        users: { type: "string" },
        record: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function within(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new UsageError(`--${name} ${text}: give a number from ${least} to ${most}.`);
  }
  return value;
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = within(name, text, least, most);
  if (!Number.isInteger(value)) throw new UsageError(`--${name} ${text}: give a whole number.`);
  return value;
}
