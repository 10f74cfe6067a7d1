import { type Link, type LinkSignal, NEXT } from "../domain/link.ts";
import { StorageUnavailable, type StoredRow } from "../ports/rows.ts";
import type { Person } from "./look.ts";
import { pairKey, type World } from "./world.ts";

export type StoredLink = StoredRow<Link> | undefined;

/** Fields of a link that a step sets; `undefined` clears. */
export type LinkChange = { [K in Exclude<keyof Link, "state" | "userId">]?: Link[K] | undefined };

export async function readLink(world: World, person: Person): Promise<StoredLink> {
  return world.tables.links.read(partitionOf(person), person.userId);
}

/** Writes the row under the ETag that was read. `moved`: somebody has acted since. */
export async function writeLink(
  world: World,
  person: Person,
  stored: StoredLink,
  signal: LinkSignal,
  change: LinkChange,
): Promise<{ kind: "written"; stored: StoredRow<Link> } | { kind: "moved" }> {
  const before: Link = stored?.value ?? { state: "none", userId: person.userId };
  const next = clean({ ...before, ...change, state: NEXT[before.state][signal] });
  const partition = partitionOf(person);
  const etag = await write(next);
  if (etag === undefined) return { kind: "moved" };
  return { kind: "written", stored: { partition, row: person.userId, value: next, etag, ageMs: 0 } };

  /** A write without an answer is sent once more: a refusal then shows our own claim where the first one had arrived. */
  async function write(value: Link): Promise<string | undefined> {
    const { links } = world.tables;
    try {
      const first = await links.write(partition, person.userId, value, stored?.etag);
      return first.kind === "written" ? first.etag : undefined;
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      const second = await links.write(partition, person.userId, value, stored?.etag);
      if (second.kind === "written") return second.etag;
      const found = await links.read(partition, person.userId);
      const mine = value.claim !== undefined && found?.value.claim?.id === value.claim.id;
      return mine && found.value.state === value.state ? found.etag : undefined;
    }
  }
}

/** True where writing `change` would leave the row as it is. */
export function isRecorded(stored: StoredLink, signal: LinkSignal, change: LinkChange): boolean {
  if (!stored) return false;
  const next = clean({ ...stored.value, ...change, state: NEXT[stored.value.state][signal] });
  return JSON.stringify(sorted(next)) === JSON.stringify(sorted(stored.value));
}

function clean(link: { [K in keyof Link]: Link[K] | undefined }): Link {
  return JSON.parse(JSON.stringify(link)) as Link; // leaves out what is undefined
}

const sorted = (link: Link) => Object.fromEntries(Object.entries(link).sort(([a], [b]) => (a < b ? -1 : 1)));

const partitionOf = ({ pair }: Person) => pairKey(pair.source.id, pair.target.id);
