import { assert, assertEquals } from "@std/assert";
import { hasLibrary, standInPath } from "../../src/host/libraries.ts";

const PACKAGE = new URL("../../src/objc/", import.meta.url);
const filesIn = (folder: string) =>
  [...Deno.readDirSync(new URL(folder, PACKAGE))].filter(({ isFile }) => isFile).map(({ name }) =>
    folder + name
  );
const files = filesIn("./");
/** Where the libraries are, for those who ask src/objc alone; on macOS it knows. */
const library = Deno.build.os === "darwin" || !hasLibrary("objc") ? [] : [standInPath("objc")];

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: PACKAGE,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("package: it imports nothing from outside, and knows no virtual machines", () => {
  for (const name of [...files, ...filesIn("./examples/")]) {
    const text = Deno.readTextFileSync(new URL(name, PACKAGE));
    const outside = [...text.matchAll(/(?:from|import) *\(?"([^"]+)"/g)].map(([, module]) => module)
      .filter((module) => !/^\.\/\w+\.ts$/.test(module) && !["@objc/runtime", "../mod.ts"].includes(module));
    assertEquals(outside, [], name);
    assertEquals(/virtuali[sz]|vzrun|\bqemu\b|\bguest|hypervisor|terminal/i.exec(text)?.[0], undefined, name);
  }
});

Deno.test("package: it can be published as it is, and all that it exports is documented", async () => {
  await deno("publish", "--dry-run", "--allow-dirty", "-q");
  await deno("doc", "--lint", "-q", "mod.ts");
});

Deno.test("package: its example runs without anything of the program around it", async () => {
  const out = await deno("run", "-q", "--allow-ffi", "examples/parse_xml.ts", ...library);
  assertEquals(
    out.split("\n").slice(0, 2),
    ['[ "Moby Dick", "Emma", "War & Peace" ]', '[ "Emma", "Moby Dick", "War & Peace" ]'],
  );
});

Deno.test("package: what its README and its documentation show runs", async () => {
  const preload = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const find = library.length > 0 ? `setLibraryPaths(() => ${JSON.stringify(library[0])});` : "";
    await Deno.writeTextFile(
      preload,
      `import { setLibraryPaths } from ${JSON.stringify(new URL("mod.ts", PACKAGE).href)};\n${find}\n`,
    );
    const documented = files.filter((name) => /\.(ts|md)$/.test(name));
    const out = await deno("test", "-A", "--doc", "--preload", preload, ...documented);
    // Each `console.log(…); // what it prints` of the README, up to a colon.
    const readme = await Deno.readTextFile(new URL("README.md", PACKAGE));
    const printed = [...readme.matchAll(/^console\.log\(.*\); \/\/ ([^:\n]+)/gm)].map(([, text]) => text);
    assert(printed.length >= 5, String(printed));
    for (const text of printed) assert(out.includes(`\n${text}\n`), `${text} is not in\n${out}`);
    assert(Number(/^ok \| (\d+) passed/m.exec(out)?.[1]) >= 10, out);
  } finally {
    await Deno.remove(preload);
  }
});
