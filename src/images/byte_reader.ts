/** A stretch of a file that is read, and a file that is made of it. */

import { turnForSignals } from "../host/event_loop.ts";
import type { WritableFile } from "../host/new_file.ts";
import { ImageError } from "./error.ts";
import type { Work } from "./progress.ts";

/** The most that {@linkcode Input.next} gives at a time. */
export const CHUNK = 1 << 20;

/** For how long work may keep signals and timers from being heard, in ms. */
const TURN = 50;

/** A stretch of a file, read from its start to its end. */
export class Input {
  /** Where the next byte is, in the file. */
  position: number;
  readonly start: number;
  readonly end: number;
  readonly #file: Deno.FsFile;
  readonly #work: Work;
  #chunk?: Uint8Array<ArrayBuffer>;
  #turned = performance.now();

  /** @param end The file's size when none is given. */
  constructor(file: Deno.FsFile, work: Work = {}, start = 0, end = file.statSync().size) {
    this.#file = file;
    this.#work = work;
    this.position = this.start = start;
    this.end = end;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.end - this.position;
  }

  /** Another stretch of the same file. */
  stretch(start: number, end: number): Input {
    return new Input(this.#file, this.#work, start, end);
  }

  #tell(): void {
    this.#work.progress?.(this.position - this.start, this.end - this.start);
  }

  /** The next bytes, good until the next call; none at the end. */
  next(most = CHUNK): Uint8Array<ArrayBuffer> {
    this.#tell();
    this.#chunk ??= new Uint8Array(Math.min(CHUNK, this.left));
    const bytes = this.#chunk.subarray(0, Math.min(most, this.left));
    this.#fill(bytes, this.position);
    this.position += bytes.length;
    return bytes;
  }

  /**
   * The next bytes, as many as that.
   *
   * @throws {ImageError} When the stretch has fewer.
   */
  take(length: number): Uint8Array<ArrayBuffer> {
    const bytes = this.at(this.position, length);
    this.position += length;
    this.#tell();
    return bytes;
  }

  /**
   * Bytes anywhere in the stretch.
   *
   * @throws {ImageError} When they are not in it.
   */
  at(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (offset < this.start || offset + length > this.end) throw new ImageError("it ends too early");
    const bytes = new Uint8Array(length);
    this.#fill(bytes, offset);
    return bytes;
  }

  #fill(bytes: Uint8Array, offset: number): void {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const count = this.#file.readSync(bytes.subarray(done));
      if (count === null) throw new ImageError("it ends too early"); // it has become shorter meanwhile
      done += count;
    }
  }

  /**
   * Lets signals and timers be heard, when it is time.
   *
   * @throws The reason of the work's signal.
   */
  async yieldToEventLoop(): Promise<void> {
    if (performance.now() - this.#turned > TURN) {
      await turnForSignals();
      this.#turned = performance.now();
    }
    this.#work.signal?.throwIfAborted();
  }
}

/** Where bytes go that come one after the other. */
export interface Sink {
  /** How many came. */
  readonly length: number;
  write(bytes: Uint8Array): void;
}

/** A file that is written from its start, up to a limit that stops what would fill the disk. */
export class Output implements Sink {
  /** How many bytes it has. */
  length = 0;

  constructor(readonly file: WritableFile, readonly limit: number) {}

  /** @throws {ImageError} When they are too many. */
  write(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    for (let done = 0; done < bytes.length;) done += this.file.writeSync(bytes.subarray(done));
  }

  /** Zeros up to a length, as a hole; at the end, something must be written after them. */
  skipTo(length: number): void {
    this.#grow(length - this.length);
    this.file.seekSync(length, Deno.SeekMode.Start);
  }

  /** Writes the rest of an input. */
  async copy(input: Input): Promise<void> {
    while (input.left > 0) {
      this.write(input.next());
      await input.yieldToEventLoop();
    }
  }

  #grow(count: number): void {
    this.length += count;
    if (this.length > this.limit) {
      throw new ImageError(`it unpacks to more than ${this.limit / 2 ** 20} MiB, which no kernel has`);
    }
  }
}
