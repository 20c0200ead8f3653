/** The guest's console on vzrun's own stdin and stdout. */

import { pipe, standardInput, standardOutput, writeAll } from "../host/descriptors.ts";
import { isInForeground, neverStopForTerminal } from "../host/job_control.ts";
import type { SerialHandles } from "../machine/serial.ts";
import type { NSObject } from "../objc/mod.ts";
import { type Command, EscapeKeys } from "./escape_keys.ts";
import * as log from "./log.ts";

export { ESCAPE_KEYS_HELP } from "./escape_keys.ts";

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
  neverStopForTerminal();
  // A terminal whose window was closed can be set no more: a hang-up comes with SIGCONT. One that is another job's now is
  // not ours to set.
  const setRaw = (raw: boolean) => {
    if (!isInForeground()) return;
    try {
      Deno.stdin.setRaw(raw);
    } catch (error) {
      log.debug(`the terminal is gone: ${(error as Error).message}`);
    }
  };
  const restore = () => setRaw(false);
  // Whoever stopped the program has taken the terminal back meanwhile.
  const goOn = () => setRaw(true);
  setRaw(true);
  Deno.addSignalListener("SIGCONT", goOn);
  addEventListener("unload", restore);
  copyKeys(toGuest.writing, onCommand, goOn);
  return {
    reading: toGuest.reading,
    writing,
    [Symbol.dispose]() {
      Deno.removeSignalListener("SIGCONT", goOn);
      removeEventListener("unload", restore);
      restore();
    },
  };
}

/** How often a job in the background looks whether it is still there: no signal tells it, in milliseconds. */
const LOOK = 250;

/**
 * Copies keys to the guest, one chunk after the other; a guest that does not read makes only its keys wait.
 *
 * @param onForeground Called when the terminal is this program's again.
 */
async function copyKeys(
  writing: NSObject,
  onCommand: (command: Command) => void,
  onForeground: () => void,
): Promise<void> {
  const keys = new EscapeKeys();
  const buffer = new Uint8Array(4096);
  let written: Promise<unknown> = Promise.resolve();
  for (;;) {
    try {
      if (!isInForeground()) {
        while (!isInForeground()) await new Promise((resolve) => setTimeout(resolve, LOOK));
        onForeground();
      }
      const length = await Deno.stdin.read(buffer);
      if (length === null) return;
      const { guest, commands } = keys.feed(buffer.subarray(0, length));
      if (guest.length) written = written.then(() => writeAll(writing, guest));
      commands.forEach(onCommand);
    } catch (error) {
      if (!isInForeground()) continue; // it was put into the background while it read
      return log.debug(`the terminal is gone: ${(error as Error).message}`); // SIGHUP tells what is to be done
    }
  }
}
