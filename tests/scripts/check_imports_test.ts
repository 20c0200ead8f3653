import { assertEquals } from "@std/assert";
import {
  circles,
  drawingProblems,
  edges,
  type Import,
  importsOf,
  listProblems,
  upward,
} from "../../scripts/check_imports.ts";

/** Imports of a module, each by its target. */
function importing(from: string, ...to: string[]): Import[] {
  return to.map((to) => ({ from, to, types: false }));
}

Deno.test("check_imports: every way in which a module names another is found", () => {
  const text = `
import { a } from "./a.ts";
import type { B } from "../vz/b.ts";
import {
  c,
  type D,
} from "../vz/c.ts";
import "../host/libraries.ts";
export { e } from "./e.ts";
export type { F } from "./f.ts";
import { path } from "@std/path/posix/join";
const { g } = await import("./g.ts");
const worker = new Worker(new URL("./h.ts", import.meta.url));
`;
  const types = new Set(["src/vz/b.ts", "src/cli/f.ts"]);
  const paths = "cli/a vz/b vz/c host/libraries cli/e cli/f cli/g cli/h".split(" ").map((path) =>
    `src/${path}.ts`
  );
  assertEquals(
    importsOf("src/cli/x.ts", text),
    paths.map((to) => ({ from: "src/cli/x.ts", to, types: types.has(to) })),
  );
});

Deno.test("check_imports: an import of a room above, beside, or of none that is known, is against the order", () => {
  const good = importing("src/machine/a.ts", "src/vz/b.ts", "src/objc/c.ts", "src/machine/d.ts");
  const bad = [
    ...importing("src/vz/a.ts", "src/machine/b.ts", "src/images/c.ts"),
    ...importing("src/cli/a.ts", "src/new/b.ts"),
    ...importing("src/new/a.ts", "src/objc/b.ts"),
  ];
  assertEquals(upward([...good, ...bad]), bad);
});

Deno.test("check_imports: a circle of files is found, unless it is one of types", () => {
  const chain = [...importing("a", "b"), ...importing("b", "c")];
  assertEquals(circles(chain), []);
  assertEquals(circles([...chain, ...importing("c", "a")]), [["a", "b", "c", "a"]]);
  assertEquals(circles([...chain, { from: "c", to: "a", types: true }]), []);
});

Deno.test("check_imports: imports between rooms are counted", () => {
  const imports = importing(
    "src/cli/a.ts",
    "src/machine/b.ts",
    "src/machine/c.ts",
    "src/vz/d.ts",
    "src/cli/e.ts",
  );
  assertEquals([...edges(imports)], [["cli -> machine", 2], ["cli -> vz", 1]]);
});

Deno.test("check_imports: a drawing that does not show what there is, is told", () => {
  const imports = [
    ...importing("src/cli/a.ts", "src/machine/b.ts", "src/vz/c.ts"),
    ...importing("src/machine/b.ts", "src/vz/c.ts"),
  ];
  assertEquals(drawingProblems("  cli --> machine\n  machine --> vz\n  argv --> cli\n", imports), []);
  assertEquals(drawingProblems("  cli --> machine\n  cli --> objc\n", imports), [
    "an arrow is drawn that is no import: cli -> objc",
    "no arrows lead along the import cli -> vz",
    "no arrows lead along the import machine -> vz",
  ]);
});

Deno.test("check_imports: a list of rooms that lacks one, has one too many or another order, is told", () => {
  const list = "src/cli/   x\nsrc/machine/  x\nsrc/objc/  x\n";
  assertEquals(listProblems(list, ["objc", "machine", "cli"]), []);
  assertEquals(listProblems(list, ["objc", "cli", "vz"]), [
    "src/vz is not in the list",
    "src/machine is in the list and not there",
  ]);
  assertEquals(listProblems("src/objc/ x\nsrc/cli/ x\n", ["objc", "cli"]), [
    "the list is not in the order of imports",
  ]);
});
