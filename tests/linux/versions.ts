/** Since which macOS there is what, as Apple's table has it. */

import { superclassIn } from "../apple_table.ts";
import { classRow, type Row } from "../vz/table.ts";

/** The first version of a class. Where it is not known it is the superclass's. */
export function classVersion(name: string): string {
  const row = classRow(name);
  return !row ? "?" : row.macOS === "?" ? classVersion(superclassIn(row)) : row.macOS;
}

/** The first version of a method, which a superclass may have had before. */
export function methodVersion(row: Row): string {
  return row.macOS === "?" ? classVersion(row.owner) : row.macOS;
}
