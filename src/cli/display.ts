/** Whether there is to be a window. */

import type { Display } from "../machine/machine.ts";
import { DISPLAY, type Settings, UsageError } from "./options.ts";
import { sayStep } from "./report.ts";

/** What stands against a window here, or undefined. */
async function obstacle(): Promise<string | undefined> {
  const { hasWindowServer, openFramework } = await import("../objc/mod.ts");
  if (!hasWindowServer()) return "there is no screen to open it on";
  const { requireMacOS, VZVirtioGraphicsDeviceConfiguration } = await import("../vz/mod.ts");
  try {
    requireMacOS(VZVirtioGraphicsDeviceConfiguration.api.what, VZVirtioGraphicsDeviceConfiguration.api.macOS);
    openFramework("AppKit");
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * The window that a command line asks for, or that there is without being asked for where there can be one.
 *
 * @throws {UsageError} When one is asked for and cannot be.
 */
export async function chooseDisplay({ display }: Settings): Promise<Display | undefined> {
  if (display === "none") return undefined;
  const problem = await obstacle();
  if (problem === undefined) return display ?? DISPLAY;
  if (display) throw new UsageError(`-display window: ${problem}`);
  sayStep(`no window: ${problem}`);
}
