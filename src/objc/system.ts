/** The few C functions of the system library that JavaScript has no other way to. */

import { libraryPath } from "./libraries.ts";
import { cString } from "./runtime.ts";

const libc = Deno.dlopen(libraryPath("system"), {
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32", nonblocking: true },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  sysctlbyname: { parameters: ["buffer", "buffer", "buffer", "pointer", "usize"], result: "i32" },
}).symbols;

// The same numbers on macOS and Linux.
const POLLHUP = 0x10;
const POLLRDBAND = 0x80;

/**
 * Waits, without polling, until the other end of a pipe, socket or terminal is gone. Never settles for what
 * has no other end, like a regular file.
 *
 * It does not keep the program alive by itself.
 */
export async function hangUp(descriptor: number): Promise<void> {
  const pollfd = new Int32Array(2);
  // macOS hears of a hang-up only when it is asked for something: POLLRDBAND never comes by itself.
  pollfd.set([descriptor, POLLHUP | POLLRDBAND]);
  while (await libc.poll(new Uint8Array(pollfd.buffer), 1, -1) < 0);
}

/**
 * Writes all bytes to a file descriptor, on a thread of its own, so that a full pipe makes nobody wait.
 *
 * @returns Whether they could be written; if not, there is no reader.
 */
export async function writeAll(descriptor: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const written = Number(await libc.write(descriptor, rest, BigInt(rest.length)));
    if (written < 0) return false;
    at += written;
  }
  return true;
}

let version: string | undefined;

/** The version of macOS: `13.6`. On Linux the one whose framework linux/ stands in for. */
export function macOSVersion(): string {
  if (version) return version;
  const value = new Uint8Array(32);
  const length = new BigUint64Array([BigInt(value.length)]);
  const name = cString("kern.osproductversion");
  const failed = libc.sysctlbyname(name, value, new Uint8Array(length.buffer), null, 0n) !== 0;
  if (failed) throw new Error("The system does not tell its version (kern.osproductversion)");
  return version = new TextDecoder().decode(value.subarray(0, Number(length[0]) - 1));
}
