import { assertEquals } from "@std/assert";
import { NewFile } from "../../src/host/new_file.ts";
import { Folder } from "../e2e/vzrun.ts";

const MIB = 2 ** 20;

Deno.test("new file: it has what was written where it was, and is as long as it was made", async () => {
  using folder = new Folder();
  const path = folder.file("x");
  using file = Deno.openSync(path, { write: true, create: true });
  const made = new NewFile(file, path);
  made.truncateSync(80 * MIB);
  made.seekSync(2 * MIB, Deno.SeekMode.Start);
  const bytes = (i: number) => new Uint8Array(MIB).fill(i);
  for (let i = 1; i <= 70; i++) assertEquals(made.writeSync(bytes(i)), MIB);
  await made.sync();
  assertEquals(made.statSync().size, 80 * MIB);
  const there = Deno.readFileSync(path);
  assertEquals(there.length, 80 * MIB);
  for (let i = 0; i < 80; i++) {
    const written = i >= 2 && i < 72 ? i - 1 : 0;
    assertEquals(there.subarray(i * MIB, (i + 1) * MIB).every((byte) => byte === written), true, `${i}`);
  }
});

Deno.test("new file: one that cannot be opened a second time is synced at its end", async () => {
  using folder = new Folder();
  const path = folder.file("x");
  using file = Deno.openSync(path, { write: true, create: true });
  const made = new NewFile(file, folder.file("not there"));
  for (let i = 0; i < 40; i++) made.writeSync(new Uint8Array(MIB));
  await made.sync();
  assertEquals(Deno.statSync(path).size, 40 * MIB);
});
