/** Where each system has its libraries. Everything that asks which system this is, asks here. */

import { type Library, setLibraryPaths } from "../objc/libraries.ts"; // alone: starts open them before all else

const isDarwin = Deno.build.os === "darwin";

// Flags of open(2).
export const O_NOCTTY = isDarwin ? 0x20000 : 0x100;
export const O_NONBLOCK = isDarwin ? 0x4 : 0x800;
export const O_CLOEXEC = isDarwin ? 0x1000000 : 0x80000;

// Of <sys/socket.h> and <sys/filio.h>.
export const SOL_SOCKET = isDarwin ? 0xffff : 1;
export const SO_SNDBUF = isDarwin ? 0x1001 : 7;
export const SO_RCVBUF = isDarwin ? 0x1002 : 8;
export const SO_TYPE = isDarwin ? 0x1008 : 3;
export const MSG_DONTWAIT = isDarwin ? 0x80 : 0x40;
/** Of socket(2). macOS has none, and refuses at once where Linux waits for room with who listens. */
export const SOCK_NONBLOCK = isDarwin ? 0 : 0x800;
export const FIOCLEX = isDarwin ? 0x20006601 : 0x5451;
/** The bytes of a struct sockaddr_un before its path: macOS has its length, which the kernel sets, and its family. */
export const UNIX_ADDRESS = isDarwin ? [0, 1] : [1, 0];

// Of <errno.h>; EPERM, ENOENT, EINTR, EINVAL and ENOTTY have the same numbers everywhere.
export const EAGAIN = isDarwin ? 35 : 11;
export const EMSGSIZE = isDarwin ? 40 : 90;
/** What a file system answers that has no such thing. */
export const ENOTSUP = isDarwin ? 45 : 95;
export const EPROTOTYPE = isDarwin ? 41 : 91;
export const ECONNRESET = isDarwin ? 54 : 104;
export const ENOBUFS = isDarwin ? 55 : 105;
export const ECONNREFUSED = isDarwin ? 61 : 111;

/** Number of the signal; the others that are used have the same on all systems. */
export const SIGUSR1 = isDarwin ? 30 : 10;

/** Whether guests have addresses that the host comes to; elsewhere they are behind QEMU's own network. */
export const guestsAreNeighbours = isDarwin;

/** The C library, before any other is needed. */
export const LIBC = isDarwin ? "/usr/lib/libSystem.B.dylib" : "libc.so.6";

/** linux/ holds everything in one library, which brings GNUstep and libobjc with it … */
const STAND_IN = "libVirtualization.so";
/** … but for what is on the screen, so that a machine without one needs no X11. */
const GRAPHICAL_STAND_IN = "libVirtualizationAppKit.so";

/** Of macOS, src/objc knows the places. */
const FRAMEWORKS = {
  darwin: ["objc", "system", "Foundation", "Security", "Virtualization", "vmnet", "CoreGraphics", "AppKit"],
  linux: ["objc", "system", "Foundation", "Virtualization", "vmnet", "CoreGraphics", "AppKit"],
} as Partial<Record<typeof Deno.build.os, Library[]>>;

/** Whether this system has a library. */
export function hasLibrary(library: Library): boolean {
  return FRAMEWORKS[Deno.build.os]?.includes(library) ?? false;
}

/**
 * Where a library of linux/ may be, before the loader looks for it: in the source tree, or beside an executable.
 * The modules of an executable have made-up paths in the temporary folder, where anyone could put a library.
 *
 * @param name `libVirtualization.so`
 * @param standalone Whether the program is an executable of its own.
 * @param executable Its path, or Deno's.
 * @param module URL of this module.
 */
export function standInBeside(name: string, standalone: boolean, executable: string, module: string): string {
  if (standalone) return executable.replace(/[^/]*$/, name);
  return decodeURIComponent(new URL(`../../linux/build/${name}`, module).pathname);
}

/** @throws {Error} When neither it is where it should be, nor the loader finds it. */
function findStandIn(name: string): string {
  const path = standInBeside(name, Deno.build.standalone, Deno.execPath(), import.meta.url);
  try {
    Deno.statSync(path);
    return path;
  } catch {
    // The loader looks in LD_LIBRARY_PATH and in the usual folders.
  }
  try {
    Deno.dlopen(name, {});
  } catch (error) {
    // A library that it needs may be the one that is missing: then that is said when it is opened.
    if (!(error as Error).message.includes(`${name}: cannot open shared object file`)) return name;
    throw new Error(
      `${name} is missing, which stands in for macOS's frameworks on this system: put it beside ` +
        `${Deno.execPath()}, into a folder of libraries, or into one that LD_LIBRARY_PATH names`,
      { cause: error },
    );
  }
  return name;
}

const found = new Map<string, string>();

/**
 * The path of the library of linux/ that has what a library of macOS has, or its name when the loader finds it.
 *
 * @throws {Error} When it is missing, or there is none for this system.
 */
export function standInPath(library: Library): string {
  if (!hasLibrary(library)) throw new Error(`No ${library} is known for ${Deno.build.os}`);
  const name = library === "AppKit" ? GRAPHICAL_STAND_IN : STAND_IN;
  const path = found.get(name) ?? findStandIn(name);
  found.set(name, path);
  return path;
}

if (!isDarwin) setLibraryPaths(standInPath);
