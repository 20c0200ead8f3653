import { assert, assertEquals, assertRejects } from "@std/assert";
import { Input } from "../../src/images/byte_reader.ts";
import { ImageError } from "../../src/images/error.ts";
import { unzstd } from "../../src/images/zstd.ts";
import { Folder } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { concat, u32 } from "./pack.ts";

/** A frame of blocks that are not compressed, in a window of 2 MiB. */
function frame(...blocks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = blocks.map((bytes, i) =>
    concat(u32(bytes.length << 3 | (i === blocks.length - 1 ? 1 : 0)).subarray(0, 3), bytes)
  );
  return concat(u32(0xfd2fb528), Uint8Array.of(0, 0x58), ...parts);
}

/** What comes out of bytes in a file. */
async function unpack(folder: Folder, bytes: Uint8Array): Promise<Uint8Array> {
  const path = folder.file("packed");
  Deno.writeFileSync(path, bytes);
  using file = Deno.openSync(path);
  const parts: Uint8Array[] = [];
  await unzstd(new Input(file), { length: 0, write: (part) => void parts.push(part.slice()) });
  return concat(...parts);
}

/** The first piece of a file has so many bytes; the next ones are larger. */
const FIRST_PIECE = 1 << 15;

Deno.test("zstd: a block's header is found that lies on the border of two pieces of the file", async () => {
  using folder = new Folder();
  const bytes = new Uint8Array(200_000).map((_, i) => i * 7 + (i >> 8));
  for (let over = -1; over <= 4; over++) {
    const first = FIRST_PIECE - 6 - 3 - 3 + over; // the second header ends so many bytes behind the piece
    const cut = [0, first, first + 1000, first + 100_000, bytes.length];
    const packed = frame(...cut.slice(1).map((end, i) => bytes.subarray(cut[i], end)));
    const unpacked = await unpack(folder, concat(packed, packed));
    assert(equalBytes(unpacked, concat(bytes, bytes)), `${over} bytes behind it`);
  }
});

Deno.test("zstd: a frame that ends too early is refused, wherever that is", async () => {
  using folder = new Folder();
  const packed = frame(new Uint8Array(40_000).fill(1), new Uint8Array(10).fill(2));
  const ends = [5, 6, 7, 8, 9, 1000, 32_768, 40_009, 40_010, 40_011, 40_012, packed.length - 1];
  for (const end of ends) {
    const { message } = await assertRejects(
      () => unpack(folder, packed.subarray(0, end)),
      ImageError,
      undefined,
      `${end} bytes`,
    );
    assertEquals(message, "it ends too early", `${end} bytes`);
  }
});
