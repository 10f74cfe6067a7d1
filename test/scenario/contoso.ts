import { expect } from "vitest";
import type { GraphTenants, Knobs } from "../../sandbox/graph/api.ts";
import { describeDifference, peopleRight } from "../../sandbox/oracle.ts";
import { type Organization, organization, populate } from "../../sandbox/organization/topology.ts";
import { type SimulatedWorld, simulatedWorld } from "../../sandbox/world.ts";
import { type WriteWatch, watchWrites } from "../../sandbox/write-watch.ts";
import type { SyncConfig } from "../../shared/config/schema.ts";
import type { Settings } from "../../shared/pipeline/world.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** Contoso in simulated time: five tenants in three clouds, with the real pipeline between them. */
export interface Contoso {
  world: SimulatedWorld;
  organization: Organization;
  /** Object ids by tenant and key. */
  ids: Record<string, ReadonlyMap<string, string>>;
  watch: WriteWatch;
  graph: GraphTenants;
  /** Runs until every target is as the jobs say; fails with what is not when the time is over. */
  untilRight(limitMs: number): Promise<void>;
  expectRight(): void;
  /** Writes that targets have accepted from the app so far. */
  writes(): number;
}

export interface ContosoOptions {
  seed: number;
  people?: number;
  knobs?: Partial<Knobs>;
  settings?: Partial<Settings>;
  instances?: number;
  timerMs?: number;
  config?: (config: SyncConfig, organization: Organization) => SyncConfig;
}

/** Small lags, and allowances that fit them: a simulated minute is then enough for most things. */
export const KNOBS: Partial<Knobs> = {
  latencyMs: [20, 120],
  replicationLagMs: 2_000,
  indexLagMs: 4_000,
  deltaLagMs: 2_000,
  notificationDelayMs: [200, 2_000],
  notificationLost: 0,
  notificationDoubled: 0,
  notificationReordered: false,
};
export const SETTINGS = {
  replicationAllowanceMs: 5_000,
  indexAllowanceMs: 10_000,
  sweepMs: 60_000,
} satisfies Partial<Settings>;

export function contoso(options: ContosoOptions): Contoso {
  const made = organization({ seed: options.seed, people: options.people ?? 40 });
  const config = made.config((name) => `${name}.pem`);
  const wanted = options.config ? options.config(config, made) : config;
  let ids: Contoso["ids"] = {};
  const world = simulatedWorld({
    seed: options.seed,
    tenants: made.tenants,
    config: wanted,
    knobs: { ...KNOBS, ...options.knobs },
    settings: { ...SETTINGS, ...options.settings },
    ...(options.instances === undefined ? {} : { instances: options.instances }),
    ...(options.timerMs === undefined ? {} : { timerMs: options.timerMs }),
    populate: (graph) => {
      ids = populate(graph, made);
    },
  });
  const watch = watchWrites(world.graph, wanted);
  const verdict = () => peopleRight(world.graph, wanted, watch);
  return {
    world,
    organization: made,
    ids,
    watch,
    graph: world.graph,
    async untilRight(limitMs) {
      const startedAt = world.clock.now();
      const giveUpAt = startedAt + limitMs;
      while (world.clock.now() < giveUpAt) {
        // The comparison costs more than the world does: after the first minute it is made less often.
        const waited = world.clock.now() - startedAt;
        await world.clock.runFor(waited < MINUTE ? SECOND : waited < 10 * MINUTE ? 10 * SECOND : 5 * MINUTE);
        if (verdict().differences.length === 0) return;
      }
      expect(verdict().differences.slice(0, 10).map(describeDifference)).toEqual([]);
    },
    expectRight: () => expect(verdict().differences.slice(0, 10).map(describeDifference)).toEqual([]),
    writes: () => Object.values(world.graph.statistics()).reduce((sum, { writes }) => sum + writes, 0),
  };
}

/** An employee of a tenant by place in the list, with everything the population gave them. */
export function employee({ organization: made, ids }: Contoso, tenant: string, index: number) {
  const employees = (made.people[tenant] ?? []).filter(
    ({ kind, properties }) => kind === "employee" && properties.accountEnabled !== false,
  );
  const person = employees[index];
  const id = person && ids[tenant]?.get(person.key);
  if (!person || !id) throw new Error(`there is no employee ${index} in ${tenant}`);
  return { id, person };
}
