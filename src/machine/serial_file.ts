/** The file that a console is written to. */

import { MachineError } from "../machine/error.ts";
import { exists, unfit } from "../machine/files.ts";

/**
 * Keeps a console's file from being another vzrun's too, which would cut it off, until it is disposed of.
 *
 * @param made Takes the file away again, when it is a new one.
 * @throws {MachineError} When another vzrun writes it, or nobody can.
 */
export function lockLog(path: string, made: DisposableStack): Disposable {
  try {
    // What is no file, like /dev/null, may have as many writers as it likes.
    if (exists(path) && !Deno.statSync(path).isFile) return new DisposableStack();
    const file = openNew(path, made) ?? Deno.openSync(path, { append: true });
    if (!file.tryLockSync(true)) {
      file.close();
      throw new MachineError(`cannot write '${path}': another vzrun writes it`);
    }
    return file;
  } catch (error) {
    throw unfit(`cannot write '${path}'`, error);
  }
}

function openNew(path: string, made: DisposableStack): Deno.FsFile | undefined {
  try {
    const file = Deno.openSync(path, { write: true, createNew: true });
    made.defer(() => Deno.removeSync(path));
    return file;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw error;
  }
}
