import { SyncError } from "../domain/error.ts";
import { openRequest, readRequest, requestState } from "./requests.ts";
import type { RequestRow, SwitchRow, World } from "./world.ts";

const PARTITION = "kill";
const ROW = "all";
const HOUR_MS = 3_600_000;
/** A second person has so long to agree to the lifting. */
const LIFT_LIVES_MS = 24 * HOUR_MS;
/** Work that waits for the switch comes back after this time. */
const LOOK_AGAIN_MS = 30_000;

const KILL_SWITCH_OFF = "kill-switch-off";
const liftId = (generation: string) => `${KILL_SWITCH_OFF}:${generation}`;

/** The switch if it is on. A lifting that was approved takes effect here, whoever looks first. */
export async function killSwitch(world: World): Promise<SwitchRow | undefined> {
  const stored = await world.tables.switches.read(PARTITION, ROW);
  if (!stored?.value.on) return undefined;
  const lift = await readRequest(world, liftId(stored.value.id));
  if (!lift || requestState(lift, world.clock.now()) !== "approved") return stored.value;
  const off = await world.tables.switches.write(PARTITION, ROW, { ...stored.value, on: false }, stored.etag);
  return off.kind === "written" ? undefined : killSwitch(world);
}

/** Read before every claim: while the switch is on, nothing is written to any target. Throws `KILL_SWITCH_ON`. */
export async function killSwitchMustBeOff(world: World): Promise<void> {
  if (await killSwitch(world)) {
    seenOn.set(world, world.clock.now());
    throw itIsOn();
  }
  seenOn.delete(world);
}

/**
 * The same for work that comes in, so that it is put off before anything is read for it. Asks the storage only when a claim
 * has met the switch: while it is off, looks at people who are as they should be cost nothing more.
 */
export async function killSwitchMustNotBeSeen(world: World): Promise<void> {
  const seen = seenOn.get(world);
  if (seen === undefined) return;
  if (world.clock.now() - seen < BELIEVED_MS) throw itIsOn();
  await killSwitchMustBeOff(world);
}

/** When an instance last met the switch. */
const seenOn = new WeakMap<World, number>();
const BELIEVED_MS = 1_000;
const itIsOn = () => new SyncError("KILL_SWITCH_ON", { afterMs: LOOK_AGAIN_MS });

/** One person is enough. On when it is on already: the first who did it stays on record. */
export async function turnOn(world: World, by: string, reason: string): Promise<SwitchRow> {
  for (;;) {
    const on = await killSwitch(world);
    if (on) return on;
    const stored = await world.tables.switches.read(PARTITION, ROW);
    const row: SwitchRow = { on: true, id: world.chance.uuid(), by, at: world.clock.now(), reason };
    if ((await world.tables.switches.write(PARTITION, ROW, row, stored?.etag)).kind === "written") return row;
  }
}

/** Asks for the lifting; somebody else has to agree. `undefined`: the switch is off. */
export async function askToTurnOff(
  world: World,
  by: string,
  reason: string,
): Promise<{ id: string; row: RequestRow } | undefined> {
  const on = await killSwitch(world);
  if (!on) return undefined;
  const id = liftId(on.id);
  const asked = { kind: KILL_SWITCH_OFF, subject: on.id, by, details: [reason] };
  return { id, row: await openRequest(world, id, asked, { livesMs: LIFT_LIVES_MS, again: true }) };
}
