/** The files that a machine is made of, on the host's disk. */

import { ImageError } from "../images/error.ts";
import { MachineError } from "./error.ts";

/** The folder of a path, to put a name behind; `./` when it has none. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1) || "./";
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What a system call's error says about a file. */
export function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is not a folder";
  if (error instanceof Deno.errors.NotCapable) return "it is no ordinary file"; // Deno guards /proc and its like
  if (error instanceof Deno.errors.FilesystemLoop) return "too many symbolic links";
  return (error as Error).message.replace(/ \(os error \d+\).*$/, "");
}

/**
 * What an error says about a file, as a MachineError, when it is the file's or the system's.
 *
 * @param what What was to be done, and with which file.
 */
export function unfit(what: string, error: unknown): unknown {
  if (error instanceof ImageError) return new MachineError(`${what}: ${error.message}`);
  const isOfSystem = error instanceof Deno.errors.NotCapable ||
    error instanceof Error && /\(os error \d+\)/.test(error.message);
  return isOfSystem ? new MachineError(`${what}: ${reason(error)}`) : error;
}

/**
 * Opens a file that must be there, be a regular one and not be empty. The caller closes it.
 *
 * @param what What it is to the machine.
 * @throws {MachineError} When it is not so.
 */
export function open(what: string, path: string, write = false): Deno.FsFile {
  const fail = (problem: string): never => {
    throw new MachineError(`cannot open ${what} '${path}': ${problem}`);
  };
  if (path === "") fail("the path is empty");
  try {
    const info = Deno.statSync(path); // before opening: a FIFO would wait for its writer
    if (info.isDirectory) fail("it is a folder");
    if (!info.isFile) fail("it is not a regular file");
    if (info.isFile && info.size === 0) fail("it is empty");
    return Deno.openSync(path, { read: true, write });
  } catch (error) {
    if (error instanceof MachineError) throw error;
    const readable = write && error instanceof Deno.errors.PermissionDenied;
    return fail(reason(error) + (readable ? " to write it (readonly=on does without)" : ""));
  }
}

/**
 * Bytes of a file from an offset; fewer at its end.
 *
 * @throws {MachineError} When {@linkcode open} does.
 */
export function readAt(what: string, path: string, offset: number, length: number): Uint8Array {
  using file = open(what, path);
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, file.readSync(bytes) ?? 0);
}

/**
 * Checks a path that is to be written. The file need not exist; its folder must.
 *
 * @throws {MachineError} When it cannot be.
 */
export function checkOutput(path: string): void {
  const fail = (problem: string): never => {
    throw new MachineError(`cannot write '${path}': ${problem}`);
  };
  if (path === "") fail("the path is empty");
  try {
    if (Deno.statSync(path).isDirectory) fail("it is a folder");
  } catch (error) {
    if (error instanceof MachineError) throw error;
    if (!(error instanceof Deno.errors.NotFound)) fail(reason(error));
    const folder = folderOf(path);
    try {
      if (!Deno.statSync(folder).isDirectory) fail("its folder is not a folder");
    } catch (error) {
      if (error instanceof MachineError) throw error;
      fail(`no folder '${folder}'`);
    }
  }
}

/**
 * Whether there is anything at a path, or at where a link leads.
 *
 * @throws {MachineError} When that cannot be known.
 */
export function exists(path: string, what = "file"): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new MachineError(`cannot open ${what} '${path}': ${reason(error)}`);
  }
}
