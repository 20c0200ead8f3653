/** What the system says of itself. */

import { cString, openFunctions, releaseObject } from "../objc/mod.ts";
import "./libraries.ts";

const libc = openFunctions("system", {
  sysctlbyname: { parameters: ["buffer", "buffer", "buffer", "pointer", "usize"], result: "i32" },
});
const coreGraphics = openFunctions("CoreGraphics", {
  CGSessionCopyCurrentDictionary: { parameters: [], result: "pointer" },
});

/** What sysctl(3) says under a name, as text. */
function sysctl(name: string): string {
  const value = new Uint8Array(32);
  const length = new BigUint64Array([BigInt(value.length)]);
  const failed = libc.sysctlbyname(cString(name), value, new Uint8Array(length.buffer), null, 0n) !== 0;
  if (failed) throw new Error(`The system does not tell ${name}`);
  return new TextDecoder().decode(value.subarray(0, Number(length[0]) - 1));
}

let version: string | undefined;

/**
 * The version of macOS: `13.6`. On Linux the one whose framework linux/ stands in for.
 *
 * @throws {Error} When the system does not tell.
 */
export function macOSVersion(): string {
  return version ??= sysctl("kern.osproductversion");
}

/**
 * The machine's processor, which is its guests' too: `arm64` or `x86_64`.
 *
 * @throws {Error} When the system does not tell.
 */
export function machineArchitecture(): string {
  return sysctl("hw.machine");
}

/** Whether there is a screen for windows: the program runs in a session of the window server. */
export function hasWindowServer(): boolean {
  const session = coreGraphics.CGSessionCopyCurrentDictionary();
  releaseObject(session); // a CFDictionary is an NSDictionary
  return session !== null;
}
