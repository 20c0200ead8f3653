/** `deno task api`: writes src/vz/api.ts, what src/vz needs of Apple's table of Virtualization. */

import { classRow, isLater, type Row, superclassOf, TABLE } from "../tests/vz/table.ts";

const FOLDER = new URL("../src/vz/", import.meta.url);
const FILE = "api.ts";
const WIDTH = 110;

const sources = [...Deno.readDirSync(FOLDER)].filter(({ name }) => name !== FILE)
  .map(({ name }) => Deno.readTextFileSync(new URL(name, FOLDER))).join("\n");

/** What is quoted in src/vz, selectors among it. */
const quoted = new Set([...sources.matchAll(/"([\w:]+)"/g)].map(([, text]) => text));

/** The methods of a class that src/vz sends, its superclasses' too; but for `new` and `init`, which every class has. */
function methodsOf(name: string | undefined): Row[] {
  if (!name) return [];
  const own = TABLE.filter(({ owner, kind, selector }) =>
    owner === name && ["+", "-"].includes(kind) && quoted.has(selector) && !["new", "init"].includes(selector)
  );
  return [...own, ...methodsOf(superclassOf(name))];
}

/** A class with its methods, in lines as long as they may be. */
function entry(name: string): string {
  const first = classRow(name)!.macOS;
  const methods = methodsOf(name).map(({ kind, selector, macOS, result, args }) => {
    const types = [isLater(macOS, first) ? macOS : first, result, ...args].join(" ");
    return `"${kind}${selector}": "${types}"`;
  });
  const lines = [`  ${name}: { macOS: "${first}"`];
  for (const method of methods) {
    const longer = `${lines.at(-1)}, ${method}`;
    if (longer.length + " },".length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`    ${method}`);
  }
  return `${lines.join(",\n")} },`;
}

/** The module. */
export function apiModule(): string {
  const classes = [...sources.matchAll(/new VZClass\(\s*"(\w+)"/g)].map(([, name]) => name);
  return `// Made by \`deno task api\` of Apple's table, tests/vz/virtualization.tsv. Do not edit.
// deno-fmt-ignore-file

/** The classes that src/vz wraps and the methods that it sends: first macOS, result, arguments, as the table has them. */
export const API = {
${classes.toSorted().map(entry).join("\n")}
} as const;
`;
}

if (import.meta.main) Deno.writeTextFileSync(new URL(FILE, FOLDER), apiModule());
