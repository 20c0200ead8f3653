/** File descriptors as they are handed to the framework, and what became of them. */

import { cString, fromCString, openFunctions } from "../../src/objc/mod.ts";
import { O_NOCTTY, O_NONBLOCK } from "../../src/host/libraries.ts";

const libc = openFunctions("system", {
  openpty: { parameters: ["buffer", "buffer", "pointer", "pointer", "pointer"], result: "i32" },
  ptsname: { parameters: ["i32"], result: "pointer" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  cfmakeraw: { parameters: ["buffer"], result: "void" },
  // The third arguments of these two are variadic: none is given, and none is looked at.
  open: { parameters: ["buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  pipe: { parameters: ["buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});
const reads = openFunctions("system", {
  read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
});

const F_GETFL = 3;

const ECHO = 0x8;
const ICANON = Deno.build.os === "darwin" ? 0x100 : 0x2;

/** How a file is opened. */
export const O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2;

/** Opens what is there, as nobody's terminal. */
export function open(path: string, flags: number): number {
  const descriptor = libc.open(cString(path), flags | O_NOCTTY);
  if (descriptor < 0) throw new Error(`cannot open '${path}'`);
  return descriptor;
}

/** Closes descriptors. */
export function close(...descriptors: number[]): void {
  for (const descriptor of descriptors) libc.close(descriptor);
}

/** Whether O_NONBLOCK is set on what a descriptor has open. */
export function isNonblocking(descriptor: number): boolean {
  return (libc.fcntl(descriptor, F_GETFL) & O_NONBLOCK) !== 0;
}

/** A terminal's settings. */
export function settings(descriptor: number): string {
  const termios = new Uint8Array(128);
  libc.tcgetattr(descriptor, termios);
  return termios.toHex();
}

/** Whether a terminal gives lines, or echoes. */
export function isCooked(descriptor: number): boolean {
  const bytes = Uint8Array.fromHex(settings(descriptor));
  // The fourth member of struct termios is c_lflag; each has 8 bytes on macOS, 4 on Linux.
  const flags = Deno.build.os === "darwin" ? bytes[24] | bytes[25] << 8 : bytes[12] | bytes[13] << 8;
  return (flags & (ICANON | ECHO)) !== 0;
}

/** Makes a terminal raw. */
export function makeRaw(descriptor: number): void {
  const termios = Uint8Array.fromHex(settings(descriptor));
  libc.cfmakeraw(termios);
  libc.tcsetattr(descriptor, 0, termios);
}

/** A pseudo-terminal as the system makes it, both of its ends open. */
export interface Pty {
  master: number;
  device: number;
  /** Of the device. */
  path: string;
}

/** Opens one. */
export function openPty(): Pty {
  const [master, device] = [new Int32Array(1), new Int32Array(1)];
  if (libc.openpty(new Uint8Array(master.buffer), new Uint8Array(device.buffer), null, null, null) !== 0) {
    throw new Error("the system has no pseudo-terminal left");
  }
  return { master: master[0], device: device[0], path: fromCString(libc.ptsname(master[0])) ?? "" };
}

/** A pipe's ends. */
export function openPipe(): { reading: number; writing: number } {
  const ends = new Int32Array(2);
  if (libc.pipe(new Uint8Array(ends.buffer)) !== 0) throw new Error("the system has no pipe left");
  return { reading: ends[0], writing: ends[1] };
}

/** Writes a text that there is room for. */
export function writeText(descriptor: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  libc.write(descriptor, bytes, BigInt(bytes.length));
}

/** Collects what comes out of a descriptor, on a thread of Deno's own, until its end. */
export class Reader {
  text = "";
  /** Settles at the end. */
  readonly ended: Promise<void>;

  constructor(descriptor: number) {
    this.ended = this.#read(descriptor);
  }

  async #read(descriptor: number): Promise<void> {
    const buffer = new Uint8Array(65536);
    const decoder = new TextDecoder();
    for (;;) {
      const length = Number(await reads.read(descriptor, buffer, BigInt(buffer.length)));
      if (length <= 0) return;
      this.text += decoder.decode(buffer.subarray(0, length), { stream: true });
    }
  }
}
