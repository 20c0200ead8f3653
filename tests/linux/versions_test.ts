// Row 20: linux/ as an older macOS, whose classes and methods are all that a client finds.

import { assert, assertEquals } from "@std/assert";
import { commandOf, ended } from "../objc/child.ts";
import { classRow, type Row, TABLE } from "../vz/table.ts";
import { projectFile } from "./files.ts";

/** The first version of a class. Where it is not known it is the superclass's. */
function classVersion(name: string): string {
  const row = classRow(name);
  return !row ? "?" : row.macOS === "?" ? classVersion(row.result.replace("super=", "")) : row.macOS;
}

function rowOf(owner: string, kind: string, selector: string, version: string): string {
  return `{"${owner}", '${kind}', "${selector}", ${version.replace(".", ", ")}},`;
}

Deno.test("versions: the table of linux/ is Apple's", () => {
  const expected = TABLE.flatMap(({ owner, kind, selector, macOS }: Row) => {
    const version = classVersion(owner);
    if (kind === "C") return ["?", "11.0"].includes(version) ? [] : [rowOf(owner, kind, "", version)];
    const isMethod = (kind === "+" || kind === "-") && classRow(owner);
    return isMethod && macOS !== "?" && macOS !== version ? [rowOf(owner, kind, selector, macOS)] : [];
  });
  const table = Deno.readTextFileSync(projectFile("linux/objc/first_versions.inc")).split("\n");
  assertEquals(table.filter((line) => line.startsWith("{")), expected);
});

interface Found {
  version: string;
  classes: string[];
  methods: string[];
  responds: boolean[];
  started: unknown[];
  said: string;
}

/** What a client finds as one version. */
async function as(version?: string): Promise<Found> {
  const view = projectFile("linux/build/libVirtualizationAppKit.so");
  const env: Record<string, string> = version ? { VIRTUALIZATION_MACOS: version } : {};
  const { code, stdout, stderr } = await ended(commandOf("linux/programs/version.ts", view), env);
  assertEquals([code, stderr], [0, ""], version);
  return JSON.parse(stdout);
}

/** Whether a version is later than another. */
function isLater(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split(".").map(Number));
  return x[0] !== y[0] ? x[0] > y[0] : x[1] > y[1];
}

/** The first version of a method, which a superclass may have had before. */
function methodVersion(method: string): string {
  const [, kind, owner, selector] = /^([+-])\[(\w+) (.*)\]$/.exec(method)!;
  const row = TABLE.find((row) => row.owner === owner && row.kind === kind && row.selector === selector)!;
  return row.macOS === "?" ? classVersion(owner) : row.macOS;
}

Deno.test("versions: as each macOS a client finds what that one has, and boots a guest", async () => {
  const newest = await as();
  assertEquals(newest.version, "27.0");
  assert(newest.classes.length > 50, `${newest.classes.length} classes`);
  assertEquals([newest.responds, newest.started, newest.said], [[true, true, true], [], "hello from Linux"]);
  for (const version of ["11.0", "12.0", "12.3", "13.0", "14.0", "15.0"]) {
    const found = await as(version);
    assertEquals(found.version, version);
    assertEquals(
      found.classes,
      newest.classes.filter((name) => !isLater(classVersion(name), version)),
      version,
    );
    const expected = newest.methods.filter((method) => {
      const owner = /\[(\w+)/.exec(method)![1];
      return found.classes.includes(owner) && !isLater(methodVersion(method), version);
    });
    assertEquals(found.methods, expected, version);
    const stops = version !== "11.0";
    assertEquals([found.responds, found.started, found.said], [[true, stops, stops], [], "hello from Linux"]);
  }
});
