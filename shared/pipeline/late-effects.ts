import { claimIsLive } from "../domain/link.ts";
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

/**
 * An invitation of which the link says nothing any more: whoever it let in would belong to nobody. One that was not answered may
 * land until now, so that it is looked for until every replica and index has had its time from now on.
 */
export async function recordLateInvitation(world: World, person: Person, late: LateInvitation): Promise<void> {
  const { targetId, address, since } = late;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const stored = await readLink(world, person);
    if (stored && (stored.value.targetId !== undefined || claimIsLive(stored.value, stored.ageMs))) return;
    const common = { claim: undefined, inputs: undefined, writtenAt: world.clock.now() };
    const { kind } =
      targetId === undefined
        ? await writeLink(world, person, stored, "inviting", {
            ...common,
            address,
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

/**
 * Whoever was about to delete has lost the claim, and may still do it. From now on a target user that is found removed was
 * removed by us. `false`: somebody else has written.
 */
export async function expectLateDelete(world: World, person: Person, stored: StoredLink): Promise<boolean> {
  await hintVerify(world, person, world.settings.replicationAllowanceMs);
  const change = { claim: undefined, lateDeleteSince: world.clock.now() };
  return (await writeLink(world, person, stored, "marked", change)).kind === "written";
}
