import { closeFile, pipe, pump, writeAll } from "../host/descriptors.ts";
import { inTime } from "../host/in_time.ts";
import { openPseudoTerminal } from "../host/pty.ts";
import type { RunContext } from "./run_context.ts";
import type { SerialHandles } from "./serial.ts";

/** How long the pipe may take to end, in milliseconds: a child process could have inherited it. */
const LAST_BYTES = 1_000;

/** A console on a pseudo-terminal, to be disposed of when the machine has ended. */
export interface OpenedPty extends AsyncDisposable {
  /** The device. */
  path: string;
  handles: SerialHandles;
}

/**
 * Opens a console on a pseudo-terminal, and says where it is. Readers come and go, and the guest does not notice: the
 * framework would wait for one, so the bytes pass through here, and what nobody reads is dropped.
 *
 * @param name The guest's name for it: hvc0.
 * @param wait Whether to wait until somebody has opened it.
 */
export async function openPty(
  name: string,
  wait: boolean,
  { result, signal }: RunContext,
): Promise<OpenedPty> {
  const terminal = openPseudoTerminal();
  result(`${name} is at ${terminal.path}`);
  if (wait) await terminal.opened(signal);
  const [toGuest, fromGuest] = [pipe(), pipe()];
  terminal.pump((bytes) => writeAll(toGuest.writing, bytes));
  let wrote = false;
  const shown = pump(fromGuest.reading, (bytes) => {
    wrote = true;
    return terminal.write(bytes);
  });
  return {
    path: terminal.path,
    handles: { reading: toGuest.reading, writing: fromGuest.writing, wrote: () => wrote },
    async [Symbol.asyncDispose]() {
      closeFile(toGuest.reading); // fails the write that waits for room in the pipe
      closeFile(fromGuest.writing); // the machine has closed its own: the end comes behind the last byte
      await inTime(shown, LAST_BYTES).catch(() => {});
      terminal[Symbol.dispose]();
    },
  };
}
