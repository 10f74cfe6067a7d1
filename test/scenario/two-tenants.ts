import { expect } from "vitest";
import type { Knobs, TenantSpec } from "../../sandbox/graph/api.ts";
import { describeDifference, differences } from "../../sandbox/oracle.ts";
import type { Formulas } from "../../sandbox/oracle-rules.ts";
import { random } from "../../sandbox/random.ts";
import { type SimulatedWorld, simulatedWorld, type WorldOptions } from "../../sandbox/world.ts";
import { type WriteWatch, watchWrites } from "../../sandbox/write-watch.ts";
import { SyncConfig } from "../../shared/config/schema.ts";
import type { Link } from "../../shared/domain/link.ts";
import type { Settings, SubscriptionRow } from "../../shared/pipeline/world.ts";
import { KNOBS, SECOND, SETTINGS } from "./contoso.ts";

/** The smallest world with everything in it: one source, one target, two jobs between them, a group for each, and few people. */
export interface TwoTenants {
  world: SimulatedWorld;
  watch: WriteWatch;
  source: ReturnType<SimulatedWorld["graph"]["truth"]>;
  target: ReturnType<SimulatedWorld["graph"]["truth"]>;
  sourceId: string;
  targetId: string;
  /** The scope of job `a` and of job `b`; `a` comes first. */
  groupA: string;
  groupB: string;
  /** Another configuration takes the place of the one before, as a roll-out brings it: both run for so long. */
  change(jobs: readonly Rules[], besideMs: number): Promise<void>;
  /** The configuration that was rolled out last. */
  config(): SyncConfig;
  /** Makes an employee of the source, in these groups. Answers the id. */
  hire(name: string, groups: readonly string[], more?: Readonly<Record<string, unknown>>): string;
  link(userId: string): Link | undefined;
  /** Guests that stand for the user, removed ones too. */
  guestsOf(userId: string): ReturnType<TwoTenants["target"]["user"]>[];
  /** What is not as it must be once nothing is under way: the oracle's differences, links that are not settled, two owners. */
  faults(): string[];
  /** What must never have happened: a second user for one person, two owners of one target user, writes to others. */
  crimes(): string[];
  /** Runs until nothing is wrong; the simulated time that it took, or the limit. */
  untilSettled(limitMs: number): Promise<number>;
}

/** What a job of this world says beside its name, its tenants and the usual. */
export type Rules = Readonly<Record<string, unknown>>;

export type TwoTenantsOptions = Pick<WorldOptions, "seed"> & {
  /** Jobs `a`, `b`, …; default: one for each group. */
  jobs?: (groupA: string, groupB: string) => readonly Rules[];
  hub?: Partial<TenantSpec>;
  /** A permission that the app is not granted, in neither tenant. */
  withheld?: string;
  /** What the configuration says of a tenant beside the usual. */
  tenantSettings?: Readonly<Record<string, Rules>>;
  /** What the app may do in the hub beside the usual; its administrators then have a client too. */
  permissions?: readonly string[];
  formulas?: Formulas;
  knobs?: Partial<Knobs>;
  settings?: Partial<Settings>;
  instances?: number;
  timerMs?: number;
  concurrency?: number;
  skewMs?: number;
};

/** An account of one person at a second desk is no second person: guests are counted by whose account they are. */
export function twoTenants(options: TwoTenantsOptions): TwoTenants {
  const chance = random(options.seed);
  const apps = { source: chance.uuid(), target: chance.uuid() };
  const tenants = [
    spec("home", chance.uuid(), apps.source, SOURCE),
    { ...hubSpec(chance.uuid(), apps.target, options.permissions), ...options.hub },
  ];
  for (const { clients } of tenants) withhold(clients[0], options.withheld);
  const [home, hub] = tenants as [TenantSpec, TenantSpec];
  const [groupA, groupB] = [chance.uuid(), chance.uuid()];
  const usual = (group: string) => ({ scope: { groups: [{ id: group }] } });
  const config = configOf(
    tenants,
    options.jobs?.(groupA, groupB) ?? [usual(groupA), usual(groupB)],
    options.tenantSettings,
  );
  let current = config;
  const world = simulatedWorld({
    ...options,
    tenants,
    config,
    knobs: { ...KNOBS, ...options.knobs },
    settings: { ...SETTINGS, ...options.settings },
    populate: (graph) => {
      const truth = graph.truth("home");
      // A group without members is not believed: somebody is always there.
      const anchor = truth.createUser(employee("anchor"));
      truth.createGroup({ id: groupA, displayName: "A", members: [anchor] });
      truth.createGroup({ id: groupB, displayName: "B", members: [anchor] });
    },
  });
  const watch = watchWrites(world.graph, config);
  const [source, target] = [world.graph.truth("home"), world.graph.truth("hub")];
  const crimes = watchForCrimes(world, apps.target, home.id);
  const links = () => world.store.dump("links").map(({ row, value }) => ({ ...(value as Link), userId: row }));
  const faults = () => [
    ...differences(world.graph, current, watch, options.formulas).map(describeDifference),
    ...subscribed(current)
      .filter((name) => !isSubscribed(world, name))
      .map((name) => `no subscription to ${name}`),
    ...links()
      .filter((link) => !isSettled(link))
      .map((link) => `not settled: ${JSON.stringify(link)}`),
  ];
  return {
    world,
    watch,
    source,
    target,
    sourceId: home.id,
    targetId: hub.id,
    groupA,
    groupB,
    config: () => current,
    async change(jobs, besideMs) {
      current = configOf(tenants, jobs, options.tenantSettings);
      const before = [...world.instances];
      for (const _ of before) world.start(current);
      await world.clock.runFor(besideMs);
      for (const instance of before) instance.kill();
    },
    hire(name, groups, more = {}) {
      const id = source.createUser({ ...employee(name), ...more });
      for (const group of groups) source.addMember(group, id);
      return id;
    },
    link: (userId) => links().find((link) => link.userId === userId),
    guestsOf: (userId) => [...target.users()].filter(({ home }) => home?.userId === userId),
    faults,
    crimes,
    async untilSettled(limitMs) {
      const startedAt = world.clock.now();
      while (world.clock.now() - startedAt < limitMs) {
        await world.clock.runFor(SECOND);
        if (faults().length === 0) break;
      }
      return world.clock.now() - startedAt;
    },
  };
}

/** Expects that nothing is wrong now and nothing was. */
export function expectSound(c: TwoTenants): void {
  expect(c.faults()).toEqual([]);
  expect(c.crimes()).toEqual([]);
}

const subscribed = ({ jobs }: SyncConfig): readonly string[] =>
  jobs.some(({ scope }) => scope.groups.length > 0) ? ["users", "groups"] : ["users"];

const isSubscribed = (world: SimulatedWorld, name: string): boolean =>
  world.store
    .dump("subscriptions")
    .some(({ row, value }) => row === name && (value as SubscriptionRow).subscriptionId !== undefined);

/** A state at rest, nobody at work on it, no proof or failure under way. */
function isSettled({ state, claim, escrow, missingSince, targetMissingSince }: Link): boolean {
  if (state === "inviting" || state === "invited") return false;
  return claim === undefined && escrow === undefined && missingSince === undefined && targetMissingSince === undefined;
}

/** Watches every commit of the target and the rows of owners. */
function watchForCrimes(world: SimulatedWorld, client: string, sourceId: string): () => string[] {
  const found: string[] = [];
  const made = new Map<string, string[]>();
  const target = world.graph.truth("hub");
  target.onCommit(({ object, kind, by, id }) => {
    if (object !== "user" || kind !== "created" || by !== client) return;
    const person = target.user(id)?.home?.userId ?? `nobody (${id})`;
    const others = made.get(person) ?? [];
    made.set(person, [...others, id]);
    if (others.length === 0) return;
    // Whoever stood still may invite once more when the first is removed: nothing holds that up, and it is put right.
    const late = others.every((other) => target.user(other)?.deletedAt) && linkOf(person)?.claim?.plan !== "create";
    if (!late) found.push(`a second user for ${person}: ${[...others, id].join(", ")}`);
  });
  const linkOf = (userId: string) =>
    world.store.dump("links").find(({ row }) => row === userId)?.value as Link | undefined;
  const living = (users: readonly string[]) => users.filter((id) => target.user(id) && !target.user(id)?.deletedAt);
  return () => {
    const owners = new Map(
      world.store.dump("targets").map(({ row, value }) => [row, (value as { link: string }).link] as const),
    );
    const linked = world.store.dump("links").flatMap(({ row, value }) => {
      const { targetId } = value as Link;
      return targetId === undefined ? [] : [{ userId: row, targetId }];
    });
    const owned = Map.groupBy(linked, ({ targetId }) => targetId);
    const twice = linked.filter(({ targetId }) => (owned.get(targetId)?.length ?? 0) > 1);
    const strange = linked.filter(({ userId, targetId }) => owners.get(`user:${targetId}`) !== `${sourceId}/${userId}`);
    const doubled = [...made].filter(([, users]) => living(users).length > 1);
    return [
      ...found,
      ...doubled.map(([person, users]) => `a second user for ${person} lives: ${living(users).join(", ")}`),
      ...twice.map(({ userId, targetId }) => `${targetId} has two owners, one is ${userId}`),
      ...strange.map(
        ({ userId, targetId }) => `${userId} has ${targetId}, the owner's row says ${owners.get(`user:${targetId}`)}`,
      ),
    ];
  };
}

/** What `docs/permissions.md` asks for, and nothing more: a test compares them. */
export const SOURCE = ["User.Read.All", "GroupMember.Read.All", "Group.Read.All"];
export const TARGET = [
  "User.Read.All",
  "User.ReadWrite.All",
  "User.Invite.All",
  "User.DeleteRestore.All",
  "User.EnableDisableAccount.All",
];

export const spec = (name: string, id: string, clientId: string, permissions: readonly string[]): TenantSpec => ({
  name,
  id,
  cloud: "global",
  domain: `${name}.example`,
  initialDomain: `${name}.onmicrosoft.com`,
  clients: [{ clientId, permissions, extensions: [{ name: "syncSource", dataType: "String" }] }],
});

/** The client of the hub's own administrators. */
export const HUB_ADMINISTRATORS = "ad000000-0000-4000-8000-000000000001";

function withhold(app: TenantSpec["clients"][number] | undefined, permission: string | undefined): void {
  if (app && permission) Object.assign(app, { permissions: app.permissions.filter((name) => name !== permission) });
}

function hubSpec(id: string, clientId: string, more: readonly string[] | undefined): TenantSpec {
  const usual = spec("hub", id, clientId, [...TARGET, ...(more ?? [])]);
  if (!more) return usual;
  const administrators = {
    clientId: HUB_ADMINISTRATORS,
    permissions: ["Policy.ReadWrite.CrossTenantAccess", "Policy.ReadWrite.Authorization"],
  };
  return { ...usual, clients: [...usual.clients, administrators] };
}

const employee = (name: string) => ({
  displayName: name,
  userPrincipalName: `${name}@home.example`,
  mail: `${name}@home.example`,
  accountEnabled: true,
  userType: "Member",
  department: "0",
});

function configOf(
  tenants: readonly TenantSpec[],
  rules: readonly Rules[],
  settings: TwoTenantsOptions["tenantSettings"] = {},
): SyncConfig {
  const job = (id: string, more: Rules) => ({
    id,
    source: "home",
    target: "hub",
    state: "on",
    userType: "member",
    limits: { removals: { immediatePerHour: 20, minimumSource: 0 }, settlingMinutes: 0.1 },
    mappings: [
      { target: "displayName", source: "displayName" },
      { target: "department", source: "department" },
      { target: "mail", source: "mail" },
      { target: "companyName", constant: `job ${id}` },
    ],
    ...more,
  });
  return SyncConfig.parse({
    version: 1,
    deployment: "two-tenants",
    tenants: tenants.map(({ name, id, cloud, clients }) => ({
      name,
      id,
      cloud,
      credential: { kind: "certificate", clientId: clients[0]?.clientId, path: `${name}.pem` },
      ...settings[name],
    })),
    jobs: rules.map((more, index) => job(String.fromCharCode(97 + index), more)),
  });
}
