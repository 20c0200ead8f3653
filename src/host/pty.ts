/** Pseudo-terminals. */

import { cString, fromCString, type NSObject, openFunctions } from "../objc/mod.ts";
import { fileHandle, hasHungUp } from "./descriptors.ts";
import "./libraries.ts";

/** A pseudo-terminal: what is written to one side can be read from the other. */
export interface PseudoTerminal {
  /** NSFileHandle of the side that a program has which plays the terminal. */
  master: NSObject;
  /** `/dev/pts/3`, for `screen` and its like. */
  path: string;
  /**
   * Settles when somebody has opened the device.
   *
   * @throws The reason of the signal.
   */
  opened(signal?: AbortSignal): Promise<void>;
}

const O_RDWR = 2;

/** How often a pseudo-terminal is looked at while somebody waits for it: no system tells when it is opened. */
const LOOK = 100;

const libc = openFunctions("system", {
  openpty: { parameters: ["buffer", "buffer", "pointer", "pointer", "pointer"], result: "i32" },
  ptsname: { parameters: ["i32"], result: "pointer" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  cfmakeraw: { parameters: ["buffer"], result: "void" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
});

/**
 * A new pseudo-terminal in raw mode.
 *
 * @throws {Error} When the system has none left.
 *
 * Source: openpty(3), tcsetattr(3).
 */
export function openPseudoTerminal(): PseudoTerminal {
  const [master, device] = [new Int32Array(1), new Int32Array(1)];
  if (libc.openpty(new Uint8Array(master.buffer), new Uint8Array(device.buffer), null, null, null) !== 0) {
    throw new Error("cannot make a pseudo-terminal: the system has none left");
  }
  const termios = new Uint8Array(128); // 60 bytes on Linux, 72 on macOS, and nobody here looks inside
  libc.tcgetattr(device[0], termios);
  libc.cfmakeraw(termios);
  libc.tcsetattr(device[0], 0, termios);
  const path = fromCString(libc.ptsname(master[0])) ?? "";
  const handle = fileHandle(master[0]);
  return {
    master: handle,
    path,
    // The device stays open here, so that the master does not hang up when others leave: it is given up only
    // to see whether there are any.
    async opened(signal) {
      libc.close(device[0]);
      while (await hasHungUp(handle, 0)) {
        await new Promise((resolve) => setTimeout(resolve, LOOK));
        signal?.throwIfAborted();
      }
      libc.open(cString(path), O_RDWR); // the third argument, which is variadic, is for new files only
    },
  };
}
