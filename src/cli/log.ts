/** What vzrun says: on stderr, each line `vzrun: …`, in colour only on a terminal and never with NO_COLOR. */

import { printable } from "../host/printable.ts";

/** How much is said. */
export type Verbosity = "quiet" | "normal" | "verbose";

const PREFIX = "vzrun:";

let verbosity: Verbosity = "normal";

/** Sets how much is said from now on. */
export function setVerbosity(value: Verbosity): void {
  verbosity = value;
}

/** Whether nothing but errors is to be said. */
export function isQuiet(): boolean {
  return verbosity === "quiet";
}

let hasRoom = () => true;

/**
 * From now on nothing waits for who reads stderr and has stopped: what there is no room for is not said.
 *
 * @param check Whether there is room.
 */
export function waitForNobody(check: () => boolean): void {
  hasRoom = () => {
    try {
      return check();
    } catch {
      return true; // it cannot be known: what is said may be just why
    }
  };
}

/** Nobody may be there to read it any more, which is no reason to fail: a machine may have to be ended yet. */
function write(prefix: string, message: string): void {
  try {
    if (!hasRoom()) return;
    console.error("%s %s", prefix, printable(message));
  } catch { /* there is nowhere left to say it */ }
}

/** Says what is wrong. Always. */
export async function error(message: string): Promise<void> {
  if (!Deno.stderr.isTerminal()) return write(PREFIX, message);
  const { red } = await import("@std/fmt/colors"); // not before: a start has no use for it. It heeds NO_COLOR
  write(red(PREFIX), message);
}

/** Says something that a user wants to know, unless `-quiet`. */
export function info(message: string): void {
  if (verbosity !== "quiet") write(PREFIX, message);
}

/** Says what is a result, also with `-quiet`. */
export function result(message: string): void {
  write(PREFIX, message);
}

/** Says a step, with `-verbose`. */
export function debug(message: string): void {
  if (verbosity === "verbose") write(PREFIX, message);
}
