import { inTime } from "./in_time.ts";

/** How much is kept for a reader, in bytes. */
const CAPACITY = 256 * 1024;

/** How long a reader may take nothing before the writer waits for it no more, in milliseconds. */
const PATIENCE = 2_000;

const NEWLINE = 0x0a;

/**
 * Hands bytes to a reader that may stop: one that is slow is waited for, of one that takes nothing the lines are dropped
 * that do not fit any more. What it gets are whole lines.
 */
export class LossyWriter {
  readonly #write: (bytes: Uint8Array<ArrayBuffer>) => Promise<number>;
  #pending = new Uint8Array(0);
  /** The rest of a line that was dropped in part. */
  #skipping = false;
  /** What was dropped last was the end of a line. */
  #lineEnded = false;
  #stuck = false;
  #over = false;
  #writing = false;
  #progress = Promise.withResolvers<void>();

  /** @param write Settles when some of the bytes were taken, with how many; fails when the reader has gone. */
  constructor(write: (bytes: Uint8Array<ArrayBuffer>) => Promise<number>) {
    this.#write = write;
  }

  /** Settles when there is room for more: at once, unless the reader is slow. The memory can be used anew then. */
  async offer(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let rest = bytes; rest.length > 0 && !this.#over;) {
      if (this.#skipping) {
        const end = rest.indexOf(NEWLINE);
        if (this.#stuck) {
          this.#lineEnded = rest.at(-1) === NEWLINE;
          return;
        }
        if (this.#lineEnded) {
          this.#skipping = this.#lineEnded = false;
          continue;
        }
        if (end < 0) return;
        this.#skipping = false;
        rest = rest.subarray(end + 1);
      }
      const room = CAPACITY - this.#pending.length;
      this.#append(rest.subarray(0, room));
      rest = rest.subarray(room);
      if (rest.length > 0 && !this.#stuck && !await this.#taken()) this.#stuck = true;
      if (rest.length > 0 && this.#stuck) return this.#dropLine(rest);
    }
  }

  /** Waits until everything was taken, or nothing was for a while. */
  async drain(): Promise<void> {
    while (this.#pending.length > 0 && !this.#over && await this.#taken());
  }

  /** Drops what is left. */
  close(): void {
    this.#over = true;
    this.#pending = new Uint8Array(0);
    this.#progress.resolve();
  }

  #append(bytes: Uint8Array): void {
    const { length } = this.#pending;
    const pending = new Uint8Array(length + bytes.length);
    pending.set(this.#pending);
    pending.set(bytes, length);
    this.#pending = pending;
    if (!this.#writing) this.#writeAll();
  }

  /** Cuts the end back to a whole line; the rest of that line is not to come. */
  #dropLine(rest: Uint8Array): void {
    this.#lineEnded = rest.at(-1) === NEWLINE;
    this.#pending = this.#pending.slice(0, this.#pending.lastIndexOf(NEWLINE) + 1);
    this.#skipping = true;
  }

  /** Whether something is taken soon. */
  #taken(): Promise<boolean> {
    return inTime(this.#progress.promise, PATIENCE);
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#pending.length > 0) {
        const written = await this.#write(this.#pending.subarray(0, CAPACITY / 8));
        this.#pending = this.#pending.subarray(written);
        this.#stuck = false;
        this.#progress.resolve();
        this.#progress = Promise.withResolvers();
      }
    } catch {
      this.close();
    }
    this.#writing = false;
  }
}
