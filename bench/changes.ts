import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { type CommitEntry, PeopleGraph } from "../sandbox/organization/day-cloud.ts";
import { type Random, random } from "../sandbox/random.ts";
import { loadConfig } from "../shared/config/load.ts";
import { type BenchCloud, within } from "./cloud.ts";

/** Changes at the source, one after the other, and when the targets had them. */
export interface ChangeOptions {
  seed: number;
  count: number;
  perSecond: number;
  /** Names the values that are written, so that a second play changes something. */
  play: string;
  /** How long the last change may take. */
  patienceMs: number;
}

export interface Played {
  /** From the source's commit to the last target write that the change asks for, ms. */
  latencies: readonly number[];
  /** Changes that no target had in time. */
  lost: number;
}

/** Somebody with a user in a target. */
interface Linked {
  source: string;
  userId: string;
  targets: { tenant: string; targetId: string }[];
}

type Kind = "update" | "create" | "disable" | "delete";
interface Change extends Linked {
  kind: Kind;
}

/** 90 % updates, 5 % creations, 5 % removals: one half of these deleted, the other disabled. */
const KINDS: readonly Kind[] = Array.from({ length: 40 }, (_, index) =>
  index % 20 === 7 ? "create" : index === 13 ? "disable" : index === 33 ? "delete" : "update",
);
/** New people come where every user is in scope. */
const NEWCOMERS = "contoso-gov";

/** Everybody with a live user in a target, by the stamps that the app has set there. */
export async function linkedPeople({ cloud, day }: BenchCloud): Promise<readonly Linked[]> {
  const { deployment, tenants } = loadConfig(JSON.stringify(cloud.config));
  const names = new Map(cloud.organization.tenants.map(({ id, name }) => [id, name]));
  const people = new Map<string, Linked>();
  for (const { id, stampAttribute } of tenants) {
    const tenant = names.get(id) ?? "";
    const User = z.looseObject({ id: z.string(), accountEnabled: z.boolean() });
    const path = `/users?$select=id,accountEnabled,${stampAttribute}&$top=999`;
    for (const user of await new PeopleGraph(day, tenant).list(path, User)) {
      const stamp = user[stampAttribute];
      if (typeof stamp !== "string" || !stamp.startsWith(`${deployment}/`) || !user.accountEnabled) continue;
      const [, sourceId = "", userId = ""] = stamp.split("/");
      const person = people.get(userId) ?? { source: names.get(sourceId) ?? "", userId, targets: [] };
      person.targets.push({ tenant, targetId: user.id });
      people.set(userId, person);
    }
  }
  return [...people.values()];
}

/** Plays the changes at different people of `people` and waits until the targets have them. */
export async function playChanges(
  bench: BenchCloud,
  people: readonly Linked[],
  { seed, count, perSecond, play, patienceMs }: ChangeOptions,
): Promise<Played> {
  const chance = random(seed).fork(play);
  const drawn = shuffled(people, chance);
  const created = KINDS.filter((kind) => kind === "create").length / KINDS.length;
  if (drawn.length < count * (1 - created)) throw new Error(`only ${drawn.length} people have a user in a target`);
  const since = bench.feed.commits.length;
  const startedAt = Date.now();
  const changes: Change[] = [];
  for (let index = 0; index < count; index++) {
    await sleep(Math.max(0, startedAt + (index * 1000) / perSecond - Date.now()));
    const kind = KINDS[index % KINDS.length] as Kind;
    changes.push(
      kind === "create"
        ? await hire(bench, chance, `${play}-${index}`)
        : await change(bench, kind, drawn.pop() as Linked, `${play} ${index}`),
    );
  }
  const judge = async () => latenciesOf(bench, await withNewcomers(bench, changes), since);
  const open = (latencies: readonly (number | undefined)[]) => latencies.filter((one) => one === undefined).length;
  let latencies = await judge();
  await within(patienceMs, async () => {
    latencies = await judge();
    return open(latencies) === 0;
  });
  return { latencies: latencies.filter((one) => one !== undefined), lost: open(latencies) };
}

async function hire(bench: BenchCloud, chance: Random, name: string): Promise<Change> {
  const { domain } = bench.cloud.organization.tenants.find((tenant) => tenant.name === NEWCOMERS) ?? { domain: "" };
  const address = `${name.replaceAll(/\W/g, ".")}@${domain}`;
  const user = {
    userPrincipalName: address,
    mail: address,
    displayName: `Newcomer ${name}`,
    department: chance.pick(["Sales", "Research", "Legal"]),
    accountEnabled: true,
    userType: "Member",
  };
  const { created } = await bench.populate({ tenant: NEWCOMERS, create: { users: [user] } });
  return { kind: "create", source: NEWCOMERS, userId: created.users[0] ?? "", targets: [] };
}

async function change(bench: BenchCloud, kind: Kind, person: Linked, value: string): Promise<Change> {
  const { source: tenant, userId: user } = person;
  const changes = kind === "disable" ? { accountEnabled: false } : { department: value };
  await bench.populate(
    kind === "delete" ? { tenant, delete: { users: [user] } } : { tenant, update: [{ user, changes }] },
  );
  return { ...person, kind };
}

/** Whoever was hired has a user in a target by now, or not yet. */
async function withNewcomers(bench: BenchCloud, changes: readonly Change[]): Promise<readonly Change[]> {
  const waiting = changes.filter(({ kind, targets }) => kind === "create" && targets.length === 0);
  if (waiting.length === 0) return changes;
  const linked = new Map((await linkedPeople(bench)).map((person) => [person.userId, person]));
  for (const one of waiting) one.targets = linked.get(one.userId)?.targets ?? [];
  return changes;
}

/** `undefined`: some target does not have it yet. */
function latenciesOf(bench: BenchCloud, changes: readonly Change[], since: number): readonly (number | undefined)[] {
  const clients = bench.cloud.organization.clients;
  const recent = bench.feed.commits.slice(since).filter(({ object }) => object === "user");
  const atSource = new Map<string, CommitEntry>();
  const ours = new Map<string, CommitEntry[]>();
  for (const commit of recent) {
    const key = `${commit.tenant}/${commit.id}`;
    if (commit.by !== clients[commit.tenant]?.app) atSource.set(key, atSource.get(key) ?? commit);
    else ours.set(key, [...(ours.get(key) ?? []), commit]);
  }
  return changes.map(({ kind, source, userId, targets }) => {
    const began = atSource.get(`${source}/${userId}`)?.at;
    if (began === undefined || targets.length === 0) return undefined;
    const ends = targets.map(
      ({ tenant, targetId }) =>
        ours.get(`${tenant}/${targetId}`)?.find((one) => one.at >= began && settles(one, kind))?.at,
    );
    return ends.some((end) => end === undefined) ? undefined : Math.max(...ends.map(Number)) - began;
  });
}

/** For a creation the write that completes it: the one with the stamp. */
function settles({ kind, properties }: CommitEntry, change: Kind): boolean {
  switch (change) {
    case "delete":
      return kind === "deleted";
    case "disable":
      return kind === "updated" && properties.includes("accountEnabled");
    case "update":
      return kind === "updated" && properties.includes("department");
    case "create":
      return kind === "updated" && properties.some((name) => name.startsWith("extension_"));
  }
}

function shuffled<T>(items: readonly T[], chance: Random): T[] {
  const places = items.map((item) => ({ item, place: chance.next() }));
  return places.sort((a, b) => a.place - b.place).map(({ item }) => item);
}
