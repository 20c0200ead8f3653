import { assert, assertEquals } from "@std/assert";
import { closeFile, fileHandle, hangUp, pipe, writeAll } from "../../src/host/descriptors.ts";
import { O_NONBLOCK } from "../../src/host/libraries.ts";
import { cString, DispatchQueue, fromObjC, openFunctions } from "../../src/objc/mod.ts";
import { child } from "../objc/child.ts";

const O_WRONLY = 1;

Deno.test("hangUp: settles when the reader of a pipe goes, and not before", async () => {
  const { reading, writing } = pipe();
  let gone = false;
  const hungUp = hangUp(writing).then(() => gone = true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(gone, false);
  reading[Symbol.dispose]();
  await hungUp;
  writing[Symbol.dispose]();
});

Deno.test("hangUp: never settles for a file, and costs no processor time", async () => {
  const { code, stdout, stderr } = await child("host/programs/hang_up_of_a_file.ts");
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

Deno.test("writeAll: every byte arrives, also where another program has made it non-blocking", async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/fifo`;
  assertEquals((await new Deno.Command("mkfifo", { args: [path] }).output()).code, 0);
  using reader = Deno.openSync(path, { read: true, write: true }); // so that nobody waits for the other end
  const libc = openFunctions("system", { open: { parameters: ["buffer", "i32"], result: "i32" } });
  const writing = fileHandle(libc.open(cString(path), O_WRONLY | O_NONBLOCK));
  const bytes = new Uint8Array(300_000).map((_, i) => i * 7);
  const written = writeAll(writing, bytes);
  const read = new Uint8Array(bytes.length);
  for (let at = 0; at < read.length;) {
    at += (await reader.read(read.subarray(at, at + 10_000)))!;
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals([await written, read], [true, bytes]);
  closeFile(writing);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("writeAll: says when nobody reads any more, and does not end the program", async () => {
  const { reading, writing } = pipe();
  await null;
  reading[Symbol.dispose]();
  assertEquals(await writeAll(writing, Uint8Array.of(1)), false);
  writing[Symbol.dispose]();
});

Deno.test("fileHandle: it does not close its descriptor, and a pipe's end does", async () => {
  const isOpen = (descriptor: number) => {
    try {
      Deno.lstatSync(`/dev/fd/${descriptor}`);
      return true;
    } catch {
      return false;
    }
  };
  const { reading, writing } = pipe();
  const descriptors = [reading, writing].map((end) => end.send("fileDescriptor") as number);
  const handle = fileHandle(descriptors[0]);
  assertEquals(handle.send("fileDescriptor"), descriptors[0]);
  handle[Symbol.dispose]();
  await null; // autoreleased references are given up
  assertEquals(descriptors.map(isOpen), [true, true]);
  reading[Symbol.dispose]();
  assertEquals(descriptors.map(isOpen), [false, true]);
  writing[Symbol.dispose]();
  assertEquals(descriptors.map(isOpen), [false, false]);
});
