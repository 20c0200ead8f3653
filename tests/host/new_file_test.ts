import { assertEquals } from "@std/assert";
import { NewFile } from "../../src/host/new_file.ts";
import { Folder } from "../e2e/vzrun.ts";

const MIB = new Uint8Array(2 ** 20).fill(1);

function write(file: NewFile, mebibytes: number): void {
  for (let i = 0; i < mebibytes; i++) assertEquals(file.writeSync(MIB), MIB.length);
}

Deno.test("new file: all of it is there after a sync, however much it is", async () => {
  using folder = new Folder();
  using file = Deno.openSync(folder.file("x"), { write: true, create: true });
  const made = new NewFile(file);
  made.truncateSync(50 * MIB.length);
  made.seekSync(2 * MIB.length, Deno.SeekMode.Start);
  write(made, 40);
  await made.sync();
  assertEquals([made.statSync().size, Deno.statSync(folder.file("x")).size], [
    50 * MIB.length,
    50 * MIB.length,
  ]);
});
