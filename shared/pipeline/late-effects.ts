import { claimIsLive, LEASE_MS, type Link } from "../domain/link.ts";
import { readLink, type StoredLink, writeLink } from "./claims.ts";
import { hintVerify } from "./hints.ts";
import type { Person } from "./look.ts";
import type { World } from "./world.ts";

/**
 * Writes of a worker that stood still until its claim was somebody else's: Graph has no conditional write, so they land.
 * What they did is put on record, so that it is made good and not taken for the work of others.
 */

/** The target is read soon, and again when every replica has seen the write. */
export async function verifyLateWrite(world: World, person: Person): Promise<void> {
  await hintVerify(world, person, 1_000);
  await hintVerify(world, person, world.settings.replicationAllowanceMs);
}

/** `targetId` absent: the invitation was not answered. */
export interface LateInvitation {
  targetId: string | undefined;
  address: string;
  since: number;
}

const ROUNDS_MAX = 3;
/** Somebody is writing: their claim is short. */
const BUSY_MS = 1_000;

/**
 * An invitation of which the link says nothing any more: whoever it let in would belong to nobody. One that was not answered may
 * land until now, so that it is looked for until every replica and index has had its time from now on.
 */
export async function recordLateInvitation(world: World, person: Person, late: LateInvitation): Promise<void> {
  const { targetId, address, since } = late;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const stored = await readLink(world, person);
    if (stored && (isKnown(stored.value, targetId) || claimIsLive(stored.value, stored.ageMs))) return;
    const now = world.clock.now();
    const removed = stored?.value.state === "removed" ? { lateDeleteSince: now } : {};
    const common = { claim: undefined, inputs: undefined, writtenAt: now, ...removed };
    const { kind } =
      targetId === undefined
        ? await writeLink(world, person, stored, "inviting", {
            ...common,
            address,
            targetId: undefined,
            since: Math.min(since, stored?.value.since ?? since),
          })
        : await writeLink(world, person, stored, "invited", {
            ...common,
            targetId,
            address: undefined,
            since: undefined,
          });
    if (kind === "written") return verifyLateWrite(world, person);
  }
}

/** An address that somebody has lets nobody else in; whoever went to the recycle bin meanwhile does not hinder a new guest. */
const isKnown = ({ state, targetId }: Link, invited: string | undefined): boolean =>
  targetId !== undefined && (state !== "removed" || targetId === invited);

/**
 * A block or a removal that may land, or has, after others have written: when it is found it is ours, to lift or to undo. The
 * reading that shows it may be as late as the replicas allow.
 */
export async function recordLateWrite(
  world: World,
  person: Person,
  late: { targetId: string; claimId: string; what: "block" | "delete" },
): Promise<void> {
  const giveUpAt = world.clock.now() + LEASE_MS;
  while (world.clock.now() < giveUpAt) {
    const stored = await readLink(world, person);
    if (stored?.value.targetId !== late.targetId || stored.value.claim?.id === late.claimId) return;
    if (!claimIsLive(stored.value, stored.ageMs)) {
      const now = world.clock.now();
      const known = late.what === "block" ? { blockedByUs: true, writtenAt: now } : { lateDeleteSince: now };
      const written = await writeLink(world, person, stored, "marked", { ...known, inputs: undefined });
      if (written.kind === "written") return verifyLateWrite(world, person);
    }
    await world.clock.sleep(BUSY_MS);
  }
}

/**
 * Whoever was about to delete has lost the claim, and may still do it. From now on a target user that is found removed was
 * removed by us. `false`: somebody else has written.
 */
export async function expectLateDelete(world: World, person: Person, stored: StoredLink): Promise<boolean> {
  await hintVerify(world, person, world.settings.replicationAllowanceMs);
  const change = { claim: undefined, lateDeleteSince: world.clock.now() };
  return (await writeLink(world, person, stored, "marked", change)).kind === "written";
}
