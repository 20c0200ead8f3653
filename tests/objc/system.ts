/** Apple's declarations of Foundation and AppKit, from system.tsv. */

/** A method, of a class or of a delegate's protocol. */
export interface Row {
  owner: string;
  /** C, +, -, -o: see the table's head. */
  kind: string;
  selector: string;
  result: string;
  args: string[];
  notes: string;
}

const text = Deno.readTextFileSync(new URL("system.tsv", import.meta.url));

/** All rows of the table. */
export const TABLE: readonly Row[] = text.split("\n").filter((line) => line && !line.startsWith("#")).map(
  (line) => {
    const [owner, kind, selector, result, args, notes] = line.split("\t");
    return { owner, kind, selector, result, args: args.split(" ").filter((arg) => arg), notes };
  },
);

function classRow(name: string): Row {
  const row = TABLE.find(({ owner, kind }) => owner === name && kind === "C");
  if (!row) throw new Error(`the table has no class ${name}`);
  return row;
}

/** A class and what it derives from, up to NSObject. */
export function classesOf(name: string): string[] {
  return name === "NSObject" ? [name] : [name, ...classesOf(classRow(name).result.replace("super=", ""))];
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
