import fc from "fast-check";
import { MINUTE } from "../scenario/contoso.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";

/** Stories for two and three workers who have the same people in their hands, and how they end. */

const NAMES = ["ada", "bob"] as const;
/** What people do, and after how long the next does something. */
const step = fc.record({
  who: fc.constantFrom(...NAMES),
  what: fc.constantFrom("hint", "hint", "change", "change", "back", "block", "leave", "job", "unassign", "rename"),
  thenMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 40_000 })),
});
/** How long calls take, one after the other, again and again. */
const delays = fc.array(
  fc.oneof(
    { weight: 40, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 6, arbitrary: fc.integer({ min: 300, max: 8_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 8_000, max: 28_000 }) },
  ),
  { minLength: 1, maxLength: 60 },
);
/** At which call a worker stands still, and for how long: past its lease, or nearly. */
const freezes = fc.array(
  fc.record({ call: fc.integer({ min: 0, max: 150 }), ms: fc.integer({ min: 30_000, max: 110_000 }) }),
  { maxLength: 3 },
);
export const story = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  workers: fc.constantFrom(2, 3),
  steps: fc.array(step, { minLength: 2, maxLength: 10 }),
  delays,
  freezes,
  replicationLagMs: fc.constantFrom(0, 2_000, 4_500),
});
export type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

/** A worker that stands still may send its last request after it: the time until an invitation is believed not to have been made is longer. */
const INDEX_ALLOWANCE_MS = 130_000;

/** Plays the story and answers what is wrong. */
export async function play({ seed, workers, steps, delays, freezes, replicationLagMs }: Story) {
  const c = twoTenants({
    seed,
    instances: workers,
    concurrency: 2,
    timerMs: 20_000,
    knobs: { replicationLagMs },
    settings: { indexAllowanceMs: INDEX_ALLOWANCE_MS },
  });
  await c.untilSettled(MINUTE);
  let calls = 0;
  c.world.hooks.before = async ({ instance }) => {
    const call = calls++;
    const freeze = freezes.find((one) => one.call === call);
    if (freeze) instance.freeze(freeze.ms);
    await c.world.clock.sleep(freeze?.ms ?? delays[call % delays.length] ?? 0);
  };
  const unguarded = watchLateLandings(c);
  for (const { who, what, thenMs } of steps) {
    await act(c, who, what);
    await c.world.clock.runFor(thenMs);
  }
  await c.world.clock.runFor(2 * MINUTE);
  c.world.hooks.before = undefined;
  await c.untilSettled(8 * MINUTE);
  await c.world.clock.runFor(MINUTE); // what was right stays right
  const end = { faults: c.faults(), crimes: c.crimes(), unguarded };
  c.world.close();
  return end;
}

async function act(c: TwoTenants, name: string, what: Story["steps"][number]["what"]): Promise<void> {
  const id = [...c.source.users()].find(({ userPrincipalName }) =>
    userPrincipalName.endsWith(`${name}@home.example`),
  )?.id;
  if (id === undefined) return void c.hire(name, [c.groupA]);
  const user = c.source.user(id);
  if (user?.deletedAt !== undefined) return c.source.restoreUser(id);
  switch (what) {
    case "hint":
      return hint(c, id);
    case "change":
      return c.source.updateUser(id, { department: String(Number(user?.properties.department) + 1) });
    case "back":
      return c.source.updateUser(id, { department: "0" });
    case "block":
      return c.source.updateUser(id, { accountEnabled: !user?.accountEnabled });
    case "leave":
      return c.source.deleteUser(id);
    case "job":
      return toggle(c, c.groupB, id);
    case "unassign":
      return toggle(c, c.groupA, id);
    case "rename":
      // An invitation of somebody who is renamed in the middle of it is about nobody, in this world: that is not asked here.
      if (c.link(id)?.state !== "linked") return;
      return c.source.updateUser(id, { mail: `${name}.${user?.mail?.includes("new") ? "old" : "new"}@home.example` });
  }
}

function toggle(c: TwoTenants, groupId: string, id: string): void {
  const members = [...c.source.groups()].find((group) => group.id === groupId)?.memberIds ?? [];
  if (members.includes(id)) c.source.removeMember(groupId, id);
  else c.source.addMember(groupId, id);
}

/** The same person in the hands of several workers at once. */
async function hint(c: TwoTenants, userId: string): Promise<void> {
  const now = c.world.clock.now();
  for (const lane of ["changes", "sweep", "changes"] as const) {
    const id = c.world.random.uuid().slice(0, 30);
    const reason = lane === "sweep" ? "sweep" : "operator";
    const body = {
      version: 1,
      id,
      lane,
      sourceTenantId: c.sourceId,
      userIds: [userId],
      reason,
      attempt: 0,
      noticedAt: now,
    };
    await c.world.bus.send(lane, [{ id, body }]);
  }
}

/** A department that goes back to an older one although the source is further: allowed only while somebody will look again. */
function watchLateLandings(c: TwoTenants): string[] {
  const found: string[] = [];
  c.target.onCommit(({ id, properties }) => {
    const guest = c.target.user(id);
    const person = guest?.home && c.source.user(guest.home.userId);
    if (!guest || !person || guest.deletedAt !== undefined || !properties.includes("department")) return;
    if (person.deletedAt !== undefined || guest.properties.department === person.properties.department) return;
    const link = c.link(person.id);
    const ahead = c.world.broker
      .peek("changes", 10_000)
      .some(({ body }) => Buffer.from(body).toString().includes(person.id));
    if (!ahead && !link?.claim)
      found.push(`${person.userPrincipalName}: ${String(guest.properties.department)} and nobody looks again`);
  });
  return found;
}
