/** Dispatch queues: messages sent on a queue's own thread, awaited here. */

import { defineClass, type DefinedClass } from "./define_class.ts";
import { formatType, isVoid } from "./encoding.ts";
import { openFunctions, symbolAddress } from "./libraries.ts";
import { type Method, RuntimeClass } from "./method.ts";
import { layoutOf, nativeType, pack, unpack } from "./native_type.ts";
import { Class, fromRaw, NSObject, type Result, thrown } from "./object.ts";
import { ensurePool } from "./pool.ts";
import { cString, POINTER, type Pointer, registerSelector, runtime } from "./runtime.ts";
import { type Argument, classPointer, toRawCall } from "./arguments.ts";

const dispatch = openFunctions("system", {
  dispatch_queue_create: { parameters: ["buffer", "pointer"], result: "pointer" },
  dispatch_async_f: { parameters: ["pointer", "pointer", "pointer"], result: "void" },
});

let objc_release: Pointer | undefined;

/** `objc_release` as a function that a queue can call. */
function release(): Pointer {
  return objc_release ??= symbolAddress("objc", "objc_release");
}

/** Calls that have been sent to a queue and not come back, by number. */
const pending = new Map<bigint, () => void>();
let lastCall = 0n;

let completions: { class: DefinedClass<typeof pending>; object: NSObject } | undefined;

/** Told, on the queue, that a call is done, by its number. */
function completion() {
  if (!completions) {
    const made = defineClass<typeof pending>("DenoQueueCompletion", {
      "done:": { types: "v@:Q", implementation: (pending, call) => pending.get(call as bigint)?.() },
    });
    completions = { class: made, object: made.create(pending) };
  }
  return completions;
}

/**
 * The types of a method as NSMethodSignature is to see them: a block as a plain pointer, since GNUstep does
 * not know `@?`. It is not retained, so whoever calls holds it until the call is done.
 */
function signatureTypes(method: Method): string {
  const types = method.args.map((type) => type.kind === "block" ? "^v" : formatType(type));
  return `${formatType(method.result)}@:${types.join("")}`;
}

/** An NSInvocation that holds its target and arguments. */
function invocation(target: NSObject, selector: string, args: Uint8Array<ArrayBuffer>[]): NSObject {
  const method = RuntimeClass.of(target[POINTER]).method(selector);
  using signature = Class.named("NSMethodSignature").send(
    "signatureWithObjCTypes:",
    signatureTypes(method),
  ) as NSObject;
  const result = Class.named("NSInvocation").send("invocationWithMethodSignature:", signature) as NSObject;
  result.send("setTarget:", target);
  result.send("setSelector:", selector);
  args.forEach((bytes, i) => result.send("setArgument:atIndex:", bytes, i + 2));
  result.send("retainArguments");
  return result;
}

function word(value: bigint | Pointer): Uint8Array<ArrayBuffer> {
  const address = typeof value === "bigint" ? value : Deno.UnsafePointer.value(value);
  return new Uint8Array(new BigUint64Array([address]).buffer);
}

let invokeImplementation: Pointer | undefined;

/** `-[NSInvocation invoke]` as a C function of one argument; it does not look at its selector. */
function invoke(): Pointer {
  return invokeImplementation ??= runtime.class_getMethodImplementation(
    classPointer("NSInvocation"),
    registerSelector("invoke"),
  );
}

/**
 * A serial dispatch queue: messages sent on its own thread, their results awaited here. JavaScript never runs on
 * that thread and never waits for it.
 *
 * @example
 * ```ts
 * import { Class, DispatchQueue } from "@objc/runtime";
 * const queue = DispatchQueue.create("example");
 * await queue.call(Class.named("NSThread"), "sleepForTimeInterval:", 0.01); // nothing else waits
 * ```
 */
// A call travels as one work item: an array of two invocations, the call and the word that it is done, told
// to perform both. So the result is read while the queue's autorelease pool still holds it.
export class DispatchQueue extends NSObject {
  /**
   * A new queue.
   *
   * @param label Seen in crash reports and debuggers.
   */
  static create(label: string): DispatchQueue {
    // A null attribute is DISPATCH_QUEUE_SERIAL.
    return new DispatchQueue({ [POINTER]: dispatch.dispatch_queue_create(cString(label), null) }, true);
  }

  /** The queue of the process's main thread, which must be in a run loop for it: call it from a worker. */
  static main(): DispatchQueue {
    // dispatch_get_main_queue() is inline: the queue is what this symbol names.
    return new DispatchQueue({ [POINTER]: symbolAddress("system", "_dispatch_main_q") });
  }

  /**
   * Sends a message on the queue. As {@linkcode NSObject.send}, but for the promise.
   *
   * @throws {TypeError} Before anything is sent, when there is no such method or an argument does not fit.
   * @throws {NSError} When the method ends in `error:` and fails.
   */
  call(target: NSObject, selector: string, ...args: Argument[]): Promise<Result> {
    ensurePool();
    const method = RuntimeClass.of(target[POINTER]).method(selector);
    const keep: unknown[] = [];
    const { raw, out } = toRawCall(method, args, keep);
    const bytes = raw.map((value, i) => {
      if (value instanceof Uint8Array) return value;
      if (typeof value === "object") return word(value);
      return pack(method.args[i], value!);
    });
    const call = invocation(target, selector, bytes);
    const size = isVoid(method.result) ? 0 : layoutOf(method.result).size;

    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const number = ++lastCall;
    pending.set(number, () => {
      pending.delete(number);
      completion().class.unref();
      keep.length = 0;
      try {
        resolve(result());
      } catch (error) {
        reject(error);
      } finally {
        call[Symbol.dispose](); // its arguments may hold files open
      }
    });
    const result = (): Result => {
      if (size === 0) return undefined;
      const buffer = new Uint8Array(size);
      call.send("getReturnValue:", buffer);
      if (out && !buffer.some((byte) => byte !== 0)) throw thrown(out, method);
      if (method.result.kind === "struct") return fromRaw(method.result, buffer);
      const value = unpack(method.result, buffer);
      const isPointer = typeof value === "bigint" && nativeType(method.result) === "pointer";
      return fromRaw(
        method.result,
        isPointer ? Deno.UnsafePointer.create(value) : value as bigint,
        method.owned,
      );
    };

    // An initializer uses up a reference of its receiver, and the wrapper is to keep the one that it has.
    if (method.consumes) runtime.objc_retain(target[POINTER]);
    const done = invocation(completion().object, "done:", [word(number)]);
    using both = Class.named("NSMutableArray").create("initWithCapacity:", 2);
    both.send("addObject:", call);
    both.send("addObject:", done);
    const run = invocation(both, "makeObjectsPerformSelector:", [word(registerSelector("invoke"))]);
    completion().class.ref();
    this.#send(run);
    return promise;
  }

  /**
   * Allocates and initializes an object on the queue, where such as belong to a thread have to be made.
   *
   * @throws {NSError} As {@linkcode call}.
   * @throws {TypeError} When the initializer gives nil.
   */
  async make(type: string, initializer = "init", ...args: Argument[]): Promise<NSObject> {
    using allocated = Class.named(type).send("alloc") as NSObject;
    const object = await this.call(allocated, initializer, ...args);
    if (object instanceof NSObject) return object;
    throw new TypeError(`-[${type} ${initializer}] gave nil`);
  }

  /** Hands an invocation over to the queue, which releases it there when it has run. */
  #send(run: NSObject): void {
    const pointer = runtime.objc_retain(run[POINTER]);
    dispatch.dispatch_async_f(this[POINTER], pointer, invoke());
    dispatch.dispatch_async_f(this[POINTER], pointer, release());
    run[Symbol.dispose]();
  }
}
