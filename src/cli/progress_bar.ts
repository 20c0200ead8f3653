/** Tells on a terminal how far work has come. */

import type { Progress } from "../images/progress.ts";
import { printable } from "../host/printable.ts";
import { isQuiet } from "./log.ts";

/** Work that is quicker is not shown, in milliseconds. */
const PATIENCE = 500;

/** Between two pictures, in milliseconds. */
const PERIOD = 100;

/** A line such as `vzrun: disk.qcow2 ████░░░░ 43% of 2.1 GiB, 310 MiB/s`, gone when it is disposed of. */
export class ProgressBar implements Disposable {
  readonly #what: string;
  readonly #start = performance.now();
  readonly #visible = Deno.stderr.isTerminal() && !isQuiet();
  #next = this.#start + PATIENCE;
  #shown = false;
  #ended = false;

  /** @param what What is worked at. */
  constructor(what: string) {
    this.#what = what;
  }

  /** To be told of the work's progress. */
  readonly update: Progress = (done, total) => {
    const now = performance.now();
    if (!this.#visible || now < this.#next) return;
    this.#next = now + PERIOD;
    const columns = Deno.consoleSize().columns || 80; // some terminals do not tell
    this.#show(done, total, now - this.#start, columns);
  };

  async #show(done: number, total: number, ms: number, columns: number): Promise<void> {
    const { progressLine } = await import("./progress_line.ts");
    if (this.#ended) return;
    this.#write(`\r\x1b[K${progressLine(printable(this.#what), done, total, ms, columns)}`);
    this.#shown = true;
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch { /* the terminal is gone, which is no reason to end the work */ }
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    if (this.#shown) this.#write("\r\x1b[K");
  }
}
