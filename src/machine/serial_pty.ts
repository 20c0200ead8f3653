/** The guest's console on a pseudo-terminal: readers come and go, the guest does not notice. */

import { fileHandle } from "../host/descriptors.ts";
import { openPseudoTerminal } from "../host/pty.ts";
import type { Handles } from "../vz/mod.ts";
import { say } from "./report.ts";

/**
 * Opens one, and says where it is. It closes with the program.
 *
 * @param name The guest's name for it: hvc0.
 * @param wait Whether to wait until somebody has opened it.
 */
export async function openPtyConsole(name: string, wait: boolean): Promise<Handles> {
  const terminal = openPseudoTerminal();
  say(`${name} is at ${terminal.path}`);
  if (wait) await terminal.opened();
  // The framework reads and writes one descriptor: the master is both.
  return { reading: fileHandle(terminal.master), writing: fileHandle(terminal.master) };
}
