/** Figures of the benchmarks: measured in turn, and printed with how far they spread. */

/** A figure. What was measured in the same round stands at the same place. */
export interface Row {
  what: string;
  unit: string;
  vzrun: number[];
  /** A native program or the usual tool, doing the same. */
  native?: number[];
  /** A Deno script that only opens the libraries. */
  empty?: number[];
}

/** Measures each in turn, in as many rounds; every second round goes the other way, so that none is always the first. */
export async function inTurn<M extends Record<string, () => Promise<unknown>>>(
  rounds: number,
  measures: M,
): Promise<{ [K in keyof M]: Awaited<ReturnType<M[K]>>[] }> {
  const names = Object.keys(measures);
  const results = Object.fromEntries(names.map((name) => [name, [] as unknown[]]));
  for (let i = 0; i < rounds; i++) {
    for (const name of i % 2 === 0 ? names : names.toReversed()) results[name].push(await measures[name]());
  }
  return results as { [K in keyof M]: Awaited<ReturnType<M[K]>>[] };
}

/** The columns of figures that were measured together: `column(results, 0)` has the first of each. */
export function column<K extends string>(results: Record<K, number[][]>, i: number): Record<K, number[]> {
  const entries = Object.entries<number[][]>(results);
  return Object.fromEntries(
    entries.map(([name, rounds]) => [name, rounds.map((figures) => figures[i])]),
  ) as Record<K, number[]>;
}

/** The value below which a part of all is, from 0 to 1; between two values it is between them. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** How many times another's figure ours is, in each round; none where the other's is nothing. */
export function ratios(ours: readonly number[], others: readonly number[] = []): number[] {
  return ours.map((value, i) => value / others[i]).filter(Number.isFinite);
}

/** Median, and the middle half in brackets. */
function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return "";
  const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(values, part).toFixed(digits));
  return values.length === 1 ? middle : `${middle} (${low}-${high})`;
}

function line([what, ...cells]: string[]): string {
  return `${what.padEnd(60)}${cells.map((cell) => cell.padStart(24)).join("")}`.trimEnd();
}

/** Heads the lines of {@linkcode lineOf}. */
export const HEAD = line(["median (middle half)", "vzrun", "native", "ratio", "empty script", "ratio"]);

/** A row as a line of the table. */
export function lineOf({ what, unit, vzrun, native = [], empty = [] }: Row): string {
  return line([
    unit ? `${what} (${unit})` : what,
    spread(vzrun, 1),
    spread(native, 1),
    spread(ratios(vzrun, native), 2),
    spread(empty, 1),
    spread(ratios(vzrun, empty), 2),
  ]);
}
