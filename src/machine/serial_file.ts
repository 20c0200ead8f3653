import { FileError } from "../host/error.ts";
import { exists, removeOwn } from "../host/files.ts";
import { refusable } from "./error.ts";

/**
 * Keeps a console's file from being another vzrun's too, which would cut it off, until it is disposed of.
 *
 * @param rollback Takes the file away again, when it is a new one.
 * @throws {MachineError} When another vzrun writes it, or nobody can.
 */
export function lockLog(path: string, field: string, rollback: DisposableStack): Disposable {
  return refusable(`${field}.path`, `cannot write '${path}'`, () => {
    // What is no file, like /dev/null, may have as many writers as it likes.
    if (exists(path) && !Deno.statSync(path).isFile) return new DisposableStack();
    const file = openNew(path, rollback) ?? Deno.openSync(path, { append: true });
    if (file.tryLockSync(true)) return file;
    file.close();
    throw new FileError(`cannot write '${path}': another vzrun writes it`);
  });
}

function openNew(path: string, rollback: DisposableStack): Deno.FsFile | undefined {
  try {
    const file = Deno.openSync(path, { write: true, createNew: true });
    const made = file.statSync();
    rollback.defer(() => removeOwn(path, made));
    return file;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw error;
  }
}
