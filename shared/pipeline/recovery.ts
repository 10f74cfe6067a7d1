import type { DecisionLog } from "../ports/decision-log.ts";
import type { RecoveryState } from "./pass-rows.ts";
import { startDriftPass, startFullPass, startPass } from "./passes.ts";
import { sourcesOf, targetsOf } from "./streams.ts";
import type { World } from "./world.ts";

/**
 * Notices that our tables are not those that we know: each of the tables that protect people carries a mark, and the state of
 * the deployment says which. Until the links have been made anew from the stamps in the targets, nobody is created, changed
 * or removed; a full pass then shows what would be done before it is done.
 */

const [MARKS, GENERATION] = ["mark", "generation"];
const [PARTITION, STATE] = ["recovery", "state"];
/** A loss is noticed within this time. */
const BELIEVED_MS = 10_000;

export class Recovery {
  private readonly world: World;
  private checked: { at: number; state: Promise<RecoveryState> } | undefined;

  constructor(world: World) {
    this.world = world;
  }

  /** True while decisions are shown and not carried out. Throws when the tables or a target that has to be asked do not answer. */
  async observes(): Promise<boolean> {
    const now = this.world.clock.now();
    if (!this.checked || now - this.checked.at > BELIEVED_MS) {
      this.checked = { at: now, state: recoveryState(this.world) };
    }
    const { checked } = this;
    const state = await checked.state.catch((error: unknown) => {
      if (this.checked === checked) this.checked = undefined;
      throw error;
    });
    return state.kind !== "on";
  }
}

/** Where the deployment stands; writes down what it finds. */
export async function recoveryState(world: World): Promise<RecoveryState> {
  const { recovery, linkMark, targetMark } = world.tables;
  const [stored, links, targets] = await Promise.all([
    recovery.read(PARTITION, STATE),
    linkMark.read(MARKS, GENERATION),
    targetMark.read(MARKS, GENERATION),
  ]);
  const marks = [links?.value.generation, targets?.value.generation];
  if (stored && waitsForRebuild(stored.value)) return stored.value;
  if (stored && marks.every((mark) => mark === stored.value.generation)) return stored.value;
  const complete = marks[0] !== undefined && marks[0] === marks[1];
  const lost = stored !== undefined || (!complete && (await anyStamps(world)));
  const state = lost
    ? newState(world, "lost", world.chance.uuid())
    : newState(world, "on", complete ? (marks[0] as string) : await mark(world, world.chance.uuid()));
  const written = await recovery.write(PARTITION, STATE, state, stored?.etag);
  return written.kind === "written" ? state : recoveryState(world);
}

/** As it was found last, for people to see; `undefined`: nobody has looked yet. */
export async function knownRecovery(world: World): Promise<RecoveryState | undefined> {
  return (await world.tables.recovery.read(PARTITION, STATE))?.value;
}

const waitsForRebuild = ({ kind }: RecoveryState): boolean => kind === "lost" || kind === "restored";

/** Rows come, or have come, out of a copy: decisions are only shown from now on. Again at the end, for what was begun before. */
export async function markRestored(world: World): Promise<void> {
  const { recovery } = world.tables;
  for (;;) {
    const stored = await recovery.read(PARTITION, STATE);
    const state = newState(world, "restored", stored?.value.generation ?? world.chance.uuid());
    if ((await recovery.write(PARTITION, STATE, state, stored?.etag)).kind === "written") return;
  }
}

/** After a rebuild of every target: the tables are ours again, and a full pass shows what would be done. */
export async function endRebuild(world: World, log: DecisionLog): Promise<void> {
  const stored = await world.tables.recovery.read(PARTITION, STATE);
  if (!stored || !waitsForRebuild(stored.value)) return;
  for (const tenantId of targetsOf(world)) {
    const row = (await world.tables.passes.read(tenantId, "rebuild"))?.value;
    if (row?.phase !== "idle" || (row.endedAt ?? 0) < stored.value.since) return;
  }
  const state = newState(world, "observing", stored.value.generation);
  for (const table of [world.tables.linkMark, world.tables.targetMark]) {
    await table.put(MARKS, GENERATION, { generation: state.generation });
  }
  if ((await world.tables.recovery.write(PARTITION, STATE, state, stored.etag)).kind === "moved") return;
  log.warn("links are rebuilt: a full pass shows what would be done", {});
  await startFullPass(world);
}

/** When every source has been gone through in observation, what was shown is done. */
export async function endObservation(world: World, log: DecisionLog): Promise<void> {
  const stored = await world.tables.recovery.read(PARTITION, STATE);
  if (stored?.value.kind !== "observing") return;
  for (const tenantId of sourcesOf(world)) {
    const row = (await world.tables.passes.read(tenantId, "full"))?.value;
    if (row?.phase !== "idle" || row.startedAt < stored.value.since) return;
  }
  const state = newState(world, "on", stored.value.generation);
  if ((await world.tables.recovery.write(PARTITION, STATE, state, stored.etag)).kind === "moved") return;
  log.warn("observation has ended", {});
  // What an instance that has not noticed only shows would not be done by anybody.
  await startFullPass(world, sourcesOf(world), 2 * BELIEVED_MS);
  await startDriftPass(world);
}

/**
 * Makes the links anew from the stamps; also where nothing was lost, it only adds what is missing. Answers the targets whose
 * users are read, by the pass `rebuild`.
 */
export async function rebuildLinks(world: World): Promise<readonly string[]> {
  const targets = targetsOf(world);
  for (const tenantId of targets) await startPass(world, tenantId, "rebuild", true);
  return targets;
}

const newState = (world: World, kind: RecoveryState["kind"], generation: string): RecoveryState => ({
  kind,
  generation,
  since: world.clock.now(),
});

/** Whoever comes first names the generation. */
async function mark(world: World, wanted: string): Promise<string> {
  const { linkMark, targetMark } = world.tables;
  await linkMark.write(MARKS, GENERATION, { generation: wanted }, undefined);
  const generation = (await linkMark.read(MARKS, GENERATION))?.value.generation ?? wanted;
  await targetMark.put(MARKS, GENERATION, { generation });
  return generation;
}

async function anyStamps(world: World): Promise<boolean> {
  const beginning = `${world.rules.deployment}/`;
  for (const tenantId of targetsOf(world)) {
    if (await world.targetListing(tenantId).hasStamped(beginning)) return true;
  }
  return false;
}
