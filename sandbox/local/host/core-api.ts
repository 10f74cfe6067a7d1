import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type AppFolder, readAppFolder } from "./app-folder.ts";

/**
 * The module `@azure/functions-core`, which no package provides: the real worker answers `require` with it, and the
 * programming model `@azure/functions` registers its functions through it. Source: azure-functions-nodejs-worker
 * (`setupCoreModule.ts`, `coreApi/*`), azure-functions-nodejs-library (`types-core`). One app a process: the library keeps
 * what it was given.
 */
export interface BindingInfo {
  type: string;
  direction: "in" | "out";
  [property: string]: unknown;
}

export interface FunctionMetadata {
  name: string;
  bindings: Readonly<Record<string, BindingInfo>>;
  retryOptions?: RetryOptions;
}

export interface RetryOptions {
  retryStrategy: "fixedDelay" | "exponentialBackoff";
  maxRetryCount: number;
  delayInterval?: { seconds: number };
  minimumInterval?: { seconds: number };
  maximumInterval?: { seconds: number };
}

export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  http?: object;
}

export interface InvocationRequest {
  invocationId: string;
  inputData: readonly { name: string; data: TypedData }[];
  triggerMetadata: Readonly<Record<string, TypedData>>;
  traceContext: { traceParent: string };
  retryContext?: { retryCount: number; maxRetryCount: number };
}

export type LogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";
export type Callback = (...args: unknown[]) => unknown;

export interface CoreInvocation {
  invocationId: string;
  metadata: FunctionMetadata;
  request: InvocationRequest;
  state: string | undefined;
  log(level: LogLevel, category: string, text: string): void;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: Callback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<{ returnValue?: TypedData | null }>;
}

interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(core: CoreInvocation): InvocationModel;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

export interface AppFunction {
  metadata: FunctionMetadata;
  callback: Callback;
  /** The trigger and the name of its binding. */
  trigger: BindingInfo;
  triggerName: string;
}

export type HookName = "appStart" | "appTerminate" | "preInvocation" | "postInvocation" | "log";
type Hook = (context: object) => unknown;

export interface LoadedApp extends AppFolder {
  functions: readonly AppFunction[];
  model: ProgrammingModel;
  hooks(name: HookName): readonly Hook[];
}

const SYSTEM_LOG = ["error", "warning", "critical"];

/**
 * Loads a built app. Throws, naming what is wrong, when a file does not load, when no function registers itself, or when
 * something asks for what this host does not have.
 */
export async function loadApp(folder: string, log: CoreInvocation["log"] = () => {}): Promise<LoadedApp> {
  const app = readAppFolder(folder);
  const functions = new Map<string, AppFunction>();
  const hooks = new Map<string, Set<Hook>>();
  let model: ProgrammingModel | undefined;
  let loading = true;

  const core = {
    version: "3.13.0",
    setProgrammingModel: (chosen: ProgrammingModel) => {
      if (!loading) throw new Error("The programming model can only be set during app startup.");
      model = chosen;
    },
    getProgrammingModel: () => model,
    registerFunction: (metadata: FunctionMetadata, callback: Callback) => {
      if (!loading) throw new Error("A function can only be registered during app startup.");
      if (functions.has(metadata.name)) {
        throw new Error(`A function with name "${metadata.name}" has already been registered.`);
      }
      functions.set(metadata.name, { metadata, callback, ...triggerOf(metadata) });
      return { dispose: () => void functions.delete(metadata.name) };
    },
    registerHook: (name: string, hook: Hook) => {
      const known = hooks.get(name) ?? new Set<Hook>();
      hooks.set(name, known.add(hook));
      return { dispose: () => void known.delete(hook) };
    },
    log: (level: LogLevel, category: string, text: string) => {
      if (SYSTEM_LOG.includes(level)) log(level, category, text);
    },
  };
  answerRequire(core);

  for (const file of app.files) {
    try {
      await (app.isModule(file) ? import(pathToFileURL(file).href) : createRequire(file)(file));
    } catch (cause) {
      throw new Error(`Worker was unable to load entry point "${file}": ${String(cause)}`, { cause });
    }
  }
  loading = false;
  if (functions.size === 0 || !model) {
    throw new Error(
      `No job functions found in ${folder}: its entry points (${app.main}) registered nothing. A bundle in ESM format needs a "require" for @azure/functions.`,
    );
  }
  await model.getCapabilities({});
  return { ...app, functions: [...functions.values()], model, hooks: (name) => [...(hooks.get(name) ?? [])] };
}

function triggerOf({ name, bindings }: FunctionMetadata): { trigger: BindingInfo; triggerName: string } {
  const triggers = Object.entries(bindings).filter(([, binding]) => /trigger$/i.test(binding.type));
  const [first] = triggers;
  if (!first || triggers.length > 1) throw new Error(`Function "${name}" must have exactly one trigger.`);
  return { triggerName: first[0], trigger: first[1] };
}

/** `require("@azure/functions-core")` from any module answers `core`. */
function answerRequire(core: object): void {
  const modules = createRequire(import.meta.url)("node:module") as {
    prototype: { require(this: unknown, id: string): unknown };
  };
  const original = modules.prototype.require;
  modules.prototype.require = function (id) {
    return id === "@azure/functions-core" ? core : original.call(this, id);
  };
}
