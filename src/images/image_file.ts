/** A file of an image, open to be read. */

import { Input } from "./byte_reader.ts";
import { ImageError } from "./error.ts";
import type { Work } from "./progress.ts";

/** A regular file whose size is known from the beginning. */
export class ImageFile implements Disposable {
  /** In bytes, when it was opened. */
  readonly size: number;
  /** The same for every path that leads to the same file. */
  readonly identity: string;
  readonly #file: Deno.FsFile;

  /**
   * @throws {ImageError} When it is no regular file: to open a named pipe would wait for its writer.
   * @throws {Deno.errors.NotFound} And the other errors of opening a file.
   */
  constructor(readonly path: string) {
    const { isFile, dev, ino } = Deno.statSync(path);
    if (!isFile) throw new ImageError("it is not a regular file");
    this.#file = Deno.openSync(path);
    this.size = this.#file.seekSync(0, Deno.SeekMode.End);
    this.identity = `${dev}:${ino}`;
  }

  /** Reads until `into` is full or the file ends. Returns the number of bytes. */
  read(offset: number, into: Uint8Array): number {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    let done = 0;
    while (done < into.length) {
      const read = this.#file.readSync(into.subarray(done));
      if (read === null) break;
      done += read;
    }
    return done;
  }

  /** Fills `into`. @throws {ImageError} When the file has ended, as it does when somebody truncates it. */
  readWhole(offset: number, into: Uint8Array): void {
    if (this.read(offset, into) < into.length) throw new ImageError(`'${this.path}' ends too early`);
  }

  /** The whole of it, to be read from its start. */
  input(work?: Work): Input {
    return new Input(this.#file, work, 0, this.size);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
