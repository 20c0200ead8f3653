import { FileError, toFileError } from "./error.ts";
import { exists, removeOwn } from "./files.ts";
import { lockFile } from "./lock.ts";
import { checkOutputFile } from "./output_file.ts";
import { withUmask } from "./process.ts";

/** More than any process id has. */
const LONGEST = 32;

/** What a pid file has is a number, or nothing yet. */
function checkContent(path: string, file: Deno.FsFile): void {
  const bytes = new Uint8Array(LONGEST);
  const length = file.readSync(bytes) ?? 0;
  if (length < LONGEST && /^\s*\d*\s*$/.test(new TextDecoder().decode(bytes.subarray(0, length)))) return;
  throw new FileError(`cannot write '${path}': it is there and holds no process id`);
}

/**
 * Checks that a path can be that of a pid file, and writes nothing.
 *
 * @throws {FileError} When it cannot be written, or is a file of something else.
 */
export function checkPidFile(path: string): void {
  checkOutputFile(path);
  try {
    if (!exists(path)) return;
    using file = Deno.openSync(path);
    checkContent(path, file);
  } catch (error) {
    throw toFileError(`cannot write '${path}'`, error);
  }
}

/**
 * Writes the program's process id into a file, which is gone when it is disposed of.
 *
 * @throws {FileError} When another process of this program has the file, it is one of something else, or it cannot be
 * written.
 */
export function writePidFile(path: string): Disposable {
  checkOutputFile(path);
  try {
    const isNew = !exists(path);
    const file = withUmask(0o177, () => lockFile(path)); // as qemu and vfkit have it
    if (!file) throw new FileError(`cannot write '${path}': it has the process id of another vzrun`);
    try {
      checkContent(path, file);
      file.truncateSync();
      file.seekSync(0, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
    } catch (error) {
      if (isNew) removeOwn(path, file.statSync());
      file.close();
      throw error;
    }
    const [own, real] = [file.statSync(), Deno.realPathSync(path)];
    return {
      [Symbol.dispose]() {
        using _lock = file;
        removeOwn(real, own);
      },
    };
  } catch (error) {
    throw toFileError(`cannot write '${path}'`, error);
  }
}
