/** Reads here and there in the disk that an image holds. */

import { ImageError } from "./error.ts";
import { type CompressedCluster, type Layer, locate } from "./layer.ts";

/** What is read and kept at a time: most of what is looked for lies together. */
const BLOCK = 4096;

/** So much is read of one disk at the most. What is sound needs a twentieth of it. */
const MOST = 4 * 1024 * 1024;

/** A disk of which little is read, however damaged it is. */
export class DiskReader {
  /** Of the disk, in bytes. */
  readonly size: number;
  /** How many bytes were read so far. */
  bytesRead = 0;
  readonly #layer: Layer;
  readonly #decompress?: (cluster: CompressedCluster) => Uint8Array;
  readonly #blocks = new Map<number, Uint8Array>();
  #cluster?: { of: CompressedCluster; bytes: Uint8Array };

  /**
   * Of an image, which the caller disposes of.
   *
   * @param decompress For one that may have compressed clusters: it takes its time to be loaded.
   */
  constructor(layer: Layer, decompress?: (cluster: CompressedCluster) => Uint8Array) {
    this.#layer = layer;
    this.#decompress = decompress;
    this.size = layer.size;
  }

  /**
   * Bytes anywhere in it.
   *
   * @throws {ImageError} When they are not all in it, when the image is damaged there, and when too much was read.
   */
  at(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw new ImageError("it ends too early");
    }
    if (length > MOST) throw tooMuch();
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const from = (offset + done) % BLOCK;
      const part = this.#block(offset + done - from).subarray(from, from + length - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /** Whether there are only zeros in a stretch, as far as that is in the disk. */
  isZero(offset: number, length: number): boolean {
    const from = Math.max(0, offset);
    const end = Math.min(offset + length, this.size);
    for (let at = from; at < end; at += BLOCK) {
      if (this.at(at, Math.min(BLOCK, end - at)).some((byte) => byte !== 0)) return false;
    }
    return true;
  }

  #block(offset: number): Uint8Array {
    const kept = this.#blocks.get(offset);
    if (kept) return kept;
    const block = new Uint8Array(Math.min(BLOCK, this.size - offset));
    this.bytesRead += block.length;
    if (this.bytesRead > MOST) throw tooMuch();
    for (let done = 0; done < block.length;) {
      done += this.#fill(offset + done, block.subarray(done));
    }
    this.#blocks.set(offset, block);
    return block;
  }

  /** @returns How many bytes it has filled. */
  #fill(offset: number, into: Uint8Array): number {
    const run = locate(this.#layer, offset, into.length);
    const bytes = into.subarray(0, run.length);
    if (run.kind === "data") run.file.readWhole(run.at, bytes);
    else if (run.kind === "compressed") {
      bytes.set(this.#decompressed(run.cluster).subarray(run.skip, run.skip + bytes.length));
    }
    return bytes.length;
  }

  #decompressed(cluster: CompressedCluster): Uint8Array {
    if (this.#cluster?.of.file !== cluster.file || this.#cluster.of.at !== cluster.at) {
      if (!this.#decompress) throw new TypeError("An image with compressed clusters needs decompress");
      this.#cluster = { of: cluster, bytes: this.#decompress(cluster) };
    }
    return this.#cluster.bytes;
  }
}

function tooMuch(): ImageError {
  return new ImageError("it takes too much to look through it");
}
