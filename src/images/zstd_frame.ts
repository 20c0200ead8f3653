/** Frames of zstd. Deno's decompressor does not tell where one ends, and takes one that was cut for whole. */

import { damaged } from "./error.ts";

/**
 * Where the frame ends that begins at an offset.
 *
 * @param read Gives bytes, or throws when there are not so many.
 * @throws {ImageError} When a block is of no known type.
 *
 * Source: RFC 8878, section 3.1.1.
 */
export function endOfZstdFrame(read: (offset: number, length: number) => Uint8Array, start: number): number {
  const [descriptor] = read(start + 4, 1);
  const singleSegment = descriptor >> 5 & 1;
  const windowSize = 1 - singleSegment;
  const dictionarySize = [0, 1, 2, 4][descriptor & 3];
  const contentSize = [singleSegment, 2, 4, 8][descriptor >> 6];
  let at = start + 5 + windowSize + dictionarySize + contentSize;
  for (let last = false; !last;) {
    const [low, middle, high] = read(at, 3);
    const header = low | middle << 8 | high << 16;
    const type = header >> 1 & 3;
    if (type === 3) throw damaged("a block of no known type");
    last = (header & 1) === 1;
    at += 3 + (type === 1 ? 1 : header >> 3); // one byte stands for all of a block of type 1
  }
  return at + (descriptor & 4); // a checksum
}
