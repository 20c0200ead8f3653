/** Apple's declarations of Virtualization, from virtualization.tsv. */

import { type Declaration, readTable, superclassIn } from "../apple_table.ts";

/** A declaration, and the first macOS that has it. */
export type Row = Declaration & { macOS: string };

/** All rows of the table. */
export const TABLE: readonly Row[] = readTable(new URL("virtualization.tsv", import.meta.url), "macOS");

/** The row of a class, or undefined. */
export function classRow(name: string): Row | undefined {
  return TABLE.find((row) => row.kind === "C" && row.owner === name);
}

/** The superclass of a class, as the table has it. */
export function superclassOf(name: string): string | undefined {
  const row = classRow(name);
  return row && superclassIn(row);
}

/** The row of a method, of the class itself or the nearest superclass that the table has it of. */
export function methodRow(name: string, selector: string, kind: "+" | "-" = "-"): Row | undefined {
  for (let owner: string | undefined = name; owner; owner = superclassOf(owner)) {
    const found = TABLE.find((row) => row.owner === owner && row.kind === kind && row.selector === selector);
    if (found) return found;
  }
}

/** The values of an enum by the names of its constants. */
export function enumOf(type: string): Map<string, number> {
  const rows = TABLE.filter((row) => row.kind === "E" && row.args[0] === type);
  return new Map(rows.map((row) => [row.owner, Number(row.result)]));
}

/** Whether a version of macOS is later than another. */
export function isLater(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split(".").map(Number));
  return x[0] !== y[0] ? x[0] > y[0] : x[1] > y[1];
}
