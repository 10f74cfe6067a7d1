import * as z from "zod";
import { EXIT, UsageError } from "../exit-code.ts";
import type { Connection } from "./token.ts";

/** What the app answered when it said no. */
export interface Refusal {
  code: string;
  message: string;
  remedy?: string;
  mistakes?: readonly { path: string; problem: string }[];
}

/** Ends the command with this exit code, told without a stack. */
export class NotDone extends Error {
  readonly refusal: Refusal;
  readonly exitCode: number;
  constructor(refusal: Refusal, exitCode: number) {
    super(refusal.message);
    this.name = "NotDone";
    this.refusal = refusal;
    this.exitCode = exitCode;
  }
}

const Problem = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.string().optional(),
  remedy: z.string().optional(),
  mistakes: z.array(z.object({ path: z.string(), problem: z.string() })).optional(),
});
const CALL_TIMEOUT_MS = 60_000;

export type Answer = Record<string, unknown>;

/** One call of the admin API. */
export async function call(
  connection: Connection,
  method: "GET" | "POST",
  path: string,
  content: Readonly<Record<string, string | undefined>>,
): Promise<Answer> {
  const given = Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
  const query = method === "GET" ? `?${new URLSearchParams(given)}` : "";
  const token = await tokenOf(connection);
  const response = await fetch(`${connection.root}/${path}${query}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    redirect: "error", // a token goes nowhere else
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    ...(method === "POST" ? { body: JSON.stringify(given) } : {}),
  }).catch((error: unknown) => {
    throw new NotDone(
      { code: "Unreachable", message: `The app does not answer: ${reasonOf(error)}` },
      EXIT.unreachable,
    );
  });
  const text = await response.text();
  const value = jsonOf(text);
  if (response.ok && typeof value === "object" && value !== null) return value as Answer;
  throw new NotDone(refusalOf(response.status, value), EXIT.refused);
}

/** What the app answered, if it has the form that this command knows. */
export function known<T>(schema: z.ZodType<T>, answer: Answer): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const message = "The app's answer has a form that this command does not know.";
  const remedy = "Use the command line of the version that the app runs.";
  throw new NotDone({ code: "Unexpected", message, remedy }, EXIT.refused);
}

async function tokenOf(connection: Connection): Promise<string> {
  try {
    return await connection.token();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const remedy = "Sign in with `az login`, or bring a token in CROSS_CLOUD_SYNC_TOKEN.";
    throw new NotDone({ code: "NoToken", message: `No access token: ${reasonOf(error)}`, remedy }, EXIT.unreachable);
  }
}

function refusalOf(status: number, value: unknown): Refusal {
  const known = Problem.safeParse(value);
  if (!known.success) return { code: "Unexpected", message: `The app answered ${status}. Is this its address?` };
  const { code, title, detail, remedy, mistakes } = known.data;
  return {
    code,
    message: detail === undefined ? title : `${title} ${detail}`,
    ...(remedy === undefined ? {} : { remedy }),
    ...(mistakes === undefined ? {} : { mistakes }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? (cause.message.split("\n")[0] ?? cause.name) : String(cause);
}
