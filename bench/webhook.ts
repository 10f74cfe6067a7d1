import * as z from "zod";
import { PeopleGraph } from "../sandbox/organization/day-cloud.ts";
import { organization } from "../sandbox/organization/topology.ts";
import { openTables } from "../shared/adapters/tables/index.ts";
import { ITEMS_MAX } from "../shared/pipeline/accept-notification.ts";
import type { SubscriptionRow } from "../shared/pipeline/world.ts";
import { type Bench, type BenchOptions, type Measurement, percentile } from "./bench.ts";
import { type BenchCloud, benchCloud, until } from "./cloud.ts";

const ROUNDS = 6;
const SOURCE = "contoso-us";
const PEOPLE = 20;
const READY_MS = 60_000;
const QUIET_MS = 3 * 60_000;
const BOUND_MS = 500;

/** The secrets that the app gave Graph: nobody who does not know both is believed. */
async function secretsOf({ cloud }: BenchCloud, tenantId: string): Promise<SubscriptionRow | undefined> {
  const tables = openTables({ connectionString: cloud.endpoints.storage });
  try {
    await tables.ensureTables();
    const stored = await tables.rows<SubscriptionRow>("subscriptions").read(tenantId, "users");
    return stored?.value.subscriptionId === undefined ? undefined : stored.value;
  } finally {
    tables.close();
  }
}

/** Nothing is worked on, and nothing that was put off falls due within the next post. */
async function quiet(bench: BenchCloud): Promise<void> {
  await until("the queues are empty", QUIET_MS, async () =>
    Object.values(await bench.queues()).every(({ active, locked }) => active + locked === 0),
  );
}

async function run({ seed, profile }: BenchOptions): Promise<readonly Measurement[]> {
  // Nobody of these is in scope: what is measured is the endpoint, and every look that follows only reads.
  const [group] = organization({ seed, people: PEOPLE }).groups[SOURCE] ?? [];
  const scope = { allUsers: false, groups: [{ id: group?.id ?? "", transitive: true }], users: [] };
  const bench = await benchCloud({
    seed,
    people: PEOPLE,
    computedUsers: { [SOURCE]: ITEMS_MAX * ROUNDS },
    profile,
    jobs: (config) => ({
      ...config,
      jobs: config.jobs.filter(({ source }) => source === SOURCE).map((job) => ({ ...job, scope })),
    }),
  });
  try {
    const tenant = bench.cloud.endpoints.tenants.find(({ name }) => name === SOURCE);
    if (!tenant) throw new Error(`there is no tenant ${SOURCE}`);
    const graph = new PeopleGraph(bench.day, SOURCE);
    const users = await graph.list("/users?$select=id&$top=999", z.object({ id: z.string() }));
    let subscription: SubscriptionRow | undefined;
    await until("the app has subscribed", READY_MS, async () => {
      subscription = await secretsOf(bench, tenant.id);
      return subscription !== undefined;
    });
    if (!subscription) throw new Error("there is no subscription");
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await quiet(bench);
      const ids = users.slice(round * ITEMS_MAX, (round + 1) * ITEMS_MAX).map(({ id }) => id);
      times.push(await post(bench, tenant.id, subscription, ids));
    }
    return [
      {
        bench: "webhook",
        work: `${ITEMS_MAX} notifications for different people in one POST, ${ROUNDS} times, through the local host`,
        unit: "ms",
        figures: { max: Math.max(...times), p50: percentile(times, 0.5), first: times[0] ?? Number.NaN },
        bounds: { max: { most: BOUND_MS } },
      },
    ];
  } finally {
    await bench.stop();
  }
}

/** How long the answer takes, ms. */
async function post(
  bench: BenchCloud,
  tenantId: string,
  { clientState, pathSecret }: SubscriptionRow,
  ids: readonly string[],
): Promise<number> {
  const value = ids.map((id) => ({
    subscriptionId: "7ee1d3d5-0c4c-4d4e-9b0e-5f1f3c1c2a11",
    subscriptionExpirationDateTime: "2026-12-01T00:00:00Z",
    clientState,
    tenantId,
    changeType: "updated",
    resource: `Users/${id}`,
    resourceData: { "@odata.type": "#Microsoft.Graph.User", "@odata.id": `Users/${id}`, id, organizationId: tenantId },
  }));
  const body = JSON.stringify({ value });
  const startedAt = performance.now();
  const response = await fetch(`${bench.cloud.endpoints.app.url}/api/graph-notification/${tenantId}/${pathSecret}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  await response.text();
  const ms = performance.now() - startedAt;
  if (response.status !== 202) throw new Error(`notifications were answered ${response.status}`);
  const { active, locked, scheduled } = (await bench.queues()).changes ?? { active: 0, locked: 0, scheduled: 0 };
  if (active + locked + scheduled < ids.length) throw new Error("the notifications were not believed");
  return ms;
}

export const webhook: Bench = { name: "webhook", run };
