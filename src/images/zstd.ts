/** zstd, as RFC 8878 has it. */

import { createZstdDecompress } from "node:zlib";
import { damaged, ImageError } from "./error.ts";
import { through, ZLIB_CHUNK } from "./gzip.ts";
import type { Input, Sink } from "./byte_reader.ts";
import { isSkippable } from "./magic.ts";
import { ZstdFrame } from "./zstd_frame.ts";

const MAGIC = 0xfd2fb528;

function u32(input: Input, offset: number): number {
  return new DataView(input.at(offset, 4).buffer).getUint32(0, true);
}

/** Deno's decompressor says it so of a window of more than 128 MiB, which `zstd --long=31` makes. */
const TOO_LARGE = /too much memory/;

/** The bytes of one frame, which an input is at the beginning of. */
class FrameSource {
  readonly #input: Input;
  readonly #start: number;
  readonly #frame: ZstdFrame;

  constructor(input: Input) {
    this.#input = input;
    this.#start = input.position;
    this.#frame = new ZstdFrame(input.at(this.#start + 4, 1)[0]);
  }

  /** Whether so many bytes are all of the frame. */
  isWholeWith(length: number): boolean {
    return this.#frame.isWhole && this.#frame.length === length;
  }

  /** @throws {ImageError} When the input ends before the frame. */
  next(most: number): Uint8Array<ArrayBuffer> {
    const [input, frame] = [this.#input, this.#frame];
    const offset = input.position - this.#start;
    if (frame.isWhole && offset >= frame.length) return new Uint8Array();
    const bytes = input.next(most);
    frame.follow(bytes, offset);
    // The header of a block, of which this piece has a part only, begins the next one.
    const length = Math.min(bytes.length, frame.length - offset);
    if (length === 0) throw new ImageError("it ends too early");
    input.position += length - bytes.length;
    return bytes.subarray(0, length);
  }

  yieldToEventLoop(): Promise<void> {
    return this.#input.yieldToEventLoop();
  }
}

async function decompressFrame(input: Input, output: Sink): Promise<void> {
  const frame = new FrameSource(input);
  try {
    const taken = await through(createZstdDecompress({ chunkSize: ZLIB_CHUNK }), frame, output);
    if (!frame.isWholeWith(taken)) throw damaged("a frame ends before its last block");
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
      await decompressFrame(input, output);
    } else return;
    await input.yieldToEventLoop();
  }
}
