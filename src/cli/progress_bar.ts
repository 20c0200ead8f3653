/** Tells on a terminal how far work has come. */

import { unicodeWidth } from "@std/cli/unicode-width";
import type { Progress } from "../images/progress.ts";
import { printable } from "../host/printable.ts";
import { formatBytes } from "../machine/format_bytes.ts";
import { isQuiet } from "./log.ts";

/** Work that is quicker is not shown, in milliseconds. */
const PATIENCE = 500;

/** Between two pictures, in milliseconds. */
const PERIOD = 100;

const BLOCKS = 20;

/** The part of a text from its start that fits into so many columns of a terminal, without half a character. */
export function fit(text: string, columns: number): string {
  let end = 0;
  let width = 0;
  for (const { segment, index } of new Intl.Segmenter().segment(text)) {
    width += unicodeWidth(segment);
    if (width > columns) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/**
 * The bar's line, which is narrower than the terminal: one that is broken at its edge could not be taken back.
 *
 * @param ms The milliseconds that it has taken so far.
 * @param columns The terminal's.
 */
export function progressLine(what: string, done: number, total: number, ms: number, columns: number): string {
  const part = Math.min(1, done / total || 0);
  const full = Math.round(part * BLOCKS);
  const numbers = `${Math.floor(part * 100)}% of ${formatBytes(total)}, ${formatBytes(done / ms * 1000)}/s`;
  const bar = ` ${"█".repeat(full)}${"░".repeat(BLOCKS - full)} `;
  const room = columns - 1 - unicodeWidth(`vzrun: ${bar}${numbers}`);
  return fit(`vzrun: ${room < 0 ? numbers : fit(what, room) + bar + numbers}`, columns - 1);
}

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
    const columns = Deno.consoleSize().columns || 80; // some terminals do not tell
    this.#write(`\r\x1b[K${progressLine(this.#what, done, total, now - this.#start, columns)}`);
    this.#shown = true;
  };

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch { /* the terminal is gone, which is no reason to end the work */ }
  }

  [Symbol.dispose](): void {
    if (this.#shown) this.#write("\r\x1b[K");
  }
}
