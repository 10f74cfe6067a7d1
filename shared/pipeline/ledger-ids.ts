import type { Ids } from "../domain/ids.ts";
import type { World } from "./world.ts";

/** Ids as a row has them. `own` wins over what the parts say, and a later part over an earlier one. */
export interface StoredIds<V extends number | string> {
  own: Readonly<Record<string, V>>;
  /** Names of rows. */
  parts: readonly string[];
}

export interface LedgerPart {
  ids: Readonly<Record<string, number | string>>;
}

/** Ids in the row itself, of one set. */
const OWN_MAX = 250;
/** Ids in a part: about 100 bytes each, and a row has 1 MiB. */
const PART_MAX = 1_000;

type Part = ReadonlyMap<string, number | string>;

/** What a row says, with its parts by name, in their order. */
interface Said {
  own: Part;
  parts: ReadonlyMap<string, Part>;
}

const NOTHING: Said = { own: new Map(), parts: new Map() };

/**
 * Brings ids in memory to what a row says, and back. It knows what each of them was brought to last; from there on they know
 * themselves what was touched. So both ways cost what is different and what lies in the row itself, never all ids; and ids that were
 * changed for a write that failed are put right by the next row that is read.
 */
export class LedgerIds {
  private readonly world: World;
  private readonly agreed = new WeakMap<object, Said>();
  private readonly written = new WeakMap<object, Said>();

  constructor(world: World) {
    this.world = world;
  }

  /** Makes the ids those of the row. */
  async bring<V extends number | string>(partition: string, ids: Ids<V>, row: StoredIds<V>): Promise<void> {
    const was = this.agreed.get(ids) ?? NOTHING;
    const now = { own: new Map(Object.entries(row.own)), parts: await this.partsOf(partition, row.parts, was) };
    const dropped = [...was.parts].flatMap(([name, part]) => (now.parts.has(name) ? [] : [...part.keys()]));
    const newestFirst = [...now.parts.values()].reverse();
    for (const id of [...ids.touched, ...dropped, ...was.own.keys()]) {
      if (now.own.has(id)) continue;
      const value = newestFirst.find((part) => part.has(id))?.get(id);
      if (value === undefined) ids.delete(id);
      else ids.set(id, value as V);
    }
    for (const [name, part] of now.parts)
      if (!was.parts.has(name)) for (const [id, value] of part) ids.set(id, value as V);
    for (const [id, value] of now.own) ids.set(id, value);
    this.agree(ids, now);
  }

  /** The row that says what the ids are; its parts are written. `agreeOnRow` follows when the row is, too. */
  async toRow<V extends number | string>(partition: string, ids: Ids<V>): Promise<StoredIds<V>> {
    const said = await this.toSay(partition, ids);
    this.written.set(ids, said);
    return { own: Object.fromEntries(said.own) as Record<string, V>, parts: [...said.parts.keys()] };
  }

  /** The row that was made of these ids is written. */
  agreeOnRow(ids: Ids<number> | Ids<string>): void {
    const said = this.written.get(ids);
    if (said) this.agree(ids, said);
  }

  private agree(ids: Ids<number> | Ids<string> | Ids<number | string>, said: Said): void {
    this.agreed.set(ids, said);
    ids.touched.clear();
  }

  private async toSay<V extends number | string>(partition: string, ids: Ids<V>): Promise<Said> {
    const was = this.agreed.get(ids) ?? NOTHING;
    if (ids.touched.size === 0) return was;
    const own = new Map(was.own);
    let forgot = false;
    for (const id of ids.touched) {
      const value = ids.get(id);
      if (value === undefined) own.delete(id);
      else own.set(id, value);
      forgot ||= value === undefined;
    }
    const parts = new Map([...was.parts].filter(([, part]) => !forgot || isWanted(part, ids)));
    if (own.size <= OWN_MAX) return { own, parts };
    const moved = [...own];
    for (let from = 0; from < moved.length; from += PART_MAX) {
      const part = moved.slice(from, from + PART_MAX);
      const name = this.world.chance.uuid();
      await this.world.tables.limitparts.put(partition, name, { ids: Object.fromEntries(part) });
      parts.set(name, new Map(part));
    }
    return { own: new Map(), parts };
  }

  private async partsOf(partition: string, names: readonly string[], was: Said): Promise<Said["parts"]> {
    if (names.length === was.parts.size && names.every((name) => was.parts.has(name))) return was.parts;
    const parts = names.map(async (name) => [name, was.parts.get(name) ?? (await this.part(partition, name))] as const);
    return new Map(await Promise.all(parts));
  }

  private async part(partition: string, name: string): Promise<Part> {
    const stored = await this.world.tables.limitparts.read(partition, name);
    if (!stored) throw new Error(`the part ${name} of the limits ${partition} is missing`);
    return new Map(Object.entries(stored.value.ids));
  }
}

/** A part is left out when none of its ids is wanted any more. */
function isWanted(part: Part, ids: ReadonlyMap<string, unknown>): boolean {
  for (const id of part.keys()) if (ids.has(id)) return true;
  return false;
}
