/** Makes the disks that a machine asks for and that are not there yet. */

import { MachineError } from "./check.ts";
import type { Disk, Machine } from "./machine.ts";

/** A sparse file: it takes room as the guest writes. Half-made, it is gone again. */
function makeImage({ file, size }: Disk): void {
  let image: Deno.FsFile;
  try {
    image = Deno.openSync(file, { read: true, write: true, createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw new MachineError(`cannot make disk '${file}': ${(error as Error).message}`);
  }
  try {
    image.truncateSync(size);
  } catch (error) {
    Deno.removeSync(file);
    throw new MachineError(`cannot make disk '${file}' of ${size} bytes: ${(error as Error).message}`);
  } finally {
    image.close();
  }
}

/**
 * Makes those disks of a checked machine that are missing and have a size.
 *
 * @throws {MachineError} When a file cannot be made.
 */
export function makeDisks(machine: Machine): void {
  for (const disk of machine.disks) if (disk.size !== undefined) makeImage(disk);
}
