/** Raw images that are compressed. */

import type { WritableFile } from "../host/new_file.ts";
import type { Sink } from "./byte_reader.ts";
import { COMPRESSIONS } from "./compression.ts";
import { DISK_ENDS, diskFormat, markedFormat } from "./disk_format.ts";
import { checkDiskSize, LARGEST_DISK } from "./disk_size.ts";
import { damaged, ImageError } from "./error.ts";
import { writeSparse } from "./holes.ts";
import { ImageFile } from "./image_file.ts";
import { KERNEL_HEAD, kernelFormat } from "./kernel.ts";
import { has } from "./magic.ts";
import type { SourceImage } from "./open_image.ts";
import type { Work } from "./progress.ts";

/** What compresses a raw image. */
export type DiskCompression = "gzip" | "xz" | "zstd" | "bzip2";

/** How much is gathered before it is written; a multiple of what can be a hole. */
const WINDOW = 1 << 20;

/** Writes what comes into an empty file, without what is zero. */
class SparseOutput implements Sink {
  length = 0;
  readonly #file: WritableFile;
  readonly #window = new Uint8Array(WINDOW);
  #filled = 0;

  constructor(file: WritableFile) {
    this.#file = file;
  }

  write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const part = bytes.subarray(from, from + WINDOW - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      this.length += part.length;
      from += part.length;
      if (this.#filled === WINDOW) this.#flush();
    }
    if (this.length > LARGEST_DISK) throw new ImageError("its disk is larger than 16 TiB");
  }

  end(): void {
    this.#flush();
    this.#file.truncateSync(this.length);
  }

  #flush(): void {
    writeSparse(this.#file, this.length - this.#filled, this.#window.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

/** Takes the beginning of what comes, and then ends it. */
class Head implements Sink {
  readonly #bytes: Uint8Array;
  length = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  get isFull(): boolean {
    return this.length === this.#bytes.length;
  }

  write(bytes: Uint8Array): void {
    const part = bytes.subarray(0, this.#bytes.length - this.length);
    this.#bytes.set(part, this.length);
    this.length += part.length;
    if (this.isFull) throw new RangeError("that is enough");
  }
}

/** What else than a disk is often compressed; undefined for what may be one. */
function otherThanDisk(head: Uint8Array): string | undefined {
  if (kernelFormat(head) || has(head, 0, "\x7fELF") || has(head, 4, "zimg")) return "a kernel";
  if (has(head, 0, "07070")) return "an initial RAM disk";
}

/** A raw image that is compressed. */
class PackedDisk implements SourceImage {
  readonly paths: string[];
  readonly #file: ImageFile;
  readonly #format: DiskCompression;

  constructor(file: ImageFile, format: DiskCompression) {
    this.#file = file;
    this.#format = format;
    this.paths = [file.path];
  }

  /** @throws {ImageError} When what it begins with is not what a raw image begins with. */
  async check(): Promise<void> {
    const head = new Head(KERNEL_HEAD);
    try {
      await this.#unpack(head);
    } catch (error) {
      if (!head.isFull) throw error;
    }
    const packed = `compressed with ${this.#format}`;
    const other = otherThanDisk(head.bytes);
    if (other) throw new ImageError(`it is ${other} that is ${packed}, not a disk`);
    let format: string;
    try {
      format = diskFormat(head.bytes.subarray(0, DISK_ENDS.head));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      throw new ImageError(`it is ${packed}, and in that ${error.message}`);
    }
    if (format === "raw") {
      if (!head.isFull) checkDiskSize(head.length); // that is all of it
      return;
    }
    const what = COMPRESSIONS.some(({ name }) => name === format)
      ? `compressed with ${format} and`
      : `a ${format} image that is`;
    throw new ImageError(`it is ${what} ${packed}: unpack it first (${this.#format} -d)`);
  }

  async write(into: WritableFile, work: Work = {}): Promise<void> {
    const output = new SparseOutput(into);
    await this.#unpack(output, work);
    output.end();
    checkDiskSize(output.length);
    work.progress?.(this.#file.size, this.#file.size);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  async #unpack(output: Sink, work?: Work): Promise<void> {
    const input = this.#file.input(work);
    if (markedFormat(input.at(0, Math.min(DISK_ENDS.head, input.left))) !== this.#format) {
      throw new ImageError(`it is not compressed with ${this.#format}`);
    }
    const run = await COMPRESSIONS.find(({ name }) => name === this.#format)!.load();
    await run(input, output);
    // Tools leave aside what follows; a download of which a part is damaged would become a shorter disk.
    while (input.left > 0) {
      if (input.next().some((byte) => byte !== 0)) throw damaged("something else follows it");
      await input.yieldToEventLoop();
    }
  }
}

/**
 * Opens a raw image that is compressed. Its beginning is read.
 *
 * @throws {ImageError} When it is damaged there, or something else than a disk.
 */
export async function openPacked(path: string, format: DiskCompression): Promise<SourceImage> {
  const file = new ImageFile(path);
  const disk = new PackedDisk(file, format);
  try {
    await disk.check();
    return disk;
  } catch (error) {
    disk[Symbol.dispose]();
    throw error;
  }
}
