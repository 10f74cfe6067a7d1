import type { AddressInfo } from "node:net";
import { realClock } from "../../clock.ts";
import { type AppFunction, type BindingInfo, loadApp } from "./core-api.ts";
import { readHostSettings, type Settings } from "./host-settings.ts";
import { httpTriggers } from "./http.ts";
import { type LogLine, invoker as makeInvoker } from "./invoke.ts";
import { startBusTriggers } from "./service-bus.ts";
import { startTimers } from "./timers.ts";

/**
 * A small Azure Functions host for one process and one app: loads a deployed app through the official programming model and
 * runs its HTTP, timer and Service Bus triggers with the settings of `host.json`.
 */
export interface HostOptions {
  /** A built app: `host.json` and `package.json` at its root. */
  folder: string;
  /** App settings; the app itself reads them from `process.env`. */
  settings: Settings;
  log: (line: LogLine) => void;
  /** On one instance only: the real host makes timers singletons. */
  timers: boolean;
  serviceBus: boolean;
  /** Statuses of timers. */
  stateFolder?: string;
  /** A function ran longer than `functionTimeout`: the process has to end. */
  onTimeout: (name: string) => void;
}

export interface Host {
  /** `http://127.0.0.1:PORT`, without the route prefix. */
  readonly url: string;
  readonly functions: readonly { name: string; trigger: BindingInfo }[];
  /** Starts nothing new, lets what runs end for so long, then lets go. */
  stop(graceMs: number): Promise<void>;
}

const KNOWN = ["httpTrigger", "timerTrigger", "serviceBusTrigger"];

export async function startHost(options: HostOptions): Promise<Host> {
  const { settings, log } = options;
  const app = await loadApp(options.folder, (level, _category, message) => log({ level, message }));
  const host = readHostSettings(app.hostJson, settings);
  const functions = app.functions.filter((fn) => !disabled(fn, settings, log));
  for (const { metadata, trigger } of functions) {
    if (!KNOWN.includes(trigger.type)) {
      throw new Error(`Function '${metadata.name}': this host has no '${trigger.type}'. It has ${KNOWN.join(", ")}.`);
    }
  }
  const { functionTimeoutMs } = host;
  const invoker = makeInvoker({ app, log, functionTimeoutMs, onTimeout: options.onTimeout });
  const http = httpTriggers(functions, invoker, host, settings);
  for (const hook of app.hooks("appStart")) await hook({ hookData: {}, functionAppDirectory: options.folder });

  await new Promise<void>((resolve, reject) => {
    http.server.once("error", reject);
    http.server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`;
  const parts = { functions, invoker, host, settings, log };
  const bus = options.serviceBus ? startBusTriggers(parts) : undefined;
  const { stateFolder } = options;
  const stopTimers = options.timers
    ? startTimers({ ...parts, clock: realClock(), ...(stateFolder !== undefined && { stateFolder }) })
    : () => {};
  for (const route of http.routes) {
    log({ level: "information", message: `${route.name}: [${route.methods.join(",")}] ${url}${route.path}` });
  }
  for (const { name, queue } of bus?.queues ?? []) log({ level: "information", message: `${name}: queue ${queue}` });

  return {
    url,
    functions: functions.map(({ metadata, trigger }) => ({ name: metadata.name, trigger })),
    stop: async (graceMs) => {
      stopTimers();
      http.server.close();
      const endsAt = Date.now() + graceMs;
      await Promise.race([bus?.stop(), new Promise((resolve) => setTimeout(resolve, graceMs / 2))]);
      await invoker.idle(Math.max(0, endsAt - Date.now()));
      for (const hook of app.hooks("appTerminate")) await hook({ hookData: {} });
      http.server.closeAllConnections();
      await Promise.race([bus?.close(), new Promise((resolve) => setTimeout(resolve, 500))]);
    },
  };
}

function disabled({ metadata }: AppFunction, settings: Settings, log: (line: LogLine) => void): boolean {
  const { name } = metadata;
  const value = settings[`AzureWebJobs.${name}.Disabled`] ?? settings[`AzureWebJobs_${name}_Disabled`];
  if (!/^(true|1)$/i.test(value ?? "")) return false;
  log({ level: "information", message: `Function '${name}' is disabled` });
  return true;
}
