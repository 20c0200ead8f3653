/** Writes what an image holds into a raw file. */

import { nextTurn } from "../host/event_loop.ts";
import { Buffer } from "node:buffer";
import { decompress } from "./decompress_cluster.ts";
import { damaged } from "./error.ts";
import { BLOCK, writeSparse } from "./holes.ts";
import type { ImageFile } from "./image_file.ts";
import { type CompressedCluster, type CompressedRun, type DataRun, type Layer, locate } from "./layer.ts";
import type { Work } from "./progress.ts";

/** The most that is read and written at a time. A cluster has no more, and is never in two windows. */
const WINDOW = 2 * 1024 * 1024;

/** So many windows may wait to be written: what is slow to decompress is often followed by what is slow to write. */
const WINDOWS = 8;

/** How long the event loop waits for its turn, in ms. */
const TURN = 50;

/** A stretch of the disk in memory; of what is in no span there are only zeros. */
class Window {
  readonly bytes: Buffer;
  /** Settled when it may be filled. */
  written = Promise.resolve();
  /** The offset in the disk of the first byte. */
  base = 0;
  spans: { from: number; to: number }[] = [];

  /** @param diskSize It has no room for more. */
  constructor(diskSize: number) {
    this.bytes = Buffer.alloc(Math.min(WINDOW, diskSize));
  }

  reset(base: number): void {
    this.base = base;
    this.spans = [];
  }

  /** The place of bytes of the disk that are behind those that were added before. */
  add(offset: number, length: number): Buffer {
    const from = offset - this.base;
    const last = this.spans.at(-1);
    if (last && from - last.to < BLOCK) {
      this.bytes.fill(0, last.to, from);
      last.to = from + length;
    } else this.spans.push({ from, to: from + length });
    return this.bytes.subarray(from, from + length);
  }

  /** Writes what is not zero. */
  async write(into: Deno.FsFile): Promise<void> {
    for (const { from, to } of this.spans) {
      await writeSparse(into, this.base + from, this.bytes.subarray(from, to));
    }
  }
}

/** Reads the runs of a chain. */
class Reader {
  /** How many bytes of each file were read. A sound image has each of them once in its disk. */
  readonly #bytesRead = new Map<ImageFile, number>();
  #cluster?: CompressedCluster;
  #decompressed: Uint8Array = new Uint8Array();

  read(run: DataRun | CompressedRun, into: Uint8Array): void {
    if (run.kind === "data") {
      this.#count(run.file, into.length);
      run.file.readWhole(run.at, into);
      return;
    }
    if (run.skip === 0) this.#count(run.cluster.file, run.cluster.atLeast);
    into.set(this.#decompress(run.cluster).subarray(run.skip, run.skip + into.length));
  }

  /** The clusters of an image may be larger than those before it, so that one is read in parts: it is kept. */
  #decompress(cluster: CompressedCluster): Uint8Array {
    if (cluster.file !== this.#cluster?.file || cluster.at !== this.#cluster.at) {
      this.#decompressed = decompress(cluster);
      this.#cluster = cluster;
    }
    return this.#decompressed;
  }

  /** A few bytes must not become a disk of many: tables that name a cluster again and again are damaged. */
  #count(file: ImageFile, bytes: number): void {
    const read = (this.#bytesRead.get(file) ?? 0) + bytes;
    if (read > file.size) {
      throw damaged(`it has more of the disk than '${file.path}' has bytes`);
    }
    this.#bytesRead.set(file, read);
  }
}

/**
 * Writes the disk of an image into an empty file. What is zero takes no room in it.
 *
 * @throws {ImageError} When the image is damaged.
 * @throws Whatever ends `work`, and the errors of writing.
 */
export async function convert(image: Layer, into: Deno.FsFile, work: Work = {}): Promise<void> {
  into.truncateSync(image.size);
  const reader = new Reader();
  const windows = [new Window(image.size)]; // more when they are needed
  let filling = 0;
  let written = Promise.resolve();
  // Windows are written in their order, on another thread, while the next one is filled.
  const write = async () => {
    const window = windows[filling];
    written = window.written = written.then(() => window.write(into));
    written.catch(() => {}); // who waits for it next, hears of it
    filling = (filling + 1) % WINDOWS;
    await nextTurn(); // only the event loop hears that one is written
    await windows[filling]?.written;
  };
  let turn = performance.now();
  try {
    for (let offset = 0; offset < image.size;) {
      if (performance.now() - turn > TURN) {
        work.progress?.(offset, image.size);
        await new Promise((resolve) => setTimeout(resolve));
        turn = performance.now();
      }
      work.signal?.throwIfAborted();
      const run = locate(image, offset, image.size - offset);
      if (run.kind === "zero") {
        offset += run.length;
        continue;
      }
      if (offset >= windows[filling].base + WINDOW) {
        await write();
        (windows[filling] ??= new Window(image.size)).reset(offset - offset % WINDOW);
      }
      const window = windows[filling];
      const length = Math.min(run.length, window.base + WINDOW - offset);
      reader.read(run, window.add(offset, length));
      offset += length;
    }
    await write();
    await written;
    work.progress?.(image.size, image.size);
  } finally {
    await Promise.allSettled([written]);
  }
}
