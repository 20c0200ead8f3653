/** What a running machine is made of: its files and consoles, opened, and the framework's machine with them. */

import { VZVirtualMachine, type VZVirtualMachineConfiguration } from "../vz/mod.ts";
import { Cleanup, Rollback } from "./cleanup.ts";
import { isServed } from "./disk_place.ts";
import { MachineError } from "./error.ts";
import type { Description } from "./machine.ts";
import { mendNetworks } from "./mend_networks.ts";
import type { OpenedVsock } from "./open_vsock.ts";
import { configure, type PreparedMachine, prepareMachine } from "./prepare.ts";
import type { PartialDescription } from "./restore.ts";
import type { TerminalContext } from "./run_context.ts";
import type { SavedMachine } from "./saved_machine.ts";
import { type OpenedSerial, openSerial } from "./serial.ts";

/** The parts of a machine that can be started. */
export interface Parts {
  prepared: PreparedMachine;
  configuration: VZVirtualMachineConfiguration;
  framework: VZVirtualMachine;
  serial: OpenedSerial[];
  vsock?: OpenedVsock;
  /** The one that is to go on. */
  saved?: SavedMachine;
  context: TerminalContext;
  /** What is given back at its end. */
  cleanup: AsyncDisposableStack;
}

/**
 * The framework calls into the isolate that has made a machine, at any time until it has ended. `terminate()` frees
 * what is called without a word to anybody, and the next call ends the whole program by a segmentation fault.
 */
function refuseInWorker(): void {
  if (!("WorkerGlobalScope" in globalThis)) return;
  throw new MachineError(
    "a worker that is terminated while its machine runs takes the whole program with it",
    {
      remedy: "make the machine on the main thread, which waits for nothing of it",
    },
  );
}

/**
 * Makes the parts of a machine. When that fails, nothing of them is left.
 *
 * @param saved What is to go on.
 * @throws {MachineError} When a file or a number does not fit; in a worker.
 * @throws {NSError} When the framework refuses the machine.
 */
export async function assemble(
  description: Description,
  context: TerminalContext,
  saved?: SavedMachine,
): Promise<Parts> {
  const { signal, files } = context;
  signal.throwIfAborted();
  if (!context.workerStays) refuseInWorker();
  await using cleanup = new Cleanup(context);
  using rollback = new Rollback(context);
  const options = { dryRun: false, signal, cleanup, reporter: context, files, saved };
  const prepared = await prepareMachine(description, options);
  const { machine } = prepared;
  const serial = await openSerial(machine.serial, context, cleanup, rollback);
  const openVsock = machine.vsock &&
    await (await import("./open_vsock.ts")).openVsock(machine, machine.vsock, context, cleanup);
  signal.throwIfAborted();
  const configuration = configure(prepared, serial, rollback);
  if (saved) (await import("./save.ts")).checkSavable(configuration, machine);
  if (machine.disks.some(({ file }) => isServed(file))) {
    const { watchServers } = await import("./block_device.ts");
    cleanup.use(watchServers(machine.disks, prepared.devices.disks, context));
  }
  const framework = VZVirtualMachine.create(configuration);
  mendNetworks(prepared.networks, framework, context);
  const vsock = await openVsock?.(framework);
  rollback.move(); // from here on others may have found the new files, and use them
  if (saved) cleanup.use(saved);
  return { prepared, configuration, framework, serial, vsock, saved, context, cleanup: cleanup.move() };
}

/**
 * As {@linkcode assemble}, of a machine that goes on.
 *
 * @param path The folder into which it was saved.
 * @throws {MachineError} When something differs from what was saved, too.
 */
export async function assembleSaved(
  path: string,
  description: PartialDescription,
  context: TerminalContext,
): Promise<Parts> {
  const { openSaved } = await import("./saved_machine.ts");
  const { asSaved } = await import("./restore.ts");
  const saved = openSaved(path);
  try {
    return await assemble(asSaved(saved, description), context, saved);
  } catch (error) {
    saved[Symbol.dispose]();
    throw error;
  }
}
