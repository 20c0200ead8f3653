import { assertEquals, assertRejects } from "@std/assert";
import { Output } from "../../src/images/byte_reader.ts";

const MIB = 2 ** 20;

/** Writes so much into a file, and waits for the syncs that have begun. */
async function write(path: string, mebibytes: number): Promise<void> {
  using file = Deno.openSync(path, { write: true });
  const output = new Output(file, 2 * mebibytes * MIB);
  const zeros = new Uint8Array(MIB);
  for (let i = 0; i < mebibytes; i++) output.write(zeros);
  assertEquals(output.length, mebibytes * MIB);
  await output.end();
}

Deno.test("output: a file is synced while it is written, and what fails then is told at its end", async () => {
  await write("/dev/null", 15); // less than is synced at once
  await assertRejects(() => write("/dev/null", 16)); // it has no disk
  await assertRejects(() => write("/dev/null", 40)); // of several, the first
  const path = await Deno.makeTempFile();
  try {
    await write(path, 40);
    assertEquals(Deno.statSync(path).size, 40 * MIB);
  } finally {
    await Deno.remove(path);
  }
});
