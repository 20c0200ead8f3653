/** What datagram and stream sockets have in common: the system's functions, and what goes with them. */

import { cString, openFunctions } from "../objc/mod.ts";
import { errno, prepareErrno } from "./errno.ts";
import { FIOCLEX, UNIX_ADDRESS } from "./libraries.ts";

/** None of them waits: to send and to receive is done with MSG_DONTWAIT. */
export const libc = openFunctions("system", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// The same on macOS and Linux.
export const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

/** A struct sockaddr_un. */
export function unixAddress(path: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...UNIX_ADDRESS, ...cString(path)]);
}

/** Does something that gives -1 when it fails; then the number of the failure, else 0. */
export function failureOf(action: () => number): number {
  prepareErrno();
  return action() < 0 ? errno() : 0;
}

/** Two unix sockets that are connected, if there is no failure. Source: socketpair(2). */
export function socketPair(type: number): { ends: Int32Array; failure: number } {
  const ends = new Int32Array(2);
  const failure = failureOf(() => libc.socketpair(AF_UNIX, type, 0, new Uint8Array(ends.buffer)));
  return { ends, failure };
}

/** Keeps it from programs that are started. (fcntl(2) would need a variadic argument.) */
export function closeOnExec(descriptor: number): void {
  libc.ioctl(descriptor, BigInt(FIOCLEX));
}
