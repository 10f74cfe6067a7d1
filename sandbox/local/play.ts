import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { LocalCloud } from "./cloud.ts";
import type { DifferencesAnswer } from "./graph-report.ts";

/** Where progress is shown. `line` replaces itself until the next `say`. */
export interface Screen {
  say(text: string): void;
  line(text: string): void;
}

/** What happens after the first cycle; answers when everything it did has arrived. */
export type Day = (cloud: LocalCloud, screen: Screen) => Promise<void>;

const POLL_MS = 500;
const FIRST_CYCLE_MS_MAX = 4 * 60_000;
const SETTLE_MS_MAX = 60_000;
const SHOWN_MAX = 10;

const Answer = z.object({
  right: z.number(),
  people: z.number(),
  targets: z.number(),
  differences: z.array(z.string()),
});

/** The first cycle with a progress bar, the day, and the verdict as the last line. True: everybody is right everywhere. */
export async function play(cloud: LocalCloud, screen: Screen, day: Day | undefined): Promise<boolean> {
  screen.say("First cycle: everybody in scope is brought into the targets.");
  const startedAt = Date.now();
  const first = await untilRight(cloud, FIRST_CYCLE_MS_MAX, (verdict) => screen.line(bar(verdict)));
  screen.say(`First cycle: ${first.right} of ${first.people} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
  if (day) await day(cloud, screen);
  const last = await untilRight(cloud, SETTLE_MS_MAX, () => {});
  for (const difference of last.differences.slice(0, SHOWN_MAX)) screen.say(difference);
  if (last.differences.length > SHOWN_MAX) screen.say(`… and ${last.differences.length - SHOWN_MAX} more.`);
  screen.say(`${last.right} of ${last.people} people right in ${last.targets} targets`);
  return last.differences.length === 0;
}

async function untilRight(
  { graph }: LocalCloud,
  limitMs: number,
  show: (verdict: DifferencesAnswer) => void,
): Promise<DifferencesAnswer> {
  const giveUpAt = Date.now() + limitMs;
  for (;;) {
    const response = await fetch(`${graph.control}/differences`);
    if (!response.ok) throw new Error(`The comparison failed: ${response.status} ${await response.text()}`);
    const verdict = Answer.parse(await response.json());
    show(verdict);
    if (verdict.differences.length === 0 || Date.now() > giveUpAt) return verdict;
    await sleep(POLL_MS);
  }
}

const WIDTH = 40;
function bar({ right, people }: DifferencesAnswer): string {
  const done = people === 0 ? WIDTH : Math.floor((right / people) * WIDTH);
  return `[${"#".repeat(done)}${".".repeat(WIDTH - done)}] ${right} of ${people}`;
}
