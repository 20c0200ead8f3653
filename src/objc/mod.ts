/**
 * The Objective-C runtime from Deno: classes, messages, blocks, delegates and queues, on macOS and, with
 * linux/, on Linux. It is about nothing but Objective-C.
 *
 * @example
 * ```ts ignore
 * import { Class, fromObjC } from "./mod.ts";
 * const info = Class.named("NSProcessInfo").send("processInfo") as NSObject;
 * console.log(fromObjC(info.send("hostName")));
 * ```
 * @module
 */

export { Block, type Completion, completion, succeeded } from "./block.ts";
export { defineClass, type DefinedClass, type MethodDefinition } from "./define_class.ts";
export {
  EncodingError,
  type Field,
  formatType,
  type MethodType,
  parseBlockType,
  parseMethodType,
  parseType,
  type Type,
} from "./encoding.ts";
export { NSError } from "./error.ts";
export { type Converted, fileURL, fromObjC, same } from "./foundation.ts";
export { type Library, openFramework, openFunctions, setLibraryPaths, symbolAddress } from "./libraries.ts";
export { Class, NSObject, type Result } from "./object.ts";
export { autoreleasepool } from "./pool.ts";
export { DispatchQueue } from "./queue.ts";
export { cString, fromCString, releaseObject } from "./runtime.ts";
export type { Argument, ObjectValue } from "./arguments.ts";
