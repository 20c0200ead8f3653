/** Locks that go with the process that has them, whatever ends it, and are seen from every PID namespace: flock(2). */

import { ignoreNotFound } from "./error.ts";
import { inodeOf } from "./files.ts";

/** Whether an open file is what its path still leads to. */
export function isAt(file: Deno.FsFile, path: string): boolean {
  const there = ignoreNotFound(() => Deno.statSync(path));
  return there !== undefined && inodeOf(there) === inodeOf(file.statSync());
}

/**
 * Opens a file, which is made when it is missing, to be read and written, and locks it until it is closed.
 *
 * @returns Undefined when another has locked it.
 */
export function lockFile(path: string): Deno.FsFile | undefined {
  while (true) {
    const file = Deno.openSync(path, { read: true, write: true, create: true });
    const isLocked = file.tryLockSync(true);
    if (isLocked && isAt(file, path)) return file;
    file.close();
    if (!isLocked) return undefined; // else whoever had it has removed it
  }
}

/**
 * Opens a file or a folder and locks it, until it is closed.
 *
 * @param shared Whether others may have such a lock too.
 * @returns Undefined when another has a lock that excludes it, or it was removed meanwhile.
 * @throws When it cannot be opened, or its file system knows no locks.
 */
export function tryLock(path: string, shared = false): Deno.FsFile | undefined {
  const file = Deno.openSync(path);
  try {
    // What was removed before it was locked is nobody's.
    if (file.tryLockSync(!shared) && isAt(file, path)) return file;
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
}
