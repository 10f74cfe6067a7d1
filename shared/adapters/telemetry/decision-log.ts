import type { DecisionLog, LogFields } from "../../ports/decision-log.ts";
import { scrub } from "./scrub.ts";

/** Where a trigger's lines go: `InvocationContext` of the Functions library fits. */
export interface Sink {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}

/** One JSON line an entry. Errors become their name, message and stack; their causes too, for three levels. What libraries put into them, tokens and addresses, is removed. */
export function decisionLog(sink: Sink): DecisionLog {
  return {
    info: (event, fields) => sink.info(scrub(line(event, fields))),
    warn: (event, fields) => sink.warn(scrub(line(event, fields))),
    error: (event, fields) => sink.error(scrub(line(event, fields))),
  };
}

const CAUSES_MAX = 3;

function line(event: string, fields: LogFields): string {
  return JSON.stringify({
    event,
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value, 0)])),
  });
}

function plain(value: unknown, depth: number): unknown {
  if (!(value instanceof Error)) return value;
  const cause = value.cause !== undefined && depth < CAUSES_MAX ? { cause: plain(value.cause, depth + 1) } : {};
  const code = "code" in value && typeof value.code === "string" ? { code: value.code } : {};
  return {
    name: value.name,
    message: value.message,
    ...code,
    ...(depth === 0 ? { stack: value.stack } : {}),
    ...cause,
  };
}
