import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path/posix/from-file-url";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

const OPTION = `  {
    names: ["color"],
    group: "Devices",
    value: "WORD",
    help: "the colour that the machine is named after",
    apply: (settings, value) => settings.name = value,
  },
`;

Deno.test("architecture: an option is added where the map says, and help, completions and documents have it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const copied = [
      "src",
      "scripts",
      "docs",
      "types",
      "std",
      "deno.json",
      "deno.lock",
      "main.ts",
      "README.md",
    ];
    const copy = await new Deno.Command("cp", {
      args: ["-R", ...copied.map((name) => `${ROOT}${name}`), folder],
    }).output();
    assert(copy.success);
    const table = `${folder}/src/cli/qemu/options.ts`;
    const text = await Deno.readTextFile(table);
    const start = "export const OPTIONS: readonly Option[] = [\n";
    assertStringIncludes(text, start);
    await Deno.writeTextFile(table, text.replace(start, start + OPTION));

    const deno = async (...args: string[]) => {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args,
        cwd: folder,
        env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    const vzrun = (...args: string[]) => deno("run", "-q", "-P", "--config", "deno.json", "main.ts", ...args);
    assertMatch(await vzrun("-help"), /-color WORD +the colour that the machine/);
    assertStringIncludes(await vzrun("-completions", "bash"), "color");
    await deno("task", "docs");
    assertStringIncludes(await Deno.readTextFile(`${folder}/README.md`), "| `-color WORD`");
    assertStringIncludes(await Deno.readTextFile(`${folder}/docs/vzrun.1`), "\\-color");
    const { parse } = await import(`file://${folder}/src/cli/qemu/parse.ts`);
    assertEquals((await parse(["-color", "red"])).name, "red");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
