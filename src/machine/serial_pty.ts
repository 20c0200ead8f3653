import { openPseudoTerminal } from "../host/pty.ts";
import type { RunContext } from "./run_context.ts";
import type { SerialHandles } from "./serial.ts";

/**
 * Opens a console on a pseudo-terminal, and says where it is: readers come and go, the guest does not notice. It closes
 * with the program.
 *
 * @param name The guest's name for it: hvc0.
 * @param wait Whether to wait until somebody has opened it.
 */
export async function openPty(
  name: string,
  wait: boolean,
  { info, signal }: RunContext,
): Promise<{ path: string; handles: SerialHandles }> {
  const { path, master, opened } = openPseudoTerminal();
  info(`${name} is at ${path}`);
  if (wait) await opened(signal);
  return { path, handles: { reading: master, writing: master } }; // the master is both
}
