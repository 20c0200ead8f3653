/** A screen, and what belongs to sitting before one. */

import {
  VZUSBKeyboardConfiguration,
  VZUSBScreenCoordinatePointingDeviceConfiguration,
  VZVirtioGraphicsDeviceConfiguration,
  VZVirtioGraphicsScanoutConfiguration,
  type VZVirtualMachineConfiguration,
} from "../vz/mod.ts";
import { MachineError } from "./error.ts";

/** A window with the guest's screen. */
export interface Display {
  /** In pixels: what the guest starts with; then it follows the window. */
  width: number;
  /** In pixels, like the width. */
  height: number;
  /** Whether keys that are the system's own go to the guest too. */
  fullGrab: boolean;
  /**
   * Whether the guest's screen has the pixels of the host's: on a Retina screen four times as many, and small text. Else
   * it has one for each point of the window.
   */
  hidpi: boolean;
}

/** The window that there is when nothing else is said. */
export const DISPLAY_DEFAULTS: Readonly<Display> = { width: 800, height: 600, fullGrab: false, hidpi: false };

/** What a screen has at least, in pixels. */
export const SMALLEST = { width: 320, height: 200 } as const;

/** The largest side of a window, in pixels: an X server counts them in 16 bits with a sign. */
const MAX_SIDE = 16384;

/** @throws {MachineError} When no window can have that size. */
export function checkDisplay({ width, height }: Display): void {
  const fits = (side: number, least: number) => Number.isInteger(side) && side >= least && side <= MAX_SIDE;
  if (fits(width, SMALLEST.width) && fits(height, SMALLEST.height)) return;
  const range = `${SMALLEST.width}x${SMALLEST.height} to ${MAX_SIDE}x${MAX_SIDE}`;
  throw new MachineError(`${width}x${height}: a window has ${range} pixels`, { field: "display" });
}

/** Adds the screen, a keyboard and a pointer. */
export function configureDisplay(
  { width, height }: Display,
  configuration: VZVirtualMachineConfiguration,
): void {
  const scanout = VZVirtioGraphicsScanoutConfiguration.create(width, height);
  configuration.graphicsDevices = [VZVirtioGraphicsDeviceConfiguration.create([scanout])];
  configuration.keyboards = [VZUSBKeyboardConfiguration.create()];
  configuration.pointingDevices = [VZUSBScreenCoordinatePointingDeviceConfiguration.create()];
}
