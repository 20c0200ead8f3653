/** The guest's console on vzrun's own stdin and stdout. */

import { pipe, standardInput, standardOutput, writeAll } from "../host/descriptors.ts";
import type { SerialHandles } from "../machine/serial.ts";
import type { NSObject } from "../objc/mod.ts";
import { type Command, EscapeKeys } from "./escape_keys.ts";
import * as log from "./log.ts";

/**
 * Opens the console. A stdin that is no terminal goes to the guest as it is, without passing through here. A
 * terminal is made raw, until the console is disposed of, and its keys are looked at.
 *
 * @param onCommand Called for what Ctrl-A asks.
 */
export function openTerminal(onCommand: (command: Command) => void): SerialHandles & Disposable {
  const writing = standardOutput();
  if (!Deno.stdin.isTerminal()) {
    return { reading: standardInput(), writing, [Symbol.dispose]() {} };
  }
  const toGuest = pipe();
  // A terminal whose window was closed can be set no more: a hang-up comes with SIGCONT.
  const setRaw = (raw: boolean) => {
    try {
      Deno.stdin.setRaw(raw);
    } catch (error) {
      log.debug(`the terminal is gone: ${(error as Error).message}`);
    }
  };
  const restore = () => setRaw(false);
  const raw = () => setRaw(true);
  raw();
  // Whoever stopped the program has taken the terminal back meanwhile.
  Deno.addSignalListener("SIGCONT", raw);
  addEventListener("unload", restore);
  copyKeys(toGuest.writing, onCommand);
  return {
    reading: toGuest.reading,
    writing,
    [Symbol.dispose]() {
      Deno.removeSignalListener("SIGCONT", raw);
      removeEventListener("unload", restore);
      restore();
    },
  };
}

/** Copies keys to the guest, one chunk after the other; a guest that does not read makes only its keys wait. */
async function copyKeys(writing: NSObject, onCommand: (command: Command) => void): Promise<void> {
  const keys = new EscapeKeys();
  let written: Promise<unknown> = Promise.resolve();
  try {
    for await (const typed of Deno.stdin.readable) {
      const { guest, commands } = keys.feed(typed);
      if (guest.length) written = written.then(() => writeAll(writing, guest));
      commands.forEach(onCommand);
    }
  } catch (error) {
    log.debug(`the terminal is gone: ${(error as Error).message}`); // SIGHUP tells what is to be done
  }
}
