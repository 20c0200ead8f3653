/** The terminal that a program shares with the shell that has started it. */

import { openFunctions } from "../objc/mod.ts";
import "./libraries.ts";
import { ignoreSignal } from "./process.ts";

const libc = openFunctions("system", {
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
  getpgrp: { parameters: [], result: "i32" },
});

// The same numbers on macOS and Linux.
const SIGTTIN = 21;
const SIGTTOU = 22;

/**
 * Whether the terminal that is standard input is this program's to read and to set: not while it runs in the background.
 *
 * Source: tcgetpgrp(3).
 */
export function isInForeground(): boolean {
  const group = libc.tcgetpgrp(0);
  return group < 0 || group === libc.getpgrp(); // a terminal without jobs is everybody's
}

/** Has a use of the terminal from the background fail, instead of stopping the program, which then hears no signal. */
export function neverStopForTerminal(): void {
  ignoreSignal(SIGTTIN);
  ignoreSignal(SIGTTOU);
}
