/** `host.json` with the documented defaults. Source: "host.json reference for Azure Functions 2.x and later". Times in ms. */
export interface HostSettings {
  routePrefix: string;
  /** `undefined`: no limit. */
  functionTimeoutMs: number | undefined;
  serviceBus: {
    maxConcurrentCalls: number;
    prefetchCount: number;
    autoCompleteMessages: boolean;
    maxAutoLockRenewalMs: number;
    retry: {
      mode: "fixed" | "exponential";
      tryTimeoutMs: number;
      delayMs: number;
      maxDelayMs: number;
      maxRetries: number;
    };
  };
}

export type Settings = Readonly<Record<string, string | undefined>>;

/** App settings named `AzureFunctionsJobHost__a__b` override `a.b` of `host.json`. */
const OVERRIDE = "AzureFunctionsJobHost__";

export function readHostSettings(hostJson: Readonly<Record<string, unknown>>, settings: Settings): HostSettings {
  const at = (path: string): unknown => {
    const override = settings[OVERRIDE + path.replaceAll(".", "__")];
    if (override !== undefined) return override;
    return path
      .split(".")
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], hostJson);
  };
  const bus = "extensions.serviceBus";
  const prefix = at("extensions.http.routePrefix");
  return {
    routePrefix: typeof prefix === "string" ? prefix.replace(/^\/|\/$/g, "") : "api",
    functionTimeoutMs: at("functionTimeout") === "-1" ? undefined : duration(at("functionTimeout"), 30 * 60_000),
    serviceBus: {
      maxConcurrentCalls: count(at(`${bus}.maxConcurrentCalls`), 16),
      prefetchCount: count(at(`${bus}.prefetchCount`), 0),
      autoCompleteMessages: String(at(`${bus}.autoCompleteMessages`) ?? true) !== "false",
      maxAutoLockRenewalMs: duration(at(`${bus}.maxAutoLockRenewalDuration`), 5 * 60_000),
      retry: {
        mode:
          String(at(`${bus}.clientRetryOptions.mode`) ?? "exponential").toLowerCase() === "fixed"
            ? "fixed"
            : "exponential",
        tryTimeoutMs: duration(at(`${bus}.clientRetryOptions.tryTimeout`), 60_000),
        delayMs: duration(at(`${bus}.clientRetryOptions.delay`), 800),
        maxDelayMs: duration(at(`${bus}.clientRetryOptions.maxDelay`), 60_000),
        maxRetries: count(at(`${bus}.clientRetryOptions.maxRetries`), 3),
      },
    },
  };
}

/** `%NAME%` in a binding's property stands for the app setting; one that is missing is an error, as in the real host. */
export function substitute(value: string, settings: Settings, where: string): string {
  return value.replace(/%([^%]+)%/g, (_, name: string) => {
    const found = settings[name];
    if (found === undefined)
      throw new Error(`${where}: '%${name}%' does not resolve to a value. Add the app setting ${name}.`);
    return found;
  });
}

/** `[d.]hh:mm:ss[.fff]` in ms. */
export function duration(text: unknown, otherwise: number): number {
  if (text === undefined) return otherwise;
  const parts = /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)$/.exec(String(text));
  if (!parts) throw new Error(`host.json: '${String(text)}' is not a time span like 00:05:00.`);
  const [, days = "0", hours, minutes, seconds] = parts;
  return Math.round((((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000);
}

function count(value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw new Error(`host.json: '${String(value)}' is not a whole number.`);
  return number;
}
