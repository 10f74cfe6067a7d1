import { randomBytes, randomUUID } from "node:crypto";
import type { AppFunction, Callback, InvocationRequest, LoadedApp, LogLevel, TypedData } from "./core-api.ts";

/** One log line of the host. */
export interface LogLine {
  level: LogLevel;
  message: string;
  function?: string;
  invocationId?: string;
}

export interface InvokerOptions {
  app: LoadedApp;
  log: (line: LogLine) => void;
  functionTimeoutMs: number | undefined;
  /** What ends the process: the real host restarts the worker when a function runs too long. */
  onTimeout: (name: string) => void;
}

export interface Trigger {
  data: TypedData;
  metadata?: Readonly<Record<string, TypedData>>;
  /** W3C; absent: a new trace. */
  traceParent?: string;
  retry?: { retryCount: number; maxRetryCount: number };
}

/** Runs functions through the app's programming model, hooks and all. */
export interface Invoker {
  /** The function's return value; throws what the function throws. */
  invoke(fn: AppFunction, trigger: Trigger): Promise<TypedData | null | undefined>;
  readonly running: number;
  /** Resolves when nothing runs any more, or after `ms`; answers whether nothing runs. */
  idle(ms: number): Promise<boolean>;
}

export function invoker({ app, log, functionTimeoutMs, onTimeout }: InvokerOptions): Invoker {
  let running = 0;
  const waiting = new Set<() => void>();

  const invoke = async (fn: AppFunction, trigger: Trigger) => {
    const invocationId = randomUUID();
    const name = fn.metadata.name;
    const line = (level: LogLevel, message: string) => log({ level, message, function: name, invocationId });
    const timer =
      functionTimeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            line("error", `Timeout value of ${functionTimeoutMs} ms exceeded by function '${name}'.`);
            onTimeout(name);
          }, functionTimeoutMs);
    running++;
    try {
      return await run(app, fn, invocationId, trigger, line);
    } catch (error) {
      line("error", `Executed '${name}' (Failed): ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      throw error;
    } finally {
      clearTimeout(timer);
      running--;
      if (running === 0) for (const resolve of waiting) resolve();
    }
  };

  return {
    invoke,
    get running() {
      return running;
    },
    idle: (ms) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve(running === 0);
        };
        const timer = setTimeout(done, ms);
        waiting.add(done);
        if (running === 0) done();
      }),
  };
}

async function run(
  app: LoadedApp,
  fn: AppFunction,
  invocationId: string,
  trigger: Trigger,
  line: (level: LogLevel, message: string) => void,
): Promise<TypedData | null | undefined> {
  const request: InvocationRequest = {
    invocationId,
    inputData: [{ name: fn.triggerName, data: trigger.data }],
    triggerMetadata: trigger.metadata ?? {},
    traceContext: { traceParent: trigger.traceParent ?? newTraceParent() },
    ...(trigger.retry && { retryContext: trigger.retry }),
  };
  let invocationContext: object | undefined;
  const core = {
    invocationId,
    metadata: fn.metadata,
    request,
    state: undefined as string | undefined,
    log: (level: LogLevel, category: string, message: string) => {
      const entry = { level, category, message, invocationContext, hookData: {} };
      for (const hook of app.hooks("log")) hook(entry);
      line(entry.level, entry.message);
    },
  };
  const model = app.model.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  invocationContext = context;

  const hookData = {};
  const before = { hookData, inputs, functionCallback: fn.callback as Callback, invocationContext: context };
  core.state = "preInvocationHooks";
  for (const hook of app.hooks("preInvocation")) await hook(before);

  core.state = "invocation";
  const after: { hookData: object; inputs: unknown[]; invocationContext: object; result: unknown; error: unknown } = {
    hookData,
    inputs: before.inputs,
    invocationContext: context,
    result: null,
    error: null,
  };
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  core.state = "postInvocationHooks";
  for (const hook of app.hooks("postInvocation")) await hook(after);
  // A hook that sets the error to null has turned the failure into success.
  if (after.error !== null && after.error !== undefined) throw after.error;
  return (await model.getResponse(context, after.result)).returnValue;
}

const newTraceParent = (): string => `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-00`;
