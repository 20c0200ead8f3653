/** Pseudo-terminals. */

import { cString, fromCString, openFunctions } from "../objc/mod.ts";
import { O_CLOEXEC, O_NOCTTY, O_NONBLOCK } from "./libraries.ts";
import { poll, POLLHUP, POLLIN, POLLOUT } from "./poll.ts";

/**
 * A pseudo-terminal: what is written here can be read from its device, and the other way round. Whoever opens the device
 * finds it raw. It never makes anybody wait here.
 */
export interface PseudoTerminal extends Disposable {
  /** `/dev/pts/3`, for `screen` and its like. */
  readonly path: string;
  /**
   * Settles when somebody has opened the device.
   *
   * @throws The reason of the signal.
   */
  opened(signal?: AbortSignal): Promise<void>;
  /** Writes what there is room for; what nobody reads for a while is dropped. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Hands what is typed at the device to a function, until the terminal is disposed of. */
  pump(take: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>): Promise<void>;
}

const O_RDWR = 2;
/** Nobody gets it as controlling terminal, no program that is started keeps it, and nobody here waits for it. */
const FLAGS = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK;

/** How often a device is looked at while somebody waits for it to be opened: no system tells, in milliseconds. */
const LOOK = 100;

/** How long a reader may take to make room before the rest is dropped, in milliseconds. */
const PATIENCE = 200;

const libc = openFunctions("system", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  grantpt: { parameters: ["i32"], result: "i32" },
  unlockpt: { parameters: ["i32"], result: "i32" },
  ptsname: { parameters: ["i32"], result: "pointer" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  cfmakeraw: { parameters: ["buffer"], result: "void" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

/**
 * A new pseudo-terminal.
 *
 * @throws {Error} When the system has none left.
 *
 * Source: posix_openpt(3), tcsetattr(3).
 */
export function openPseudoTerminal(): PseudoTerminal {
  // open(2)'s third argument, which is variadic, is for new files only.
  const master = libc.open(cString("/dev/ptmx"), FLAGS);
  if (master < 0 || libc.grantpt(master) !== 0 || libc.unlockpt(master) !== 0) {
    throw new Error("cannot make a pseudo-terminal: the system has none left");
  }
  return new Terminal(master);
}

class Terminal implements PseudoTerminal {
  readonly path: string;
  readonly #master: number;
  /**
   * The device, held open as long as nobody else is known to have it: with nobody at all it would lose its modes (macOS).
   * It is let go when somebody has typed, so that their leaving is noticed: they may have changed the modes. Who only
   * reads is not noticed, so as long as it is held the modes are looked at before each use.
   */
  #device: number | undefined;
  /** Whether what was written last has been read. */
  #reads = true;
  #disposed = false;

  constructor(master: number) {
    this.#master = master;
    this.path = fromCString(libc.ptsname(master)) ?? "";
    this.#hold();
  }

  #hold(): void {
    this.#device ??= libc.open(cString(this.path), FLAGS);
    this.#makeRaw();
  }

  /** Makes the device raw, if it is held and is not. */
  #makeRaw(): void {
    if (this.#device === undefined) return;
    const termios = new Uint8Array(128); // 60 bytes on Linux, 72 on macOS, and nobody here looks inside
    libc.tcgetattr(this.#device, termios);
    const raw = termios.slice();
    libc.cfmakeraw(raw);
    if (raw.some((byte, i) => byte !== termios[i])) libc.tcsetattr(this.#device, 0, raw);
  }

  #letGo(): void {
    if (this.#device !== undefined) libc.close(this.#device);
    this.#device = undefined;
  }

  async opened(signal?: AbortSignal): Promise<void> {
    this.#letGo();
    while (await poll(this.#master, POLLHUP, 0) & POLLHUP) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      signal?.throwIfAborted();
    }
    this.#hold();
    this.#letGo();
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#makeRaw();
    for (let at = 0; at < bytes.length && !this.#disposed;) {
      const written = Number(libc.write(this.#master, bytes.subarray(at), BigInt(bytes.length - at)));
      if (written > 0) {
        at += written;
        this.#reads = true;
      } else if (!this.#reads || !(await poll(this.#master, POLLOUT, PATIENCE) & POLLOUT)) {
        this.#reads = false;
        return;
      }
    }
  }

  async pump(take: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>): Promise<void> {
    const buffer = new Uint8Array(4096);
    while (!this.#disposed) {
      const found = await poll(this.#master, POLLIN, -1);
      if (this.#disposed) break;
      const length = found & POLLIN ? Number(libc.read(this.#master, buffer, BigInt(buffer.length))) : 0;
      if (length > 0) {
        this.#makeRaw();
        this.#letGo();
        await take(buffer.subarray(0, length));
      } else if (found & POLLHUP) this.#hold();
    }
    libc.close(this.#master);
  }

  /** Closes it: whoever has the device gets a hang-up. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#hold();
    // Wakes pump, which then closes it. Where there is no room for a byte, there is something that has woken it.
    libc.write(this.#device!, new Uint8Array(1), 1n);
    this.#letGo();
  }
}
