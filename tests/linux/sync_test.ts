import { assertEquals, assertMatch } from "@std/assert";
import { Folder } from "../e2e/vzrun.ts";
import { commandOf, ended } from "../objc/child.ts";
import { NativeProgram } from "./native.ts";

/** What a program says that makes a large file, all of whose syncs fail, and whether there is something then. */
async function makeLarge(failing: NativeProgram, errno: number): Promise<[said: string, left: string[]]> {
  using folder = new Folder();
  const command = commandOf("host/programs/make_large.ts", folder.file("large"));
  const env = { LD_PRELOAD: failing.path, SYNC_ERRNO: `${errno}` };
  const { code, stdout, stderr } = await ended(command, env);
  assertEquals([code, stderr], [0, ""]);
  return [stdout.trim(), [...Deno.readDirSync(folder.path)].map(({ name }) => name)];
}

Deno.test("makeOnce: a disk that fails is told long before the end, and nothing is left", async () => {
  using failing = await NativeProgram.compile("failing_sync.c", "-shared -fPIC");
  const [said, left] = await makeLarge(failing, 5);
  assertMatch(said, /^(1[6-9]|[2-5]\d) MiB, Input\/output error \(os error 5\)$/);
  assertEquals(left, []);
  assertMatch((await makeLarge(failing, 28))[0], /^\d+ MiB, No space left on device \(os error 28\)$/);
});

Deno.test("makeOnce: a file system that knows no sync, as macOS's on a network, is no obstacle", async () => {
  using failing = await NativeProgram.compile("failing_sync.c", "-shared -fPIC");
  for (const errno of [22, 25, 95]) {
    assertEquals(await makeLarge(failing, errno), ["64 MiB, made", ["large"]]);
  }
});
