import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Bench, type Bound, lineOf, type Measurement, ok, rounded } from "./bench.ts";
import { expressions } from "./expressions.ts";
import { firstCycle } from "./first-cycle.ts";
import { firstCycleWires } from "./first-cycle-wires.ts";
import { latencyBusy } from "./latency-busy.ts";
import { latencyIdle } from "./latency-idle.ts";
import { passes } from "./passes.ts";
import { reconcileCost } from "./reconcile-cost.ts";
import { reliability } from "./reliability.ts";
import { sweep } from "./sweep.ts";
import { webhook } from "./webhook.ts";

/** `npm run bench`: measures what the product promises, prints a table or JSON lines, ends with 1 when a bound is missed. */
const BENCHES: readonly Bench[] = [
  expressions,
  firstCycle,
  firstCycleWires,
  latencyIdle,
  latencyBusy,
  webhook,
  sweep,
  reconcileCost,
  passes,
];
/** Minutes of faults: only by name. */
const BY_NAME: readonly Bench[] = [reliability];
const ALL = [...BENCHES, ...BY_NAME];

const USAGE = `Usage: npm run bench -- [NAME …] [options]
  NAME        one of: ${ALL.map(({ name }) => name).join(", ")}; none: all but ${BY_NAME.map(({ name }) => name).join(", ")}
  --json      one JSON object a line instead of the table
  --seed N    the same seed gives the same people and the same changes (1)
  --profile   writes a CPU profile of the product's work to bench-NAME.cpuprofile
  --help`;
const WRONG_USAGE = 2;

interface Wanted {
  benches: readonly Bench[];
  json: boolean;
  seed: number;
  profile: boolean;
}

/** A sentence: what is wrong with the command line. */
function read(args: readonly string[]): Wanted | "help" | { wrong: string } {
  const options = {
    json: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    profile: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return "help";
  const unknown = positionals.find((name) => !ALL.some((bench) => bench.name === name));
  if (unknown !== undefined) return { wrong: `There is no bench ${unknown}.` };
  const seed = Number(values.seed);
  if (!/^\d+$/.test(values.seed) || seed >= 2 ** 32) return { wrong: `--seed ${values.seed}: give a whole number.` };
  const benches =
    positionals.length === 0
      ? BENCHES
      : [...new Set(positionals)].flatMap((name) => ALL.filter((bench) => bench.name === name));
  return { benches, json: values.json, seed, profile: values.profile };
}

const boundText = (bound: Bound) => ("most" in bound ? `≤ ${bound.most}` : `≥ ${bound.least}`);

/** Readable: what, every figure, and beside it the bound where there is one. */
function rowsOf(measurement: Measurement): string {
  const { bench, work, unit, figures, bounds } = measurement;
  const cells = Object.entries(figures).map(([name, value]) => {
    const bound = bounds[name];
    return `${name} ${rounded(value)}${bound ? ` (${boundText(bound)})` : ""}`;
  });
  const verdict = Object.keys(bounds).length === 0 ? "told" : ok(measurement) ? "kept" : "MISSED";
  return `${verdict.padEnd(7)} ${bench.padEnd(18)} ${work}\n${" ".repeat(27)}${cells.join(", ")} [${unit}]`;
}

async function main(): Promise<number> {
  const wanted = read(process.argv.slice(2));
  if (wanted === "help") {
    console.log(USAGE);
    return 0;
  }
  if ("wrong" in wanted) {
    console.error(`${wanted.wrong}\n\n${USAGE}`);
    return WRONG_USAGE;
  }
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const startedAt = Date.now();
  say(`seed ${wanted.seed}, ${availableParallelism()} cores, Node ${process.version}`);
  let missed = 0;
  for (const { name, run } of wanted.benches) {
    const since = Date.now();
    say(`${name} …`);
    const profile = wanted.profile ? resolve(`bench-${name}.cpuprofile`) : undefined;
    try {
      for (const measurement of await run({ seed: wanted.seed, say, profile })) {
        if (!ok(measurement)) missed++;
        console.log(wanted.json ? JSON.stringify(lineOf(measurement, wanted.seed)) : rowsOf(measurement));
      }
    } catch (error) {
      missed++;
      console.error(`${name} failed:`, error);
    }
    say(`${name}: ${Math.round((Date.now() - since) / 1000)} s${profile ? `, profile in ${profile}` : ""}`);
  }
  for (const { end } of wanted.benches) await end?.();
  say(
    `${Math.round((Date.now() - startedAt) / 1000)} s in all; ${missed === 0 ? "every bound kept" : `${missed} missed`}`,
  );
  return missed === 0 ? 0 : 1;
}

process.exitCode = await main();
