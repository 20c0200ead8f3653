/** Descriptors of Linux's, as a client hands them to the framework. */

import { makeRaw, openPipe, openPty } from "../../scripts/check_mac/descriptors.ts";

export { close, isNonblocking, writeText } from "../../scripts/check_mac/descriptors.ts";

const libc = Deno.dlopen("libc.so.6", {
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
}).symbols;

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const FIONREAD = 0x541bn;

/** A pipe: the end to read and the end to write. */
export function pipe(): [reading: number, writing: number] {
  const { reading, writing } = openPipe();
  return [reading, writing];
}

/** A pair of connected stream sockets. */
export function socketPair(): [number, number] {
  const AF_UNIX = 1, SOCK_STREAM = 1;
  const ends = new Int32Array(2);
  const made = libc.socketpair(AF_UNIX, SOCK_STREAM, 0, new Uint8Array(ends.buffer));
  if (made !== 0) throw new Error("no sockets could be made");
  return [ends[0], ends[1]];
}

/** A pty whose device is open and raw. */
export function rawPty(): [master: number, device: number] {
  const { master, device } = openPty();
  makeRaw(device);
  return [master, device];
}

/** How many bytes are there to be read. */
export function unread(descriptor: number): number {
  const count = new Int32Array(1);
  libc.ioctl(descriptor, FIONREAD, new Uint8Array(count.buffer));
  return count[0];
}

/** What is there to be read, which is not waited for, or at most so much of it. */
export function readAvailable(descriptor: number, most = Infinity): string {
  const bytes = new Uint8Array(Math.min(unread(descriptor), most));
  if (bytes.length === 0) return "";
  const length = Number(libc.read(descriptor, bytes, BigInt(bytes.length)));
  return new TextDecoder("latin1").decode(bytes.subarray(0, Math.max(length, 0)));
}

/** Sets O_NONBLOCK, or not. */
export function setNonblocking(descriptor: number, nonblocking: boolean): void {
  const flags = libc.fcntl(descriptor, F_GETFL, 0n);
  libc.fcntl(descriptor, F_SETFL, BigInt(nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}
