/** Makes the disks that a machine asks for and that are not there yet. */

import { MachineError } from "./error.ts";
import { exists, reason } from "./files.ts";
import type { Disk, Machine } from "./machine.ts";

/** The most that a file's size can be, in every file system. */
const LARGEST = 2 ** 63 - 1024;

/** A sparse file: it takes room as the guest writes. Half-made, it is gone again. */
function makeImage({ file, size = 0 }: Disk, made: DisposableStack): void {
  const fail = (problem: string): never => {
    throw new MachineError(`cannot make disk '${file}': ${problem}`);
  };
  if (size > LARGEST) fail("no file can be that large");
  let image: Deno.FsFile;
  try {
    image = Deno.openSync(file, { read: true, write: true, createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists && exists(file)) return;
    if (error instanceof Deno.errors.AlreadyExists) fail("it is a link to nothing");
    return fail(reason(error));
  }
  made.defer(() => Deno.removeSync(file));
  try {
    image.truncateSync(size);
  } catch (error) {
    fail(reason(error));
  } finally {
    image.close();
  }
}

/**
 * Makes those disks of a checked machine that are missing and have a size.
 *
 * @param made Takes them away again when it is disposed of.
 * @throws {MachineError} When a file cannot be made.
 */
export function makeDisks(machine: Machine, made: DisposableStack): void {
  for (const disk of machine.disks) if (disk.size !== undefined) makeImage(disk, made);
}
