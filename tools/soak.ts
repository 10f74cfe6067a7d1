import { parseArgs } from "node:util";
import { CHANGES, FAULTS, trial } from "../test/scenario/trial.ts";

/**
 * `npm run soak`: one simulated world after another in which everything goes wrong at once, until the time is over. Says which
 * seeds failed and how to see it again; ends with 1 when one did.
 */
const USAGE = `Usage: npm run soak -- [options]
  --minutes N   goes on for so long (10)
  --seed N      the first world; the next ones follow (1)
  --worlds N    so many worlds instead of a time
  --help`;
const TOLD_EVERY_MS = 15_000;

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} ${text}: give a whole number.`);
  return Number(text);
}

interface Wanted {
  minutes: number;
  seed: number;
  worlds: number;
}

function read(args: readonly string[]): Wanted | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string" },
      seed: { type: "string" },
      worlds: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const worlds = whole("worlds", values.worlds);
  return {
    seed: whole("seed", values.seed) ?? 1,
    worlds: worlds ?? Number.POSITIVE_INFINITY,
    minutes: whole("minutes", values.minutes) ?? (worlds === undefined ? 10 : Number.POSITIVE_INFINITY),
  };
}

async function soak({ seed, worlds, minutes }: Wanted): Promise<boolean> {
  const until = Date.now() + minutes * 60_000;
  const met: Record<string, number> = {};
  let [done, failed, toldAt] = [0, 0, Date.now()];
  for (; done < worlds && Date.now() < until; done++) {
    const result = await trial(seed + done);
    for (const [name, times] of Object.entries(result.met)) met[name] = (met[name] ?? 0) + times;
    if (result.wrong.length > 0) {
      failed++;
      console.log(`seed ${result.seed} failed; replay: npm run soak -- --seed ${result.seed} --worlds 1`);
      for (const sentence of result.wrong) console.log(`  ${sentence}`);
    }
    if (Date.now() - toldAt > TOLD_EVERY_MS) {
      toldAt = Date.now();
      console.log(`${done + 1} worlds, ${failed} failed`);
    }
  }
  for (const name of [...FAULTS, ...CHANGES]) console.log(`${String(met[name] ?? 0).padStart(9)}  ${name}`);
  console.log(`seeds ${seed} to ${seed + done - 1}: ${done - failed} came right, ${failed} failed`);
  return failed === 0;
}

try {
  const wanted = read(process.argv.slice(2));
  if (wanted === "help") console.log(USAGE);
  else if (!(await soak(wanted))) process.exitCode = 1;
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exitCode = 2;
}
