/** What vzrun says: on stderr, each line `vzrun: …`, in colour only on a terminal and never with NO_COLOR. */

import { printable } from "../host/printable.ts";

/** How much is said. */
export type Verbosity = "quiet" | "normal" | "verbose";

let verbosity: Verbosity = "normal";

/** Sets how much is said from now on. */
export function setVerbosity(value: Verbosity): void {
  verbosity = value;
}

/** Whether nothing but errors is to be said. */
export function isQuiet(): boolean {
  return verbosity === "quiet";
}

/** Nobody may be there to read it any more, which is no reason to fail: a machine may have to be ended yet. */
function write(...line: string[]): void {
  try {
    console.error(...line);
  } catch { /* there is nowhere left to say it */ }
}

/** Says what is wrong. Always. */
export function error(message: string): void {
  // By itself Deno would heed FORCE_COLOR where there is no terminal; NO_COLOR it heeds in any case.
  if (Deno.stderr.isTerminal()) write("%cvzrun:%c %s", "color: red", "", printable(message));
  else write("vzrun: %s", printable(message));
}

/** Says something that a user wants to know, unless `-quiet`. */
export function info(message: string): void {
  if (verbosity !== "quiet") write("vzrun: %s", printable(message));
}

/** Says a step, with `-verbose`. */
export function debug(message: string): void {
  if (verbosity === "verbose") write("vzrun: %s", printable(message));
}
