import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP address in front of a stand-in, to play its outages: the service itself goes on and loses nothing, as the real one
 * does, while nobody reaches it.
 */
export interface Proxy {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Breaks every connection there is; new ones are served. */
  cut(): void;
  /** Breaks every connection and refuses new ones. */
  refuse(): Promise<void>;
  /** Passes nothing on, in either direction, on old connections and new. */
  freeze(): void;
  /** Ends `refuse` and `freeze`. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

export async function tcpProxy(target: { host: string; port: number }): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let frozen = false;
  let port = 0;
  let server = await listen();

  function listen(): Promise<Server> {
    const fresh = createServer((near) => {
      const far = connect(target);
      const pair = [near, far] as const;
      pairs.add(pair);
      for (const [from, to] of [pair, [far, near] as const]) {
        from.setNoDelay(true);
        from.pipe(to);
        // One side that breaks takes the other along; there is nobody to tell.
        from.on("error", () => to.destroy());
        from.on("close", () => {
          pairs.delete(pair);
          to.destroy();
        });
      }
      if (frozen) hold(pair);
    });
    return new Promise((resolve, reject) => {
      fresh.once("error", reject);
      fresh.listen(port, "127.0.0.1", () => {
        port = (fresh.address() as AddressInfo).port;
        resolve(fresh);
      });
    });
  }

  const hold = ([near, far]: readonly [Socket, Socket]) => {
    near.unpipe(far).pause();
    far.unpipe(near).pause();
  };
  const cut = () => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  const stopListening = () => new Promise<void>((resolve) => server.close(() => resolve()));

  return {
    get address() {
      return `127.0.0.1:${port}`;
    },
    cut,
    refuse: async () => {
      const stopped = stopListening();
      cut();
      await stopped;
    },
    freeze: () => {
      frozen = true;
      for (const pair of pairs) hold(pair);
    },
    restore: async () => {
      // Only what was held: a second pipe beside the first would pass every byte on twice.
      if (frozen) for (const [near, far] of pairs) near.pipe(far).pipe(near);
      frozen = false;
      if (!server.listening) server = await listen();
    },
    close: async () => {
      cut();
      if (server.listening) await stopListening();
    },
  };
}
