/** Opens a machine's sockets: those of the host's before the machine is made, and its own when it is. */

import type { VZVirtualMachine } from "../vz/mod.ts";
import type { Machine } from "./machine.ts";
import type { RunContext } from "./run_context.ts";
import { notifyPort, type Vsock } from "./vsock.ts";
import { VsockDevice } from "./vsock_device.ts";
import { VsockJoins } from "./vsock_join.ts";
import { hearReady } from "./vsock_ready.ts";

/** A machine's sockets, before it starts. */
export interface OpenedVsock {
  device: VsockDevice;
  /** Settles when systemd in the guest says that it is ready, if it was asked to. */
  ready?: Promise<void>;
}

/**
 * Opens them.
 *
 * @param cleanup Is disposed of when the machine has ended.
 * @returns What takes the machine that is made then.
 * @throws {MachineError} When a socket of the host's cannot be made, or the command line asks systemd for something else.
 */
export async function openVsock(
  { boot }: Machine,
  { join = [], ready }: Vsock,
  context: RunContext,
  cleanup: AsyncDisposableStack,
): Promise<(framework: VZVirtualMachine) => Promise<OpenedVsock>> {
  const port = ready && boot.kind === "linux" ? notifyPort(boot.commandLine ?? "") : undefined;
  const joins = cleanup.use(await VsockJoins.open(join, context));
  return async (framework) => {
    const device = new VsockDevice((await framework.socketDevice())!);
    cleanup.use(device); // is over before who is joined with it
    const heard = port !== undefined && await hearReady(device, port, context);
    await joins.serve(device); // which takes what ports are left
    return { device, ...heard };
  };
}
