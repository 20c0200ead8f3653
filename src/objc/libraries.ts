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

/**
 * The address that a symbol stands for.
 *
 * @throws {Error} When the library cannot be opened or has none of that name.
 */
export function symbolAddress(library: Library, name: string): Deno.PointerValue {
  return Deno.dlopen(libraryPath(library), { [name]: { type: "pointer" } }).symbols[name];
}

/**
 * Functions of a library that are called now and then. Deno compiles a trampoline for each function that
 * `Deno.dlopen` is asked for, which takes as long as a hundred calls without one: these go without.
 *
 * @throws {Error} When the library cannot be opened or has none of that name.
 */
export function seldomCalled<const S extends Record<string, Deno.ForeignFunction>>(
  library: Library,
  functions: S,
): Deno.StaticForeignLibraryInterface<S> {
  const names = Object.keys(functions);
  const statics = Object.fromEntries(names.map((name) => [name, { type: "pointer" as const }]));
  const addresses = Deno.dlopen(libraryPath(library), statics).symbols;
  const callables = names.map((name) => {
    const address = addresses[name] as Deno.PointerObject<never>;
    const pointer = new Deno.UnsafeFnPointer(address, functions[name] as Deno.ForeignFunction);
    return [name, pointer.call.bind(pointer)];
  });
  return Object.fromEntries(callables);
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
