import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { playDay } from "../organization/day.ts";
import { openDayCloud } from "../organization/day-cloud.ts";
import { dayTable } from "../organization/day-report.ts";
import { duration, type Output, plain, progressBar } from "../organization/render.ts";
import type { LocalCloud } from "./cloud.ts";
import type { DifferencesAnswer } from "./graph-report.ts";

const POLL_MS = 500;
/** The first cycle is over when everybody is right, or when nothing has got better for longer than a lease lasts. */
const STUCK_MS = 75_000;
const SHOWN_MAX = 10;

const Answer = z.object({
  right: z.number(),
  people: z.number(),
  targets: z.number(),
  differences: z.array(z.string()),
});

/**
 * The first cycle with a progress bar, the day, and the verdict as the last line. True: everything that was played came
 * out as expected, and everybody is right everywhere.
 */
export async function play(cloud: Pick<LocalCloud, "graph" | "folder" | "pace">, output: Output): Promise<boolean> {
  const say = (text: string) => output.write(`${text}\n`);
  const { limitMs } = cloud.pace;
  const startedAt = Date.now();
  const bar = progressBar(output, "first cycle");
  const first = await untilRight(cloud.graph.control, ({ right, people }, stuckMs) => {
    bar.update(right, people);
    return stuckMs < STUCK_MS;
  });
  bar.end(`First cycle: ${first.right} of ${first.people} people right after ${duration(Date.now() - startedAt)}`);
  if (first.differences.length > 0) say("  Still on their way:");
  sayDifferences(first, say);

  say("A day at work, told as things come to their end:");
  const day = await playDay(await openDayCloud(join(cloud.folder, "endpoints.json")), say, { limitMs });
  say(`\n${dayTable(day)}\n`);

  const playedAt = Date.now();
  const last = await untilRight(cloud.graph.control, () => Date.now() - playedAt < limitMs);
  sayDifferences(last, say);
  say(`${last.right} of ${last.people} people right in ${last.targets} targets`);
  return day.ok && last.differences.length === 0;
}

/** Compares until there is no difference, or until `goOn` has had enough. */
async function untilRight(
  control: string,
  goOn: (verdict: DifferencesAnswer, stuckMs: number) => boolean,
): Promise<DifferencesAnswer> {
  let most = -1;
  let mostAt = Date.now();
  for (;;) {
    const response = await fetch(`${control}/differences`);
    if (!response.ok) throw new Error(`The comparison failed: ${response.status} ${await response.text()}`);
    const verdict = Answer.parse(await response.json());
    if (verdict.right > most) {
      most = verdict.right;
      mostAt = Date.now();
    }
    const more = goOn(verdict, Date.now() - mostAt);
    if (verdict.differences.length === 0 || !more) return verdict;
    await sleep(POLL_MS);
  }
}

function sayDifferences({ differences }: DifferencesAnswer, say: (text: string) => void): void {
  for (const difference of differences.slice(0, SHOWN_MAX)) say(`  ${plain(difference)}`);
  if (differences.length > SHOWN_MAX) say(`  … and ${differences.length - SHOWN_MAX} more.`);
}
