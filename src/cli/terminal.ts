/** The guest's console on vzrun's own stdin and stdout. */

import { type NSObject } from "../objc/mod.ts";
import { fileHandle, pipe, writeAll } from "../host/descriptors.ts";
import { type Command, Keys } from "./keys.ts";
import { sayStep } from "./report.ts";

const STDIN = 0;
/** The file descriptor that the guest's console goes to. */
export const STDOUT = 1;

/** The file handles that a machine's console is attached to, and what stays to be done beside it. */
export interface Console extends Disposable {
  reading: NSObject;
  writing: NSObject;
}

/**
 * Opens the console. A stdin that is no terminal goes to the guest as it is, without passing through here. A
 * terminal is made raw, until the console is disposed of, and its keys are looked at.
 *
 * @param onCommand Called for what Ctrl-A asks.
 */
export function openConsole(onCommand: (command: Command) => void): Console {
  const writing = fileHandle(STDOUT);
  if (!Deno.stdin.isTerminal()) {
    return { reading: fileHandle(STDIN), writing, [Symbol.dispose]() {} };
  }
  const toGuest = pipe();
  // A terminal whose window was closed can be set no more: a hang-up comes with SIGCONT.
  const setRaw = (raw: boolean) => {
    try {
      Deno.stdin.setRaw(raw);
    } catch (error) {
      sayStep(`the terminal is gone: ${(error as Error).message}`);
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
  const keys = new Keys();
  let written: Promise<unknown> = Promise.resolve();
  try {
    for await (const typed of Deno.stdin.readable) {
      const { guest, commands } = keys.feed(typed);
      if (guest.length) written = written.then(() => writeAll(writing, guest));
      commands.forEach(onCommand);
    }
  } catch (error) {
    sayStep(`the terminal is gone: ${(error as Error).message}`); // SIGHUP tells what is to be done
  }
}
