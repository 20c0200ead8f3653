/** Apple's declarations of Foundation and AppKit, from system.tsv. */

import { type Declaration, readTable, superclassIn } from "../apple_table.ts";

/** A class, or a method of one or of a delegate's protocol. */
export type Row = Declaration & { notes: string };

/** All rows of the table. */
export const TABLE: readonly Row[] = readTable(new URL("system.tsv", import.meta.url), "notes");

function classRow(name: string): Row {
  const row = TABLE.find(({ owner, kind }) => owner === name && kind === "C");
  if (!row) throw new Error(`the table has no class ${name}`);
  return row;
}

/** A class and what it derives from, up to NSObject. */
export function classesOf(name: string): string[] {
  return name === "NSObject" ? [name] : [name, ...classesOf(superclassIn(classRow(name)))];
}

/** The row of a method, of the class itself or the nearest superclass. */
export function methodRow(name: string, kind: "+" | "-", selector: string): Row | undefined {
  for (const owner of classesOf(name)) {
    const found = TABLE.find((row) => row.owner === owner && row.kind === kind && row.selector === selector);
    if (found) return found;
  }
  // A class is an object too.
  if (kind === "+") return TABLE.find((row) => row.owner === "NSObject" && row.selector === selector);
}

/** Whether a method of a class may be sent on the main thread only. */
export function isForMainThread(name: string, row: Row): boolean {
  return [row, ...classesOf(name).filter((owner) => owner !== "NSObject").map(classRow)]
    .some(({ notes }) => notes.includes("main thread only"));
}
