import { LEASE_MS, linkName } from "../domain/link.ts";
import type { TargetTenant } from "../ports/target-tenant.ts";
import type { Person } from "./look.ts";
import { pairKey, type World } from "./world.ts";

/**
 * Rows of `targets`: created only if absent, so that no target user and no address ever has two owners. The row of a target
 * user stays when the user is gone, since somebody else may be restoring it at that moment; its id never comes again.
 */

const userRow = (targetId: string) => `user:${targetId}`;
const addressRow = (world: World, address: string) => `address:${world.hash(address.toLowerCase())}`;
const valueRow = (world: World, attribute: string, value: string) =>
  `value:${world.hash(`${attribute}\n${value.toLowerCase()}`)}`;

export interface Owned {
  sourceTenantId: string;
  targetTenantId: string;
  userId: string;
}

export const ownedOf = ({ pair, userId }: Pick<Person, "pair" | "userId">): Owned => ({
  sourceTenantId: pair.source.id,
  targetTenantId: pair.target.id,
  userId,
});

/** `taken` by this link now, or before; otherwise the link that has it. */
export type Taking = { kind: "taken" } | { kind: "owned"; by: string };

export async function takeUser(world: World, owned: Owned, targetId: string): Promise<Taking> {
  return take(world, owned, userRow(targetId));
}

/** An address whose owner has no target user any more, not even in the recycle bin, goes to the next person. */
export async function takeAddress(world: World, owned: Owned, address: string, target: TargetTenant): Promise<Taking> {
  return takeOver(world, owned, addressRow(world, address), target);
}

/** A value of an attribute that no two target users may share; as with addresses, it goes on when its owner is gone. */
export async function takeValue(
  world: World,
  owned: Owned,
  attribute: string,
  value: string,
  target: TargetTenant,
): Promise<Taking> {
  return takeOver(world, owned, valueRow(world, attribute, value), target, YOUNG_MS);
}

/** Whoever has reserved a value a moment ago has no link yet and is at work on it. */
const YOUNG_MS = LEASE_MS;

/** Somebody else of ours has the value, or is about to get it. */
export async function valueIsTaken(
  world: World,
  owned: Owned,
  attribute: string,
  value: string,
  target: TargetTenant,
): Promise<boolean> {
  const stored = await world.tables.targets.read(owned.targetTenantId, valueRow(world, attribute, value));
  const owner = stored?.value.link;
  if (owner === undefined || owner === linkName(owned.sourceTenantId, owned.userId)) return false;
  return (stored?.ageMs ?? 0) < YOUNG_MS || !(await ownerIsGone(world, owned, owner, target));
}

async function takeOver(world: World, owned: Owned, row: string, target: TargetTenant, youngMs = 0): Promise<Taking> {
  const first = await take(world, owned, row);
  if (first.kind === "taken" || !(await ownerIsGone(world, owned, first.by, target))) return first;
  const stored = await world.tables.targets.read(owned.targetTenantId, row);
  if (stored && stored.ageMs < youngMs) return first;
  const link = linkName(owned.sourceTenantId, owned.userId);
  const written = await world.tables.targets.write(owned.targetTenantId, row, { link }, stored?.etag);
  return written.kind === "written" ? { kind: "taken" } : first;
}

/** A target user goes from one source user to another, under the row's ETag. `false`: somebody else has it. */
export async function handOver(world: World, from: Owned, to: Owned, targetId: string): Promise<boolean> {
  const [before, after] = [from, to].map(({ sourceTenantId, userId }) => linkName(sourceTenantId, userId));
  const stored = await world.tables.targets.read(to.targetTenantId, userRow(targetId));
  if (!after || stored?.value.link === after) return true;
  if (stored && stored.value.link !== before) return false;
  const written = await world.tables.targets.write(to.targetTenantId, userRow(targetId), { link: after }, stored?.etag);
  return written.kind === "written";
}

/** Who owns a target user, by our tables. */
export async function ownerOf(world: World, targetTenantId: string, targetId: string): Promise<string | undefined> {
  return (await world.tables.targets.read(targetTenantId, userRow(targetId)))?.value.link;
}

async function take(world: World, owned: Owned, row: string): Promise<Taking> {
  const link = linkName(owned.sourceTenantId, owned.userId);
  const written = await world.tables.targets.write(owned.targetTenantId, row, { link }, undefined);
  if (written.kind === "written") return { kind: "taken" };
  const stored = await world.tables.targets.read(owned.targetTenantId, row);
  return !stored || stored.value.link === link ? { kind: "taken" } : { kind: "owned", by: stored.value.link };
}

async function ownerIsGone(world: World, owned: Owned, owner: string, target: TargetTenant): Promise<boolean> {
  const [tenantId, userId] = owner.split("/");
  if (!tenantId || !userId) return false;
  const link = (await world.tables.links.read(pairKey(tenantId, owned.targetTenantId), userId))?.value;
  if (!link || link.state === "none" || link.releasedTo !== undefined) return true;
  if (link.state !== "removed" || !link.targetId) return false;
  return (await target.read(link.targetId, [], "changes")) === undefined;
}
