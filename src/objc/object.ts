/** Objects and classes, and sending to them. */

import { isVoid, type Type } from "./encoding.ts";
import { NSError } from "./error.ts";
import { type Method, type Raw, RuntimeClass } from "./method.ts";
import { type Struct, unpack } from "./native_type.ts";
import { ensurePool } from "./pool.ts";
import { fromCString, POINTER, type Pointer, runtime } from "./runtime.ts";
import { type Argument, classPointer, type Reference, sendValues, toRawCall } from "./arguments.ts";

/**
 * What a message returns: numbers of 64 bits are bigint, objects come wrapped, nil is null; structs are arrays of
 * their members, selectors and C strings text. Undefined for void, and for addresses of memory and blocks.
 */
export type Result =
  | NSObject
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Struct;

const finalizer = new FinalizationRegistry<Deno.PointerObject>((pointer) => {
  ensurePool();
  runtime.objc_release(pointer);
});

/**
 * A reference to an Objective-C object. It owns one reference count, which is given up when it is disposed
 * of (`using`), or at some time after it has become unreachable.
 *
 * @example
 * ```ts
 * import { Class, type NSObject } from "@objc/runtime";
 * using text = Class.named("NSString").send("stringWithString:", "hello") as NSObject;
 * console.log(text.send("length")); // 5n
 * ```
 */
export class NSObject implements Reference, Disposable {
  #pointer: Pointer;
  readonly #class: RuntimeClass;

  /**
   * A wrapper of what another one refers to.
   *
   * @param reference What to refer to. From another wrapper its reference is taken over: that one is then empty.
   * @param owned Whether a reference count comes with it; else the object is retained.
   */
  constructor(reference: Reference, owned = false) {
    const pointer = reference[POINTER];
    if (!pointer) throw new TypeError("nil has no wrapper");
    this.#pointer = pointer;
    this.#class = RuntimeClass.of(pointer);
    if (new.target === Class) return; // classes are never released
    if (reference instanceof NSObject) reference.#forget();
    else if (!owned) runtime.objc_retain(pointer);
    finalizer.register(this, pointer, this);
  }

  /** The address; a use after the object was disposed of is an error here and not a crash there. */
  get [POINTER](): Pointer {
    if (!this.#pointer) throw new TypeError(`This ${this.#class.name} has been released`);
    return this.#pointer;
  }

  /** The name of its class. */
  get className(): string {
    return this.#class.name;
  }

  /** Whether it has a method of that name. */
  respondsTo(selector: string): boolean {
    return this.#class.has(selector);
  }

  /**
   * Sends a message. The signature is the method's own, as the runtime tells it: arguments are converted and
   * checked by it. The out parameter of a method that ends in `error:` may be left out: a failure is then thrown.
   *
   * @param selector `substringWithRange:`
   * @param args As many as the selector has colons.
   * @throws {TypeError} When there is no such method, or an argument does not fit: before the call.
   * @throws {NSError} When the method fails.
   */
  send(selector: string, ...args: Argument[]): Result {
    const receiver = this[POINTER];
    const method = this.#class.method(selector);
    if (args.length === 0 && method.args.length === 0) {
      ensurePool();
      const raw = method.sender.send(receiver, method.sel);
      if (method.consumes) this.#forget();
      return fromRaw(method.result, raw, method.owned);
    }
    return sendTo(receiver, method, args, method.consumes ? () => this.#forget() : undefined);
  }

  /** `description`, which is the text itself for an NSString. */
  toString(): string {
    const description = sendValues(this[POINTER], "description") as Pointer;
    return description ? textOf(description) : "";
  }

  /** Its class, for `console.log`: it must not send messages. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.#pointer ? `<${this.#class.name}>` : `<${this.#class.name}, released>`;
  }

  /** Gives up the reference now. */
  [Symbol.dispose](): void {
    if (!this.#pointer) return;
    const pointer = this.#pointer;
    this.#forget();
    ensurePool();
    runtime.objc_release(pointer);
  }

  /** Its reference belongs to someone else now. */
  #forget(): void {
    finalizer.unregister(this);
    this.#pointer = null;
  }
}

/** A class: `Class.named("NSString")`. What it is sent are class methods. Classes are never released. */
export class Class extends NSObject {
  /**
   * The class of a name.
   *
   * @throws {TypeError} When the runtime has none.
   */
  static named(name: string): Class {
    return new Class({ [POINTER]: classPointer(name) });
  }

  /**
   * Allocates and initializes an object.
   *
   * @param initializer The selector of its `init…` method.
   * @param args What that takes.
   * @throws {NSError} When the initializer ends in `error:` and fails.
   * @throws {TypeError} When it gives nil without saying why.
   */
  create(initializer = "init", ...args: Argument[]): NSObject {
    const object = (this.send("alloc") as NSObject).send(initializer, ...args);
    if (object instanceof NSObject) return object;
    throw new TypeError(`-[${this} ${initializer}] gave nil`);
  }

  /** Does nothing: classes are never released. */
  override [Symbol.dispose](): void {}
}

const NSUTF8StringEncoding = 4;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text of an NSString, which may hold zeros. */
function textOf(string: Pointer): string {
  const length = Number(sendValues(string, "lengthOfBytesUsingEncoding:", NSUTF8StringEncoding));
  const bytes = sendValues(string, "UTF8String") as Pointer;
  return bytes && length ? decoder.decode(Deno.UnsafePointerView.getArrayBuffer(bytes, length)) : "";
}

/**
 * Wraps what a method or a C function has returned; null is nil.
 *
 * @param owned Whether a reference count comes with it; else the object is retained.
 */
export function wrap(pointer: Pointer, owned = false): NSObject | null {
  if (!pointer) return null;
  return new NSObject({ [POINTER]: pointer }, owned);
}

/** A raw result as JavaScript's. */
export function fromRaw(type: Type, raw: Raw, owned = false): Result {
  switch (type.kind) {
    case "object":
      return wrap(raw as Pointer, owned);
    case "struct":
    case "array":
      return unpack(type, raw as Uint8Array);
    case "scalar":
      if (isVoid(type)) return undefined;
      if (type.code === "#") return raw ? new Class({ [POINTER]: raw as Pointer }) : null;
      if (type.code === ":") return fromCString(runtime.sel_getName(raw as Pointer));
      if (type.code === "*") return fromCString(raw as Pointer);
      return raw as number | bigint | boolean | undefined;
    default:
      // Addresses of memory and blocks stay inside.
      return undefined;
  }
}

/** Sends with checked arguments, and with an NSError out parameter where the method has one and the call has not. */
function sendTo(receiver: Pointer, method: Method, args: Argument[], consumed?: () => void): Result {
  ensurePool();
  const keep: unknown[] = [];
  const { raw, out } = toRawCall(method, args, keep);
  const result = method.sender.send(receiver, method.sel, ...raw);
  consumed?.();
  keep.length = 0; // Keeps arguments alive until the call returns.
  if (out && !result) throw thrown(out, method);
  return fromRaw(method.result, result, method.owned);
}

/** The error that a method has left in its out parameter. */
export function thrown(out: BigUint64Array, method: Method): Error {
  const error = wrap(Deno.UnsafePointer.create(out[0]));
  return error ? NSError.from(error) : new NSError(`${method} failed and gave no reason`, "", 0);
}
