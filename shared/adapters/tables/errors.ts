import { StorageUnavailable } from "../../ports/rows.ts";

/** What the SDK tells about a failed call. `odataCode` says which 404 or 409 it is. */
export interface StorageFailure {
  statusCode: number | undefined;
  odataCode: string | undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** Reads status and code of an error of `@azure/data-tables`; anything else has neither. */
export function storageFailure(error: unknown): StorageFailure {
  if (!isRecord(error)) return { statusCode: undefined, odataCode: undefined };
  const details = isRecord(error.details) ? error.details : {};
  const odataError = isRecord(details.odataError) ? details.odataError : {};
  return {
    statusCode: typeof error.statusCode === "number" ? error.statusCode : undefined,
    odataCode: typeof odataError.code === "string" ? odataError.code : undefined,
  };
}

/**
 * The error to throw for a failed call: `StorageUnavailable`, with the cause, for connections that failed, time-outs, 408,
 * 429 and 5xx; any other error as it is.
 */
export function toThrow(error: unknown, what: string): unknown {
  if (!(error instanceof Error)) return error;
  const { statusCode } = storageFailure(error);
  if (error.name === "AbortError" || error.name === "TimeoutError") {
    return new StorageUnavailable(`${what}: no answer in time`, error);
  }
  // A RestError without a status never got one: the connection failed, or the answer was cut short.
  if (statusCode === undefined && error.name === "RestError") {
    return new StorageUnavailable(`${what}: ${error.message}`, error);
  }
  if (statusCode !== undefined && (statusCode >= 500 || statusCode === 408 || statusCode === 429)) {
    return new StorageUnavailable(`${what}: the storage answered ${statusCode}`, error);
  }
  return error;
}
