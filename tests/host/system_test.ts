// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { Class, DispatchQueue, fromObjC } from "../../src/objc/mod.ts";
import { cloneFile } from "../../src/host/clone_file.ts";
import { hangUp, pipe, writeAll } from "../../src/host/descriptors.ts";
import { machineArchitecture, macOSVersion } from "../../src/host/system.ts";
import { libraryPath, symbolAddress } from "../../src/objc/libraries.ts";
import { child, commandOf, ended } from "./child.ts";

Deno.test("hangUp: settles when the reader of a pipe goes, and not before", async () => {
  const { reading, writing } = pipe();
  let gone = false;
  const hungUp = hangUp(writing.send("fileDescriptor") as number).then(() => gone = true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(gone, false);
  reading[Symbol.dispose]();
  await hungUp;
  writing[Symbol.dispose]();
});

Deno.test("hangUp: never settles for a file, and costs no processor time", async () => {
  const { code, stdout, stderr } = await child("objc/programs/hang_up_of_a_file.ts");
  assertEquals([code, stderr], [0, ""]);
  const [settled, milliseconds] = stdout.trim().split(" ");
  assertEquals(settled, "false");
  assert(Number(milliseconds) < 250, `${milliseconds} ms of processor time in a second of waiting`);
});

Deno.test("writeAll: every byte arrives, also through a pipe that is full", async () => {
  const { reading, writing } = pipe();
  const bytes = new Uint8Array(1_000_000).map((_, i) => i * 7);
  const written = writeAll(writing, bytes);
  const data = await DispatchQueue.create("reader").call(reading, "readDataOfLength:", bytes.length);
  assertEquals(await written, true);
  assertEquals(fromObjC(data), bytes);
  assertEquals(await writeAll(writing, new Uint8Array()), true);
  reading[Symbol.dispose]();
  writing[Symbol.dispose]();
});

Deno.test("writeAll: says when nobody reads any more, and does not end the program", async () => {
  const { reading, writing } = pipe();
  await null;
  reading[Symbol.dispose]();
  assertEquals(await writeAll(writing, Uint8Array.of(1)), false);
  writing[Symbol.dispose]();
});

Deno.test("isSignalIgnored: tells what nohup, or a script's background job, has the program ignore", async () => {
  const command = commandOf("objc/programs/ignored_signals.ts");
  const ignoring = await ended(["sh", "-c", 'trap "" HUP INT; exec "$@"', "sh", ...command]);
  assertEquals(ignoring, { code: 0, signal: null, stdout: "HUP, INT\n", stderr: "" });
  assertEquals(await ended(command), { code: 0, signal: null, stdout: "\n", stderr: "" });
});

Deno.test("macOSVersion: is a version", () => {
  assertMatch(macOSVersion(), /^\d+(\.\d+){1,2}$/);
  assertEquals(macOSVersion(), macOSVersion());
});

Deno.test("machineArchitecture: is what guests have to be made for", () => {
  assertEquals(machineArchitecture(), { aarch64: "arm64", x86_64: "x86_64" }[Deno.build.arch]);
});

Deno.test("cloneFile: the copy has all that the original had, holes take no room, and neither sees the other's writes", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const [original, clone] = [`${folder}/an original`, `${folder}/clone`];
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    using file = Deno.openSync(original, { create: true, write: true });
    for (const offset of [5_000, 2 ** 30, 2 ** 34]) {
      file.seekSync(offset, Deno.SeekMode.Start);
      file.writeSync(noise);
    }
    file.truncateSync(2 ** 40);
    await cloneFile(original, clone);
    const { size, blocks } = Deno.statSync(clone);
    assertEquals(size, 2 ** 40);
    assertLess(blocks! * 512, 1_000_000);
    file.seekSync(5_000, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(60_000));
    using copy = Deno.openSync(clone, { read: true });
    for (const offset of [5_000, 2 ** 30, 2 ** 34]) {
      const bytes = new Uint8Array(60_000);
      copy.seekSync(offset, Deno.SeekMode.Start);
      assertEquals([copy.readSync(bytes), bytes], [bytes.length, noise]);
    }
    await assertRejects(() => cloneFile(`${folder}/missing`, `${folder}/other`), Deno.errors.NotFound);
    assertEquals([...Deno.readDirSync(folder)].length, 2);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("libraries: a symbol that is not there is an error that names it", () => {
  let message = "";
  try {
    symbolAddress("objc", "no_such_symbol");
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message.includes("no_such_symbol"), message);
  assert(libraryPath("Virtualization").includes("Virtualization"));
  assertEquals(String(Class.named("NSObject")), "NSObject");
});
