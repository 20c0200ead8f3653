/**
 * The Objective-C runtime from Deno: classes, messages, blocks, delegates and dispatch queues, on macOS and, with
 * GNUstep, on Linux. README.md has the rules of memory and threads.
 *
 * @example
 * ```ts
 * import { Class, fromObjC, type NSObject } from "@objc/runtime";
 * using process = Class.named("NSProcessInfo").send("processInfo") as NSObject;
 * console.log(process.send("processIdentifier") === Deno.pid); // true
 * console.log(fromObjC(process.send("arguments"))); // a JavaScript array of strings
 * ```
 * @module
 */

export type { Argument, ObjectValue, Reference } from "./arguments.ts";
export { Block, type Completion, completion, succeeded } from "./block.ts";
export type { Implementation } from "./callback.ts";
export { defineClass, type DefinedClass, type MethodDefinition } from "./define_class.ts";
export {
  EncodingError,
  type Field,
  formatType,
  type MethodType,
  parseBlockType,
  parseMethodType,
  parseType,
  type Scalar,
  SCALARS,
  type Type,
} from "./encoding.ts";
export { NSError } from "./error.ts";
export { type Converted, elements, fileURL, fromObjC, same, webURL } from "./foundation.ts";
export { type Library, openFramework, openFunctions, setLibraryPaths, symbolAddress } from "./libraries.ts";
export type { Struct } from "./native_type.ts";
export { Class, NSObject, type Result, wrap } from "./object.ts";
export { autoreleasepool } from "./pool.ts";
export { DispatchQueue } from "./queue.ts";
export { cString, fromCString, type Pointer, releaseObject } from "./runtime.ts";
