/** Where the libraries are: the one place that knows which system this is. */

/** A library that {@linkcode libraryPath} knows. */
export type Library = "objc" | "system" | "Foundation" | "Virtualization" | "CoreGraphics" | "AppKit";

const inLinux = (name: string) =>
  decodeURIComponent(new URL(`../../linux/build/${name}`, import.meta.url).pathname);

/** linux/ holds everything in one library, which brings GNUstep and libobjc with it … */
const STAND_IN = inLinux("libVirtualization.so");
/** … but for what is on the screen, so that a machine without one needs no X11. */
const GRAPHICAL_STAND_IN = inLinux("libVirtualizationAppKit.so");

// On macOS these live in the dyld cache and not on disk: they are opened, never looked for.
const PATHS: Partial<Record<typeof Deno.build.os, Record<Library, string>>> = {
  darwin: {
    objc: "/usr/lib/libobjc.A.dylib",
    system: "/usr/lib/libSystem.B.dylib",
    Foundation: "/System/Library/Frameworks/Foundation.framework/Foundation",
    Virtualization: "/System/Library/Frameworks/Virtualization.framework/Virtualization",
    CoreGraphics: "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics",
    AppKit: "/System/Library/Frameworks/AppKit.framework/AppKit",
  },
  linux: {
    objc: STAND_IN,
    system: STAND_IN,
    Foundation: STAND_IN,
    Virtualization: STAND_IN,
    CoreGraphics: STAND_IN,
    AppKit: GRAPHICAL_STAND_IN,
  },
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

/**
 * The address that a symbol stands for.
 *
 * @throws {Error} When the library cannot be opened or has none of that name.
 */
export function symbolAddress(library: Library, name: string): Deno.PointerValue {
  return Deno.dlopen(libraryPath(library), { [name]: { type: "pointer" } }).symbols[name];
}

/**
 * Calls of a function before Deno compiles a trampoline for it, which is what `Deno.dlopen` does at once. To
 * compile one takes as long as a hundred calls without, and most functions of a start are called a few times.
 */
const HOT = 64;

/**
 * Functions of a library. Call them as members of what this returns: they are replaced when they get hot.
 *
 * @throws {Error} When the library cannot be opened or has none of that name.
 */
export function openFunctions<const S extends Record<string, Deno.ForeignFunction>>(
  library: Library,
  definitions: S,
): Deno.StaticForeignLibraryInterface<S> {
  const path = libraryPath(library);
  const entries = Object.entries<Deno.ForeignFunction>(definitions);
  const statics = entries.map(([key, { name }]) => [key, { name: name ?? key, type: "pointer" }] as const);
  const addresses = Deno.dlopen(path, Object.fromEntries(statics)).symbols;
  const functions: Record<string, (...args: never[]) => unknown> = {};
  for (const [key, definition] of entries) {
    const pointer = new Deno.UnsafeFnPointer(addresses[key] as Deno.PointerObject<never>, definition);
    let calls = 0;
    functions[key] = (...args) => {
      if (++calls === HOT) functions[key] = Deno.dlopen(path, { [key]: definition }).symbols[key];
      return pointer.call(...args);
    };
  }
  return functions as Deno.StaticForeignLibraryInterface<S>;
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
