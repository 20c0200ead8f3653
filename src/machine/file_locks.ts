/** Locks that the framework takes at a machine's start. When another has one it says so without the file's name. */

import { isDisk } from "../host/files.ts";
import { tryLock } from "../host/lock.ts";
import type { Disk } from "./disk.ts";
import { MachineError } from "./error.ts";
import type { Machine } from "./machine.ts";

/** For how long a lock is waited for, in ms: that of a machine that has just ended may linger. */
const PATIENCE = 3_000;

/** How often it is looked at meanwhile. */
const LOOK = 100;

interface Lock {
  field: string;
  what: string;
  path: string;
  /** Others may read it too. */
  shared: boolean;
}

function locksOf({ boot, disks }: Machine): Lock[] {
  const locks = disks.map(({ file: path, readOnly: shared }, i) => (
    { field: `disks[${i}].file`, what: "disk", path, shared }
  ));
  if (boot.kind === "linux" || boot.variables === undefined) return locks;
  const variables = { what: "the variable store", path: boot.variables, shared: false };
  return [...locks, { field: "boot.variables", ...variables }];
}

async function isFree({ path, shared }: Lock): Promise<boolean> {
  try {
    if (isDisk(path)) return (await import("../host/device.ts")).isFreeDevice(path, shared);
    using lock = tryLock(path, shared);
    return lock !== undefined;
  } catch {
    return true; // what cannot be opened or locked is the framework's to tell
  }
}

/**
 * Waits until nobody has locked a file that the machine is about to lock.
 *
 * @throws {MachineError} When somebody keeps it; it names the file.
 */
export async function waitForLocks(machine: Machine): Promise<void> {
  await waitFor(locksOf(machine));
}

/** As {@linkcode waitForLocks}, of a disk that comes while the machine runs. */
export async function waitForDisk({ file: path, readOnly: shared }: Disk, field: string): Promise<void> {
  await waitFor([{ field: `${field}.file`, what: "disk", path, shared }]);
}

async function waitFor(locks: Lock[]): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (const lock of locks) {
    while (!await isFree(lock)) {
      if (performance.now() > end) {
        const { field, what, path } = lock;
        throw new MachineError(`${what} '${path}' is in use: another machine or program has locked it`, {
          field,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }
}
