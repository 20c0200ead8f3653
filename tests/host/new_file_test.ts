import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NewFile } from "../../src/host/new_file.ts";
import { eventually, Folder } from "../e2e/vzrun.ts";

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

Deno.test("new file: what fails while it comes to the disk is told by the next write, and by the sync", async () => {
  using file = Deno.openSync("/dev/null", { write: true }); // it has no disk, and takes whatever is written
  const few = new NewFile(file);
  write(few, 15);
  await assertRejects(() => few.sync());
  const many = new NewFile(file);
  write(many, 16);
  let error: unknown;
  await eventually("the sync that has begun", () => {
    try {
      many.writeSync(MIB);
    } catch (caught) {
      error = caught;
    }
    return error !== undefined;
  });
  assertThrows(() => many.writeSync(MIB), Error, (error as Error).message);
  await assertRejects(() => many.sync(), Error, (error as Error).message);
});
