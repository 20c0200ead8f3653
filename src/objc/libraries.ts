/** Opens libraries and their functions. */

/**
 * A library by its name: `objc` is the Objective-C runtime, `system` is libSystem (libc, libdispatch, blocks),
 * every other name is a framework's.
 */
export type Library = "objc" | "system" | (string & Record<never, never>);

/** Where macOS has them: in the dyld cache and not on disk, so they are opened, never looked for. */
function macOSPath(library: Library): string {
  if (library === "objc") return "/usr/lib/libobjc.A.dylib";
  if (library === "system") return "/usr/lib/libSystem.B.dylib";
  return `/System/Library/Frameworks/${library}.framework/${library}`;
}

let pathOf = macOSPath;
let anyOpen = false;

/**
 * Sets where the libraries are, for a system that is not macOS. To be called before anything else here is used;
 * in each worker too, which has modules of its own.
 *
 * @param find Gives the path of a library, or a name that the system's loader looks for. One library may hold
 *   what several do on macOS. May throw; its error reaches whoever needs the library.
 * @throws {Error} When a library has been opened already.
 */
export function setLibraryPaths(find: (library: Library) => string): void {
  if (anyOpen) throw new Error("setLibraryPaths: a library has been opened already");
  pathOf = find;
}

/**
 * The path of a library, or a name that the system's loader looks for.
 *
 * @throws {Error} What {@linkcode setLibraryPaths}' function throws.
 */
export function libraryPath(library: Library): string {
  return pathOf(library);
}

/** Opens a library. The loader's error would not say for what. */
function open<const S extends Deno.ForeignLibraryInterface>(
  library: Library,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const path = pathOf(library);
  try {
    const opened = Deno.dlopen(path, symbols);
    anyOpen = true;
    return opened;
  } catch (error) {
    const reason = /^Could not open library: (?:Could not open library: )?(.*)/s.exec(
      (error as Error).message,
    );
    if (!reason) throw error; // a missing symbol, which it names, or permission
    const remedy = pathOf === macOSPath ? "; setLibraryPaths tells where it is when this is not macOS" : "";
    throw new Error(`Cannot open the library of ${library}: ${reason[1]}${remedy}`, { cause: error });
  }
}

/**
 * The address of a function or variable of a library.
 *
 * @param name The C name: `_dispatch_main_q`.
 * @throws {Error} When the library cannot be opened or has none of that name.
 */
export function symbolAddress(library: Library, name: string): Deno.PointerValue {
  return open(library, { [name]: { type: "pointer" } }).symbols[name];
}

/**
 * Calls of a function before Deno compiles a trampoline for it, which is what `Deno.dlopen` does at once. The first
 * one brings a compiler along, which takes as long as a thousand calls without, and 1.5 MiB. No start makes as many.
 */
const HOT = 1000;

/**
 * C functions of a library, which is opened at the first call of one of them: that call throws when it cannot be
 * opened or lacks any of them. Call them as members of what this returns: they are replaced then, and again when
 * they get hot.
 *
 * @param definitions By C name, what {@linkcode Deno.dlopen} takes.
 * @example
 * ```ts
 * import { openFunctions } from "@objc/runtime";
 * const libc = openFunctions("system", { getppid: { parameters: [], result: "i32" } });
 * console.log(libc.getppid() === Deno.ppid); // true
 * ```
 */
export function openFunctions<const S extends Record<string, Deno.ForeignFunction>>(
  library: Library,
  definitions: S,
): Deno.StaticForeignLibraryInterface<S> {
  const entries = Object.entries<Deno.ForeignFunction>(definitions);
  const functions: Record<string, (...args: never[]) => unknown> = {};
  const link = () => {
    const statics = entries.map(([key, { name }]) => [key, { name: name ?? key, type: "pointer" }] as const);
    const addresses = open(library, Object.fromEntries(statics)).symbols;
    for (const [key, definition] of entries) {
      const pointer = new Deno.UnsafeFnPointer(addresses[key] as Deno.PointerObject<never>, definition);
      let calls = 0;
      functions[key] = (...args) => {
        if (++calls === HOT) functions[key] = open(library, { [key]: definition }).symbols[key];
        return pointer.call(...args);
      };
    }
  };
  for (const [key] of entries) {
    functions[key] = (...args) => {
      link();
      return functions[key](...args);
    };
  }
  return functions as Deno.StaticForeignLibraryInterface<S>;
}

/** Libraries stay open for the life of the process: classes are never unloaded. */
const opened = new Set<Library>();

/**
 * Opens a framework, so that the runtime has its classes. Foundation is opened without.
 *
 * @param framework Its name: `AppKit`.
 * @throws {Error} When it cannot be opened.
 */
export function openFramework(framework: Library): void {
  if (opened.has(framework)) return;
  open(framework, {});
  opened.add(framework);
}
