/** zstd, as RFC 8878 has it. */

import { createZstdDecompress } from "node:zlib";
import { damaged, ImageError } from "./error.ts";
import { through, ZLIB_CHUNK } from "./gzip.ts";
import type { Input, Sink } from "./byte_reader.ts";
import { isSkippable } from "./magic.ts";
import { endOfZstdFrame } from "./zstd_frame.ts";

const MAGIC = 0xfd2fb528;

function u32(input: Input, offset: number): number {
  return new DataView(input.at(offset, 4).buffer).getUint32(0, true);
}

/** Deno's decompressor says it so of a window of more than 128 MiB, which `zstd --long=31` makes. */
const TOO_LARGE = /too much memory/;

async function decompressFrame(frame: Input, output: Sink): Promise<void> {
  try {
    await through(createZstdDecompress({ chunkSize: ZLIB_CHUNK }), frame, output);
  } catch (error) {
    if (!(error instanceof ImageError && TOO_LARGE.test(error.message))) throw error;
    throw new ImageError("its window has more than 128 MiB: unpack it first (zstd -d --long=31)");
  }
}

/** Decompresses zstd frames, as many as there are. */
export async function unzstd(input: Input, output: Sink): Promise<void> {
  while (input.left >= 4) {
    const magic = u32(input, input.position);
    if (isSkippable(magic)) {
      input.take(8 + u32(input, input.position + 4));
    } else if (magic === MAGIC) {
      const end = endOfZstdFrame((offset, length) => input.at(offset, length), input.position);
      if (end > input.end) throw new ImageError("it ends too early");
      const frame = input.upTo(end);
      await decompressFrame(frame, output);
      if (frame.left > 0) throw damaged("a frame ends before its last block");
      input.position = end;
    } else return;
    await input.yieldToEventLoop();
  }
}
