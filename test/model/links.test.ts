import fc from "fast-check";
import { expect, test } from "vitest";
import type { LinkState } from "../../shared/domain/link.ts";
import { decideHeld, listHeld } from "../../shared/pipeline/held.ts";
import { pauseJob, startJob } from "../../shared/pipeline/job-commands.ts";
import { MINUTE, SECOND } from "../scenario/contoso.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";
import { Step as AnyStep } from "./step.ts";

/**
 * Whatever happens to a person at the source, to their guest in the target and to the app between: at rest the link and the
 * guest are as the rules below say. The model knows no times: before every event the app may or may not have acted on what
 * was there, so it keeps every place that a person may be at, and what is seen must be one of them.
 */

interface Source {
  life: "live" | "binned" | "gone";
  enabled: boolean;
  member: boolean;
  value: string;
}
/** Where a person stands between two events. */
interface Place {
  /** `invited` only of a guest who was removed there before we were done. */
  link: Exclude<LinkState, "inviting">;
  guest: "absent" | "live" | "binned";
  blocked: "no" | "ours" | "theirs";
}
interface Person {
  id: string;
  source: Source;
  places: readonly Place[];
  /** Somebody else had the address before, and a guest that was theirs is still there, perhaps in the recycle bin. */
  heir: boolean;
}
interface Model {
  people: Person[];
  paused: boolean;
}

const LAG_MS = 3 * SECOND;
const NOWHERE: Place = { link: "none", guest: "absent", blocked: "no" };

/** What the app makes of a place when it is let alone. */
function rest(source: Source, heir: boolean, place: Place): Place {
  const { link, guest, blocked } = place;
  const wanted = source.life === "live" && source.member;
  if (guest === "absent") {
    return wanted && source.enabled && !heir ? { link: "linked", guest: "live", blocked: "no" } : place;
  }
  if (link === "none") return place;
  if (!wanted) return restOfLeaver(source, place);
  if (guest === "binned") {
    if (link !== "removed" || !source.enabled) return place; // removed there, or removed by us and disabled since
    return { link: "linked", guest: "live", blocked: blocked === "ours" ? "no" : blocked };
  }
  if (!source.enabled) return { link: "linked", guest, blocked: blocked === "no" ? "ours" : blocked };
  return { link: "linked", guest, blocked: blocked === "ours" ? "no" : blocked };
}

function restOfLeaver({ life, enabled }: Source, place: Place): Place {
  const { guest, blocked } = place;
  if (guest === "binned") return { ...place, link: "removed" }; // and whoever comes back is restored
  if (life === "live" && !enabled && blocked !== "no") return { ...place, link: "linked" }; // the block was the leaving
  return { ...place, link: "removed", guest: "binned" };
}

/** Every way in which the app may come to rest: whoever is to be removed, and waits for it, may be blocked before. */
function rests({ source, heir }: Person, place: Place): readonly Place[] {
  const one = rest(source, heir, place);
  const leaves = one.link === "removed" && place.guest === "live" && place.blocked === "no" && !source.enabled;
  return leaves ? [one, { ...one, blocked: "ours" }] : [one];
}

const keyOf = (place: Place): string => Object.values(place).join(" ");
const distinct = (places: readonly Place[]): Place[] => [
  ...new Map(places.map((place) => [keyOf(place), place])).values(),
];

/** Something happens to one of the people, or to everybody, and the app may have acted before. */
class Step extends AnyStep<Model> {
  override async run(m: Model, c: TwoTenants): Promise<void> {
    for (const person of m.people) mayHaveActed(m, person);
    await super.run(m, c);
    expect(c.crimes()).toEqual([]);
  }
}

function mayHaveActed({ paused }: Model, person: Person): void {
  const { places } = person;
  if (!paused) person.places = distinct([...places, ...places.flatMap((place) => rests(person, place))]);
}

const guestOf = (c: TwoTenants, { id }: Person) => c.guestsOf(id)[0];

/** An event at the source, where it can happen at all. */
const atSource = (what: string, can: (s: Source) => boolean, act: (c: TwoTenants, p: Person) => Partial<Source>) =>
  fc.nat(2).map(
    (index) =>
      new Step(`${what} ${index}`, async (m, c) => {
        const person = m.people[index] as Person;
        if (!can(person.source)) return;
        person.source = { ...person.source, ...act(c, person) };
        // One replica would show the event, and another one not yet the event before it.
        await c.world.clock.runFor(LAG_MS);
      }),
  );

/** An event in the target, where the guest is such that it can happen. */
const inTarget = (
  what: string,
  guest: "live" | "binned",
  act: (c: TwoTenants, guestId: string, blocked: boolean) => boolean | undefined,
  then: (place: Place, source: Source, finished: boolean) => readonly Place[],
) =>
  fc.nat(2).map(
    (index) =>
      new Step(`${what} ${index}`, (m, c) => {
        const person = m.people[index] as Person;
        const found = guestOf(c, person);
        const finished = c.link(person.id)?.state !== "inviting" && c.link(person.id)?.state !== "invited";
        if (!found || (found.deletedAt === undefined ? "live" : "binned") !== guest) return;
        const blocked = !found.accountEnabled;
        if (act(c, found.id, blocked) === false) return;
        // What is seen rules out places where the person cannot have been.
        const seen = person.places.filter((one) => one.guest === guest && (one.blocked !== "no") === blocked);
        expect(seen).not.toEqual([]);
        person.places = distinct(seen.flatMap((place) => then(place, person.source, finished)));
      }),
  );

const live = ({ life }: Source) => life === "live";
const patch = (changes: Partial<Source> & { department?: string; accountEnabled?: boolean }) => changes;

const commands = [
  atSource(
    "joins",
    (s) => live(s) && !s.member,
    (c, { id }) => {
      c.source.addMember(c.groupA, id);
      return { member: true };
    },
  ),
  atSource(
    "leaves",
    (s) => live(s) && s.member,
    (c, { id }) => {
      c.source.removeMember(c.groupA, id);
      return { member: false };
    },
  ),
  fc.tuple(fc.nat(2), fc.nat(9)).map(
    ([index, value]) =>
      new Step(`changes ${index} to ${value}`, ({ people }, c) => {
        const person = people[index] as Person;
        if (!live(person.source)) return;
        c.source.updateUser(person.id, { department: String(value) });
        person.source = { ...person.source, value: String(value) };
      }),
  ),
  ...[true, false].map((accountEnabled) =>
    atSource(accountEnabled ? "enabled" : "disabled", live, (c, { id }) => {
      c.source.updateUser(id, patch({ accountEnabled }));
      return { enabled: accountEnabled };
    }),
  ),
  atSource("deleted", live, (c, { id }) => {
    c.source.deleteUser(id);
    return { life: "binned" };
  }),
  atSource(
    "restored",
    ({ life }) => life === "binned",
    (c, { id }) => {
      c.source.restoreUser(id);
      return { life: "live" };
    },
  ),
  fc.nat(2).map(
    (index) =>
      new Step(`deleted for good and hired again ${index}`, async (m, c) => {
        const person = m.people[index] as Person;
        if (person.source.life !== "gone" && person.source.life !== "binned") return;
        await expectRest(m, c); // an invitation under way would be for whoever has the address
        if (person.source.life === "binned") c.source.purgeUser(person.id);
        const heir = person.heir || guestOf(c, person) !== undefined;
        m.people[index] = newcomer(c, index, heir);
      }),
  ),
  inTarget(
    "deleted there",
    "live",
    (c, id) => void c.target.deleteUser(id),
    (place, source, finished) => {
      const there: Place = { ...place, ...(finished ? {} : { link: "invited" }), guest: "binned" };
      const underWay = rest(source, false, place).link === "removed" && place.link === "linked";
      return [there, ...(underWay ? [{ ...there, link: "removed" } as const] : [])];
    },
  ),
  inTarget(
    "restored there",
    "binned",
    (c, id) => void c.target.restoreUser(id),
    (place) => [{ ...place, guest: "live" }],
  ),
  inTarget(
    "blocked there",
    "live",
    (c, id, blocked) => (blocked ? false : void c.target.updateUser(id, { accountEnabled: false })),
    (place, { enabled }) => [
      { ...place, blocked: "theirs" },
      ...(enabled ? [] : [{ ...place, blocked: "ours" } as const]),
    ],
  ),
  inTarget(
    "allowed there",
    "live",
    (c, id, blocked) => (blocked ? void c.target.updateUser(id, { accountEnabled: true }) : false),
    (place) => [{ ...place, blocked: "no" }],
  ),
  inTarget(
    "changed there",
    "live",
    (c, id) => void c.target.updateUser(id, { department: "theirs" }),
    (place) => [place],
  ),
  inTarget(
    "redeemed",
    "live",
    (c, id) => void c.target.redeem(id),
    (place) => [place],
  ),
  fc.nat(2).map(
    (index) =>
      new Step(`hint doubled ${index}`, async ({ people }, c) => {
        const userIds = [people[index]?.id];
        const hint = { version: 1, lane: "changes", sourceTenantId: c.sourceId, userIds, reason: "operator" };
        const now = c.world.clock.now();
        for (const id of [c.world.random.uuid(), c.world.random.uuid()])
          await c.world.bus.send("changes", [{ id, body: { ...hint, id, attempt: 0, noticedAt: now } }]);
      }),
  ),
  fc.constant(
    new Step("hints lost", (_, c) => {
      for (const queue of ["changes", "sweep"] as const) c.world.broker.purge(queue);
    }),
  ),
  fc.integer({ min: 1, max: 9 }).map(
    (effect) =>
      new Step(`worker dies over effect ${effect}`, (_, c) => {
        let effects = 0;
        c.world.hooks.after = ({ changes, instance, to, what }) => {
          const counts = changes && (to === "graph" || / (links|targets|limits)$/.test(what));
          if (!counts || ++effects !== effect) return;
          c.world.hooks.after = undefined;
          instance.kill();
          c.world.clock.after(SECOND, () => void c.world.start());
          return new Promise<never>(() => {});
        };
      }),
  ),
  fc.constant(
    new Step("paused", async (m, c) => {
      if (m.paused) return;
      await pauseJob(worldOf(c), { jobId: "a", by: "hub/alice", why: "a model" });
      await c.world.clock.runFor(5 * SECOND);
      for (const person of m.people) mayHaveActed(m, person);
      m.paused = true;
    }),
  ),
  fc.constant(new Step("started", goOn)),
  fc.integer({ min: 1, max: 40 }).map((s) => new Step(`wait ${s} s`, (_, c) => c.world.clock.runFor(s * SECOND))),
  fc.constant(new Step("at rest", expectRest)),
];

const worldOf = (c: TwoTenants) => (c.world.instances[0] ?? c.world.start()).world;

async function goOn(m: Model, c: TwoTenants): Promise<void> {
  if (!m.paused) return;
  m.paused = false;
  await c.world.clock.runFor(LAG_MS); // replicas would show what was there before
  await startJob(worldOf(c), { jobId: "a", by: "hub/alice" });
}

/** Whatever the limits hold, people agree to. */
async function approveAll(c: TwoTenants): Promise<void> {
  for (const { jobId, setId, count, state } of await listHeld(worldOf(c))) {
    if (state === "held") await decideHeld(worldOf(c), { jobId, setId, count, verdict: "approve", by: "hub/bob" });
  }
}

async function expectRest(m: Model, c: TwoTenants): Promise<void> {
  c.world.hooks.after = undefined;
  await goOn(m, c);
  const wanted = m.people.map((person) => distinct(person.places.flatMap((place) => rests(person, place))));
  const wrong = () => m.people.flatMap((person, index) => mistakes(c, person, wanted[index] ?? []));
  await c.world.clock.runFor(2 * MINUTE);
  for (let waited = 0; waited < 12 && wrong().length > 0; waited++) {
    await approveAll(c);
    await c.world.clock.runFor(30 * SECOND);
  }
  expect(wrong()).toEqual([]);
  expect(c.crimes()).toEqual([]);
  for (const [index, person] of m.people.entries()) {
    const seen = (wanted[index] ?? []).filter((place) => keyOf(place) === keyOf(placeOf(c, person, place)));
    person.places = seen;
  }
}

/** Where a person is seen to be. Whose block it is only shows later, so that the place that is asked about says it. */
function placeOf(c: TwoTenants, person: Person, asked: Place): Place {
  const link = c.link(person.id)?.state ?? "none";
  const guest = guestOf(c, person);
  if (link === "inviting") return { ...NOWHERE, link: "invited" }; // nobody rests there
  if (!guest) return { ...NOWHERE, link };
  const blocked = guest.accountEnabled ? "no" : asked.blocked === "no" ? "ours" : asked.blocked;
  return { link, guest: guest.deletedAt === undefined ? "live" : "binned", blocked };
}

function mistakes(c: TwoTenants, person: Person, wanted: readonly Place[]): object[] {
  const at = wanted.find((place) => keyOf(place) === keyOf(placeOf(c, person, place)));
  const { claim, state } = c.link(person.id) ?? {};
  const guests = c.guestsOf(person.id);
  const department = guests[0]?.properties.department;
  const follows = at?.link === "linked" && at.guest === "live" && person.source.life === "live" && person.source.member;
  if (at && guests.length < 2 && !claim && (!follows || department === person.source.value)) return [];
  const found = { ...placeOf(c, person, NOWHERE), state, guests: guests.length, claim: claim?.plan, department };
  return [{ person: person.id, source: person.source, heir: person.heir, wanted, found }];
}

const NAMES = ["ada", "bob", "eve"];
function newcomer(c: TwoTenants, index: number, heir: boolean): Person {
  const id = c.hire(NAMES[index] ?? "", [c.groupA]);
  return { id, source: { life: "live", enabled: true, member: true, value: "0" }, places: [NOWHERE], heir };
}

const often = { sweepMs: 20_000, driftMs: 30_000, fullPassMs: 60_000, censusMs: 60_000 };
const limits = {
  removals: { immediatePerHour: 1, perHour: 2, minimumSource: 0 },
  creations: { perHour: 2 },
  settlingMinutes: 0.1,
};

test("links and guests come to rest where the model says, in any order of what happens to people, guests and the app", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9_999 }),
      fc.commands(commands, { maxCommands: 24, size: "max" }),
      async (seed, told) => {
        const c = twoTenants({ seed, settings: often, jobs: (a) => [{ scope: { groups: [{ id: a }] }, limits }] });
        const model = { people: NAMES.map((_, index) => newcomer(c, index, false)), paused: false };
        await c.world.clock.runFor(20 * SECOND);
        await fc.asyncModelRun(() => ({ model, real: c }), told);
        await expectRest(model, c);
        c.world.close();
      },
    ),
    { numRuns: 15 },
  );
});
