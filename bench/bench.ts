import { availableParallelism } from "node:os";

/** What a figure must not exceed, or must reach. */
export type Bound = { most: number } | { least: number };

/** One line of the report. */
export interface Measurement {
  bench: string;
  /** What was measured, in words. */
  work: string;
  unit: string;
  /** Figures by name: `p50`, `p99`, `share` … */
  figures: Readonly<Record<string, number>>;
  /** By the name of the figure; the first is shown as the bound of the line. None: the figure is only told. */
  bounds: Readonly<Record<string, Bound>>;
}

export interface BenchOptions {
  seed: number;
  /** Says what is going on; not part of the report. */
  say: (text: string) => void;
  /** Where a CPU profile of the product's work goes; `undefined`: none is made. */
  profile: string | undefined;
}

export interface Bench {
  name: string;
  run(options: BenchOptions): Promise<readonly Measurement[]>;
  /** Called once all benches have run: ends what several of them share. */
  end?(): Promise<void>;
}

/** True when every bound is kept. A figure that is missing keeps none. */
export const ok = ({ figures, bounds }: Measurement): boolean =>
  Object.entries(bounds).every(([name, bound]) => {
    const figure = figures[name] ?? Number.NaN;
    return "most" in bound ? figure <= bound.most : figure >= bound.least;
  });

/** The line of `--json`. */
export function lineOf(measurement: Measurement, seed: number): Record<string, unknown> {
  const { bench, work, unit, figures, bounds } = measurement;
  const [first, ...others] = Object.entries(bounds).map(([name, bound]) => [name, Object.values(bound)[0]] as const);
  return {
    bench,
    seed,
    work,
    unit,
    ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value)])),
    ...(first ? { bound: first[1], bounded: first[0] } : {}),
    ...(others.length > 0 ? { otherBounds: Object.fromEntries(others) } : {}),
    ok: ok(measurement),
    cores: availableParallelism(),
  };
}

/** Four digits that count, and no more noise than that. */
export const rounded = (value: number): number => Number(value.toPrecision(4));

/** The value below which this share of the values lies; values in any order. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
