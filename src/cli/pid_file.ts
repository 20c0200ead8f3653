import { MachineError } from "../machine/error.ts";
import { checkOutput, unfit } from "../machine/files.ts";

/**
 * Writes the program's process id into a file, which is gone when it is disposed of.
 *
 * @throws {MachineError} When another vzrun has the file, or it cannot be written.
 */
export function writePidFile(path: string): Disposable {
  checkOutput(path);
  try {
    const file = Deno.openSync(path, { write: true, create: true });
    if (!file.tryLockSync(true)) {
      file.close();
      throw new MachineError(`cannot write '${path}': it has the process id of another vzrun`);
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
    throw unfit(`cannot write '${path}'`, error);
  }
}
