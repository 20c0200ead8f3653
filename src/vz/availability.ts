/** What needs a newer macOS than the one that is running. */

import { macOSVersion } from "../host/system.ts";

/** Something that this macOS is too old for. */
export class UnavailableError extends Error {
  override name = "UnavailableError";
}

function parts(version: string): number[] {
  return version.split(".").map(Number);
}

/** Whether a version is older than another: `6.2` than `6.12`. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [parts(version), parts(than)];
  const i = b.findIndex((part, i) => part !== (a[i] ?? 0));
  return i >= 0 && (a[i] ?? 0) < b[i];
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
  if (!isOlder(current, first)) return;
  throw new UnavailableError(`${what} needs macOS ${first.replace(/\.0$/, "")} (this is ${current})`);
}
