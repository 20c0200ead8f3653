import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { cloneFile } from "../../src/host/clone_file.ts";

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
