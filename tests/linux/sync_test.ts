import { assertEquals, assertMatch } from "@std/assert";
import { Folder } from "../e2e/vzrun.ts";
import { commandOf, ended } from "../objc/child.ts";
import { NativeProgram } from "./native.ts";

const failingSyncs = () => NativeProgram.compile("failing_sync.c", "-shared -fPIC");

/** What a program says that makes a file, and whether that is there then. Its first syncs fail, as many as is said. */
async function make(
  syncs: NativeProgram,
  mebibytes: number,
  errno: number,
  failures: number,
): Promise<[said: string, left: string[]]> {
  using folder = new Folder();
  const command = commandOf("host/programs/make_large.ts", folder.file("large"), `${mebibytes}`);
  const env = { LD_PRELOAD: syncs.path, SYNC_ERRNO: `${errno}`, SYNC_FAILURES: `${failures}` };
  const { code, stdout, stderr } = await ended(command, env);
  assertEquals([code, stderr], [0, ""]);
  return [stdout.trim(), [...Deno.readDirSync(folder.path)].map(({ name }) => name)];
}

Deno.test("makeOnce: a large file is synced while it is written, one sync at a time", async () => {
  using syncs = await failingSyncs();
  const [said, left] = await make(syncs, 200, 0, 0);
  assertMatch(said, /^200 MiB, made\n[2-7] syncs$/);
  assertEquals(left, ["large"]);
  assertEquals(await make(syncs, 31, 0, 0), ["31 MiB, made\n1 syncs", ["large"]]);
});

Deno.test("makeOnce: a disk that fails is told long before the end, and nothing is left", async () => {
  using syncs = await failingSyncs();
  const [said, left] = await make(syncs, 1000, 5, 1000);
  assertMatch(said, /^\d{2,3} MiB, Input\/output error \(os error 5\)\n1 syncs$/);
  assertEquals(left, []);
  assertMatch(
    (await make(syncs, 1000, 28, 1000))[0],
    /^\d{2,3} MiB, No space left on device \(os error 28\)\n/,
  );
});

Deno.test("makeOnce: a failure that is told only once is told, whichever sync it is", async () => {
  using syncs = await failingSyncs();
  assertEquals(await make(syncs, 32, 5, 1), ["32 MiB, Input/output error (os error 5)\n1 syncs", []]);
  assertEquals(await make(syncs, 31, 5, 1), ["31 MiB, Input/output error (os error 5)\n1 syncs", []]);
});

Deno.test("makeOnce: a file system that knows no sync, as macOS's on a network, is no obstacle", async () => {
  using syncs = await failingSyncs();
  for (const errno of [22, 25, 95]) {
    const [said, left] = await make(syncs, 100, errno, 1000);
    assertMatch(said, /^100 MiB, made\n/);
    assertEquals(left, ["large"]);
  }
});
