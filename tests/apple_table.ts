/** Apple's declarations as the tables beside the tests have them. */

/** A line of a table. */
export interface Declaration {
  owner: string;
  /** What it is: see the table's head. */
  kind: string;
  selector: string;
  /** Of a class: `super=NSObject`. */
  result: string;
  args: string[];
}

/** All lines of a table. @param last What its last column is called. */
export function readTable<L extends string>(url: URL, last: L): readonly (Declaration & Record<L, string>)[] {
  const lines = Deno.readTextFileSync(url).split("\n").filter((line) => line && !line.startsWith("#"));
  return lines.map((line) => {
    const [owner, kind, selector, result, args, other] = line.split("\t");
    const declaration = { owner, kind, selector, result, args: args.split(" ").filter((arg) => arg) };
    return { ...declaration, [last]: other } as Declaration & Record<L, string>;
  });
}

/** The superclass that a class's line names. */
export function superclassIn({ result }: Declaration): string {
  return result.replace("super=", "");
}
