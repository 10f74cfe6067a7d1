import { SyncError } from "../../domain/error.ts";
import type { Lane } from "../../ports/source-tenant.ts";
import { WriteUnsure } from "../../ports/target-tenant.ts";
import { Circuit } from "./circuit.ts";
import { type Connection, type GraphAnswer, type GraphCall, NoAnswer } from "./connection.ts";

/** Graph takes at most 20 requests in a `$batch`. */
const BATCH_MAX = 20;
/** Calls that ask within this time travel together. */
const GATHER_MS = 2;
/** Requests on their way at once; what comes then waits and fills the next batches. */
const IN_FLIGHT_MAX = 12;
/** Above this share of a limit bulk pauses for a moment and leaves what is left to people. */
const PRESSURE = 0.9;
const PRESSURE_PAUSE_MS = 1_000;
/** Said when Graph asks to wait without saying how long. */
const RETRY_AFTER_DEFAULT_S = 10;

type Kind = "read" | "write";

interface Waiting {
  call: GraphCall;
  kind: Kind;
  signal: AbortSignal | undefined;
  resolve: (answer: GraphAnswer) => void;
  reject: (error: unknown) => void;
}

/**
 * All calls to one tenant. Calls that wait at the same moment travel in one `$batch`, people before bulk; after a 429
 * nobody calls before the time that Graph named. Nothing is retried here: the hint comes back instead.
 * Source: Graph `json-batching.md`, `throttling.md`.
 */
export class Gateway {
  private readonly connection: Connection;
  private readonly circuit: Circuit;
  private readonly waiting: Record<Lane, Waiting[]> = { changes: [], sweep: [] };
  private readonly holdUntil: Record<Kind, number> = { read: 0, write: 0 };
  private bulkPausedUntil = 0;
  private inFlight = 0;
  private gathering = false;

  constructor(connection: Connection) {
    this.connection = connection;
    const { tenantId, clock, chance } = connection.settings;
    this.circuit = new Circuit(tenantId, clock, chance);
  }

  get tenantId(): string {
    return this.connection.settings.tenantId;
  }

  /** A link of an answer, before it is put on record. Throws `FOREIGN_LINK`. */
  readonly ownLink = (link: string): string => this.connection.urlOf(link);

  readonly now = (): number => this.clock.now();

  /** Throws `SyncError` for a tenant that is throttled, down or refuses us. Any other status is the caller's. */
  read(call: GraphCall, lane: Lane): Promise<GraphAnswer> {
    return this.submit("read", call, lane, undefined);
  }

  /** As `read`; throws `WriteUnsure` where the request went out and no answer says what became of it. */
  write(call: GraphCall, lane: Lane, signal: AbortSignal): Promise<GraphAnswer> {
    return this.submit("write", call, lane, signal);
  }

  /** A call that travels alone: pages and subscriptions. */
  async alone(kind: Kind, call: GraphCall): Promise<GraphAnswer> {
    this.refuseWhileHeld(kind);
    this.circuit.enter();
    try {
      return this.judge(kind, await this.connection.send(call), call);
    } catch (error) {
      throw this.failure(kind, error);
    }
  }

  private submit(kind: Kind, call: GraphCall, lane: Lane, signal: AbortSignal | undefined): Promise<GraphAnswer> {
    return new Promise((resolve, reject) => {
      this.connection.urlOf(call.path); // in a batch the link itself does not travel through `send`
      this.refuseWhileHeld(kind);
      this.circuit.enter();
      const headers = lane === "sweep" ? { ...call.headers, "x-ms-throttle-priority": "Low" } : call.headers;
      const one: Waiting = { call: { ...call, ...(headers ? { headers } : {}) }, kind, signal, resolve, reject };
      // A call that was sent cannot be taken back: the claim ends, and what became of the write is unknown.
      signal?.addEventListener("abort", () => reject(new WriteUnsure(signal.reason)), { once: true });
      this.waiting[lane].push(one);
      this.gather();
    });
  }

  private gather(): void {
    if (this.gathering) return;
    this.gathering = true;
    void this.clock.sleep(GATHER_MS).then(() => {
      this.gathering = false;
      this.flush();
    });
  }

  private get clock() {
    return this.connection.settings.clock;
  }

  private flush(): void {
    while (this.inFlight < IN_FLIGHT_MAX) {
      const together = this.next();
      if (together.length === 0) return;
      this.inFlight++;
      void (together.length === 1 ? this.sendAlone(together[0] as Waiting) : this.sendBatch(together)).finally(() => {
        this.inFlight--;
        this.flush();
      });
    }
  }

  private next(): Waiting[] {
    const together = this.waiting.changes.splice(0, BATCH_MAX);
    const pause = this.bulkPausedUntil - this.clock.now();
    if (pause <= 0) together.push(...this.waiting.sweep.splice(0, BATCH_MAX - together.length));
    else if (this.waiting.sweep.length > 0) void this.clock.sleep(pause).then(() => this.flush());
    return together.filter((one) => this.mayStillGo(one));
  }

  /** A 429 may have come, or the claim ended, while the call was waiting. */
  private mayStillGo(one: Waiting): boolean {
    if (one.signal?.aborted) return false;
    try {
      this.refuseWhileHeld(one.kind);
      return true;
    } catch (error) {
      one.reject(error);
      return false;
    }
  }

  private async sendAlone(one: Waiting): Promise<void> {
    try {
      one.resolve(this.judge(one.kind, await this.connection.send(one.call, one.signal), one.call));
    } catch (error) {
      one.reject(this.failure(one.kind, error));
    }
  }

  private async sendBatch(together: readonly Waiting[]): Promise<void> {
    try {
      const requests = together.map(({ call }, index) => batchItem(call, String(index)));
      const answer = await this.connection.send({ method: "POST", path: "/$batch", body: { requests } });
      const items = batchAnswers(answer);
      if (!items) return this.spread(together, answer);
      for (const [index, one] of together.entries()) this.settle(one, items.get(String(index)));
    } catch (error) {
      for (const one of together) one.reject(this.failure(one.kind, error));
    }
  }

  /** The envelope itself was refused: what it says holds for everybody in it. */
  private spread(together: readonly Waiting[], answer: GraphAnswer): void {
    for (const one of together) {
      try {
        const judged = this.judge(one.kind, answer, undefined);
        one.reject(new SyncError("TENANT_UNAVAILABLE", { tenantId: this.tenantId, detail: `$batch ${judged.status}` }));
      } catch (error) {
        one.reject(error);
      }
    }
  }

  private settle(one: Waiting, answer: GraphAnswer | undefined): void {
    try {
      if (!answer) throw new NoAnswer(true, "the item is missing in the answer");
      one.resolve(this.judge(one.kind, answer, one.call));
    } catch (error) {
      one.reject(this.failure(one.kind, error));
    }
  }

  /** Turns what concerns the tenant and not the object into an error, and tells the circuit. */
  private judge(kind: Kind, answer: GraphAnswer, call: GraphCall | undefined): GraphAnswer {
    try {
      this.refuseTenantFailures(kind, answer, call?.aside === true);
    } catch (error) {
      if (!(error instanceof SyncError) || error.blame === "pace") throw error;
      const { code, detail, afterMs } = error;
      const isolated = this.circuit.failed();
      throw new SyncError(code, {
        tenantId: this.tenantId,
        isolated,
        ...(detail ? { detail } : {}),
        ...(afterMs === undefined ? {} : { afterMs }),
      });
    }
    this.circuit.succeeded();
    return answer;
  }

  private refuseTenantFailures(kind: Kind, answer: GraphAnswer, aside: boolean): void {
    const { status } = answer;
    const pressure = Number(answer.header("x-ms-throttle-limit-percentage") ?? 0);
    if (pressure >= PRESSURE) this.bulkPausedUntil = this.clock.now() + PRESSURE_PAUSE_MS;
    const detail = errorDetail(answer.body);
    const retryAfterS = Number(answer.header("retry-after") ?? Number.NaN);
    const afterMs = (Number.isFinite(retryAfterS) ? retryAfterS : RETRY_AFTER_DEFAULT_S) * 1000;
    if (status === 429) {
      for (const held of aside ? [] : throttledKinds(kind, answer.header("x-ms-throttle-scope"))) {
        this.holdUntil[held] = Math.max(this.holdUntil[held], this.clock.now() + afterMs);
      }
      throw new SyncError("TENANT_THROTTLED", { tenantId: this.tenantId, afterMs, detail });
    }
    if (status === 503 && Number.isFinite(retryAfterS)) {
      throw new SyncError("TENANT_UNAVAILABLE", { tenantId: this.tenantId, afterMs, detail });
    }
    if (status >= 500)
      throw status === 503 || kind === "read"
        ? this.unavailable(status, detail)
        : new NoAnswer(true, `${status} ${detail}`);
    const token = status === 401 && !(kind === "write" && isRefusedByService(detail));
    if (token || (status === 403 && kind === "read" && !aside)) {
      throw new SyncError("TENANT_CONSENT_MISSING", { tenantId: this.tenantId, detail });
    }
  }

  private unavailable(status: number, detail: string): SyncError {
    return new SyncError("TENANT_UNAVAILABLE", { tenantId: this.tenantId, detail: `${status} ${detail}` });
  }

  private failure(kind: Kind, error: unknown): unknown {
    if (!(error instanceof NoAnswer)) return error;
    const isolated = this.circuit.failed();
    if (kind === "write" && error.sent) return new WriteUnsure(error, isolated);
    return new SyncError("TENANT_UNAVAILABLE", {
      tenantId: this.tenantId,
      isolated,
      detail: error.message,
      cause: error,
    });
  }

  private refuseWhileHeld(kind: Kind): void {
    const wait = this.holdUntil[kind] - this.clock.now();
    if (wait > 0)
      throw new SyncError("TENANT_THROTTLED", {
        tenantId: this.tenantId,
        afterMs: wait,
        detail: "not called: told to wait",
      });
  }
}

const throttledKinds = (kind: Kind, scope: string | undefined): readonly Kind[] => {
  const limit = scope?.split("/")[1];
  if (limit === "Read") return ["read"];
  if (limit === "Write") return ["write"];
  return limit === "ReadWrite" ? ["read", "write"] : [kind];
};

/**
 * 401 of a service behind Graph, as of invitations: the token is good, and what is asked for is refused. Of a bad token the
 * code is `InvalidAuthenticationToken`. Not documented; seen in github.com/MicrosoftDocs/azure-docs/issues/58360.
 */
const isRefusedByService = (detail: string): boolean => /^Unauthorized(?:,|$)/.test(detail);

const batchItem = ({ method, path, headers, body }: GraphCall, id: string) => ({
  id,
  method,
  url: path,
  ...(headers || body ? { headers: { ...headers, ...(body ? { "Content-Type": "application/json" } : {}) } } : {}),
  ...(body ? { body } : {}),
});

function batchAnswers({ status, body }: GraphAnswer): Map<string, GraphAnswer> | undefined {
  if (status !== 200 || !isObject(body) || !Array.isArray(body.responses)) return undefined;
  const answers = new Map<string, GraphAnswer>();
  for (const item of body.responses) {
    if (!isObject(item) || typeof item.id !== "string" || typeof item.status !== "number") continue;
    const headers = new Map(
      Object.entries(isObject(item.headers) ? item.headers : {}).map(([name, value]) => [
        name.toLowerCase(),
        String(value),
      ]),
    );
    answers.set(item.id, { status: item.status, header: (name) => headers.get(name), body: item.body });
  }
  return answers;
}

/** Code and property of an error of Graph; its message may hold values and stays out. */
export function errorDetail(body: unknown): string {
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  const details = Array.isArray(error.details) ? error.details.filter(isObject) : [];
  const more = details.map(({ code, target }) => [code, target].filter((part) => typeof part === "string").join(" "));
  return [error.code, ...more].filter((part) => typeof part === "string" && part !== "").join(", ");
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
