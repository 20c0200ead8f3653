/** Writes what an image holds into a raw file. */

import { turnForSignals } from "../host/event_loop.ts";
import type { WritableFile } from "../host/new_file.ts";
import { ClusterBatch, type Decompressed } from "./cluster_batch.ts";
import type { ClusterWorkers } from "./cluster_workers.ts";
import { damaged } from "./error.ts";
import { BLOCK, writeSparse } from "./holes.ts";
import type { ImageFile } from "./image_file.ts";
import { brokenCluster, type CompressedRun, type DataRun, type Layer, locate } from "./layer.ts";
import type { Work } from "./progress.ts";

/** So much is read and then written, at the most: what a processor's cache still has by then. */
const WINDOW = 1 << 18;

/** How long the event loop waits for its turn, in ms. */
const TURN = 50;

/** Finds out what no sound image has: each byte of a file is in its disk but once. */
class Count {
  readonly #bytesRead = new Map<ImageFile, number>();

  /** A few bytes must not become a disk of many: tables that name a cluster again and again are damaged. */
  add(file: ImageFile, bytes: number): void {
    const read = (this.#bytesRead.get(file) ?? 0) + bytes;
    if (read > file.size) {
      throw damaged(`it has more of the disk than '${file.path}' has bytes`);
    }
    this.#bytesRead.set(file, read);
  }
}

/** Copies what is not compressed. */
class Copy {
  readonly #into: WritableFile;
  readonly #bytes: Uint8Array;
  /** Where in the disk what it has is. */
  #base = 0;
  #length = 0;

  /** @param diskSize It has no room for more. */
  constructor(into: WritableFile, diskSize: number) {
    this.#into = into;
    this.#bytes = new Uint8Array(Math.min(WINDOW, diskSize));
  }

  /** The place for bytes of the disk, no more than asked for; what was there before may be written for it. */
  place(offset: number, most: number): Uint8Array {
    if (offset !== this.#base + this.#length || this.#length === this.#bytes.length) {
      this.write();
      this.#base = offset;
    }
    const place = this.#bytes.subarray(this.#length, this.#length + most);
    this.#length += place.length;
    return place;
  }

  write(): void {
    writeSparse(this.#into, this.#base, this.#bytes.subarray(0, this.#length));
    this.#length = 0;
  }
}

/** Has clusters decompressed, and writes them. */
class Decompression implements Disposable {
  readonly #into: WritableFile;
  #batch = new ClusterBatch();
  #workers?: ClusterWorkers;

  constructor(into: WritableFile) {
    this.#into = into;
  }

  async add(offset: number, run: CompressedRun): Promise<void> {
    if (this.#batch.isFullFor(run)) await this.#send();
    this.#batch.add(offset, run);
  }

  async end(): Promise<void> {
    if (this.#batch.length > 0) await (this.#workers ? this.#send() : this.#decompressHere());
    while (await this.#writeOldest());
  }

  async #send(): Promise<void> {
    const workers = this.#workers ??= new (await import("./cluster_workers.ts")).ClusterWorkers();
    if (workers.isFull) await this.#writeOldest();
    workers.send(this.#batch);
    this.#batch = new ClusterBatch();
  }

  /** What is all of it: a worker would take longer to start. */
  async #decompressHere(): Promise<void> {
    const { decompressBatch } = await import("./decompress_cluster.ts");
    this.#write(decompressBatch(this.#batch));
  }

  /** @returns Whether there was one. */
  async #writeOldest(): Promise<boolean> {
    const done = await this.#workers?.take();
    if (done) this.#write(done);
    return done !== undefined;
  }

  #write({ batch, output, broken }: Decompressed): void {
    if (broken !== undefined) throw brokenCluster(batch.runs[broken].run.cluster);
    for (const { offset, from, to } of batch.stretches()) {
      writeSparse(this.#into, offset, output.subarray(from, to));
    }
  }

  [Symbol.dispose](): void {
    this.#workers?.[Symbol.dispose]();
  }
}

/**
 * Writes the disk of an image into an empty file. What is zero takes no room in it.
 *
 * @throws {ImageError} When the image is damaged.
 * @throws Whatever ends `work`, and the errors of writing.
 */
export async function convert(image: Layer, into: WritableFile, work: Work = {}): Promise<void> {
  into.truncateSync(image.size);
  const count = new Count();
  const copy = new Copy(into, image.size);
  using decompression = new Decompression(into);
  const read = (run: DataRun, place: Uint8Array) => {
    count.add(run.file, place.length);
    run.file.readWhole(run.at, place);
  };
  let turn = performance.now();
  for (let offset = 0; offset < image.size;) {
    if (performance.now() - turn > TURN) {
      work.progress?.(offset, image.size);
      await turnForSignals();
      turn = performance.now();
    }
    work.signal?.throwIfAborted();
    const run = locate(image, offset, image.size - offset);
    let { length } = run;
    if (run.kind === "compressed") {
      if (run.skip === 0) count.add(run.cluster.file, run.cluster.atLeast);
      await decompression.add(offset, run);
    } else if (run.kind === "data" || length < BLOCK) {
      const place = copy.place(offset, length);
      length = place.length;
      if (run.kind === "data") read(run, place);
      else place.fill(0);
    }
    offset += length;
  }
  copy.write();
  await decompression.end();
  work.progress?.(image.size, image.size);
}
