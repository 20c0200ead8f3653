/** Where the libraries are: the one place that knows which system this is. */

/** A library that {@linkcode libraryPath} knows. */
export type Library =
  | "objc"
  | "system"
  | "Foundation"
  | "Security"
  | "Virtualization"
  | "CoreGraphics"
  | "AppKit";

/** linux/ holds everything in one library, which brings GNUstep and libobjc with it … */
const STAND_IN = "libVirtualization.so";
/** … but for what is on the screen, so that a machine without one needs no X11. */
const GRAPHICAL_STAND_IN = "libVirtualizationAppKit.so";

// On macOS these live in the dyld cache and not on disk: they are opened, never looked for.
const PATHS: Partial<Record<typeof Deno.build.os, Partial<Record<Library, string>>>> = {
  darwin: {
    objc: "/usr/lib/libobjc.A.dylib",
    system: "/usr/lib/libSystem.B.dylib",
    Foundation: "/System/Library/Frameworks/Foundation.framework/Foundation",
    Security: "/System/Library/Frameworks/Security.framework/Security",
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

function findStandIn(name: string): string {
  const path = standInBeside(name, Deno.build.standalone, Deno.execPath(), import.meta.url);
  try {
    Deno.statSync(path);
    return path;
  } catch {
    return name; // which the loader looks for in LD_LIBRARY_PATH and in the usual folders
  }
}

/** Whether this system has a library. */
export function hasLibrary(library: Library): boolean {
  return PATHS[Deno.build.os]?.[library] !== undefined;
}

const found = new Map<string, string>();

/**
 * The path of a library on this system.
 *
 * @throws {Error} On a system that has none.
 */
export function libraryPath(library: Library): string {
  const known = PATHS[Deno.build.os]?.[library];
  if (!known) throw new Error(`No Objective-C runtime is known for ${Deno.build.os}`);
  if (known.startsWith("/")) return known;
  const path = found.get(known) ?? findStandIn(known);
  found.set(known, path);
  return path;
}

/** Opens a library. The loader's error would not say what the library is, nor what to do. */
function open<const S extends Deno.ForeignLibraryInterface>(
  library: Library,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const path = libraryPath(library);
  try {
    return Deno.dlopen(path, symbols);
  } catch (error) {
    if (path.includes("/") || !/cannot open shared object file/.test((error as Error).message)) throw error;
    throw new Error(
      `${path} is missing, which stands in for Virtualization on Linux: put it beside ${Deno.execPath()}, ` +
        "into a folder of libraries, or into one that LD_LIBRARY_PATH names",
    );
  }
}

/**
 * The address that a symbol stands for.
 *
 * @throws {Error} When the library cannot be opened or has none of that name.
 */
export function symbolAddress(library: Library, name: string): Deno.PointerValue {
  return open(library, { [name]: { type: "pointer" } }).symbols[name];
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
  const entries = Object.entries<Deno.ForeignFunction>(definitions);
  const statics = entries.map(([key, { name }]) => [key, { name: name ?? key, type: "pointer" }] as const);
  const addresses = open(library, Object.fromEntries(statics)).symbols;
  const functions: Record<string, (...args: never[]) => unknown> = {};
  for (const [key, definition] of entries) {
    const pointer = new Deno.UnsafeFnPointer(addresses[key] as Deno.PointerObject<never>, definition);
    let calls = 0;
    functions[key] = (...args) => {
      if (++calls === HOT) functions[key] = open(library, { [key]: definition }).symbols[key];
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
  open(framework, {});
  opened.add(path);
}
