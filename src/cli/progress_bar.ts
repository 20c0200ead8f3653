/** Tells on a terminal how far work has come. */

import type { Progress } from "../images/progress.ts";
import { printable } from "../host/printable.ts";
import { formatBytes } from "../machine/format_bytes.ts";
import { isQuiet } from "./log.ts";

/** Work that is quicker is not shown, in milliseconds. */
const PATIENCE = 500;

/** Between two pictures, in milliseconds. */
const PERIOD = 100;

const BLOCKS = 20;

/** A line such as `vzrun: disk.qcow2 ████░░░░ 43% of 2.1 GiB, 310 MiB/s`, gone when it is disposed of. */
export class ProgressBar implements Disposable {
  readonly #what: string;
  readonly #start = performance.now();
  readonly #visible = Deno.stderr.isTerminal() && !isQuiet();
  #next = this.#start + PATIENCE;
  #shown = false;

  /** @param what What is worked at. */
  constructor(what: string) {
    this.#what = printable(what);
  }

  /** To be told of the work's progress. */
  readonly update: Progress = (done, total) => {
    const now = performance.now();
    if (!this.#visible || now < this.#next) return;
    this.#next = now + PERIOD;
    this.#write(`\r\x1b[K${this.#line(done, total, (now - this.#start) / 1000)}`);
    this.#shown = true;
  };

  #line(done: number, total: number, seconds: number): string {
    const part = Math.min(1, done / total || 0);
    const full = Math.round(part * BLOCKS);
    const numbers = `${Math.floor(part * 100)}% of ${formatBytes(total)}, ` +
      `${formatBytes(done / seconds)}/s`;
    const bar = ` ${"█".repeat(full)}${"░".repeat(BLOCKS - full)} `;
    // A line that is broken at the terminal's edge could not be taken back.
    const columns = (Deno.consoleSize().columns || 80) - 1; // some terminals do not tell
    const room = columns - "vzrun: ".length - bar.length - numbers.length;
    const line = room < 0 ? numbers : this.#what.slice(0, room) + bar + numbers;
    return `vzrun: ${line}`.slice(0, columns);
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch { /* the terminal is gone, which is no reason to end the work */ }
  }

  [Symbol.dispose](): void {
    if (this.#shown) this.#write("\r\x1b[K");
  }
}
