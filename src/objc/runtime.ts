/** The C functions of the Objective-C runtime, on pointers. */

import { openFunctions } from "./libraries.ts";

/** Any address; null is nil. */
export type Pointer = Deno.PointerValue;

/** What every wrapper answers to: the object's, class's or block's address. Not exported from the package. */
export const POINTER: unique symbol = Symbol("pointer");

/** The runtime's functions, named as `<objc/runtime.h>` has them. */
export const runtime = openFunctions("objc", {
  objc_getClass: { parameters: ["buffer"], result: "pointer" },
  object_getClass: { parameters: ["pointer"], result: "pointer" },
  class_getName: { parameters: ["pointer"], result: "pointer" },
  class_isMetaClass: { parameters: ["pointer"], result: "bool" },
  class_getInstanceMethod: { parameters: ["pointer", "pointer"], result: "pointer" },
  class_getMethodImplementation: { parameters: ["pointer", "pointer"], result: "pointer" },
  class_addMethod: { parameters: ["pointer", "pointer", "pointer", "buffer"], result: "bool" },
  method_getTypeEncoding: { parameters: ["pointer"], result: "pointer" },
  sel_registerName: { parameters: ["buffer"], result: "pointer" },
  sel_getName: { parameters: ["pointer"], result: "pointer" },
  objc_allocateClassPair: { parameters: ["pointer", "buffer", "usize"], result: "pointer" },
  objc_registerClassPair: { parameters: ["pointer"], result: "void" },
  objc_retain: { parameters: ["pointer"], result: "pointer" },
  objc_release: { parameters: ["pointer"], result: "void" },
  objc_autoreleasePoolPush: { parameters: [], result: "pointer" },
  objc_autoreleasePoolPop: { parameters: ["pointer"], result: "void" },
});

const encoder = new TextEncoder();

/** A C string, for functions of {@linkcode openFunctions}. Hold the array for as long as C may read it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text + "\0");
}

/** The text of a C string that C owns, or null. */
export function fromCString(pointer: Pointer): string | null {
  return pointer && Deno.UnsafePointerView.getCString(pointer);
}

/** Gives up a reference to an object that a C function has returned; null is none. */
export function releaseObject(pointer: Pointer): void {
  if (pointer) runtime.objc_release(pointer);
}

const selectors = new Map<string, Pointer>();

/** The selector of a name; selectors are never freed. */
export function registerSelector(name: string): Pointer {
  let sel = selectors.get(name);
  if (!sel) {
    sel = runtime.sel_registerName(cString(name));
    selectors.set(name, sel);
  }
  return sel;
}
