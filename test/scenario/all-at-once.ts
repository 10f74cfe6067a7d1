import { afterAll, expect, test } from "vitest";
import { CHANGES, FAULTS, trial } from "./trial.ts";

/** Runs these worlds as tests, and expects that every fault was met in one of them. `npm run soak` goes on with others. */
export function testWorlds(first: number, count: number): void {
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  const met: Record<string, number> = {};

  test.each(seeds)("the targets are right whatever went wrong (seed %i)", async (seed) => {
    const result = await trial(seed);
    for (const [name, times] of Object.entries(result.met)) met[name] = (met[name] ?? 0) + times;
    expect(result.wrong, `replay: npm run soak -- --seed ${seed} --worlds 1`).toEqual([]);
  });

  afterAll(() => {
    const never = [...FAULTS, ...CHANGES].filter((name) => !met[name]);
    expect(never, `faults that never happened, among ${JSON.stringify(met)}`).toEqual([]);
  });
}
