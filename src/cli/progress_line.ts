/** How far work has come, as a line for a terminal. Loaded when work takes long enough to be shown. */

import { unicodeWidth } from "@std/cli/unicode-width";
import { formatBytes } from "../machine/format_bytes.ts";

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
