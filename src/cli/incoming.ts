/** A command line that lets a saved machine go on. */

import type { Display } from "../machine/display.ts";
import type { Description } from "../machine/machine.ts";
import { asSaved } from "../machine/restore.ts";
import { openSaved, type SavedMachine, savedMachine } from "../machine/saved_machine.ts";
import type { Settings } from "./qemu/settings.ts";
import { toRestored } from "./qemu/to_machine.ts";

/** The window of a saved machine, or that it had none. @throws {MachineError} When there is no such machine. */
export function displayOf(path: string): Partial<Display> | "none" {
  return savedMachine(path).display ?? "none";
}

/**
 * The saved machine of a command line, and what that makes of it.
 *
 * @throws {UsageError} When options do not go together.
 * @throws {MachineError} When there is no such machine.
 */
export function describeSaved(
  path: string,
  settings: Settings,
): { description: Description; saved: SavedMachine } {
  const saved = openSaved(path);
  try {
    return { saved, description: asSaved(saved, toRestored(settings, saved.machine)) };
  } catch (error) {
    saved[Symbol.dispose]();
    throw error;
  }
}
