/** Where each system has its libraries. Everything that asks which system this is, asks here. */

import { type Library, setLibraryPaths } from "../objc/mod.ts";

export { openFunctions } from "../objc/mod.ts"; // from here, so that the libraries are found

/** linux/ holds everything in one library, which brings GNUstep and libobjc with it … */
const STAND_IN = "libVirtualization.so";
/** … but for what is on the screen, so that a machine without one needs no X11. */
const GRAPHICAL_STAND_IN = "libVirtualizationAppKit.so";

/** Of macOS, src/objc knows the places. */
const FRAMEWORKS = {
  darwin: ["objc", "system", "Foundation", "Security", "Virtualization", "CoreGraphics", "AppKit"],
  linux: ["objc", "system", "Foundation", "Virtualization", "CoreGraphics", "AppKit"],
} as Partial<Record<typeof Deno.build.os, Library[]>>;

/** Whether this system has a library. */
export function hasLibrary(library: Library): boolean {
  return FRAMEWORKS[Deno.build.os]?.includes(library) ?? false;
}

/**
 * Where a library of linux/ may be, before the loader looks for it: in the source tree, or beside an executable.
 * The modules of an executable have made-up paths in the temporary folder, where anyone could put a library.
 *
 * @param standalone Whether the program is an executable of its own.
 * @param executable Its path, or Deno's.
 * @param module URL of this module.
 */
export function standInBeside(name: string, standalone: boolean, executable: string, module: string): string {
  if (standalone) return executable.replace(/[^/]*$/, name);
  return decodeURIComponent(new URL(`../../linux/build/${name}`, module).pathname);
}

const found = new Map<string, string>();

function findStandIn(name: string): string {
  const known = found.get(name);
  if (known) return known;
  let path = standInBeside(name, Deno.build.standalone, Deno.execPath(), import.meta.url);
  try {
    Deno.statSync(path);
  } catch {
    path = name; // which the loader looks for in LD_LIBRARY_PATH and in the usual folders
  }
  found.set(name, path);
  return path;
}

/** The path of a library of linux/, or of none: @throws {Error} On a system that has none. */
export function standInPath(library: Library): string {
  if (!hasLibrary(library)) throw new Error(`No Objective-C runtime is known for ${Deno.build.os}`);
  return findStandIn(library === "AppKit" ? GRAPHICAL_STAND_IN : STAND_IN);
}

if (Deno.build.os !== "darwin") setLibraryPaths(standInPath);
