import { FileError, toFileError } from "./error.ts";
import { checkOutput } from "./files.ts";

/**
 * Writes the program's process id into a file, which is gone when it is disposed of.
 *
 * @throws {FileError} When another process of this program has the file, or it cannot be written.
 */
export function writePidFile(path: string): Disposable {
  checkOutput(path);
  try {
    const file = Deno.openSync(path, { write: true, create: true });
    if (!file.tryLockSync(true)) {
      file.close();
      throw new FileError(`cannot write '${path}': it has the process id of another vzrun`);
    }
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
    return {
      [Symbol.dispose]() {
        Deno.removeSync(path);
        file.close();
      },
    };
  } catch (error) {
    throw toFileError(`cannot write '${path}'`, error);
  }
}
