/** One JSON line a decision. A constant `event` and fields: ids, codes and counts; never names, addresses or tokens. */
export interface DecisionLog {
  info(event: string, fields: LogFields): void;
  warn(event: string, fields: LogFields): void;
  error(event: string, fields: LogFields & { error?: unknown }): void;
}

export type LogFields = Readonly<Record<string, unknown>>;
