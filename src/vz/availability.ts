/** What needs a newer macOS than the one that is running. */

import { macOSVersion } from "../host/system.ts";

/** Something that this macOS is too old for. */
export class UnavailableError extends Error {
  override name = "UnavailableError";
}

function parts(version: string): number[] {
  return version.split(".").map(Number);
}

/**
 * Checks that macOS is new enough.
 *
 * @param what What needs it, as a message names it.
 * @param first The first version that has it: `14.0`.
 * @param current The version that is running.
 * @throws {UnavailableError} `NVMe needs macOS 14 (this is 13.6)`
 */
export function requireMacOS(what: string, first: string, current: string = macOSVersion()): void {
  const [wanted, running] = [parts(first), parts(current)];
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [wanted[i], running[i] ?? 0];
    if (b > a) return;
    if (b < a) {
      throw new UnavailableError(`${what} needs macOS ${first.replace(/\.0$/, "")} (this is ${current})`);
    }
  }
}
