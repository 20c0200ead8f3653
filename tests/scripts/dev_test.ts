import { assert, assertEquals } from "@std/assert";
import { V8_FLAGS } from "../../scripts/v8_flags.ts";
import { Folder, ROOT } from "../e2e/vzrun.ts";
import { ended } from "../objc/child.ts";

const ONLY_LINUX = { ignore: Deno.build.os !== "linux" }; // where linux/ is built

Deno.test({
  name: "dev: run builds linux/ anew when its sources are newer, as after git pull",
  ...ONLY_LINUX,
  async fn() {
    using folder = new Folder();
    const write = (name: string, text: string) => Deno.writeTextFileSync(folder.file(name), text);
    for (const name of ["build/tools", "linux/build"]) Deno.mkdirSync(folder.file(name), { recursive: true });
    Deno.copyFileSync(`${ROOT}/dev`, folder.file("dev"));
    Deno.symlinkSync(Deno.execPath(), folder.file("build/tools/deno"));
    write("deno.json", '{ "permissions": { "default": {} } }');
    write("main.ts", "console.log(Deno.args.join());");
    write("linux/source.m", "old");
    write("linux/Makefile", "build/libVirtualization.so: source.m\n\tcp source.m $@\n");
    const run = async () => {
      assertEquals((await ended([folder.file("dev"), "run", "-x"])).stdout, "-x\n");
      return Deno.readTextFileSync(folder.file("linux/build/libVirtualization.so"));
    };
    assertEquals(await run(), "old");
    write("linux/source.m", "new");
    Deno.utimeSync(folder.file("linux/build/libVirtualization.so"), 1e9, 1e9);
    assertEquals(await run(), "new");
  },
});

Deno.test({
  name: "dev: a link to it by vfkit's name is vfkit, and so is vzrun under that name",
  ...ONLY_LINUX,
  async fn() {
    using folder = new Folder();
    Deno.symlinkSync(`${ROOT}/dev`, folder.file("vfkit"));
    const version = { code: 0, signal: null, stdout: "vfkit version: v0.6.4\n", stderr: "" };
    assertEquals(await ended([folder.file("vfkit"), "--version"]), version);
    const own = ["run", "-q", "-P", "--config", `${ROOT}/deno.json`, `${ROOT}/main.ts`, "-v"];
    const named = ["bash", "-c", 'exec -a "$0" "$@"', "/somewhere/vfkit", Deno.execPath(), ...own];
    assertEquals(await ended(named), version);
  },
});

Deno.test("dev: vzrun is run with the flags of V8 that executables have", () => {
  assert(Deno.readTextFileSync(`${ROOT}/dev`).includes(` run -q -P ${V8_FLAGS} --config `));
});

Deno.test("dev: in a folder that is there no more it says so, in one line of its own", async () => {
  const script = 'folder=$(mktemp -d) && cd "$folder" && rmdir "$folder" && exec "$0" run -version';
  const { code, stdout, stderr } = await ended(["sh", "-c", script, `${ROOT}/dev`]);
  assertEquals([code, stdout], [1, ""]);
  // What the shell itself has to say comes before it.
  assertEquals(stderr.trimEnd().split("\n").at(-1), "dev: the working folder is there no more");
});
