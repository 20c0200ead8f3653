/**
 * `deno task check-imports`: the rooms of src/, how many imports go from one to another, and whether any goes against
 * their order or round in a circle. The drawing in docs/architecture.md and the list in CONTRIBUTING.md are held to it.
 */

import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";

/** The rooms, lowest first. Rooms of one rank do not know each other. */
export const RANKS: readonly (readonly string[])[] = [
  ["objc"],
  ["host"],
  ["images", "vz"],
  ["machine"],
  ["window"],
  ["control"],
  ["cli"],
];

/** One import of a module of src/ by another, both as paths from the repository's root. */
export interface Import {
  from: string;
  to: string;
  /** Only types, which are gone when the program runs. */
  types: boolean;
}

/** The imports that a module's text has of files of its own repository. */
export function importsOf(path: string, text: string): Import[] {
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^;]*?from\s+"(\.[^"]+)"|^import\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)|new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/gms,
  );
  return Array.from(found, ([, types, ...names]) => ({
    from: path,
    to: join(dirname(path), names.find((name) => name)!),
    types: types !== undefined,
  }));
}

const roomOf = (path: string) => path.split("/")[1];
const rankOf = (room: string) => RANKS.findIndex((rank) => rank.includes(room));

/** Imports that go from a room to one above it or beside it. */
export function upward(imports: Import[]): Import[] {
  return imports.filter(({ from, to }) => {
    const [importing, imported] = [roomOf(from), roomOf(to)];
    return importing !== imported && !(rankOf(imported) >= 0 && rankOf(imported) < rankOf(importing));
  });
}

/** Files that import each other in a circle, types aside: the first circle that is found from each file. */
export function circles(imports: Import[]): string[][] {
  const targets = Map.groupBy(imports.filter(({ types }) => !types), ({ from }) => from);
  const found: string[][] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (file: string, path: string[]) => {
    if (state.get(file) === "open") found.push([...path.slice(path.indexOf(file)), file]);
    if (state.has(file)) return;
    state.set(file, "open");
    for (const { to } of targets.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, "done");
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}

/** `from -> to` for every two rooms, and how many imports go from one to the other. */
export function edges(imports: Import[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { from, to } of imports) {
    const edge = `${roomOf(from)} -> ${roomOf(to)}`;
    if (roomOf(from) !== roomOf(to)) counts.set(edge, (counts.get(edge) ?? 0) + 1);
  }
  return new Map([...counts].sort());
}

/** What is wrong with the arrows between rooms in a drawing: each is an import, and each import follows arrows. */
export function drawingProblems(markdown: string, imports: Import[]): string[] {
  const arrows = [...markdown.matchAll(/^ *(\w+) --> (\w+)$/gm)]
    .filter(([, from, to]) => rankOf(from) >= 0 && rankOf(to) >= 0);
  const reachable = (from: string): string[] =>
    arrows.filter((arrow) => arrow[1] === from).flatMap(([, , to]) => [to, ...reachable(to)]);
  const real = [...edges(imports).keys()];
  return [
    ...arrows.map(([, from, to]) => `${from} -> ${to}`).filter((arrow) => !real.includes(arrow))
      .map((arrow) => `an arrow is drawn that is no import: ${arrow}`),
    ...real.filter((edge) => !reachable(edge.split(" ")[0]).includes(edge.split(" ")[2]))
      .map((edge) => `no arrows lead along the import ${edge}`),
  ];
}

/** What is wrong with a list of rooms, `src/NAME/  what it is`, highest first. */
export function listProblems(markdown: string, rooms: string[]): string[] {
  const listed = [...markdown.matchAll(/^src\/(\w+)\/ /gm)].map(([, room]) => room);
  const isOrdered = listed.every((room, i) => i === 0 || rankOf(room) <= rankOf(listed[i - 1]));
  return [
    ...rooms.filter((room) => !listed.includes(room)).map((room) => `src/${room} is not in the list`),
    ...listed.filter((room) => !rooms.includes(room)).map((room) =>
      `src/${room} is in the list and not there`
    ),
    ...isOrdered ? [] : ["the list is not in the order of imports"],
  ];
}

function modulesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory ? modulesIn(path) : name.endsWith(".ts") ? [path] : [];
  });
}

if (import.meta.main) {
  Deno.chdir(join(import.meta.dirname!, ".."));
  const modules = modulesIn("src").sort();
  const imports = modules.flatMap((path) => importsOf(path, Deno.readTextFileSync(path)))
    .filter(({ to }) => to.startsWith("src/")); // not deno.json and its like
  const rooms = [...new Set(modules.map(roomOf))];
  for (const [edge, count] of edges(imports)) console.log(`${edge}: ${count}`);
  const problems = [
    ...rooms.filter((room) => rankOf(room) < 0).map((room) =>
      `src/${room} has no place in the order of rooms`
    ),
    ...upward(imports).map(({ from, to }) => `against the order: ${from} imports ${to}`),
    ...circles(imports).map((circle) => `a circle: ${circle.join(" -> ")}`),
    ...drawingProblems(Deno.readTextFileSync("docs/architecture.md"), imports)
      .map((problem) => `docs/architecture.md: ${problem}`),
    ...listProblems(Deno.readTextFileSync("CONTRIBUTING.md"), rooms).map((problem) =>
      `CONTRIBUTING.md: ${problem}`
    ),
  ];
  for (const problem of problems) console.error(problem);
  console.log(`${modules.length} files, ${imports.length} imports, ${problems.length} problems`);
  if (problems.length > 0) Deno.exit(1);
}
