/** Files that are made whole or not at all. */

import { FileError, ignoreNotFound } from "./error.ts";
import { partialOf, removeOwn } from "./files.ts";
import { isAt } from "./lock.ts";
import { NewFile, type WritableFile } from "./new_file.ts";

/** What a link leads to is somebody's, and not to be overwritten; to open a named pipe would wait for its reader. */
function refuseOther(path: string, target: string): void {
  const info = ignoreNotFound(() => Deno.lstatSync(path));
  if (!info || info.isFile) return;
  throw new FileError(`cannot make '${target}': ${info.isSymlink ? "the link " : ""}'${path}' is in the way`);
}

function statOrNothing(path: string): Deno.FileInfo | undefined {
  return ignoreNotFound(() => Deno.statSync(path));
}

/** Takes away what is half-made; the failure that has led here matters more than one of that. */
function leave(partial: string, own: Deno.FileInfo): void {
  try {
    removeOwn(partial, own);
  } catch { /* the next maker overwrites it */ }
}

/**
 * Makes a file, unless it is there. Several that want the same file at the same time, in whatever process, wait
 * for one of them to make it. A failure, and `signal`, leave nothing behind; after a crash, what is half-made
 * is never taken for the file.
 *
 * @param make Writes the file, which is empty, and looks at `signal` now and then.
 * @returns Whether it was made here.
 * @throws Whatever `make` throws, and the reason of `signal`.
 */
export async function makeOnce(
  path: string,
  make: (file: WritableFile) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<boolean> {
  const partial = partialOf(path);
  while (!statOrNothing(path)) {
    refuseOther(partial, path);
    using file = Deno.openSync(partial, { read: true, write: true, create: true });
    // The lock goes with the file's descriptor, so it is gone with the process whatever ends that.
    if (!file.tryLockSync(true)) {
      const lock = file.lock(true);
      // Loaded only for this: most starts make nothing.
      const { abortable } = await import("@std/async/abortable");
      await (signal ? abortable(lock, signal) : lock);
    }
    // Whoever had the lock may have given the file its name, or removed it.
    if (!isAt(file, partial)) continue;
    try {
      if (statOrNothing(path)) {
        removeOwn(partial, file.statSync()); // it was begun after the other had ended
        return false;
      }
      file.truncateSync();
      const made = new NewFile(file, partial);
      await make(made);
      signal?.throwIfAborted();
      await made.sync(); // a name that outlives a power cut must not be that of a hole
      Deno.renameSync(partial, path);
    } catch (error) {
      leave(partial, file.statSync());
      throw error;
    }
    return true;
  }
  return false;
}
