/** The only source of time. In Azure the machine's clock, in the simulated world the world's. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The only source of chance. */
export interface Chance {
  /** A random version 4 UUID, lower case. */
  uuid(): string;
  /** A number in [min, max). */
  between(min: number, max: number): number;
  /** `bytes` random bytes as base64url, for secrets. */
  secret(bytes: number): string;
}
