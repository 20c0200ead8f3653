/** Disks in blocks of one size, of each of which a table says where it is in the file. */

import { damaged, type ImageError } from "./error.ts";
import type { ImageFile } from "./image_file.ts";
import type { CompressedCluster, Layer, Run } from "./layer.ts";

/** What a table says of a block. */
export type Block =
  | { kind: "data"; at: number }
  | { kind: "compressed"; cluster: CompressedCluster }
  /** So is it with so many blocks from there on. */
  | { kind: "zero"; blocks: number };

/** So many blocks are looked at for one run: whoever asks can be ended before the next. */
const MOST_BLOCKS = 1 << 16;

/** An image of such a disk, which is based on no other. */
export abstract class BlockLayer implements Layer {
  abstract readonly format: Layer["format"];

  constructor(readonly file: ImageFile, readonly size: number, protected readonly blockSize: number) {}

  run(offset: number, length: number): Run {
    const { blockSize } = this;
    const index = Math.floor(offset / blockSize);
    const skip = offset - index * blockSize;
    const most = Math.min(length, this.size - offset);
    const first = this.block(index);
    if (first.kind === "compressed") {
      return { kind: "compressed", length: Math.min(blockSize - skip, most), cluster: first.cluster, skip };
    }
    const wanted = Math.min(Math.ceil((skip + most) / blockSize), MOST_BLOCKS);
    let count = first.kind === "zero" ? first.blocks : 1;
    while (count < wanted) {
      const next = this.block(index + count);
      if (first.kind === "zero" && next.kind === "zero") count += next.blocks;
      else if (first.kind === "data" && next.kind === "data" && next.at === first.at + count * blockSize) {
        count++;
      } else break;
    }
    const found = Math.min(count * blockSize - skip, most);
    if (first.kind === "zero") return { kind: "zero", length: found };
    const at = first.at + skip;
    if (at + found > this.file.size) throw this.damaged(index, "lies outside the file");
    return { kind: "data", length: found, file: this.file, at };
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }

  /** The error of a block of which something is wrong. */
  protected damaged(index: number, how: string): ImageError {
    return damaged(`what it has for byte ${index * this.blockSize} of the disk ${how}`);
  }

  /** What there is of a block of the disk. */
  protected abstract block(index: number): Block;
}
