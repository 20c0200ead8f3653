/** Paths that are to be written, looked at before. Loaded when there is one: most starts write nothing. */

import { dirname } from "@std/path/posix/dirname";
import { FileError, ignoreNotFound, reasonOf } from "./error.ts";
import { exists } from "./files.ts";

/**
 * Checks a path that is to be written. The file need not exist; its folder must.
 *
 * @throws {FileError} When it cannot be.
 */
export function checkOutput(path: string): void {
  const fail = (problem: string, cause?: unknown): never => {
    throw new FileError(`cannot write '${path}': ${problem}`, { cause });
  };
  const stat = (path: string) => {
    try {
      return ignoreNotFound(() => Deno.statSync(path));
    } catch (error) {
      return fail(reasonOf(error), error);
    }
  };
  if (path === "") fail("the path is empty");
  const info = stat(path);
  if (info?.isDirectory) fail("it is a folder");
  if (info) return;
  const folder = dirname(path);
  const parent = stat(folder);
  if (!parent) fail(`no folder '${folder}/'`);
  else if (!parent.isDirectory) fail("its folder is not a folder");
}

/**
 * Checks a path that is to be written and must not be a device, a named pipe or the like: to open one may wait for ever.
 *
 * @throws {FileError} When it is, or {@linkcode checkOutput} throws.
 */
export function checkOutputFile(path: string): void {
  checkOutput(path);
  if (exists(path) && !Deno.statSync(path).isFile) {
    throw new FileError(`cannot write '${path}': it is not a regular file`);
  }
}
