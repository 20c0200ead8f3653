/** Frames of zstd. Deno's decompressor does not tell where one ends, and takes one that was cut for whole. */

import { damaged } from "./error.ts";

/** In bytes: what every header of a frame begins with, its magic and its descriptor, and the header of a block. */
const [FRAME_HEADER, BLOCK_HEADER] = [5, 3];

/**
 * Follows the blocks of a frame, whose bytes come in pieces.
 *
 * Source: RFC 8878, section 3.1.1.
 */
export class ZstdFrame {
  /** How far it is known, from its beginning: to the header of its next block or, when it is whole, to its end. */
  length: number;
  /** Whether that is all of it. */
  isWhole = false;
  readonly #checksum: number;

  /** @param descriptor The byte behind its magic. */
  constructor(descriptor: number) {
    const singleSegment = descriptor >> 5 & 1;
    const windowSize = 1 - singleSegment;
    const dictionarySize = [0, 1, 2, 4][descriptor & 3];
    const contentSize = [singleSegment, 2, 4, 8][descriptor >> 6];
    this.length = FRAME_HEADER + windowSize + dictionarySize + contentSize;
    this.#checksum = descriptor & 4;
  }

  /**
   * Goes on as far as the headers of blocks are in a piece of the frame.
   *
   * @param offset Where the piece begins in the frame.
   * @throws {ImageError} When a block is of no known type.
   */
  follow(piece: Uint8Array, offset: number): void {
    const end = offset + piece.length;
    while (!this.isWhole && this.length + BLOCK_HEADER <= end) {
      const at = this.length - offset;
      const header = piece[at] | piece[at + 1] << 8 | piece[at + 2] << 16;
      const type = header >> 1 & 3;
      if (type === 3) throw damaged("a block of no known type");
      this.isWhole = (header & 1) === 1;
      // One byte stands for all of a block of type 1.
      this.length += BLOCK_HEADER + (type === 1 ? 1 : header >> 3) + (this.isWhole ? this.#checksum : 0);
    }
  }
}
