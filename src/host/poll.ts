import { openFunctions } from "../objc/mod.ts";
import "./libraries.ts";

// The call runs on a thread of Deno's own, so that nobody waits for it.
const libc = openFunctions("system", {
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32", nonblocking: true },
});

const now = openFunctions("system", {
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
});

// Events of poll(2), with the same numbers on macOS and Linux.
export const POLLIN = 0x01;
export const POLLOUT = 0x04;
export const POLLERR = 0x08;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDBAND = 0x80;

/**
 * What there is of some events of a descriptor, and of errors and hang-ups; nothing when the time is over.
 *
 * @param events Those that are waited for.
 * @param milliseconds How long: 0 for not at all, -1 for ever.
 *
 * Source: poll(2).
 */
export async function poll(descriptor: number, events: number, milliseconds: number): Promise<number> {
  const pollfd = new Int32Array([descriptor, events]); // int fd; short events; short revents
  while (await libc.poll(new Uint8Array(pollfd.buffer), 1, milliseconds) < 0); // interrupted
  return pollfd[1] >>> 16;
}

/** Whether a write to a descriptor would find room, or fail, at once. Source: poll(2). */
export function canWrite(descriptor: number): boolean {
  const pollfd = new Int32Array([descriptor, POLLOUT]);
  return now.poll(new Uint8Array(pollfd.buffer), 1, 0) !== 0;
}
