/** Bytes through file descriptors, which the rest of the program knows as NSFileHandles. */

import { Class, cString, fromCString, NSObject, openFunctions } from "../objc/mod.ts";
import { O_CLOEXEC, O_NOCTTY } from "./libraries.ts";
import { poll, POLLERR, POLLHUP, POLLOUT, POLLRDBAND } from "./poll.ts";

// The calls run on threads of Deno's own, so that nobody waits for them.
const libc = openFunctions("system", {
  read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
});

const names = openFunctions("system", {
  ttyname: { parameters: ["i32"], result: "pointer" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
});

const O_WRONLY = 1; // on macOS and Linux

/** An NSFileHandle of a file descriptor, which stays open when the handle goes. */
export function fileHandle(descriptor: number): NSObject {
  return Class.named("NSFileHandle").create("initWithFileDescriptor:closeOnDealloc:", descriptor, false);
}

/** This process's standard input. */
export function standardInput(): NSObject {
  return fileHandle(0);
}

/**
 * This process's standard output. A terminal is opened anew, since its open file is standard input's too: what is set
 * there, like O_NONBLOCK, would reach who reads keys.
 */
export function standardOutput(): NSObject {
  const terminal = Deno.stdout.isTerminal() ? fromCString(names.ttyname(1)) : null;
  const own = terminal === null ? -1 : names.open(cString(terminal), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (own < 0) return fileHandle(1);
  return Class.named("NSFileHandle").create("initWithFileDescriptor:closeOnDealloc:", own, true);
}

/** Closes the file descriptor of an NSFileHandle, whoever else has the handle. A use of that is then an exception. */
export function closeFile(handle: NSObject): void {
  handle.send("closeFile");
}

/** The two ends of a new NSPipe; each closes when its last reference goes. */
export function pipe(): { reading: NSObject; writing: NSObject } {
  using ends = Class.named("NSPipe").send("pipe") as NSObject | null;
  if (!ends) throw new Error("cannot make a pipe: too many files are open, or the system forbids it");
  return {
    reading: ends.send("fileHandleForReading") as NSObject,
    writing: ends.send("fileHandleForWriting") as NSObject,
  };
}

/** The file descriptor of an NSFileHandle. It is good only as long as the handle is: do not keep it instead. */
export function descriptorOf(handle: NSObject): number {
  return handle.send("fileDescriptor") as number;
}

/**
 * Whether the other end of a pipe, socket or terminal is gone.
 *
 * @param milliseconds How long to wait for that: 0 for not at all, -1 for ever.
 */
export async function hasHungUp(handle: NSObject, milliseconds: number): Promise<boolean> {
  // macOS hears of a hang-up only when it is asked for something, and POLLRDBAND is something that never comes.
  const found = await poll(descriptorOf(handle), POLLHUP | POLLRDBAND, milliseconds);
  return (found & (POLLERR | POLLHUP)) !== 0;
}

/**
 * Waits, without polling, until the other end of a pipe, socket or terminal is gone. Never settles for what
 * has no other end, like a regular file.
 */
export async function hangUp(handle: NSObject): Promise<void> {
  if (!await hasHungUp(handle, -1)) await new Promise(() => {});
}

/**
 * Writes all bytes to an NSFileHandle, on a thread of its own, so that a full pipe makes nobody wait.
 *
 * @returns Whether they could be written; if not, there is no reader, or no room on a disk.
 *
 * Source: write(2). Deno has SIGPIPE ignored.
 */
export async function writeAll(handle: NSObject, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const write = async () => Number(await libc.write(descriptorOf(handle), rest, BigInt(rest.length)));
    let written = await write();
    if (written < 0) {
      // Another program may have made it non-blocking: then it is full, and there will be room.
      const found = await poll(descriptorOf(handle), POLLOUT, -1);
      if (!(found & POLLOUT) || found & (POLLERR | POLLHUP)) return false;
      written = await write();
      if (written < 0) return false;
    }
    at += written;
  }
  return true;
}

/**
 * Bytes from an NSFileHandle, read on a thread of its own as soon as there are any.
 *
 * @param into Memory for them.
 * @returns The part of it that was filled; null at the end, and when they cannot be read.
 *
 * Source: read(2).
 */
export async function readSome(
  handle: NSObject,
  into: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const length = Number(await libc.read(descriptorOf(handle), into, BigInt(into.length)));
  return length > 0 ? into.subarray(0, length) : null;
}

/** Hands what is read from an NSFileHandle to a function, chunk by chunk, each in the same memory, until its end. */
export async function pump(
  handle: NSObject,
  take: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown> | void,
): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (let bytes = await readSome(handle, buffer); bytes; bytes = await readSome(handle, buffer)) {
    await take(bytes);
  }
}
