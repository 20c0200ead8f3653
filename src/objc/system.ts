/** The few C functions of the system library that JavaScript has no other way to. */

import { openFunctions } from "./libraries.ts";
import type { NSObject } from "./object.ts";
import { cString, fromCString, runtime } from "./runtime.ts";

// Each is opened when it is first needed: most runs need few of them, and none before the start.
const openPoll = () =>
  openFunctions("system", {
    poll: { parameters: ["buffer", "u32", "i32"], result: "i32", nonblocking: true },
  });
const openWrite = () =>
  openFunctions("system", {
    write: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  });
const openRead = () =>
  openFunctions("system", {
    read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  });
const openSignal = () =>
  openFunctions("system", { signal: { parameters: ["i32", "pointer"], result: "pointer" } });
let libsignal: ReturnType<typeof openSignal> | undefined;
let write: ReturnType<typeof openWrite> | undefined;
let read: ReturnType<typeof openRead> | undefined;

// The same numbers on macOS and Linux.
const POLLERR = 0x08;
const POLLHUP = 0x10;
const POLLRDBAND = 0x80;

/**
 * Waits, without polling, until the other end of a pipe, socket or terminal is gone. Never settles for what
 * has no other end, like a regular file.
 */
export async function hangUp(descriptor: number): Promise<void> {
  // struct pollfd: int fd; short events; short revents. macOS hears of a hang-up only when it is asked for
  // something, and POLLRDBAND is something that never comes.
  const pollfd = new Int32Array([descriptor, POLLHUP | POLLRDBAND]);
  const { poll } = openPoll();
  while (await poll(new Uint8Array(pollfd.buffer), 1, -1) < 0); // interrupted
  if ((pollfd[1] >>> 16 & (POLLERR | POLLHUP)) === 0) await new Promise(() => {});
}

/** The file descriptor of an NSFileHandle. It is good only as long as the handle is: do not keep it instead. */
function descriptorOf(handle: NSObject): number {
  return handle.send("fileDescriptor") as number;
}

/**
 * Writes all bytes to an NSFileHandle, on a thread of its own, so that a full pipe makes nobody wait.
 *
 * @returns Whether they could be written; if not, there is no reader.
 */
export async function writeAll(handle: NSObject, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  write ??= openWrite();
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const written = Number(await write.write(descriptorOf(handle), rest, BigInt(rest.length)));
    if (written < 0) return false;
    at += written;
  }
  return true;
}

/** Bytes from an NSFileHandle, read on a thread of its own; null at the end. */
export async function readSome(
  handle: NSObject,
  into: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | null> {
  read ??= openRead();
  const length = Number(await read.read(descriptorOf(handle), into, BigInt(into.length)));
  return length > 0 ? into.subarray(0, length) : null;
}

/**
 * Does something while this process's umask is another. (Deno's own asks for a permission that it also takes for
 * much else.)
 */
export function withUmask<T>(mask: number, what: () => T): T {
  const { umask } = openFunctions("system", { umask: { parameters: ["u16"], result: "u16" } });
  const before = umask(mask);
  try {
    return what();
  } finally {
    umask(before);
  }
}

/** A pseudo-terminal: what is written to one side can be read from the other. */
export interface PseudoTerminal {
  /** File descriptor of the side that a program has which plays the terminal. */
  master: number;
  /** `/dev/pts/3`, for `screen` and its like. */
  path: string;
  /** Settles when somebody has opened the device. */
  opened(): Promise<void>;
}

const O_RDWR = 2;

/** How often a pseudo-terminal is looked at while somebody waits for it: no system tells when it is opened. */
const LOOK = 100;

/**
 * A new pseudo-terminal in raw mode.
 *
 * @throws {Error} When the system has none left.
 */
export function openPseudoTerminal(): PseudoTerminal {
  const libc = openFunctions("system", {
    openpty: { parameters: ["buffer", "buffer", "pointer", "pointer", "pointer"], result: "i32" },
    ptsname: { parameters: ["i32"], result: "pointer" },
    tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
    cfmakeraw: { parameters: ["buffer"], result: "void" },
    tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    open: { parameters: ["buffer", "i32"], result: "i32" },
  });
  const [master, device] = [new Int32Array(1), new Int32Array(1)];
  if (libc.openpty(new Uint8Array(master.buffer), new Uint8Array(device.buffer), null, null, null) !== 0) {
    throw new Error("cannot make a pseudo-terminal: the system has none left");
  }
  const termios = new Uint8Array(128); // 60 bytes on Linux, 72 on macOS, and nobody here looks inside
  libc.tcgetattr(device[0], termios);
  libc.cfmakeraw(termios);
  libc.tcsetattr(device[0], 0, termios);
  const path = fromCString(libc.ptsname(master[0])) ?? "";
  return {
    master: master[0],
    path,
    // The device stays open here, so that the master does not hang up when others leave: it is given up only
    // to see whether there are any.
    async opened() {
      libc.close(device[0]);
      const { poll } = openPoll();
      const pollfd = new Int32Array([master[0], POLLHUP]);
      const bytes = new Uint8Array(pollfd.buffer);
      while (await poll(bytes, 1, 0) > 0 && pollfd[1] >>> 16 & POLLHUP) {
        await new Promise((resolve) => setTimeout(resolve, LOOK));
        pollfd[1] = POLLHUP;
      }
      libc.open(cString(path), O_RDWR); // the third argument, which is variadic, is for new files only
    },
  };
}

const SIG_IGN = 1n;

/** Whether the program was started with a signal ignored, as `nohup` does. */
export function isSignalIgnored(number: number): boolean {
  libsignal ??= openSignal();
  const before = libsignal.signal(number, Deno.UnsafePointer.create(SIG_IGN)); // asking is setting
  libsignal.signal(number, before);
  return Deno.UnsafePointer.value(before) === SIG_IGN;
}

/** Whether a process of this user is there. */
export function processExists(pid: number): boolean {
  const { kill } = openFunctions("system", { kill: { parameters: ["i32", "i32"], result: "i32" } });
  return kill(pid, 0) === 0;
}

/** Ends the process, from any of its threads. `Deno.exit` in a worker ends only that. */
export function exitProcess(exitCode: number): void {
  openFunctions("system", { _exit: { parameters: ["i32"], result: "void" } })._exit(exitCode);
}

/** What sysctl(3) says under a name, as text. */
function sysctl(name: string): string {
  const value = new Uint8Array(32);
  const length = new BigUint64Array([BigInt(value.length)]);
  const { sysctlbyname } = openFunctions("system", {
    sysctlbyname: { parameters: ["buffer", "buffer", "buffer", "pointer", "usize"], result: "i32" },
  });
  const failed = sysctlbyname(cString(name), value, new Uint8Array(length.buffer), null, 0n) !== 0;
  if (failed) throw new Error(`The system does not tell ${name}`);
  return new TextDecoder().decode(value.subarray(0, Number(length[0]) - 1));
}

let version: string | undefined;

/** The version of macOS: `13.6`. On Linux the one whose framework linux/ stands in for. */
export function macOSVersion(): string {
  return version ??= sysctl("kern.osproductversion");
}

/** The machine's processor, which is its guests' too: `arm64` or `x86_64`. */
export function machineArchitecture(): string {
  return sysctl("hw.machine");
}

/**
 * Makes a copy of a file, which must not be there yet. Where the file system can, the two share their data until
 * one is written; elsewhere holes stay holes.
 *
 * @throws {Error} When the copy cannot be made; there is then none.
 *
 * Source: clonefile(2) of macOS, which works on APFS only.
 */
export async function cloneFile(from: string, to: string): Promise<void> {
  const { clonefile } = openFunctions("system", {
    clonefile: { parameters: ["buffer", "buffer", "u32"], result: "i32", nonblocking: true },
  });
  if (await clonefile(cString(from), cString(to), 0) === 0) return;
  try {
    await Deno.copyFile(from, to); // which also says what is wrong
  } catch (error) {
    await Deno.remove(to).catch(() => {});
    throw error;
  }
}

/** Whether there is a screen for windows: the program runs in a session of the window server. */
export function hasWindowServer(): boolean {
  const { CGSessionCopyCurrentDictionary } = openFunctions("CoreGraphics", {
    CGSessionCopyCurrentDictionary: { parameters: [], result: "pointer" },
  });
  const session = CGSessionCopyCurrentDictionary();
  runtime.objc_release(session); // a CFDictionary is an NSDictionary
  return session !== null;
}
