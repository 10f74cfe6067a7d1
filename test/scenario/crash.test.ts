import { describe, expect, test } from "vitest";
import type { Call } from "../../sandbox/life.ts";
import type { Instance } from "../../sandbox/world.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { BusUnavailable } from "../../shared/ports/bus.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { HOUR, MINUTE, SECOND, SETTINGS } from "./contoso.ts";
import { type TwoTenants, type TwoTenantsOptions, twoTenants } from "./two-tenants.ts";

/** Every effect may be the last: each kind of work is ended at each of its effects in turn, and somebody else goes on. */

/** Nobody waits longer than a lock of the bus, a lease and the time until the index has seen an invitation. */
const WAIT_MS = 60 * SECOND + 60 * SECOND + SETTINGS.indexAllowanceMs;
/** A worker that stands still for so long has lost its lock and its lease. */
const FROZEN_MS = 150 * SECOND;
const SEED = 4_000;

interface Work {
  name: string;
  options?: Partial<TwoTenantsOptions>;
  /** Before the work; what it answers goes to the work. */
  prepare(c: TwoTenants): Promise<string>;
  work(c: TwoTenants, id: string): void;
  /** What happens next, when everything is settled: what was interrupted may be remembered wrongly. */
  afterwards?(c: TwoTenants, id: string): void;
  /** What the provisioning log says exactly once of whom the work is about, whoever died over it. */
  told?: string;
  /** Beyond what the oracle says, at the end. */
  expected?(c: TwoTenants, id: string): object;
}

const hired = async (c: TwoTenants, ...groups: readonly string[]) => {
  const id = c.hire("ada", groups.length > 0 ? groups : [c.groupA]);
  await c.untilSettled(MINUTE);
  return id;
};
const nobody = async () => "";
const stateOf = (c: TwoTenants, id: string) => ({ state: c.link(id)?.state });
const LINKED = { state: "linked" };
const byName = (c: TwoTenants, name: string) => c.source.userByName(`${name}@home.example`)?.id ?? "";

const WORKS: readonly (Work & { ends: object })[] = [
  {
    name: "create",
    told: "create",
    prepare: nobody,
    work: (c) => void c.hire("ada", [c.groupA]),
    expected: (c) => stateOf(c, byName(c, "ada")),
    ends: LINKED,
  },
  {
    name: "create with manager",
    prepare: hired,
    work: (c, manager) => void c.hire("bob", [c.groupA], { manager }),
    expected: (c) => stateOf(c, byName(c, "bob")),
    ends: LINKED,
  },
  {
    name: "create of somebody's manager",
    prepare: async (c) => {
      const manager = c.hire("ada", []);
      c.hire("bob", [c.groupA], { manager });
      await c.untilSettled(MINUTE);
      return manager;
    },
    work: (c, id) => c.source.addMember(c.groupA, id),
    expected: stateOf,
    ends: LINKED,
  },
  {
    name: "update",
    told: "update",
    prepare: hired,
    work: (c, id) => c.source.updateUser(id, { department: "1" }),
    expected: stateOf,
    ends: LINKED,
  },
  {
    name: "disable",
    told: "disable",
    prepare: hired,
    work: (c, id) => c.source.updateUser(id, { accountEnabled: false }),
    afterwards: (c, id) => c.source.updateUser(id, { accountEnabled: true }),
    expected: (c, id) => ({ ...stateOf(c, id), enabled: c.guestsOf(id)[0]?.accountEnabled }),
    ends: { ...LINKED, enabled: true },
  },
  {
    name: "enable",
    told: "update",
    prepare: async (c) => {
      const id = await hired(c);
      c.source.updateUser(id, { accountEnabled: false });
      await c.untilSettled(MINUTE);
      return id;
    },
    work: (c, id) => c.source.updateUser(id, { accountEnabled: true }),
    expected: (c, id) => ({ ...stateOf(c, id), enabled: c.guestsOf(id)[0]?.accountEnabled }),
    ends: { ...LINKED, enabled: true },
  },
  {
    name: "delete",
    told: "delete",
    prepare: hired,
    work: (c, id) => c.source.deleteUser(id),
    afterwards: (c, id) => c.source.restoreUser(id),
    expected: stateOf,
    ends: LINKED,
  },
  {
    name: "unassign",
    told: "delete",
    prepare: hired,
    work: (c, id) => c.source.removeMember(c.groupA, id),
    afterwards: (c, id) => c.source.addMember(c.groupA, id),
    expected: stateOf,
    ends: LINKED,
  },
  {
    name: "restore",
    told: "update",
    prepare: async (c) => {
      const id = await hired(c);
      c.source.deleteUser(id);
      await c.untilSettled(MINUTE);
      return id;
    },
    work: (c, id) => c.source.restoreUser(id),
    expected: stateOf,
    ends: LINKED,
  },
  {
    name: "adopt",
    told: "update",
    prepare: async (c) => {
      const id = c.hire("ada", []);
      c.target.createUser({
        displayName: "Somebody's guest",
        creationType: "Invitation",
        userType: "Guest",
        accountEnabled: true,
        userPrincipalName: "ada_home.example#EXT#@hub.onmicrosoft.com",
        mail: "ada@home.example",
        externalUserState: "PendingAcceptance",
      });
      await c.world.clock.runFor(10 * SECOND);
      return id;
    },
    work: (c, id) => c.source.addMember(c.groupA, id),
    // Whoever finishes it does not take the guest for one that we made.
    expected: (c, id) => ({ ...stateOf(c, id), types: c.guestsOf(id).map((guest) => guest?.userType) }),
    ends: { ...LINKED, types: ["Guest"] },
  },
  {
    name: "move of ownership between two jobs",
    told: "update",
    prepare: (c) => hired(c, c.groupA, c.groupB),
    work: (c, id) => c.source.removeMember(c.groupA, id),
    expected: (c, id) => ({ job: c.link(id)?.jobId, company: c.guestsOf(id)[0]?.properties.companyName }),
    ends: { job: "b", company: "job b" },
  },
  ...[
    { name: "subscription creation", gone: true },
    { name: "subscription creation beside one that nobody knows", gone: false },
  ].map(({ name, gone }) => ({
    name,
    options: { settings: { sweepMs: HOUR } },
    prepare: hired,
    work: (c: TwoTenants) => {
      if (gone) c.world.graph.addFault({ tenant: "home", on: "any", kind: "subscriptionsGone" });
      c.world.store.clear("subscriptions");
    },
    // No sweep comes so soon: only a notification tells.
    afterwards: (c: TwoTenants, id: string) => c.source.updateUser(id, { department: "1" }),
    expected: (c: TwoTenants, id: string) => ({ department: c.guestsOf(id)[0]?.properties.department }),
    ends: { department: "1" },
  })),
  {
    name: "page of a delta round",
    options: { knobs: { notificationLost: 1 }, settings: { sweepMs: 20_000 } },
    prepare: async (c) => {
      const id = await hired(c);
      c.hire("bob", [c.groupB]);
      c.hire("eve", [c.groupB]);
      await c.untilSettled(2 * MINUTE);
      return id;
    },
    work: (c, id) => {
      c.source.updateUser(id, { department: "1" });
      c.source.deleteUser(byName(c, "bob"));
      c.source.addMember(c.groupA, byName(c, "eve"));
      c.hire("zoe", [c.groupB]);
    },
    expected: (c) => stateOf(c, byName(c, "zoe")),
    ends: LINKED,
  },
];

/** The instance ends before the effect arrives, or before it sees the answer; only the answer is lost; the instance stands still before it. */
const VARIANTS = ["is lost on its way", "is the last", "has an answer that is lost", "comes late"] as const;
type Variant = (typeof VARIANTS)[number];

describe.each(WORKS)("$name", (work) => {
  test.each(VARIANTS)("every effect in turn %s", async (variant) => {
    const { effects, tookMs } = await undisturbed(work);
    expect(effects.length).toBeGreaterThan(2);
    const found: object[] = [];
    for (const [index, what] of effects.entries()) {
      const wrong = await oneRun(work, variant, index, tookMs);
      if (wrong) found.push({ seed: SEED, effect: `${index + 1} of ${effects.length}: ${what}`, ...wrong });
    }
    expect(found).toEqual([]);
  });
});

/** What is wrong after one effect has been struck; `undefined`: nothing. */
async function oneRun(work: Work & { ends: object }, variant: Variant, index: number, tookMs: number) {
  const { c, id } = await prepared(work);
  const before = new Set(rows(c));
  const struck = strike(c, variant, index);
  work.work(c, id);
  const waitedMs = await c.untilSettled(tookMs + WAIT_MS);
  const inTime = c.faults();
  if (variant === "comes late") await c.world.clock.runFor(FROZEN_MS);
  await c.world.clock.runFor(30 * SECOND);
  const later = c.faults();
  const told = rows(c).filter((row) => !before.has(row) && row.endsWith(` ${work.told} ${id || byName(c, "ada")}`));
  work.afterwards?.(c, id);
  await c.world.clock.runFor(10 * SECOND); // replicas lag behind our own writes too
  await c.untilSettled(MINUTE);
  const end = { faults: c.faults(), crimes: c.crimes(), ...work.expected?.(c, id) };
  c.world.close();
  if (!struck()) return { struck: false };
  const expected = { faults: [], crimes: [], ...work.ends };
  const complete = work.told === undefined || told.length === 1;
  const right = complete && inTime.length + later.length === 0 && JSON.stringify(end) === JSON.stringify(expected);
  return right ? undefined : { waitedMs, inTime, later, told, end, expected };
}

/** What the provisioning log says was done: name, action and person of each row. */
const rows = (c: TwoTenants): readonly string[] =>
  c.world.store.dump("provisioninglog").flatMap(({ row, value }) => {
    const { action, status, userId } = value as LogRow;
    return status === "success" || status === "warning" ? [`${row} ${action} ${userId}`] : [];
  });

const NOTHING = { faults: [], crimes: [] };

async function prepared(work: Work): Promise<{ c: TwoTenants; id: string }> {
  const c = twoTenants({ seed: SEED, timerMs: 10_000, ...work.options });
  await c.untilSettled(MINUTE);
  const id = await work.prepare(c);
  await c.world.clock.runFor(20 * SECOND); // looks that trail behind
  return { c, id };
}

/** What the work does when nothing goes wrong. */
async function undisturbed(work: Work): Promise<{ effects: readonly string[]; tookMs: number }> {
  const { c, id } = await prepared(work);
  const effects: string[] = [];
  c.world.hooks.after = ({ changes, what }) => {
    if (changes) effects.push(what);
  };
  work.work(c, id);
  const tookMs = await c.untilSettled(MINUTE);
  expect({ faults: c.faults(), crimes: c.crimes() }).toEqual(NOTHING);
  c.world.close();
  return { effects, tookMs };
}

/** Ends the instance at an effect, in one of the ways; another one starts. The answer says whether it has happened. */
function strike({ world }: TwoTenants, variant: Variant, index: number): () => boolean {
  let effects = 0;
  let struck = false;
  const isIt = ({ changes }: Call) => {
    if (!changes || struck || effects++ !== index) return false;
    struck = true;
    return true;
  };
  const end = (instance: Instance) => {
    instance.kill();
    world.clock.after(SECOND, () => void world.start());
    return new Promise<never>(() => {});
  };
  const lost = ({ to }: Call) =>
    to === "table"
      ? new StorageUnavailable("no answer")
      : to === "bus"
        ? new BusUnavailable("no answer")
        : new TypeError("no answer");
  if (variant === "is lost on its way") {
    world.hooks.before = (call) => (isIt(call) ? end(call.instance) : undefined);
  } else if (variant === "is the last") {
    world.hooks.after = (call) => (isIt(call) ? end(call.instance) : undefined);
  } else if (variant === "has an answer that is lost") {
    world.hooks.after = (call) => {
      if (isIt(call)) throw lost(call);
    };
  } else {
    world.hooks.before = async (call) => {
      if (!isIt(call)) return;
      world.start();
      call.instance.freeze(FROZEN_MS);
      await world.clock.sleep(FROZEN_MS);
    };
  }
  return () => struck;
}
