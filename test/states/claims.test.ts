import { afterAll, beforeAll, expect, test } from "vitest";
import { claimIsLive, LEASE_MS } from "../../shared/domain/link.ts";
import { type LinkChange, readLink, type StoredLink, writeLink } from "../../shared/pipeline/claims.ts";
import type { Person } from "../../shared/pipeline/look.ts";
import type { World } from "../../shared/pipeline/world.ts";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";
import { CLAIM_EVENTS, CLAIM_STATES, type ClaimEvent, type ClaimState, claimCell } from "./claims.ts";

/** Every state of a claim × everything that may happen to it, played on the tables of a simulated world. */

let c: TwoTenants;
let world: World;
beforeAll(() => {
  c = twoTenants({ seed: 6, timerMs: 0 });
  const [instance] = c.world.instances;
  if (!instance) throw new Error("nobody lives");
  world = instance.world;
});
afterAll(() => c.world.close());

interface Stage {
  person: Person;
  /** The row as the holder has it, and as somebody has it who read or wrote it before. */
  held: StoredLink;
  before: StoredLink;
}

async function stage(state: ClaimState): Promise<Stage> {
  const pair = world.rules.pairs[0];
  if (!pair) throw new Error("no pair");
  const about = { lane: "changes", reason: "operator", noticedAt: 0, paidWrites: 0, attempt: 0 } as const;
  const person: Person = { pair, userId: c.world.random.uuid(), ...about };
  const before = await claimed(person, undefined, "one before");
  if (state === "free") {
    await writeLink(world, person, before, "settled", { claim: undefined });
    return { person, held: undefined, before };
  }
  await c.world.clock.runFor(LEASE_MS);
  const held = await claimed(person, before, "holder");
  if (state === "over") await c.world.clock.runFor(LEASE_MS);
  return { person, held, before };
}

async function claimed(person: Person, stored: StoredLink, id: string): Promise<StoredLink> {
  const written = await writeLink(world, person, stored, "marked", { claim: { id, plan: "update", at: 0 } });
  return written.kind === "written" ? written.stored : undefined;
}

async function ask(person: Person, stored: StoredLink): Promise<string> {
  if (stored && claimIsLive(stored.value, stored.ageMs)) return "waits";
  return write(person, stored, { claim: { id: "asks", plan: "update", at: 0 } });
}

const write = async (person: Person, stored: StoredLink, change: LinkChange): Promise<string> =>
  (await writeLink(world, person, stored, change.claim ? "marked" : "settled", change)).kind;

/** The row is written, and the answer does not arrive. */
function losesAnswer(): void {
  c.world.hooks.after = ({ what }) => {
    if (what !== "write links") return;
    c.world.hooks.after = undefined;
    throw new StorageUnavailable("no answer");
  };
}

async function play({ person, held, before }: Stage, event: ClaimEvent): Promise<string> {
  switch (event) {
    case "asked":
      return ask(person, await readLink(world, person));
    case "askedOnOldRow":
      return write(person, before, { claim: { id: "asks", plan: "update", at: 0 } });
    case "askedAndAnswerLost": {
      const stored = await readLink(world, person);
      losesAnswer();
      const told = await ask(person, stored);
      c.world.hooks.after = undefined;
      return told;
    }
    case "recorded":
      return write(person, held, { claim: undefined, inputs: "recorded" });
    case "recordedAndAnswerLost":
      losesAnswer();
      return write(person, held, { claim: undefined, inputs: "recorded" });
    case "released":
      return write(person, held, { claim: undefined, writtenAt: 1 });
    case "recordedByOneBefore":
      return write(person, before, { claim: undefined, inputs: "older" });
    case "leaseEnds":
      await c.world.clock.runFor(LEASE_MS);
      return "nothing";
  }
}

async function stateOf(person: Person): Promise<ClaimState> {
  const stored = await readLink(world, person);
  if (!stored?.value.claim) return "free";
  return claimIsLive(stored.value, stored.ageMs) ? "live" : "over";
}

const cells = CLAIM_EVENTS.flatMap((event) =>
  CLAIM_STATES.flatMap((state) => {
    const cell = claimCell(state, event);
    return "never" in cell ? [] : [{ event, state, ...cell }];
  }),
);

test.each(cells)(
  "a claim that is $state, $event: $next, and the worker is told: $told",
  async ({ state, event, next, told }) => {
    const staged = await stage(state);
    expect(await stateOf(staged.person)).toBe(state);
    expect(await play(staged, event)).toBe(told);
    expect(await stateOf(staged.person)).toBe(next);
    const stored = await readLink(world, staged.person);
    expect(stored?.value.inputs).toBe(
      event.startsWith("recorded") && event !== "recordedByOneBefore" ? "recorded" : undefined,
    );
  },
);
