/** Where the libraries are: the one place that knows which system this is. */

/** A library that {@linkcode libraryPath} knows. */
export type Library = "objc" | "system" | "Foundation" | "Virtualization";

/** linux/ holds everything in one library, which brings GNUstep and libobjc with it. */
const STAND_IN = decodeURIComponent(
  new URL("../../linux/build/libVirtualization.so", import.meta.url).pathname,
);

// On macOS these live in the dyld cache and not on disk: they are opened, never looked for.
const PATHS: Partial<Record<typeof Deno.build.os, Record<Library, string>>> = {
  darwin: {
    objc: "/usr/lib/libobjc.A.dylib",
    system: "/usr/lib/libSystem.B.dylib",
    Foundation: "/System/Library/Frameworks/Foundation.framework/Foundation",
    Virtualization: "/System/Library/Frameworks/Virtualization.framework/Virtualization",
  },
  linux: { objc: STAND_IN, system: STAND_IN, Foundation: STAND_IN, Virtualization: STAND_IN },
};

/**
 * The path of a library on this system.
 *
 * @throws {Error} On a system that has none.
 */
export function libraryPath(library: Library): string {
  const paths = PATHS[Deno.build.os];
  if (!paths) throw new Error(`No Objective-C runtime is known for ${Deno.build.os}`);
  return paths[library];
}

/** Libraries stay open for the life of the process: classes are never unloaded. */
const opened = new Set<string>();

/**
 * Opens a framework, so that the runtime has its classes.
 *
 * @throws {Error} When it cannot be opened.
 */
export function openFramework(framework: Library): void {
  const path = libraryPath(framework);
  if (opened.has(path)) return;
  Deno.dlopen(path, {});
  opened.add(path);
}
