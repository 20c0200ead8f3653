/** The memory that a guest is to have of its machine's: the rest it gives back to the host. */

import {
  type VZVirtioTraditionalMemoryBalloonDevice,
  type VZVirtualMachine,
  VZVirtualMachineConfiguration,
} from "../vz/mod.ts";
import { MachineError } from "./error.ts";
import { formatBytes } from "./format_bytes.ts";

const MiB = 2 ** 20;

async function balloonOf(framework: VZVirtualMachine): Promise<VZVirtioTraditionalMemoryBalloonDevice> {
  return (await framework.memoryBalloonDevice())!; // each machine has one
}

/** How much memory the guest was asked to have, in bytes. */
export async function memoryTarget(framework: VZVirtualMachine): Promise<number> {
  return await (await balloonOf(framework)).target();
}

/**
 * Asks the guest to have no more memory than that.
 *
 * @param memory What the machine has, in bytes.
 * @throws {MachineError} When it cannot be as much or as little, or the machine does not run.
 */
export async function setMemoryTarget(
  framework: VZVirtualMachine,
  memory: number,
  bytes: number,
): Promise<void> {
  const fail = (reason: string): never => {
    throw new MachineError(reason, { field: "memory" });
  };
  const { minimum } = VZVirtualMachineConfiguration.limits().memory; // the framework would take that instead of less
  if (!Number.isInteger(bytes) || bytes % MiB !== 0) fail(`${bytes} bytes is no whole number of MiB`);
  if (bytes < minimum) {
    fail(`${formatBytes(bytes)} is too little memory: a guest has at least ${formatBytes(minimum)}`);
  }
  if (bytes > memory) {
    fail(`${formatBytes(bytes)} is more memory than the machine has (${formatBytes(memory)})`);
  }
  const state = await framework.state();
  if (state !== "running" && state !== "paused") {
    fail(`the machine is ${state}: a guest gives memory back while it runs`);
  }
  await (await balloonOf(framework)).setTarget(bytes);
}
