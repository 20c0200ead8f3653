/** Since which macOS there is what, as Apple's table has it. */

import { classRow, type Row } from "../vz/table.ts";

/** The first version of a class. Where it is not known it is the superclass's. */
export function classVersion(name: string): string {
  const row = classRow(name);
  return !row ? "?" : row.macOS === "?" ? classVersion(row.result.replace("super=", "")) : row.macOS;
}

/** The first version of a method, which a superclass may have had before. */
export function methodVersion(row: Row): string {
  return row.macOS === "?" ? classVersion(row.owner) : row.macOS;
}
