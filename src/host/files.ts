/** Files that are named by a user, looked at before they are used. */

import { cString, openFunctions } from "../objc/mod.ts";
import { FileError, ignoreNotFound, reasonOf, toFileError } from "./error.ts";
import "./libraries.ts";

const libc = openFunctions("system", {
  removexattr: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
});

/**
 * Takes an extended attribute off a file, if that has it.
 *
 * @param name `com.apple.quarantine`
 *
 * Source: removexattr(2) of macOS; Linux's has no options.
 */
export function removeAttribute(path: string, name: string): void {
  libc.removexattr(cString(path), cString(name), 0);
}

/** The same as long as a path leads to the same file and that is unchanged, as far as its times tell. */
export function versionOf({ dev, ino, size, mtime, ctime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join("-");
}

/** The same for each name of one file. */
export function inodeOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}

/** Where a file is while it is being made. What a maker that was killed has left there, the next one overwrites. */
export function partialOf(path: string): string {
  return `${path}.partial`;
}

/**
 * Opens a file that must be there, be a regular one and not be empty. The caller closes it.
 *
 * @param what What it is to the user: `kernel`.
 * @throws {FileError} When it is not so.
 */
export function openFile(what: string, path: string, write = false): Deno.FsFile {
  const fail = (problem: string, cause?: unknown): never => {
    throw new FileError(`cannot open ${what} '${path}': ${problem}`, { cause });
  };
  if (path === "") fail("the path is empty");
  try {
    const info = Deno.statSync(path); // before opening: a FIFO would wait for its writer
    if (info.isDirectory) fail("it is a folder");
    if (!info.isFile) fail("it is not a regular file");
    if (info.size === 0) fail("it is empty");
    return Deno.openSync(path, { read: true, write });
  } catch (error) {
    if (error instanceof FileError) throw error;
    return fail(reasonOf(error), error);
  }
}

/**
 * Bytes of a file from an offset; fewer at its end.
 *
 * @throws {FileError} When {@linkcode openFile} does.
 */
export function readAt(what: string, path: string, offset: number, length: number): Uint8Array {
  using file = openFile(what, path);
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, file.readSync(bytes) ?? 0);
}

/**
 * Removes a file, or a folder with all that is in it, that this run has made. What is gone already is well, and what
 * another has put in its place stays.
 *
 * @param made What it was when it was made.
 * @throws {FileError} When it cannot be removed.
 */
export function removeOwn(path: string, made: Deno.FileInfo): void {
  try {
    const there = ignoreNotFound(() => Deno.lstatSync(path));
    if (!there || inodeOf(there) !== inodeOf(made)) return;
    ignoreNotFound(() => Deno.removeSync(path, { recursive: there.isDirectory }));
  } catch (error) {
    throw toFileError(`cannot remove '${path}'`, error);
  }
}

/** How many bytes the path of a socket has at most: struct sockaddr_un holds 104 on macOS, 108 on Linux, and a zero. */
export const LONGEST_SOCKET_PATH = 103;

/** Why no socket can be at a path. */
export function socketPathProblem(path: string): string | undefined {
  const fits = new TextEncoder().encode(path).length <= LONGEST_SOCKET_PATH;
  return fits ? undefined : `the path of a socket has at most ${LONGEST_SOCKET_PATH} bytes`;
}

/**
 * Whether there is anything at a path, or at where a link leads.
 *
 * @throws {FileError} When that cannot be known.
 */
export function exists(path: string, what = "file"): boolean {
  try {
    return ignoreNotFound(() => Deno.statSync(path)) !== undefined;
  } catch (error) {
    throw new FileError(`cannot open ${what} '${path}': ${reasonOf(error)}`, { cause: error });
  }
}

/** What may be a disk: on a Mac no other device is handed to the framework, which may end the process for it. */
const DISKS = Deno.build.os === "darwin" ? /^\/dev\/r?disk\d/ : /^\/dev\//;

/**
 * Whether a path leads to a device that may be a disk: Deno says of such only that it gives no access. On a Mac each disk
 * has a character device besides, `/dev/rdisk4`.
 */
export function isDisk(path: string): boolean {
  try {
    return Deno.statSync(path).isBlockDevice === true || /^\/dev\/rdisk\d/.test(path);
  } catch (error) {
    return error instanceof Deno.errors.NotCapable && DISKS.test(path);
  }
}
