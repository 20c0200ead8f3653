// Row 20: linux/ as an older macOS, whose classes and methods are all that a client finds.

import { assert, assertEquals } from "@std/assert";
import { commandOf, ended } from "../objc/child.ts";
import { classRow, isLater, type Row, TABLE } from "../vz/table.ts";
import { projectFile } from "./files.ts";
import { NativeProgram } from "./native.ts";
import { classVersion, methodVersion } from "./versions.ts";

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

/** The first version of a method that is named as a client's program names it. */
function versionOf(method: string): string {
  const [, kind, owner, selector] = /^([+-])\[(\w+) (.*)\]$/.exec(method)!;
  return methodVersion(
    TABLE.find((row) => row.owner === owner && row.kind === kind && row.selector === selector)!,
  );
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
      return found.classes.includes(owner) && !isLater(versionOf(method), version);
    });
    assertEquals(found.methods, expected, version);
    const stops = version !== "11.0";
    assertEquals([found.responds, found.started, found.said], [[true, stops, stops], [], "hello from Linux"]);
  }
});

Deno.test("versions: a compiled client finds the same", async () => {
  using program = await NativeProgram.compile("versions.m", "ldflags");
  const found = async (version: string) =>
    (await ended([program.path], { VIRTUALIZATION_MACOS: version })).stdout;
  // Classes of macOS 11, 12 and 13, any trace of the last, then methods of 11, 12, 12 and 12.
  assertEquals(await found("11.0"), "10001000");
  assertEquals(await found("12.0"), "11001111");
  assertEquals(await found("13.0"), "11111111");
});

Deno.test("versions: what an older macOS has conforms to Apple's table too", async () => {
  const [config, test] = ["deno.json", "tests/linux/conformance_test.ts"].map(projectFile);
  const command = [Deno.execPath(), "test", "-q", "-A", "--no-check", "--config", config, test];
  for (const version of ["11.0", "13.0"]) {
    const { code, stdout } = await ended(command, { VIRTUALIZATION_MACOS: version });
    assertEquals(code, 0, stdout);
  }
});
