/** Libraries that are opened while the program is at something else. */

import { type Library, libraryPath } from "../objc/libraries.ts"; // alone, so that it begins at once
import { LIBC } from "./libraries.ts";

/** Of <dlfcn.h>, the same on both. */
const RTLD_LAZY = 1;

/** Paths that another thread reads. */
const reading = new Set<Uint8Array<ArrayBuffer>>();

/**
 * Begins to open a library on another thread, so that whoever needs it soon waits less. If that fails, they will find out
 * why.
 *
 * Source: dlopen(3).
 *
 * @throws {Error} When it is not known where the library is.
 */
export function openAhead(library: Library): void {
  const { symbols } = Deno.dlopen(LIBC, {
    dlopen: { parameters: ["buffer", "i32"], result: "pointer", nonblocking: true },
  });
  const path = new TextEncoder().encode(`${libraryPath(library)}\0`);
  reading.add(path);
  symbols.dlopen(path, RTLD_LAZY).finally(() => reading.delete(path));
}
