import type { PassRow } from "./pass-rows.ts";
import type { World } from "./world.ts";

/**
 * Who was listed, kept so that a run may be interrupted and go on anywhere: one row a page, eight bytes an id; in memory one
 * sorted array a set, so that a million people take 8 MB. Object ids are random: two of a million that share their eight
 * bytes are not to be expected in the life of a tenant, and would cost one hint.
 */

const KEY_BYTES = 8;

/** Which pages belong together. */
export interface Listing {
  tenantId: string;
  pass: string;
  runId: string;
}

export interface IdSet {
  has(id: string): boolean;
  readonly size: number;
}

export const listingOf = (tenantId: string, pass: string, { runId }: PassRow): Listing => ({ tenantId, pass, runId });
const partitionOf = ({ tenantId, pass, runId }: Listing): string => `${tenantId}_${pass}_${runId}`;

/** Adds a page to a set. The same page again replaces itself. */
export async function keepPage(
  world: World,
  of: Listing,
  set: string,
  page: number,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const bytes = new Uint8Array(ids.length * KEY_BYTES);
  const keys = new DataView(bytes.buffer);
  for (const [index, id] of ids.entries()) keys.setBigUint64(index * KEY_BYTES, keyOf(id));
  const row = `${set}-${String(page).padStart(8, "0")}`;
  await world.tables.passpages.put(partitionOf(of), row, { keys: Buffer.from(bytes).toString("base64") });
}

/** The sets of one run that this instance has read; the next run's take their place. */
const read = new WeakMap<World, Map<string, { runId: string; sets: Map<string, Promise<IdSet>> }>>();

/** A set that is complete. Read once a run and instance. */
export function listed(world: World, of: Listing, set: string): Promise<IdSet> {
  const runs = read.get(world) ?? new Map<string, { runId: string; sets: Map<string, Promise<IdSet>> }>();
  read.set(world, runs);
  const name = `${of.tenantId}_${of.pass}`;
  let run = runs.get(name);
  if (run?.runId !== of.runId) {
    run = { runId: of.runId, sets: new Map() };
    runs.set(name, run);
  }
  const { sets } = run;
  const known = sets.get(set);
  if (known) return known;
  const loading = load(world, of, set);
  sets.set(set, loading);
  loading.catch(() => sets.delete(set));
  return loading;
}

/** Frees what a run has kept. */
export async function forgetListing(world: World, of: Listing): Promise<void> {
  const partition = partitionOf(of);
  for await (const { row } of world.tables.passpages.list(partition)) {
    await world.tables.passpages.remove(partition, row);
  }
  read.get(world)?.delete(`${of.tenantId}_${of.pass}`);
}

async function load(world: World, of: Listing, set: string): Promise<IdSet> {
  const parts: Buffer[] = [];
  // "." comes right after "-".
  for await (const { value } of world.tables.passpages.list(partitionOf(of), { from: `${set}-`, before: `${set}.` })) {
    parts.push(Buffer.from(value.keys, "base64"));
  }
  const count = parts.reduce((sum, { byteLength }) => sum + byteLength / KEY_BYTES, 0);
  const keys = new BigUint64Array(count);
  let at = 0;
  for (const part of parts) {
    for (let offset = 0; offset < part.byteLength; offset += KEY_BYTES) keys[at++] = part.readBigUInt64BE(offset);
  }
  keys.sort();
  return { size: count, has: (id) => includes(keys, keyOf(id)) };
}

function includes(keys: BigUint64Array, key: bigint): boolean {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as bigint) < key) low = middle + 1;
    else high = middle;
  }
  return keys[low] === key;
}

/** Half of an object id folded over the other. */
function keyOf(id: string): bigint {
  const hex = id.replaceAll("-", "");
  return BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16, 32)}`);
}
