import { afterEach, describe, expect, test } from "vitest";
import type { PassRow } from "../../shared/pipeline/pass-rows.ts";
import { startFullPass } from "../../shared/pipeline/passes.ts";
import { HOUR, MINUTE, SECOND } from "./contoso.ts";
import { expectSound, type TwoTenants, twoTenants } from "./two-tenants.ts";

let c: TwoTenants;
afterEach(() => c.world.close());

/** Sweeps find nothing here: what is found, a pass has found. */
const PASSES_ONLY = { driftMs: 24 * HOUR, censusMs: 24 * HOUR } as const;
const NEVER = 7 * 24 * HOUR;

async function hired(seed: number, people: number, more: Partial<Parameters<typeof twoTenants>[0]> = {}) {
  c = twoTenants({ seed, settings: PASSES_ONLY, ...more });
  const ids = Array.from({ length: people }, (_, index) => c.hire(`p${index}`, [c.groupA]));
  await c.untilSettled(5 * MINUTE);
  expectSound(c);
  await c.world.clock.runFor(MINUTE);
  for (const { world } of c.world.instances) world.settings.sweepMs = NEVER;
  return ids;
}

const instance = () => {
  const [first] = c.world.instances;
  if (!first) throw new Error("nobody lives");
  return first.world;
};

const passOf = (name: string) => c.world.store.dump("passes").find(({ row }) => row === name)?.value as PassRow;
const isIdle = (name: string) => passOf(name).phase === "idle";

async function runFullPass(limitMs = 10 * MINUTE): Promise<void> {
  await startFullPass(instance());
  await untilIdle("full", limitMs);
}

async function untilIdle(name: string, limitMs: number): Promise<void> {
  const giveUpAt = c.world.clock.now() + limitMs;
  do await c.world.clock.runFor(SECOND);
  while (!isIdle(name) && c.world.clock.now() < giveUpAt);
  expect(isIdle(name)).toBe(true);
}

/** Subscriptions are looked after at the same time: they do not count. */
function requests(tenant: string): number {
  const operations = Object.entries(c.world.graph.statistics()[tenant]?.byOperation ?? {});
  return operations.reduce((sum, [name, count]) => sum + (name.includes("/subscriptions") ? 0 : count), 0);
}

/** Nobody hears of what happens, as if every hint had been purged and the delta link were ahead of it. */
async function unheard(change: () => void): Promise<void> {
  c.world.graph.setKnobs({ notificationLost: 1 });
  change();
  await c.world.clock.runFor(MINUTE);
  expect(c.faults().length).toBeGreaterThan(0);
}

describe("what a full pass finds", () => {
  test("changed, left, deleted and new people whose hints were lost", async () => {
    const [changed = "", left = "", deleted = ""] = await hired(101, 6);
    await unheard(() => {
      c.source.updateUser(changed, { department: "1" });
      c.source.removeMember(c.groupA, left);
      c.source.deleteUser(deleted);
      c.hire("new", [c.groupB]);
    });
    await runFullPass();
    await c.untilSettled(5 * MINUTE);
    expectSound(c);
  });

  test("people whose hints were purged when the delta link was ahead of them already", async () => {
    const [changed = "", left = ""] = await hired(104, 4);
    const { bus, settings } = instance();
    const send = bus.send.bind(bus);
    bus.send = async (queue, messages) => (queue === "pages" ? send(queue, messages) : undefined);
    Object.assign(settings, { sweepMs: MINUTE });
    await unheard(() => {
      c.source.updateUser(changed, { department: "1" });
      c.source.removeMember(c.groupA, left);
    });
    await c.world.clock.runFor(2 * MINUTE);
    Object.assign(bus, { send });
    await c.world.clock.runFor(5 * MINUTE); // sweeps go on, and see nothing any more
    expect(c.faults().length).toBeGreaterThan(0);
    await runFullPass();
    await c.untilSettled(5 * MINUTE);
    expectSound(c);
  });

  test("nothing where nothing has changed: no look, no call to the target", async () => {
    await hired(102, 8);
    await runFullPass(); // writes rows for whoever was never looked at
    await c.world.clock.runFor(2 * MINUTE);
    const [source, target] = [requests("home"), requests("hub")];
    await runFullPass();
    await c.world.clock.runFor(2 * MINUTE);
    expect(requests("hub") - target).toBe(0);
    expect(requests("home") - source).toBe(3); // members of two groups, one page of users
  });

  test("by itself once in the interval", async () => {
    const [changed = ""] = await hired(103, 3, { settings: { ...PASSES_ONLY, fullPassMs: HOUR } });
    await unheard(() => c.source.updateUser(changed, { department: "1" }));
    await c.world.clock.runFor(HOUR);
    expectSound(c);
  });
});

describe("an incomplete listing concludes nothing", () => {
  const removedNow = (ids: readonly string[]) =>
    ids.filter((id) => c.guestsOf(id).some((guest) => guest?.deletedAt !== undefined));

  test.each([
    [
      "503 in the middle",
      { tenant: "home", on: "read", kind: "status", status: 503, probability: 0.5, forMs: 5 * MINUTE },
    ],
    ["cut bodies", { tenant: "home", on: "read", kind: "truncate", probability: 0.5, forMs: 5 * MINUTE }],
    ["consent revoked", { tenant: "home", on: "read", kind: "consentRevoked", forMs: 5 * MINUTE }],
  ] as const)("%s", async (_name, fault) => {
    const ids = await hired(110, 6);
    c.world.graph.addFault(fault);
    await startFullPass(instance());
    await c.world.clock.runFor(4 * MINUTE);
    expect(removedNow(ids)).toEqual([]);
    c.world.graph.clearFaults();
    await untilIdle("full", 20 * MINUTE);
    await c.world.clock.runFor(5 * MINUTE);
    expectSound(c);
  });

  test("a listing that says that nobody is there any more: everybody is looked at, and stays", async () => {
    const ids = await hired(111, 6);
    const wrong = instance().sourceListing(c.sourceId);
    const { users, members } = { users: wrong.users, members: wrong.members };
    wrong.users = async () => ({ kind: "page", items: [], unreadable: 0, next: undefined });
    wrong.members = async () => ({ kind: "page", items: [], unreadable: 0, next: undefined });
    const before = requests("home");
    await runFullPass();
    await c.world.clock.runFor(5 * MINUTE);
    expect(requests("home")).toBeGreaterThan(before);
    expect(removedNow(ids)).toEqual([]);
    Object.assign(wrong, { users, members });
    expectSound(c);
  });

  test("a place in the listing that has expired: it begins again", async () => {
    const [changed = ""] = await hired(112, 4);
    await unheard(() => c.source.updateUser(changed, { department: "1" }));
    const listing = instance().sourceListing(c.sourceId);
    const users = listing.users.bind(listing);
    let expired = false;
    listing.users = async (link, attributes) => {
      if (expired) return users(link, attributes);
      expired = true;
      return { kind: "expired" };
    };
    await runFullPass();
    await c.untilSettled(5 * MINUTE);
    expect(expired).toBe(true);
    expectSound(c);
  });
});

describe("a run goes on", () => {
  test("when whoever does a step dies over it, at every call", async () => {
    const [changed = ""] = await hired(120, 4, { instances: 2 });
    for (let call = 0; call < 10; call++) {
      await unheard(() => c.source.updateUser(changed, { department: `${call + 1}` }));
      let seen = 0;
      c.world.hooks.after = ({ instance: dying, what }) => {
        if (!what.includes("pass") || seen++ !== call) return;
        dying.kill();
        c.world.start().world.settings.sweepMs = NEVER;
      };
      const { runId } = passOf("full");
      while (passOf("full").runId === runId) {
        void startFullPass(instance()); // never comes back to whoever dies over it
        await c.world.clock.runFor(SECOND);
      }
      await untilIdle("full", 20 * MINUTE);
      c.world.hooks.after = undefined;
      await c.untilSettled(5 * MINUTE);
      expectSound(c);
    }
  });

  test("when its messages are purged", async () => {
    const [changed = ""] = await hired(121, 4);
    await unheard(() => c.source.updateUser(changed, { department: "1" }));
    await startFullPass(instance());
    for (let purges = 0; purges < 3; purges++) {
      while (true) {
        const message = c.world.broker.receive("pages");
        if (!message) break;
        c.world.broker.complete("pages", message.lockToken);
      }
      await c.world.clock.runFor(SECOND);
    }
    await untilIdle("full", 10 * MINUTE);
    await c.untilSettled(5 * MINUTE);
    expectSound(c);
  });
});
