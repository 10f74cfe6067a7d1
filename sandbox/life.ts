import type { Rows } from "../shared/ports/rows.ts";
import type { SimulatedClock } from "./clock.ts";
import type { GraphRequest } from "./graph/api.ts";
import type { Instance } from "./world.ts";

/** One call that leaves an instance: to a table, to a tenant (a `$batch` is one) or to the bus. */
export interface Call {
  instance: Instance;
  to: "table" | "graph" | "bus";
  /** `write links`, `PATCH contoso /users/{id}`, `send changes`; several in a batch. */
  what: string;
  /** What it names: the row, the address, the ids of the messages. */
  about: string;
  /** Something is different afterwards. */
  changes: boolean;
}

/** Around calls of instances. What they throw, the caller gets. */
export interface CallHooks {
  /** It is on its way, and has not arrived. */
  before?: ((call: Call) => void | Promise<void>) | undefined;
  /** It has taken effect; the answer is on its way. */
  after?: ((call: Call) => void | Promise<void>) | undefined;
}

type CallTo = Omit<Call, "instance">;

/** What an instance's calls pass through: nothing comes out of a dead one, and a frozen one waits. */
export class Life {
  alive = true;
  frozen = false;
  private thawed: Promise<void> = Promise.resolve();
  private readonly clock: SimulatedClock;
  private readonly hooks: CallHooks;
  private readonly self: () => Instance;

  constructor(clock: SimulatedClock, hooks: CallHooks, self: () => Instance) {
    this.clock = clock;
    this.hooks = hooks;
    this.self = self;
  }

  freeze(ms: number): void {
    this.frozen = true;
    this.thawed = this.clock.sleep(ms).then(() => {
      this.frozen = false;
    });
  }

  /** Lets a call out, and its answer in. */
  async pass<T>(to: () => CallTo, call: () => Promise<T>): Promise<T> {
    await this.gate();
    try {
      if (this.hooks.before) {
        await this.hooks.before({ ...to(), instance: this.self() });
        await this.gate(); // who died meanwhile sends nothing
      }
      const answer = await call();
      if (this.hooks.after) await this.hooks.after({ ...to(), instance: this.self() });
      return answer;
    } finally {
      await this.gate();
    }
  }

  async gate(): Promise<void> {
    await this.thawed;
    if (!this.alive) await new Promise<never>(() => {});
  }
}

/** The rows as an instance sees them. */
export function mortal<T>(life: Life, table: string, rows: Rows<T>): Rows<T> {
  const call = (operation: string, row: string) => (): CallTo => ({
    to: "table",
    what: `${operation} ${table}`,
    about: row,
    changes: operation !== "read" && operation !== "list",
  });
  return {
    read: (partition, row) => life.pass(call("read", row), () => rows.read(partition, row)),
    write: (partition, row, value, etag) =>
      life.pass(call("write", row), () => rows.write(partition, row, value, etag)),
    put: (partition, row, value) => life.pass(call("put", row), () => rows.put(partition, row, value)),
    remove: (partition, row, etag) => life.pass(call("remove", row), () => rows.remove(partition, row, etag)),
    async *list(partition, range) {
      for await (const row of rows.list(partition, range)) yield life.pass(call("list", row.row), async () => row);
    },
  };
}

/** What a request to a tenant is, in words. */
export function callOf(tenant: string, { method, url, body }: GraphRequest): CallTo {
  const address = url.replace(/^\/v1\.0/, "");
  const items: readonly { method: string; url: string }[] =
    address === "/$batch" && body ? JSON.parse(body).requests : [{ method, url: address }];
  const changes = items.some((item) => item.method !== "GET");
  const told = items.filter((item) => !changes || item.method !== "GET");
  return {
    to: "graph",
    what: told.map((item) => `${item.method} ${tenant} ${pathOf(item.url)}`).join(", "),
    about: told.map((item) => item.url).join(" "),
    changes,
  };
}

const ID_IN_PATH = /[0-9a-f]{8}-[0-9a-f-]{27}/g;
const pathOf = (url: string) => url.replace(/\?.*$/, "").replace(ID_IN_PATH, "{id}");
