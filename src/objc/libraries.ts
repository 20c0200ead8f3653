/** Opens libraries and their functions. */

/**
 * A library by its name: `objc` is the Objective-C runtime, `system` is libSystem (libc, libdispatch, blocks), every other name
 * is a framework's.
 */
export type Library = "objc" | "system" | (string & Record<never, never>);

/** Where macOS has them: in the dyld cache and not on disk, so they are opened, never looked for. */
function macOSPath(library: Library): string {
  if (library === "objc") return "/usr/lib/libobjc.A.dylib";
  if (library === "system") return "/usr/lib/libSystem.B.dylib";
  return `/System/Library/Frameworks/${library}.framework/${library}`;
}

let pathOf = macOSPath;

/** Says where the libraries are, before the first of them is opened; macOS's own places are known. */
export function setLibraryPaths(find: (library: Library) => string): void {
  pathOf = find;
}

/** Opens a library. The loader's error would not say what the library is, nor what to do. */
function open<const S extends Deno.ForeignLibraryInterface>(
  library: Library,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const path = pathOf(library);
  try {
    return Deno.dlopen(path, symbols);
  } catch (error) {
    if (path.includes("/") || !/cannot open shared object file/.test((error as Error).message)) throw error;
    throw new Error(
      `${path} is missing, which stands in for ${library} on this system: put it beside ${Deno.execPath()}, ` +
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
 * Functions of a library, which is opened at the first call of one of them. Call them as members of what this
 * returns: they are replaced then, and again when they get hot.
 *
 * The first call throws when the library cannot be opened or lacks one of them.
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
 * Opens a framework, so that the runtime has its classes.
 *
 * @throws {Error} When it cannot be opened.
 */
export function openFramework(framework: Library): void {
  if (opened.has(framework)) return;
  open(framework, {});
  opened.add(framework);
}
