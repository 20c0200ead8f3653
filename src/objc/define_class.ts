/** Classes made at run time whose methods are JavaScript functions: delegates, observers, targets of actions. */

import { type Callback, callback } from "./callback.ts";
import { parseMethodType } from "./encoding.ts";
import { Class, type NSObject, type Result } from "./object.ts";
import { cString, POINTER, registerSelector, runtime } from "./runtime.ts";
import { classPointer } from "./arguments.ts";

/** A method of a class to be. */
export interface MethodDefinition<T> {
  /** Its encoding, as the runtime has it: result, `@:` for receiver and selector, then the arguments: `v@:@`. */
  types: string;
  /**
   * What it does, with the instance's owner and the arguments; what it returns is converted like an argument. Called
   * on the event loop, while the thread that sends the message waits.
   */
  implementation: (owner: T, ...args: Result[]) => unknown;
}

/** A class made by {@linkcode defineClass}. It lives as long as the program. */
export interface DefinedClass<T> {
  /**
   * A new instance whose methods act for `owner`. The owner is held weakly, as a delegate's is: when it is
   * gone, the methods do nothing.
   */
  create(owner: T): NSObject;
  /** Keeps the program alive, and its event loop awake for calls from other threads, until `unref`; both count. */
  ref(): void;
  /** Undoes one `ref`. */
  unref(): void;
}

/** Two copies of this code in one process share one runtime, and its names. */
function freeName(name: string): string {
  for (let n = 1;; n++) {
    const candidate = n === 1 ? name : `${name}_${n}`;
    if (!runtime.objc_getClass(cString(candidate))) return candidate;
  }
}

function addressOf(object: NSObject): bigint {
  return Deno.UnsafePointer.value(object[POINTER]);
}

/** The runtime never lets go of a class, so its methods must not be collected either. */
const kept: Callback[] = [];

/**
 * Makes a class. It adopts no protocol: who calls a delegate asks for its methods, and a framework need not
 * even carry metadata of a protocol that it only calls.
 *
 * @param name Becomes `name_2` and so on when it is taken.
 * @param methods By selector.
 * @param superclass Name of the class that it derives from.
 * @throws {EncodingError} When a method's types cannot be read.
 * @throws {TypeError} When a type in them cannot be passed, or there is no such superclass.
 * @example
 * ```ts
 * import { Class, defineClass, type NSObject } from "@objc/runtime";
 * const owner = { heard: 0 };
 * const observers = defineClass<typeof owner>("Observer", {
 *   "hear:": { types: "v@:@", implementation: (owner) => owner.heard++ },
 * });
 * using observer = observers.create(owner);
 * using center = Class.named("NSNotificationCenter").send("defaultCenter") as NSObject;
 * center.send("addObserver:selector:name:object:", observer, "hear:", "Example", null);
 * center.send("postNotificationName:object:", "Example", null);
 * console.log(owner.heard); // 1
 * center.send("removeObserver:", observer);
 * ```
 */
export function defineClass<T extends WeakKey>(
  name: string,
  methods: Record<string, MethodDefinition<T>>,
  superclass = "NSObject",
): DefinedClass<T> {
  const owners = new Map<bigint, WeakRef<T>>();
  const gone = new FinalizationRegistry<bigint>((address) => {
    if (!owners.get(address)?.deref()) owners.delete(address);
  });
  const parsed = Object.entries(methods).map(([selector, { types, implementation }]) => ({
    selector,
    types,
    callback: callback(parseMethodType(types), (self, ...args) => {
      const owner = owners.get(addressOf(self as NSObject))?.deref();
      return owner && implementation(owner, ...args);
    }, (i) => i === 1),
  }));
  const pointer = runtime.objc_allocateClassPair(classPointer(superclass), cString(freeName(name)), 0n);
  for (const method of parsed) {
    const types = cString(method.types); // the runtime copies it
    runtime.class_addMethod(pointer, registerSelector(method.selector), method.callback.pointer, types);
  }
  runtime.objc_registerClassPair(pointer);
  const callbacks = parsed.map((method) => method.callback);
  kept.push(...callbacks);
  const made = new Class({ [POINTER]: pointer });
  return {
    create(owner) {
      const instance = made.create();
      owners.set(addressOf(instance), new WeakRef(owner));
      gone.register(owner, addressOf(instance));
      return instance;
    },
    ref: () => callbacks.forEach((c) => c.ref()),
    unref: () => callbacks.forEach((c) => c.unref()),
  };
}
