/** Whether there is to be a window. */

import type { Display } from "../machine/display.ts";
import * as log from "./log.ts";
import type { Settings } from "./qemu/settings.ts";
import { UsageError } from "./usage_error.ts";

/** What stands against a window here, or undefined. */
export async function windowObstacle(): Promise<string | undefined> {
  const { openFramework } = await import("../objc/mod.ts");
  const { hasWindowServer } = await import("../host/system.ts");
  if (!hasWindowServer()) return "there is no screen to open it on";
  const { VZVirtioGraphicsDeviceConfiguration } = await import("../vz/mod.ts");
  try {
    VZVirtioGraphicsDeviceConfiguration.api.require();
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
export async function chooseDisplay(
  { display, needsWindow }: Settings,
): Promise<Partial<Display> | undefined> {
  const noWindow = (why: string) => new UsageError(`${needsWindow}: only a window has one, and ${why}`);
  if (display === "none") {
    if (needsWindow === undefined) return undefined;
    throw noWindow("-nographic and -display none say that there is no window");
  }
  const problem = await windowObstacle();
  if (problem === undefined) return display ?? {};
  if (needsWindow !== undefined) throw noWindow(problem);
  if (display) throw new UsageError(`-display window: ${problem}`);
  log.debug(`no window: ${problem}`);
}
